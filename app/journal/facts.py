"""Facts that steps wait for: parked under the fact's lock after reading it once more, resumed oldest first when it arrives."""

from __future__ import annotations

from sqlalchemy import Connection, text

from app.bell import Ring
from app.journal.nourish import feed_accounts

LOCK = text("SELECT pg_advisory_xact_lock(7702, hashtext(:fact))")
# `tries` starts anew: waiting for a fact was nobody's failure.
RESUME = text("""
UPDATE steps SET state = 'ready', armed = true, due_at = now(), tries = 0, updated_at = now()
WHERE id IN (SELECT id FROM steps WHERE state = 'parked' AND fact = :fact ORDER BY subject_id, id FOR UPDATE)
RETURNING account
""")
RESUME_OLD = text("""
UPDATE steps SET state = 'ready', armed = true, due_at = now(), updated_at = now()
WHERE id IN (SELECT id FROM steps WHERE state = 'parked' AND fact NOT LIKE '@hold:%' AND updated_at < now() - make_interval(secs => :seconds)
    ORDER BY subject_id, id LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING account
""")


def lock(tx: Connection, fact: str) -> None:
    """Whoever parks on a fact and whoever brings it take turns."""
    tx.execute(LOCK, {"fact": fact})


def arrived(tx: Connection, fact: str) -> list[Ring]:
    """Resumes every step that waited for the fact; the queues take only as many as may run."""
    return feed_accounts(tx, set(tx.execute(RESUME, {"fact": fact}).scalars()))


def try_again(tx: Connection, seconds: float, most: int = 200) -> list[Ring]:
    """The slow sweep: parked steps are tried again, whether or not anybody said that their fact is there."""
    return feed_accounts(tx, set(tx.execute(RESUME_OLD, {"seconds": seconds, "most": most}).scalars()))
