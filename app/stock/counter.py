"""The counter: what a customer carries home leaves the shelf of the store that sold it, once, when it was sold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Connection

from app.stock import movements, parts
from app.stock.movements import Movement
from connectors.canonical.order import Line, Order, Source
from connectors.canonical.product import ProductKind

SOURCE = "hub"
KEPT_IN_STOCK = (ProductKind.GOODS, ProductKind.BUNDLE)


def carried(order: Order) -> tuple[Line, ...]:
    """The lines that left with their customer at a till."""
    return () if order.shipments else tuple(line for line in order.lines if at_the_counter(order, line))


def at_the_counter(order: Order, line: Line) -> bool:
    """Whether a line is goods that were handed over where they were sold."""
    goods = line.kind in KEPT_IN_STOCK and not line.bundle_id
    return order.source is Source.POS and not line.requires_shipping and goods


def sell(tx: Connection, order: Order) -> None:
    """Counted at the order's location (or the line's own), at the time of the sale: an owner who counts later has it in his count."""
    if carried(order):  # most orders are none of a till's: they cost nothing here
        movements.record(tx, [*_moves(tx, order, "sale", -1, order.placed_at)])


def take_back(tx: Connection, order: Order) -> None:
    """A sale that was voided: the pieces lie on the shelf again, now."""
    if carried(order):
        movements.record(tx, [*_moves(tx, order, "return", 1, datetime.now(UTC))])


def _moves(tx: Connection, order: Order, kind: str, sign: int, at: datetime) -> Iterator[Movement]:
    lines = carried(order)
    made_of = parts.of(tx, {line.sku for line in lines})
    for line in lines:
        place = line.location or order.location
        for sku, each in made_of.get(line.sku, ((line.sku, Decimal(1)),)):
            if place and sku and line.quantity > 0:
                number = f"{kind}:{order.channel}:{order.id}:{line.id}:{sku}"
                yield Movement(SOURCE, number, kind, sku, place, sign * line.quantity * each, at)
