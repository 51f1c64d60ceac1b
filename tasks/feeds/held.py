"""Released orders: what waited for them starts, when the ring for it was lost."""

from __future__ import annotations

from app.bell import ring
from app.database import transaction
from app.orders import waiting
from tasks.feeds.each import each
from tasks.reading.beginning import free


def run() -> str:
    """One transaction for each order."""
    with transaction() as tx:
        subjects = waiting.free(tx)
    each(subjects, start)
    return f"{len(subjects)} released orders started"


def start(subject: int) -> str:
    """Rung when an order is released (app.orders.holds.FREE)."""
    with transaction() as tx:
        rings = free(tx, subject)
    ring(rings)
    return f"{len(rings)} steps rung"
