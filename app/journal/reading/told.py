"""What partners were told of events: each with where it stands, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from app.journal.reading.rows import Page, paged

SELECT = """
SELECT s.id, r.child->>'id' AS message, r.child->>'event' AS event, r.child->>'listener' AS listener, b.waybill, s.account, s.state,
    s.tries, s.due_at, s.sentence, s.created_at, s.ended_at
FROM steps s JOIN runs r ON r.id = s.run_id JOIN subjects b ON b.id = s.subject_id
"""
FILTERS = {
    "flow": "s.flow = :flow",
    "account": "s.account = :account",
    "listener": "r.child->>'listener' = :listener",
    "state": "s.state = :state",
    "before": "s.id < :before",
}
# What may go out once more: it was taken, or given up, since an instant; the oldest first.
AGAIN = text("""
SELECT s.id FROM steps s JOIN runs r ON r.id = s.run_id WHERE s.flow = 'partner_told' AND s.account = :account
    AND r.child->>'listener' = :listener AND s.created_at >= :since AND s.state = ANY(:states) ORDER BY s.id LIMIT :most
""")
MOST = 1000


@dataclass(frozen=True, slots=True)
class Telling:
    """One event for one listener; `message` is its webhook-id, `tries` how often it was sent so far."""

    id: int
    message: str
    event: str
    listener: str
    waybill: str
    account: str
    state: str
    tries: int
    due_at: datetime
    sentence: str
    created_at: datetime
    ended_at: datetime | None


def tellings(tx: Connection, **given: Any) -> Page[Telling]:
    return paged(tx, Telling, SELECT, FILTERS, {"flow": "partner_told", **given}, "s.id DESC")


def repeatable(tx: Connection, account: str, listener: str, since: datetime, *, only_failed: bool) -> list[int]:
    """Steps that a replay sends again, at most MOST."""
    states = ["dead"] if only_failed else ["dead", "done"]
    asked = {"account": account, "listener": listener, "since": since, "states": states, "most": MOST}
    return list(tx.execute(AGAIN, asked).scalars())


ONLY = text("SELECT id FROM steps WHERE id = ANY(:ids) AND flow = 'partner_told'")


def only(tx: Connection, steps: Sequence[int]) -> list[int]:
    """Those of the steps that tell a partner: no other may be repeated from here."""
    return list(tx.execute(ONLY, {"ids": list(steps)}).scalars())
