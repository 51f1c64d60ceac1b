"""Positions: what the owner of each fact says is there, by SKU and location; the newest word wins, whenever it comes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import orjson
from sqlalchemy import Connection, text

from app.stock import authority, dirty, shelves
from app.stock.shelves import Shelf
from connectors.canonical.codec import dump
from connectors.canonical.stock import StockLevel

SAID = text("""
INSERT INTO positions AS p (account, sku, location, available, version, on_hand, allocated, in_transit, safety, damaged, told_at, lots)
VALUES (:account, :sku, :location, :quantity, :version, :on_hand, :allocated, :in_transit, :safety, :damaged, :as_of, CAST(:lots AS jsonb))
ON CONFLICT (account, sku, location) DO UPDATE SET available = excluded.available, version = excluded.version, as_of = now(),
    on_hand = excluded.on_hand, allocated = excluded.allocated, in_transit = excluded.in_transit, safety = excluded.safety,
    damaged = excluded.damaged, told_at = excluded.told_at, lots = excluded.lots
WHERE p.version <= excluded.version RETURNING 1
""")
# What the owner's `available` leaves out already: claims that it was asked to ship before it said so. A claim that stands at no
# location is left out once every shelf of this owner was told of after that.
COVER = text("""
WITH c AS (
    UPDATE reservations r SET covered = true
    WHERE r.sku = :sku AND r.location = :at AND r.state = 'open' AND NOT r.covered AND EXISTS (
        SELECT 1 FROM links l WHERE l.subject_id = r.subject_id AND l.kind = 'request' AND l.account = :account
        AND l.at >= r.changed_at AND l.at <= least(CAST(:as_of AS timestamptz), (SELECT min(s.as_of) FROM shelves s
            WHERE s.sku = r.sku AND s.account = :account AND :at = '' AND s.location <> :location)))
    RETURNING quantity - shipped AS open)
SELECT coalesce(sum(open), 0) FROM c
""")
UNCOVER = text("""
UPDATE reservations SET covered = false WHERE sku = :sku AND location = :location AND state = 'open' AND covered
""")
TELL = text("""
WITH later AS (
    SELECT coalesce(sum(quantity), 0) AS moved FROM movements WHERE sku = :sku AND location = :location
    AND CASE WHEN source = :account AND seq IS NOT NULL AND CAST(:seq AS bigint) IS NOT NULL THEN seq > :seq
        ELSE at > :as_of AND NOT (:basis = 'available' AND coalesce(known_at <= :as_of, false)) END)
UPDATE shelves s SET account = :account, basis = :basis, told = :quantity + later.moved, as_of = :as_of, version = :version, seq = :seq,
    covered = :covered, changed_at = now(),
    short = greatest(0, s.reserved - :covered - :quantity - later.moved + s.held_back)
FROM later WHERE s.sku = :sku AND s.location = :location RETURNING s.free
""")
# Each fact from whoever owns it. Of an on-hand, what is damaged or kept for safety is not for sale; an `available` leaves it out itself.
NOTE = text("""
WITH f AS (
    SELECT CASE WHEN :counts THEN :on_hand ELSE on_hand END AS on_hand,
        CASE WHEN :knows_allocated THEN coalesce(:allocated, allocated) ELSE allocated END AS allocated,
        CASE WHEN :knows_in_transit THEN coalesce(:in_transit, in_transit) ELSE in_transit END AS in_transit,
        CASE WHEN :knows_safety THEN coalesce(:safety, safety) ELSE safety END AS safety,
        CASE WHEN :knows_damaged THEN coalesce(:damaged, damaged) ELSE damaged END AS damaged
    FROM shelves WHERE sku = :sku AND location = :location),
h AS (SELECT *, CASE WHEN :basis = 'on_hand' THEN coalesce(safety, 0) + coalesce(damaged, 0) ELSE 0 END AS held_back FROM f)
UPDATE shelves s SET on_hand = h.on_hand, allocated = h.allocated, in_transit = h.in_transit, safety = h.safety, damaged = h.damaged,
    held_back = h.held_back, short = greatest(0, s.reserved - s.covered - s.told + h.held_back)
