"""Backorders: what nobody had when it was ordered is sourced again by itself once there is something of it, the oldest order first."""

from __future__ import annotations

from sqlalchemy import text

from app.bell import ring
from app.database import transaction
from app.journal import subjects
from app.orders import fulfilments, planning
from connectors.canonical.order import Order
from tasks.feeds.each import each

# Orders that lack pieces of which a shelf has some by now.
WAITING = text("""
SELECT DISTINCT m.subject_id FROM case_members m
JOIN reservations r ON r.subject_id = m.subject_id AND r.state = 'open'
JOIN shelves s ON s.sku = r.sku AND s.told > s.held_back
WHERE m.member = 'unsourced:' || m.subject_id AND m.closed_at IS NULL ORDER BY 1 LIMIT :most
""")
MOST = 500


def run() -> str:
    """One transaction each, so that an order placed meanwhile waits for one other at most."""
    with transaction() as tx:
        waiting = list(tx.execute(WAITING, {"most": MOST}).scalars())
    return f"{each(waiting, resume)} of {len(waiting)} backorders were sourced"


def resume(subject: int) -> bool:
    with transaction() as tx:
        known = subjects.lock_id(tx, subject)
        if not isinstance(known.document, Order) or known.document.cancelled_at is not None:
            return False
        numbers = planning.resume(tx, known.id, known.waybill, known.document)
        rings = fulfilments.to_follow(tx, numbers)
    ring(rings)
    return bool(numbers)
