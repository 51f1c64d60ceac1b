"""Shelves: one row for each SKU and location, locked in that order, with the owner's word and what is claimed of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, text

Place = tuple[str, str]
AHEAD = "~ahead"  # where what is sold before it is there is claimed (app/stock/preorders.py)
COLUMNS = "sku, location, account, basis, told, held_back, reserved, covered, short, free, as_of, version, seq"
MAKE = text("""
INSERT INTO shelves (sku, location) SELECT * FROM unnest(CAST(:skus AS text[]), CAST(:locations AS text[])) AS t (sku, location)
ORDER BY 1, 2 ON CONFLICT DO NOTHING
""")
LOCK = text(f"""
SELECT {COLUMNS} FROM shelves
WHERE (sku, location) IN (SELECT * FROM unnest(CAST(:skus AS text[]), CAST(:locations AS text[]))) OR sku = ANY(:whole)
ORDER BY sku, location FOR UPDATE
""")  # noqa: S608 - constants only
# `short` is what is promised and not there; only these two statements ever raise it.
SHIFT = text("""
UPDATE shelves SET reserved = reserved + :reserved, covered = covered + :covered, told = told + :told,
    short = greatest(0, reserved + :reserved - covered - :covered - told - :told + held_back), changed_at = now()
WHERE sku = :sku AND location = :location
""")
GRANT = text(
    "UPDATE shelves SET reserved = reserved + :quantity, changed_at = now() WHERE sku = :sku AND location = :location"
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """`free` is what can still be promised: told - held_back - reserved + covered; below zero when too much was promised."""

    sku: str
    location: str
    account: str
    basis: str
    told: Decimal
    held_back: Decimal
    reserved: Decimal
    covered: Decimal
    short: Decimal
    free: Decimal
    as_of: datetime
    version: str
    seq: int | None

    @property
    def place(self) -> Place:
        return self.sku, self.location


def make(tx: Connection, places: Collection[Place]) -> None:
    """Empty shelves where there are none yet."""
    tx.execute(MAKE, _arrays(places))


def lock(tx: Connection, places: Collection[Place] = (), whole: Collection[str] = ()) -> Sequence[Shelf]:
    """These shelves, and every shelf of the SKUs in `whole`, locked until the transaction ends: (SKU, location) is the order for all."""
    rows = tx.execute(LOCK, {**_arrays(places), "whole": sorted(whole)})
    return [Shelf(**row) for row in rows.mappings()]


def _arrays(places: Iterable[Place]) -> Mapping[str, list[str]]:
    ordered = sorted(set(places))
    return {"skus": [sku for sku, _ in ordered], "locations": [location for _, location in ordered]}


def shift(
    tx: Connection,
    place: Place,
    *,
    reserved: Decimal = Decimal(0),
    covered: Decimal = Decimal(0),
    told: Decimal = Decimal(0),
) -> None:
    """Moves the figures of a locked shelf; what is then promised and not there stands in `short`."""
    tx.execute(SHIFT, {"sku": place[0], "location": place[1], "reserved": reserved, "covered": covered, "told": told})


def grant(tx: Connection, place: Place, quantity: Decimal) -> None:
    """Claims pieces of a locked shelf. Raises IntegrityError (never_oversold) when they are not there."""
    tx.execute(GRANT, {"sku": place[0], "location": place[1], "quantity": quantity})


def sold_ahead(shelf: Shelf) -> bool:
    """Whether this shelf is the limit of what is sold before it is there."""
    return shelf.location == AHEAD and bool(shelf.version)
