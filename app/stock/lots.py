"""Lots: what is left of each, the first to expire leaving first where nobody said which, and what of it may no longer be sold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import Connection, text

from app import cases
from app.stock import movements, shelves
from app.stock.movements import Movement
from app.stock.shelves import Place
from config.reader import config

NOTHING = Decimal(0)
NEVER = date.max
# Lots that have run out and were not looked at since anything of them was last told.
DUE = text("""
SELECT DISTINCT m.sku, m.location FROM movements m WHERE m.lot <> '' AND m.lot_expires < :until AND m.kind <> 'expired' AND NOT EXISTS (
    SELECT 1 FROM movements e WHERE e.sku = m.sku AND e.location = m.location AND e.lot = m.lot AND e.kind = 'expired' AND e.told_at >= m.told_at)
ORDER BY 1, 2 LIMIT :most
""")
OF = text("""
SELECT kind, lot, lot_expires, quantity, at FROM movements WHERE sku = :sku AND location = :location ORDER BY at, number, n
""")


@dataclass(frozen=True, slots=True)
class Moved:
    """A movement of one SKU at one place on a day; `expires` None where its source did not say."""

    kind: str
    lot: str
    expires: date | None
    quantity: Decimal
    on: date


@dataclass(frozen=True, slots=True)
class Lot:
    name: str
    expires: date
    left: Decimal


def left(moves: Iterable[Moved]) -> Mapping[str, Lot]:
    """What is left of each lot after these movements, in the order in which they happened; the lot "" is what came in without one. Pure.

    What leaves without a lot is of the lot that expires first of those that have not: what has run out is sold last. Nothing is left below nothing.
    """
    held: dict[str, Decimal] = {}
    expires: dict[str, date] = {}
    for one in moves:
        if one.expires is not None:
            expires[one.lot] = one.expires
        if one.quantity >= 0:
            held[one.lot] = held.get(one.lot, NOTHING) + one.quantity
            continue
        gone = -one.quantity
        for name in _turns(one, held, expires):
            taken = min(gone, held.get(name, NOTHING))
            held[name] = held.get(name, NOTHING) - taken
            gone -= taken
    return {name: Lot(name, expires.get(name, NEVER), many) for name, many in held.items()}


def _turns(one: Moved, held: Mapping[str, Decimal], expires: Mapping[str, date]) -> list[str]:
    """The lots that a movement takes from, in turn."""
    turns = sorted(held, key=lambda lot: (expires.get(lot, NEVER) < one.on, expires.get(lot, NEVER), lot))
    return [one.lot, *turns] if one.lot else turns


def last_day(now: datetime) -> date:
    """Lots that expire before this day are not sold any more (availability.toml [lots] days: so many days earlier)."""
    days = int(config().availability.get("lots", {}).get("days", 0))
    return (now.astimezone(UTC) + timedelta(days=days)).date()


def due(tx: Connection, until: date, most: int = 500) -> list[Place]:
    """Places with lots that have run out and were not written off."""
    return [(row.sku, row.location) for row in tx.execute(DUE, {"until": until, "most": most})]


def write_off(tx: Connection, place: Place, until: date) -> Decimal:
    """Takes what has run out off the shelf, each lot once, at the end of its last day: an owner who counted later has done so himself."""
    shelves.make(tx, {place})
    (shelf,) = shelves.lock(tx, {place})
    rows = tx.execute(OF, {"sku": place[0], "location": place[1]}).all()
    told = [Moved(row.kind, row.lot, row.lot_expires, row.quantity, row.at.date()) for row in rows]
    # What the owner counted and no movement brought lay there before, of no lot that is known.
    before_all = max(NOTHING, shelf.told - sum((one.quantity for one in told), NOTHING))
    found = left([Moved("count", "", None, before_all, date.min), *told])
    gone = NOTHING
    for lot in (one for one in found.values() if one.name and one.expires < until):
        before = sum(1 for row in rows if row.kind == "expired" and row.lot == lot.name)
        movements.record(tx, [_expired(place, lot, before)])
        if lot.left:
            _case(tx, place, lot)
        gone += lot.left
    return gone


def _expired(place: Place, lot: Lot, before: int) -> Movement:
    at = datetime.combine(lot.expires + timedelta(days=1), time(), UTC)
    number = f"expired:{place[0]}:{place[1]}:{lot.name}:{before + 1}"
    return Movement("hub", number, "expired", *place, -lot.left, at, lot=lot.name, lot_expires=lot.expires)


def _case(tx: Connection, place: Place, lot: Lot) -> None:
    sku, location = place
    cases.open_case(
        tx,
        "stock",
        "",
        "lot_expired",
        f"{lot.left.normalize():f} of {sku} at {location} are of lot {lot.name}, which expired on {lot.expires:%Y-%m-%d}.",
        member=f"lot:{sku}:{location}:{lot.name}"[:300],
        role="warehouse",
        cause=f"{sku}:{location}:{lot.name}",
        remedy="Take them off the shelf; they are no longer offered anywhere. A count of that place says what is truly there.",
    )
