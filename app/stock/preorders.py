"""Preorders: what may be sold before it is there, up to a limit that stands as a shelf of its own until the release date.

The limit is the `told` of the shelf (SKU, AHEAD), so a preorder is claimed, locked and bounded (never_oversold) as any other piece. While that
shelf is open no other shelf of the SKU is offered. From the release on its claims go to where the goods are, and until then are owed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, text

from app.stock import claims, dirty, parts, shelves
from app.stock.shelves import AHEAD
from config.reader import config

NOW = text("SELECT now()")
KNOWN = text("SELECT sku FROM shelves WHERE location = :ahead AND (version <> '' OR reserved > 0) ORDER BY sku")
OPEN = text("""
UPDATE shelves SET told = :told, version = :version, short = greatest(0, reserved - covered - :told + held_back), changed_at = now()
WHERE sku = :sku AND location = :ahead AND (told <> :told OR version <> :version) RETURNING 1
""")
CLAIMED = text("""
SELECT DISTINCT claim FROM reservations WHERE sku = :sku AND location = :ahead AND state = 'open' ORDER BY claim LIMIT :most
""")
MOVE = text("UPDATE reservations SET location = :location, changed_at = now() WHERE key = :key AND state = 'open'")
MOST = 500  # claims of a SKU that are moved in one pass


@dataclass(frozen=True, slots=True)
class Preorder:
    """Sold ahead until `released_at` (aware UTC), at most `most` pieces."""

    sku: str
    released_at: datetime
    most: Decimal


def declared() -> Mapping[str, Preorder]:
    """SKU -> its preorder ([preorders] of config/availability.toml, which `waybill check` reads over)."""
    tables = config().availability.get("preorders", {})
    return {sku: Preorder(sku, table["from"], Decimal(table["most"])) for sku, table in tables.items()}


def ahead(tx: Connection, skus: Collection[str]) -> dict[str, datetime]:
    """The SKUs of these that are not released yet, and when they are; a bundle is when the last of its parts is."""
    known = declared()
    if not known:
        return {}
    now: datetime = tx.execute(NOW).scalar_one()
    return {sku: at for sku, at in released(tx, skus).items() if at > now}


def released(tx: Connection, skus: Collection[str]) -> dict[str, datetime]:
    """Of those of these SKUs that are, or hold, a preorder: the release date, passed or not."""
    known = declared()
    made_of = parts.of(tx, skus) if known else {}
    found: dict[str, datetime] = {}
    for sku in skus:
        pieces = [known[one].released_at for one in (sku, *(part for part, _ in made_of.get(sku, ()))) if one in known]
        if pieces:
            found[sku] = max(pieces)
    return found


def pieces(tx: Connection, skus: Collection[str]) -> set[str]:
    """What is declared of these SKUs and their parts."""
    made_of = parts.of(tx, skus)
    return declared().keys() & {*skus, *(part for made in made_of.values() for part, _ in made)}


def skus(tx: Connection) -> Sequence[str]:
    """What is declared, and what was and still has a shelf of its own."""
    return sorted({*declared(), *tx.execute(KNOWN, {"ahead": AHEAD}).scalars()})


def settle(tx: Connection, sku: str) -> bool:
    """The shelf of a SKU follows what is declared: its limit less what is claimed elsewhere already, or closed. True when that is news."""
    wanted, now = declared().get(sku), tx.execute(NOW).scalar_one()
    is_open = wanted is not None and wanted.released_at > now
    if is_open:
        shelves.make(tx, [(sku, AHEAD)])
    locked = shelves.lock(tx, whole=[sku])
    elsewhere = sum((shelf.reserved for shelf in locked if shelf.location != AHEAD), Decimal(0))
    told = max(Decimal(0), wanted.most - elsewhere) if wanted is not None and is_open else Decimal(0)
    version = wanted.released_at.isoformat() if wanted is not None and is_open else ""
    news = tx.execute(OPEN, {"sku": sku, "ahead": AHEAD, "told": told, "version": version}).scalar() is not None
    if news:
        dirty.mark(tx, {sku})
    return news


def to_move(tx: Connection, sku: str) -> Sequence[str]:
    """The claims that still stand at a closed shelf."""
    if sku in ahead(tx, [sku]):
        return ()
    return list(tx.execute(CLAIMED, {"sku": sku, "ahead": AHEAD, "most": MOST}).scalars())


def move(tx: Connection, claim: str, sku: str) -> None:
    """A claim of what is released stands at the SKU's only place from now on, else at none: as what an order claims by itself."""
    claims.turn(tx, claim)
    shelves.make(tx, [(sku, "")])
    locked = shelves.lock(tx, whole=[sku])
    if any(shelves.sold_ahead(shelf) for shelf in locked):
        return
    homes = [shelf.location for shelf in locked if shelf.account]
    home = homes[0] if len(homes) == 1 else ""
    for piece in claims.of(tx, claim):
        if piece.place == (sku, AHEAD) and piece.state == "open":
            tx.execute(MOVE, {"key": piece.key, "location": home})
            covered = piece.left if piece.covered else Decimal(0)
            shelves.shift(tx, piece.place, reserved=-piece.left, covered=-covered)
            shelves.shift(tx, (sku, home), reserved=piece.left, covered=covered)
    dirty.mark(tx, {sku})
