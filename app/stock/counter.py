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
from connectors.canonical.returns import Refund

SOURCE = "hub"
VOID = "till void"  # the reason of a refund whose pieces never left: voided at the till before its day was booked
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


def voided(order: Order, line_id: str) -> Decimal:
    """Pieces of a line that were voided at the till by themselves."""
    pieces = (line for refund in order.refunds if refund.reason == VOID for line in refund.lines)
    return sum((line.quantity for line in pieces if line.line_id == line_id), Decimal(0))


def give_back(tx: Connection, order: Order, refund: Refund) -> None:
    """Pieces of a sale that were voided lie on the shelf again, once for each void."""
    lines = {line.id: line for line in order.lines}
    at, made_of = refund.at or datetime.now(UTC), parts.of(tx, {lines[one.line_id].sku for one in refund.lines})
    moves = []
    for n, one in enumerate(refund.lines):
        line = lines[one.line_id]
        place = line.location or order.location
        for sku, each in made_of.get(line.sku, ((line.sku, Decimal(1)),)):
            if place and sku:
                number = f"void:{order.channel}:{order.id}:{refund.id}:{line.id}:{sku}"
                moves.append(Movement(SOURCE, number, "return", sku, place, one.quantity * each, at, n=n))
    movements.record(tx, moves)


def _moves(tx: Connection, order: Order, kind: str, sign: int, at: datetime) -> Iterator[Movement]:
    lines = carried(order)
    made_of = parts.of(tx, {line.sku for line in lines})
    for line in lines:
        place = line.location or order.location
        for sku, each in made_of.get(line.sku, ((line.sku, Decimal(1)),)):
            many = line.quantity - (voided(order, line.id) if sign > 0 else 0)  # a void is a movement of its own
            if place and sku and many > 0:
                number = f"{kind}:{order.channel}:{order.id}:{line.id}:{sku}"
                yield Movement(SOURCE, number, kind, sku, place, sign * many * each, at)