FROM h WHERE s.sku = :sku AND s.location = :location RETURNING s.free
""")
NOW = text("SELECT clock_timestamp()")


OBSERVED = text("""
INSERT INTO observed (account, sku, location, quantity) VALUES (:account, :sku, :location, :quantity)
ON CONFLICT (account, sku, location) DO UPDATE SET quantity = excluded.quantity, at = now()
""")


def concerns(account: str, level: StockLevel) -> bool:
    """Whether this account owns anything of what it says."""
    return any(authority.owns(account, fact, level.location) for fact in (*authority.QUANTITIES, *authority.FACTS))


def observe(tx: Connection, account: str, level: StockLevel) -> None:
    """Keeps what somebody says who does not own it: evidence, when it differs from what we know."""
    quantity = level.available if level.available is not None else level.on_hand
    tx.execute(OBSERVED, {"account": account, "sku": level.sku, "location": level.location, "quantity": quantity})


def set_level(tx: Connection, account: str, level: StockLevel, version: str, seq: int | None = None) -> bool:
    """The owner's newest word on a quantity and on each fact it owns; False when it changes nothing (older, or the same).

    A source's time that lies ahead of ours is taken as now: nothing that happens later may count as seen by it.
    """
    now: datetime = tx.execute(NOW).scalar_one()
    as_of = min(level.as_of or now, now)
    fresh = tx.execute(SAID, {**_said(account, level), "version": version, "as_of": as_of}).scalar() is not None
    places = {(level.sku, level.location), (level.sku, "")} if _pooled(tx, level) else {(level.sku, level.location)}
    shelves.make(tx, {(level.sku, level.location)})
    locked = {shelf.place: shelf for shelf in shelves.lock(tx, places)}
    before = locked[(level.sku, level.location)]
    counts = _counts(account, level) and _newer(before, account, version, as_of)
    basis = _basis(level) if counts else before.basis
    changed = fresh and _noted(tx, account, level, basis, counts) != before.free
    if counts:
        pooled = len(places) > 1 and (level.sku, "") in locked
        changed = _counted(tx, account, level, version, seq, as_of, before, pooled)
    if changed:
        dirty.mark(tx, {level.sku})
    return changed


def _basis(level: StockLevel) -> str:
    return "available" if level.available is not None else "on_hand"


def _said(account: str, level: StockLevel) -> dict[str, object]:
    quantity = level.available if level.available is not None else (level.on_hand or Decimal(0))
    return {
        "account": account,
        "sku": level.sku,
        "location": level.location,
        "quantity": quantity,
        "on_hand": level.on_hand,
        "allocated": level.reserved,
        "in_transit": level.incoming,
        "safety": level.safety,
        "damaged": level.unsellable,
        "lots": orjson.dumps(dump(level.lots)).decode(),
    }


POOLED = text("SELECT 1 FROM shelves WHERE sku = :sku AND location = '' AND reserved > covered")


def _pooled(tx: Connection, level: StockLevel) -> bool:
    """Whether orders claim this SKU at no location."""
    return bool(level.location) and tx.execute(POOLED, {"sku": level.sku}).scalar() is not None


def _newer(shelf: Shelf, account: str, version: str, as_of: datetime) -> bool:
    return shelf.version <= version if shelf.account in (account, "") else shelf.as_of <= as_of


def _noted(tx: Connection, account: str, level: StockLevel, basis: str, counts: bool) -> Decimal:
    """Keeps each fact that this account owns; answers what is free after that."""
    knows = {f"knows_{fact}": authority.owns(account, fact, level.location) for fact in authority.FACTS}
    row = {**_said(account, level), **knows, "counts": counts, "basis": basis}
    return Decimal(tx.execute(NOTE, row).one().free)


def _counts(account: str, level: StockLevel) -> bool:
    """Whether this account is the one that says how many there are."""
    return any(authority.owns(account, fact, level.location) for fact in authority.QUANTITIES)


def _counted(
    tx: Connection,
    account: str,
    level: StockLevel,
    version: str,
    seq: int | None,
    as_of: datetime,
    before: Shelf,
    pooled: bool,
) -> bool:
    basis = _basis(level)
    row = {"sku": level.sku, "location": level.location, "account": account, "as_of": as_of}
    covered = before.covered + _covered(tx, row, level.location) if basis == "available" else _uncovered(tx, row)
    told = {
        **row,
        "basis": basis,
        "quantity": _said(account, level)["quantity"],
        "version": version,
        "seq": seq,
        "covered": covered,
    }
    free = Decimal(tx.execute(TELL, told).scalar_one())
    pool = _covered(tx, row, "") if pooled and basis == "available" else Decimal(0)
    if pool:
        shelves.shift(tx, (level.sku, ""), covered=pool)
    return free != before.free or bool(pool)


def _covered(tx: Connection, row: dict[str, object], at: str) -> Decimal:
    return Decimal(tx.execute(COVER, {**row, "at": at}).scalar_one())


def _uncovered(tx: Connection, row: dict[str, object]) -> Decimal:
    tx.execute(UNCOVER, row)
    return Decimal(0)


# Who lists all that changed until an instant has said nothing new since: its word is as young as that, if all that came is read.
REACHED = text("""
SELECT reached FROM cursors WHERE account = :account AND kind = 'stock'
AND NOT EXISTS (SELECT 1 FROM events WHERE account = :account AND state = 'accepted')
AND NOT EXISTS (SELECT 1 FROM steps WHERE account = :account AND name = 'fetch_object' AND state NOT IN ('done', 'skipped', 'cancelled'))
""")
BEHIND = text("""
SELECT DISTINCT r.sku FROM reservations r JOIN links l ON l.subject_id = r.subject_id AND l.kind = 'request' AND l.account = :account
WHERE r.state = 'open' AND NOT r.covered AND l.at >= r.changed_at AND l.at <= :reached ORDER BY r.sku LIMIT 500
""")
CATCH_UP = text("""
UPDATE reservations r SET covered = true FROM shelves s
WHERE r.sku = :sku AND r.state = 'open' AND NOT r.covered AND s.sku = r.sku AND s.location = r.location
AND (r.location = '' OR (s.account = :account AND s.basis = 'available'))
AND EXISTS (SELECT 1 FROM links l WHERE l.subject_id = r.subject_id AND l.kind = 'request' AND l.account = :account
    AND l.at >= r.changed_at AND l.at <= :reached)
RETURNING r.location, r.quantity - r.shipped AS open
""")


def catch_up(tx: Connection, account: str) -> int:
    """Claims that the account was asked to ship before it last had nothing new to say are left out by its word; answers how many."""
    reached = tx.execute(REACHED, {"account": account}).scalar()
    if reached is None:
        return 0
    caught = 0
    for sku in tx.execute(BEHIND, {"account": account, "reached": reached}).scalars().all():
        shelves.lock(tx, whole=[sku])
        rows = tx.execute(CATCH_UP, {"sku": sku, "account": account, "reached": reached}).all()
        for row in rows:
            shelves.shift(tx, (sku, row.location), covered=row.open)
        caught += len(rows)
        dirty.mark(tx, {sku} if rows else ())
    return caught
