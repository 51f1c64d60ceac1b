"""Feeding: which ready steps of an account are rung next, and only as many as may run soon."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from app.bell import Ring
from app.cases import open_case
from app.database import plain

FEED = """
SELECT * FROM feed_few(
    %(accounts)s::text[], %(aheads)s::integer[], %(quick)s::boolean[], %(few)s::integer, %(channels)s::text[], %(heard)s,
    %(floor)s, '', '')
"""
# What feed_few would do something for, without its lock: somebody waits, and fewer rings are under way than may be.
HUNGRY = """
SELECT t.account FROM unnest(%(accounts)s::text[], %(quick)s::boolean[]) AS t (account, quick)
WHERE EXISTS (SELECT 1 FROM steps w WHERE w.account = t.account AND w.armed AND w.rung_at IS NULL)
    AND (SELECT count(*) FROM steps w WHERE w.account = t.account AND w.rung_at > now() - make_interval(secs => %(heard)s::double precision))
        + CASE WHEN t.quick THEN (SELECT count(*) FROM steps w WHERE w.account = t.account AND w.state = 'running') ELSE 0 END < %(few)s::integer
"""
ARM = text("""
UPDATE steps SET armed = true WHERE id IN (
    SELECT id FROM steps WHERE NOT armed AND state IN ('ready', 'unknown', 'submitted') AND due_at <= now()
    ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING account
""")
UNHEARD = text("""
UPDATE steps SET rung_at = NULL WHERE id IN (
    SELECT id FROM steps WHERE rung_at < now() - make_interval(secs => :heard) AND (CAST(:only AS text[]) IS NULL OR account = ANY(:only))
    LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING account
""")
LATE = text("SELECT DISTINCT account FROM steps WHERE rung_at < now() - make_interval(secs => :late)")
LOST = text("""
UPDATE steps SET rung_at = NULL, lease_until = NULL, losses = losses + 1, armed = losses + 1 < :losses, due_at = now(), updated_at = now(),
    state = CASE WHEN losses + 1 >= :losses THEN 'dead' WHEN kind = 'inner' THEN 'ready' ELSE 'unknown' END,
    doubtful = kind <> 'inner', sent_at = CASE WHEN kind = 'inner' THEN sent_at ELSE lease_until END,
    code = 'lease_lost', sentence = 'The worker went silent while it acted; what it sent is looked up before anything is sent again.'
WHERE id IN (SELECT id FROM steps WHERE state = 'running' AND lease_until < now() LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING id, run_id, subject_id, account, tries, fence, flow, name, role, state
""")
NOTE_LOSS = text("""
INSERT INTO attempts (step_id, run_id, subject_id, account, n, fence, outcome, code, sentence)
VALUES (:id, :run_id, :subject_id, :account, :tries, :fence, 'lease lost', 'lease_lost', 'The worker went silent; another one takes over.')
""")
# A loose index scan: one look for each account, however many steps wait.
WAITING = text("""
WITH RECURSIVE a AS (
    (SELECT account FROM steps WHERE armed AND rung_at IS NULL ORDER BY account LIMIT 1)
    UNION ALL
    SELECT (SELECT s.account FROM steps s WHERE s.armed AND s.rung_at IS NULL AND s.account > a.account ORDER BY s.account LIMIT 1)
    FROM a WHERE a.account IS NOT NULL)
SELECT account FROM a WHERE account IS NOT NULL
""")


def feed(
    tx: Connection,
    aheads: Mapping[str, int],
    quick: Container[str],
    few: int,
    channels: Iterable[str],
    heard: float,
    floor: float,
) -> list[Ring]:
    """Marks the next steps of each account (how many may run, by name) as rung, in this commit; the caller rings after it.

    At most `few` rings of an account wait for a slot; one that is `quick` to answer is not rung while so many are at work there.
    """
    accounts = sorted(aheads)
    values: dict[str, Any] = {
        "accounts": accounts,
        "aheads": [aheads[account] for account in accounts],
        "quick": [account in quick for account in accounts],
        "few": few,
        "channels": list(channels),
        "heard": heard,
        "floor": floor,
    }
    rows = sorted(plain(tx).execute(FEED, values).fetchall(), key=lambda row: (row[1], row[3], row[0]))
    return [Ring(task, account, name) for name, account, task, _, _ in rows]


def hungry(tx: Connection, accounts: Iterable[str], quick: Container[str], few: int, heard: float) -> set[str]:
    """Those of the accounts that `feed` may ring for; of the others somebody is on the way, who looks for more when he has ended."""
    names = sorted(accounts)
    values = {"accounts": names, "quick": [account in quick for account in names], "few": few, "heard": heard}
    return {str(row[0]) for row in plain(tx).execute(HUNGRY, values).fetchall()} if names else set()


def arm(tx: Connection, most: int = 2000) -> set[str]:
    """Steps whose time has come may be rung; the accounts that have any."""
    return set(tx.execute(ARM, {"most": most}).scalars())


def unheard(tx: Connection, heard: float, only: Sequence[str] | None = None, most: int = 2000) -> set[str]:
    """Rings that nobody answered (of some accounts `only`) may be rung again."""
    names = None if only is None else list(only)
    return set(tx.execute(UNHEARD, {"heard": heard, "only": names, "most": most}).scalars())


def late(tx: Connection, seconds: float) -> Sequence[str]:
    """Accounts with a ring that nobody has answered for so long."""
    return tx.execute(LATE, {"late": seconds}).scalars().all()


def recover(tx: Connection, losses: int, most: int = 500) -> set[str]:
    """Steps whose lease has run out: what they sent is unknown, and is looked up; one that loses every worker is for a person."""
    lost = tx.execute(LOST, {"most": most, "losses": losses}).mappings().all()
    for row in lost:
        tx.execute(NOTE_LOSS, dict(row))
        if row["state"] == "dead":
            open_case(
                tx,
                "dead",
                row["account"],
                "lease_lost",
                f"Every worker that took up this step went silent ({losses} of them).",
                member=f"step:{row['id']}",
                subject=row["subject_id"],
                step=f"{row['flow']}.{row['name']}",
                role=row["role"],
                owner="engineering",
                remedy="An engineer must look at the log under this waybill; then retry the step.",
            )
    return {row["account"] for row in lost}


def waiting(tx: Connection) -> set[str]:
    """Accounts with something to ring."""
    return set(tx.execute(WAITING).scalars())
