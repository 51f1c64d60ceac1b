"""Feeding: which ready steps of an account are rung next, and only as many as may run soon."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, text

from app.bell import Ring
from app.cases import open_case

LOCK = text("SELECT pg_advisory_xact_lock(7701, hashtext(:account))")
# Live lane first, channels in turn, the oldest order first: orders finish one by one.
PICK = text("""
WITH gate AS (
    SELECT a.paused, a.drained_at, a.breaker, a.retry_at FROM account_state a WHERE a.account = :account),
room AS (
    SELECT CASE WHEN EXISTS (SELECT 1 FROM gate WHERE paused OR (breaker <> 'closed' AND retry_at > now())) THEN 0
        WHEN EXISTS (SELECT 1 FROM gate WHERE breaker <> 'closed') THEN 1
        ELSE greatest(0, :ahead - (SELECT count(*) FROM steps WHERE account = :account AND rung_at > now() - make_interval(secs => :heard))
            - (SELECT count(*) FROM steps WHERE account = :account AND state = 'running')) END AS n),
chosen AS (
    SELECT s.id, s.lane, s.turn, s.subject_id FROM (
        SELECT f.id, f.lane, f.subject_id, row_number() OVER (PARTITION BY c.lane, c.channel ORDER BY f.subject_id, f.id) AS turn
        FROM (SELECT lane, channel FROM unnest(ARRAY[0, 1]) AS lane, unnest(CAST(:channels AS text[])) AS channel) c
        CROSS JOIN LATERAL (
            SELECT id, subject_id, lane FROM steps
            WHERE account = :account AND lane = c.lane AND channel = c.channel AND armed AND rung_at IS NULL
                AND created_at <= coalesce((SELECT drained_at FROM gate), 'infinity')
            ORDER BY subject_id, id LIMIT (SELECT n FROM room) FOR UPDATE SKIP LOCKED) f) s
    ORDER BY CASE WHEN s.lane = 1 AND s.turn <= ceil(:floor * (SELECT n FROM room)) THEN 0 ELSE s.lane END, s.turn, s.subject_id, s.id
    LIMIT (SELECT n FROM room))
UPDATE steps SET rung_at = now() FROM chosen WHERE steps.id = chosen.id
RETURNING steps.id, steps.flow, steps.name, steps.subject_id
""")
ARM = text("""
UPDATE steps SET armed = true WHERE id IN (
    SELECT id FROM steps WHERE NOT armed AND state IN ('ready', 'unknown', 'submitted') AND due_at <= now()
    ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING account
""")
UNHEARD = text("""
UPDATE steps SET rung_at = NULL WHERE id IN (
    SELECT id FROM steps WHERE rung_at < now() - make_interval(secs => :heard) LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING account
""")
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


def task_name(flow: str, step: str) -> str:
    return f"{flow}.{step}"


def feed(tx: Connection, account: str, ahead: int, channels: Iterable[str], heard: float, floor: float) -> list[Ring]:
    """Marks the next steps of an account as rung, in this commit; the caller rings after it."""
    tx.execute(LOCK, {"account": account})
    values: dict[str, Any] = {
        "account": account,
        "ahead": ahead,
        "channels": list(channels),
        "heard": heard,
        "floor": floor,
    }
    rows = sorted(tx.execute(PICK, values).all(), key=lambda row: (row.subject_id, row.id))
    return [Ring(task_name(row.flow, row.name), account, row.id) for row in rows]


def arm(tx: Connection, most: int = 2000) -> set[str]:
    """Steps whose time has come may be rung; the accounts that have any."""
    return set(tx.execute(ARM, {"most": most}).scalars())


def unheard(tx: Connection, heard: float, most: int = 2000) -> set[str]:
    """Rings that nobody answered may be rung again."""
    return set(tx.execute(UNHEARD, {"heard": heard, "most": most}).scalars())


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
