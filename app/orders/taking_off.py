"""Pieces that the hub takes off an order by its own word (refused at the counter), until its channel takes off the same. Pure.

The channel's own document goes on naming them: what it takes off later are these very pieces, and are not taken off twice.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.orders.capturing import part_of
from app.orders.fulfilments import Fulfilment
from app.orders.merge import HUB, with_refund
from connectors.canonical.order import Order
from connectors.canonical.returns import Refund, RefundLine

REASON = "refused at the counter"


def refused(order: Order, one: Fulfilment) -> Order:
    """The order without the pieces of a request that its customer did not want; cancelled where nothing is left of it and nothing has left.
    What was paid for them is another's to give back."""
    nothing = part_of(order.totals.total, Decimal(0), order.money_role)
    lines = tuple(
        RefundLine(want.line_id, want.quantity, nothing, nothing, sku=want.sku, left=Decimal(0)) for want in one.wants
    )
    told = Refund(one.number, nothing, lines, note=one.why or REASON, at=one.updated_at, origin=HUB)
    new = with_refund(order, told)
    if new.shipments or any(line.current_quantity for line in new.lines):
        return new
    return replace(new, cancelled_at=order.cancelled_at or one.updated_at, cancel_reason=told.note)
