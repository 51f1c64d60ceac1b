"""Preordering: pieces of an order that wait for their release date, and go on by themselves when it has come, the oldest order first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, text

from app.orders import deadlines, holds, rules
from app.orders.shipping import to_ship
from app.orders.sourcing import split_limit
from app.orders.sourcing_rules import Rules
from app.orders.wants import Demand
from app.stock import preorders
from connectors.canonical.order import Order

KIND = "preorder"  # a deadline for each SKU of an order that waits for its day
OWNER = "warehouse"
GRACE = timedelta(minutes=1)  # for the job that frees it, before its owner hears that it could not
# An older order whose day has come and that was not looked at yet goes first.
BEFORE = text("""
SELECT part, max(due_at) AS at FROM deadlines WHERE kind = 'preorder' AND state = 'open' AND part = ANY(:skus) AND subject_id < :subject
GROUP BY part
""")
PARTS = text("SELECT DISTINCT part FROM deadlines WHERE kind = 'preorder' AND state = 'open' ORDER BY part")
POSTPONE = text("""
UPDATE deadlines SET due_at = coalesce(:at, least(due_at, now()))
WHERE kind = 'preorder' AND part = :part AND state = 'open' AND due_at <> coalesce(:at, least(due_at, now()))
""")
DUE = text("""
SELECT DISTINCT subject_id FROM deadlines WHERE kind = 'preorder' AND state = 'open' AND due_at <= now() ORDER BY 1 LIMIT :most
""")
HELD = text(
    "SELECT subject_id FROM holds WHERE rule = 'preorder' AND released_at IS NULL ORDER BY subject_id LIMIT :most"
)
PUT_OFF = text("UPDATE holds SET deadline_at = :at WHERE id = :id AND deadline_at <> :at RETURNING 1")
# What there is of a SKU for an order that is held for it: all that an owner has counted less what others claim, of those that are held for it only
# the older ones. No row where nobody counts it: then the warehouse knows better.
THERE = text("""
SELECT sum(s.told - s.held_back + s.covered) - (SELECT coalesce(sum(r.quantity - r.shipped), 0) FROM reservations r
    WHERE r.sku = :sku AND r.state = 'open' AND (r.subject_id IS NULL OR r.subject_id <= :subject OR NOT EXISTS (
        SELECT 1 FROM holds h WHERE h.subject_id = r.subject_id AND h.rule = 'preorder' AND h.released_at IS NULL))) AS left_over
FROM shelves s WHERE s.sku = :sku AND s.account <> '' HAVING count(*) > 0
""")


def until(tx: Connection, subject: int, skus: Collection[str]) -> dict[str, datetime]:
    """The SKUs of these that this order waits for, and until when (aware UTC)."""
    known = preorders.released(tx, skus)
    if not known:
        return {}
    before = {row.part: row.at for row in tx.execute(BEFORE, {"skus": sorted(known), "subject": subject})}
    return {**before, **preorders.ahead(tx, list(known))}


def due(tx: Connection, subject: int, chosen: Rules, wanted: Demand) -> Demand:
    """What of a demand may be asked for now. The rest gets its deadline; where the rules allow no split, all of it waits for the last."""
    waits = until(tx, subject, {want.sku for want in wanted.wants})
    for sku, at in sorted(waits.items()):
        deadlines.set_at(tx, subject, KIND, sku, at)
    if not waits:
        return wanted
    parts = split_limit(chosen, wanted) > 1
    return replace(wanted, wants=tuple(want for want in wanted.wants if parts and want.sku not in waits))


def without(tx: Connection, subject: int, left: Mapping[str, Decimal], skus: Mapping[str, str]) -> dict[str, Decimal]:
    """Line id -> pieces, of those that wait for no release."""
    waits = until(tx, subject, {skus[line] for line in left})
    return {line: many for line, many in left.items() if skus[line] not in waits}


def forget(tx: Connection, subject: int) -> None:
    """Nothing of an order waits for its day any more."""
    for one in deadlines.of(tx, subject):
        if one.kind == KIND and one.state == "open":
            deadlines.void(tx, subject, KIND, one.part)


# ---- the dates


def follow_dates(tx: Connection) -> None:
    """A date that was moved moves the deadlines; what is no preorder any more waits for nothing."""
    waiting = tx.execute(PARTS).scalars().all()
    dates = preorders.released(tx, waiting)
    for part in waiting:
        tx.execute(POSTPONE, {"part": part, "at": dates.get(part)})


def due_now(tx: Connection, most: int) -> Sequence[int]:
    """Orders of which the day has come for something, oldest first."""
    return list(tx.execute(DUE, {"most": most}).scalars())


def passed(tx: Connection, subject: int, now: datetime) -> None:
    """Their day has come."""
    for one in deadlines.of(tx, subject):
        if one.kind == KIND and one.state == "open" and one.due_at <= now:
            deadlines.passed(tx, subject, KIND, one.part)


# ---- where no rules are in force one warehouse is asked for the whole order: then the whole order waits, as a hold


def review(tx: Connection, subject: int, order: Order) -> bool:
    """Holds an order that would be asked of its route's warehouse before everything of it is released; answers whether it does."""
    if not preorders.declared():
        return False
    waits = preorders.ahead(tx, _skus(order))
    known = [hold for hold in holds.of(tx, subject) if hold.rule == holds.PREORDER]
    if not waits or rules.in_force(tx) is not None:
        return any(hold.open for hold in known)
    if any(not hold.open and hold.released_by != holds.RULE for hold in known):
        return False  # what a person has freed is not held again
    last = max(waits.values())
    told = {
        "owner": OWNER,
        "by": holds.RULE,
        "note": f"in shops from {last:%Y-%m-%d %H:%M} UTC",
        "rule": holds.PREORDER,
    }
    made = holds.place(tx, subject, "stock", seconds=0, **told)
    if made is not None:
        _put_off(tx, subject, made, last)
    return True


def held(tx: Connection, most: int) -> Sequence[int]:
    """Orders that are held for their release, oldest first."""
    return list(tx.execute(HELD, {"most": most}).scalars())


def free(tx: Connection, subject: int, order: Order) -> set[str] | None:
    """Releases an order whose goods are released and there; None where it stays held. Its hour follows the date."""
    found = [hold for hold in holds.of(tx, subject) if hold.rule == holds.PREORDER and hold.open]
    waits = preorders.ahead(tx, _skus(order))
    if waits:
        for hold in found:
            _put_off(tx, subject, hold.id, max(waits.values()))
        return None
    accounts: set[str] = set()
    if not found or not all(_there(tx, subject, sku) for sku in preorders.pieces(tx, _skus(order))):
        return None
    for hold in found:
        accounts |= holds.release(tx, hold.id, by=holds.RULE, note="it is released, and there") or set()
    return accounts


def _there(tx: Connection, subject: int, sku: str) -> bool:
    left = tx.execute(THERE, {"sku": sku, "subject": subject}).scalar()
    return left is None or left >= 0


def _put_off(tx: Connection, subject: int, hold: int, at: datetime) -> None:
    if tx.execute(PUT_OFF, {"id": hold, "at": at}).scalar() is not None:
        deadlines.set_at(tx, subject, "hold", str(hold), at + GRACE)


def _skus(order: Order) -> set[str]:
    left = to_ship(order)
    return {line.sku for line in order.lines if left.get(line.id, Decimal(0)) > 0}
