"""What left, told by the warehouse, against the lines that the channel sold."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment, ShipmentLine
from connectors.kit.errors import Rejected

Lines = Counter[str]  # pieces by order line id


def pieces_of(order: Order, shipment: Shipment) -> Lines:
    """The shipment by order line: named by id, else by SKU over its lines. Raises Rejected naming it."""
    pieces: Lines = Counter()
    for n, line in enumerate(shipment.lines):
        for name, quantity in _matched(order, line, pieces, n).items():
            pieces[name] += quantity
    return pieces


def _matched(order: Order, shipped: ShipmentLine, taken: Lines, n: int) -> Lines:
    if any(line.id == shipped.line_id for line in order.lines):
        return Counter({shipped.line_id: int(shipped.quantity)})
    left, found = shipped.quantity, Counter[str]()
    for line in order.lines:
        part = (
            min(left, line.current_quantity - taken[line.id]) if line.sku == shipped.sku and shipped.sku else Decimal(0)
        )
        if part > 0:
            found[line.id], left = int(part), left - part
    if left > 0:
        what = shipped.sku or shipped.line_id
        sentence = f"The shipment has {shipped.quantity} of {what}, which order {order.number} has not."
        raise Rejected(sentence, code="unknown_line", field=f"lines[{n}]", owner="logistics")
    return found
