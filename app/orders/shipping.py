"""What of an order is still to be shipped."""

from __future__ import annotations

from decimal import Decimal

from app.orders.difference import GONE
from connectors.canonical.order import Line, Order, Source


def to_ship(order: Order) -> dict[str, Decimal]:
    """Line id -> quantity that nobody has shipped yet, of the lines that are shipped at all."""
    if order.source is Source.POS and order.shipping is None:
        return {}  # carried home from the store
    sent: dict[str, Decimal] = {}
    for shipment in order.shipments:
        for line in shipment.lines if shipment.status in GONE else ():
            name = line.line_id or line.sku
            sent[name] = sent.get(name, Decimal(0)) + line.quantity
    left = {line.id: line.current_quantity - _sent(line, sent) for line in order.lines if line.requires_shipping}
    return {line: quantity for line, quantity in left.items() if quantity > 0}


def _sent(line: Line, sent: dict[str, Decimal]) -> Decimal:
    return sent.get(line.id, sent.get(line.sku, Decimal(0)))
