"""Disposition: where goods that came back go, as movements of stock at the place that counted them, each once under the return's own number.

Everything comes in; what is quarantined or scrapped goes out again, so it is never for sale. A place that counts a return here must not tell
the same goods as movements of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from app.orders.life import QUARANTINE, RESTOCK, SCRAP
from app.stock import dirty, ledger, movements, parts, reservations, shelves
from app.stock.movements import Movement
from connectors.canonical.order import Order
from connectors.canonical.returns import Return, ReturnStatus
from connectors.canonical.returns import ReturnLine as Told
from connectors.canonical.shipment import GONE

if TYPE_CHECKING:
    from app.orders.return_requests import ReturnLine, ReturnRow

SOURCE = "hub"
CONDITIONS = {RESTOCK: "sellable", QUARANTINE: "quarantined", SCRAP: "scrapped"}


def move(tx: Connection, row: ReturnRow, order: Order, at: datetime | None = None) -> None:
    """What was received of a return comes in where it was counted (`at`: now), and goes where it belongs.

    Nothing where nobody said where that was. What came back had left: its parcels are taken off their claims first, though their own step may
    still wait for another system.
    """
    claim = reservations.claim(row.subject_id)
    _take_turns(tx, order)
    for shipment in (one for one in order.shipments if one.status in GONE):
        reservations.ship(tx, row.subject_id, shipment)
    for line in row.lines:
        if line.received:
            ledger.credit(tx, claim, row.number, line.line_id, line.received, restock=False)
    if row.location:
        movements.record(tx, list(_moves(tx, row, order, at)))


def _take_turns(tx: Connection, order: Order) -> None:
    """All shelves and marks of the order at once, in the order that all keep to: its parcels are taken off one after another, in whatever order
    they left, and who concludes what was told of the same articles would wait for this, and this for him."""
    sold = {line.sku for line in order.lines if line.sku}
    made_of = parts.of(tx, sold)
    skus = sold | {sku for each in made_of.values() for sku, _ in each}
    shelves.lock(tx, whole=skus)
    dirty.mark(tx, skus)


def _moves(tx: Connection, row: ReturnRow, order: Order, at: datetime | None) -> Iterator[Movement]:
    for line in row.lines:
        for sku, pieces in _pieces(tx, line, order):
            yield _one(row, line, sku, pieces, "return", 0, at)
            if line.disposition != RESTOCK:
                yield _one(row, line, sku, -pieces, line.disposition, 1, at)


def _pieces(tx: Connection, line: ReturnLine, order: Order) -> Sequence[tuple[str, Decimal]]:
    """What a line is made of: bundles come back as their parts."""
    sku = next((one.sku for one in order.lines if one.id == line.line_id), "")
    many = line.received or Decimal(0)
    made_of = parts.of(tx, [sku]).get(sku, ((sku, Decimal(1)),))
    return [(name, each * many) for name, each in made_of if name and many > 0]


def _one(
    row: ReturnRow, line: ReturnLine, sku: str, pieces: Decimal, kind: str, n: int, at: datetime | None = None
) -> Movement:
    number = f"{row.number}:{line.line_id}:{sku}"
    claim = reservations.claim(row.subject_id)
    return Movement(SOURCE, number, kind, sku, row.location, pieces, at or datetime.now(UTC), n=n, claim=claim)


def dispose(
    tx: Connection,
    row: ReturnRow,
    order: Order,
    line: ReturnLine,
    disposition: str,
    turn: int,
    at: datetime | None = None,
) -> None:
    """The `turn`th time that pieces of a line leave quarantine: they come in once more, and what is scrapped goes out at the same instant."""
    at = at or datetime.now(UTC)
    found = [_one(row, line, sku, pieces, "release", 2 * turn, at) for sku, pieces in _pieces(tx, line, order)]
    if disposition == SCRAP:
        found += [_one(row, line, sku, -pieces, SCRAP, 2 * turn + 1, at) for sku, pieces in _pieces(tx, line, order)]
    if row.location and found:
        movements.record(tx, found)


def told(row: ReturnRow) -> Return:
    """The return as a channel would tell it: what was counted, and in which condition it is."""
    lines = tuple(
        Told(one.line_id, one.quantity, one.reason, "", one.received, CONDITIONS.get(one.disposition, ""))
        for one in row.lines
    )
    return Return(
        row.number, ReturnStatus.RECEIVED, lines, row.number, at=row.created_at, location=row.location, origin=SOURCE
    )
