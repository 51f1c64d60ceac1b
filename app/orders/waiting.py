"""What a held order still has to do: its differences as rows, in the order in which they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app.orders.difference import Difference, Kind
from connectors.canonical.codec import dump, load
from connectors.canonical.payment import Payment
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import Shipment

KEEP = text("""
INSERT INTO held_work (subject_id, kind, key, facets, child, event_id, event_at, lane)
VALUES (:subject, :kind, :key, :facets, :child, :event, :event_at, :lane) ON CONFLICT (subject_id, kind, key) DO NOTHING
""")
KINDS = text("SELECT kind, facets FROM held_work WHERE subject_id = :subject ORDER BY id")
FORGET_CHANGED = text("DELETE FROM held_work WHERE subject_id = :subject AND kind = 'changed'")
TAKE = text("""
DELETE FROM held_work WHERE subject_id = :subject RETURNING id, kind, key, facets, child, event_id, event_at, lane
""")
FREE = text("""
SELECT DISTINCT w.subject_id FROM held_work w
WHERE NOT EXISTS (SELECT 1 FROM holds h WHERE h.subject_id = w.subject_id AND h.released_at IS NULL) ORDER BY 1 LIMIT :most
""")
CHILDREN: dict[Kind, Any] = {Kind.SHIPPED: Shipment, Kind.REFUNDED: Refund, Kind.PAID: Payment}


@dataclass(frozen=True, slots=True)
class Waiting:
    difference: Difference
    event_id: int | None
    event_at: datetime | None
    lane: int


def kinds(tx: Connection, subject: int) -> frozenset[str]:
    """What waits of an order, by the differences' kinds."""
    return frozenset(row.kind for row in tx.execute(KINDS, {"subject": subject}))


def must_wait(difference: Difference, held: bool, waiting: frozenset[str]) -> bool:
    """A held order is not begun or changed; what has happened in the world waits only behind an order that was not begun."""
    if difference.kind in (Kind.PLACED, Kind.CHANGED):
        return held or Kind.PLACED in waiting
    return Kind.PLACED in waiting and difference.kind is not Kind.CANCELLED


def keep(
    tx: Connection, subject: int, difference: Difference, event: int | None, event_at: datetime | None, lane: int
) -> None:
    """An edit of what has not begun needs no row: the document that will be begun with is the newest. Edits become one."""
    facets = difference.facets
    if difference.kind is Kind.CHANGED:
        known = tx.execute(KINDS, {"subject": subject}).all()
        if any(row.kind == Kind.PLACED for row in known):
            return
        facets = facets.union(*(row.facets for row in known if row.kind == Kind.CHANGED))
        tx.execute(FORGET_CHANGED, {"subject": subject})
    row = {"subject": subject, "kind": difference.kind.value, "key": difference.key, "facets": sorted(facets)}
    child = Jsonb(dump(difference.child)) if difference.child is not None else None
    tx.execute(KEEP, {**row, "child": child, "event": event, "event_at": event_at, "lane": lane})


def take(tx: Connection, subject: int) -> Sequence[Waiting]:
    """All that waits, oldest first; the rows are gone: start it in the same transaction."""
    rows = sorted(tx.execute(TAKE, {"subject": subject}), key=lambda row: int(row.id))
    return [Waiting(_difference(row), row.event_id, row.event_at, row.lane) for row in rows]


def _difference(row: Any) -> Difference:
    kind = Kind(row.kind)
    child = load(CHILDREN[kind], row.child) if row.child is not None else None
    return Difference(kind, row.key, child, frozenset(row.facets))


def free(tx: Connection, most: int = 200) -> Sequence[int]:
    """Orders that nothing holds any more and that something waits for: what a lost ring left behind."""
    return list(tx.execute(FREE, {"most": most}).scalars())
