"""Movements: a sale, pick, return, transfer or receipt is counted once, whenever and however often its source tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b

from sqlalchemy import Connection, text

from app.stock import dirty, shelves
from app.stock.shelves import Place, Shelf

# What a movement of so many pieces does where it happens (and where they go, for a transfer).
SIGNS = {
    "sale": -1,
    "pick": -1,
    "scrap": -1,
    "return": 1,
    "receipt": 1,
    "adjustment": 1,
    "transfer_out": -1,
    "transfer_in": 1,
}
KEEP = text("""
INSERT INTO movements (source, number, n, kind, sku, location, quantity, at, seq, known_at, claim, lot, lot_expires, content)
VALUES (:source, :number, :n, :kind, :sku, :location, :quantity, least(:at, clock_timestamp()), :seq, :known_at, :claim, :lot, :lot_expires, :content)
ON CONFLICT (source, number, n) DO NOTHING RETURNING at
""")
KNOWN = text("SELECT content FROM movements WHERE source = :source AND number = :number AND n = :n")


HERE = text("""
SELECT EXISTS (SELECT 1 FROM movements WHERE sku = :sku AND location = :location AND source = 'hub' AND kind = :kind
        AND at > now() - interval '30 days')
    AND NOT EXISTS (SELECT 1 FROM movements WHERE source = :source AND number = :number)
""")


class Contradicted(Exception):
    """The source told another movement under this number before."""


@dataclass(frozen=True, slots=True)
class Movement:
    """`quantity` is signed pieces of the SKU's own unit. `seq` is the source's own sequence, `at` its own time (aware UTC).

    `known_at` says since when the owner's `available` leaves these pieces out: they were claimed and asked for before they left.
    """

    source: str
    number: str
    kind: str
    sku: str
    location: str
    quantity: Decimal
    at: datetime
    seq: int | None = None
    n: int = 0
    known_at: datetime | None = None
    claim: str = ""
    lot: str = ""
    lot_expires: date | None = None

    @property
    def place(self) -> Place:
        return self.sku, self.location

    @property
    def content(self) -> str:
        told = (self.kind, self.sku, self.location, str(self.quantity.normalize()), self.seq, self.lot)
        return blake2b(repr(told).encode(), digest_size=12).hexdigest()


def included(movement: Movement, at: datetime, shelf: Shelf) -> bool:
    """Whether the owner's word, as it stands on the shelf, was said after the movement: then it counts it already."""
    if movement.source == shelf.account and movement.seq is not None and shelf.seq is not None:
        return movement.seq <= shelf.seq
    known = shelf.basis == "available" and movement.known_at is not None and movement.known_at <= shelf.as_of
    return at <= shelf.as_of or known


def keep(tx: Connection, movement: Movement) -> datetime | None:
    """Keeps a movement; None when it was told before. Raises Contradicted when it was told otherwise."""
    row = {name: getattr(movement, name) for name in (*Movement.__dataclass_fields__, "content")}
    at: datetime | None = tx.execute(KEEP, row).scalar()
    if at is None:
        told = tx.execute(KNOWN, {"source": movement.source, "number": movement.number, "n": movement.n}).scalar()
        if told != movement.content:
            raise Contradicted(f"{movement.source} told movement {movement.number} otherwise before.")
    return at


def counted_here(tx: Connection, movement: Movement) -> bool:
    """Whether the hub itself counts such movements of the SKU there (till sales, returns), so that this one, which is new, would count twice."""
    asked = {name: getattr(movement, name) for name in ("sku", "location", "kind", "source", "number")}
    return bool(tx.execute(HERE, asked).scalar())


def record(tx: Connection, movements: list[Movement]) -> list[bool]:
    """Keeps movements and counts those that the owner's word does not count yet; answers which were new.

    Shelves are locked in (SKU, location) order first. Raises Contradicted.
    """
    places = {movement.place for movement in movements}
    shelves.make(tx, places)
    known = {shelf.place: shelf for shelf in shelves.lock(tx, places)}
    new = [_counted(tx, movement, known[movement.place]) for movement in movements]
    dirty.mark(tx, {movement.sku for movement, fresh in zip(movements, new, strict=True) if fresh})
    return new


def _counted(tx: Connection, movement: Movement, shelf: Shelf) -> bool:
    at = keep(tx, movement)
    if at is not None and not included(movement, at, shelf):
        shelves.shift(tx, movement.place, told=movement.quantity)
    return at is not None
