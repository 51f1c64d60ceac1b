"""A heartbeat goes through the hub's queue: a worker that lives but does not consume is seen."""

from __future__ import annotations

from sqlalchemy import text

from app.bell import HUB, Ring, ring
from app.database import transaction

SENT = text(
    "INSERT INTO heartbeats (queue, sent_at) VALUES (:queue, now()) ON CONFLICT (queue) DO UPDATE SET sent_at = now()"
)
SEEN = text(
    "INSERT INTO heartbeats (queue, seen_at) VALUES (:queue, now()) ON CONFLICT (queue) DO UPDATE SET seen_at = now()"
)


def send() -> None:
    """Rings for a heartbeat; called by the sweep."""
    with transaction() as tx:
        tx.execute(SENT, {"queue": HUB})
    ring((Ring("waybill.heartbeat", HUB, 0),))


def seen(_: int = 0) -> None:
    """A worker took the heartbeat from the queue."""
    with transaction() as tx:
        tx.execute(SEEN, {"queue": HUB})
