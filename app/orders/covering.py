"""Covering: which pieces of an order its requests account for, which nobody was asked for, and which leave though nobody wants them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection

from app import cases
from app.orders import fulfilments
from app.orders.fulfilments import Fulfilment
from app.orders.shipping import to_ship
from connectors.canonical.order import Order
from connectors.canonical.shipment import GONE

# What a location in these states sends, or has sent, is asked of nobody else.
LEAVING = frozenset(("shipped", "in_transit"))
COVERS = frozenset((*fulfilments.OPEN, "shipped", "in_transit", "delivered", "collected"))


def unasked(order: Order, asked: Sequence[Fulfilment]) -> dict[str, Decimal]:
    """Line id -> pieces that are still to be sent and that no request covers. A request whose first parcel has left covers its others, too."""
    mine = {one.account or one.location for one in asked}
    left, still = to_ship(order, but=mine), to_ship(order)
    for one in asked:
        for want in one.wants if one.state in COVERS else ():
            left[want.line_id] = left.get(want.line_id, Decimal(0)) - want.quantity
    fewest = {line: min(quantity, still.get(line, Decimal(0))) for line, quantity in left.items()}
    return {line: quantity for line, quantity in fewest.items() if quantity > 0}


def fits(order: Order, asked: Sequence[Fulfilment]) -> bool:
    """Whether just what is still wanted is on its way or asked for: then nothing is withdrawn."""
    wants = to_ship(order)
    return bool(wants) and _to_come(order, asked) == wants


def within(order: Order, asked: Sequence[Fulfilment]) -> bool:
    """Whether no more is on its way or asked for than is still wanted."""
    wants = to_ship(order)
    return all(many <= wants.get(line, Decimal(0)) for line, many in _to_come(order, asked).items())


def _to_come(order: Order, asked: Sequence[Fulfilment]) -> dict[str, Decimal]:
    left = coming(order, asked)
    for one in asked:
        for want in one.wants if one.state in fulfilments.OPEN else ():
            left[want.line_id] = left.get(want.line_id, Decimal(0)) + want.quantity
    return left


def overhang(tx: Connection, subject: int, waybill: str, order: Order) -> None:
    """Who has begun to send a request sends the rest of it: what of that is not wanted any more only a person can stop. Ends where there is none."""
    asked = fulfilments.of(tx, subject)
    wanted = {} if order.cancelled_at is not None else to_ship(order)
    too_many = {line: many - wanted.get(line, Decimal(0)) for line, many in coming(order, asked).items()}
    skus = {line.id: line.sku for line in order.lines}
    words = ", ".join(f"{many.normalize():f} x {skus.get(line, line)}" for line, many in too_many.items() if many > 0)
    if not words:
        cases.leave(tx, f"overhang:{subject}")
        return
    where = ", ".join(sorted({one.location for one in asked if one.state in LEAVING}))
    cases.open_case(
        tx,
        "conflict",
        "hub",
        "leaves_though_unwanted",
        f"{where} has begun to send {waybill}: {words} will leave that are not wanted any more.",
        member=f"overhang:{subject}",
        subject=subject,
        role="warehouse",
        cause=waybill,
        remedy="Have them stop the rest there, or take it back as a return; the customer was told that it is not coming.",
    )


def coming(order: Order, asked: Sequence[Fulfilment]) -> dict[str, Decimal]:
    """Line id -> pieces that are still to come of requests whose first parcel has left."""
    left: dict[str, Decimal] = {}
    for one in asked:
        for want in one.wants if one.state in LEAVING else ():
            left[want.line_id] = left.get(want.line_id, Decimal(0)) + want.quantity
    mine = {one.account or one.location for one in asked if one.state in LEAVING}
    names = {line.sku: line.id for line in order.lines}
    for shipment in order.shipments:
        for piece in shipment.lines if shipment.origin in mine and shipment.status in GONE else ():
            line = piece.line_id or names.get(piece.sku, "")
            left[line] = left.get(line, Decimal(0)) - piece.quantity
    return {line: many for line, many in left.items() if many > 0}
