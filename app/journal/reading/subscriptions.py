"""An account's webhook subscriptions as the watch saw them last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from app.journal.reading.rows import listed

OF = text("""
SELECT topic, alive, checked_at, dead_since FROM subscriptions WHERE account = :account ORDER BY alive, topic LIMIT 200
""")


@dataclass(frozen=True, slots=True)
class Subscription:
    """`dead_since` is None while it is there, alive and ours."""

    topic: str
    alive: bool
    checked_at: datetime
    dead_since: datetime | None


def of(tx: Connection, account: str) -> Sequence[Subscription]:
    """What is off first."""
    return listed(tx, Subscription, OF, account=account)
