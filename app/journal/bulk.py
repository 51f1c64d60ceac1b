"""Bulk: many steps cancelled by a filter, counted first, done in slices, audited once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from app.database import transaction
from app.journal.actions import audit

# Bounded: the count stops at :most, and says so by being it.
COUNT = text("""
SELECT count(*) FROM (SELECT 1 FROM steps WHERE state = ANY(:states)
    AND (:account = '' OR account = :account) AND (:flow = '' OR flow = :flow) AND (:name = '' OR name = :name)
    AND (:channel = '' OR channel = :channel) AND (CAST(:before AS timestamptz) IS NULL OR created_at < :before) LIMIT :most) counted
""")
# One statement a slice: steps, what waited for them, their runs.
SLICE = text("""
WITH chosen AS (
    SELECT id, run_id FROM steps WHERE id > :after AND state = ANY(:states)
        AND (:account = '' OR account = :account) AND (:flow = '' OR flow = :flow) AND (:name = '' OR name = :name)
        AND (:channel = '' OR channel = :channel) AND (CAST(:before AS timestamptz) IS NULL OR created_at < :before)
    ORDER BY id LIMIT :size FOR UPDATE SKIP LOCKED),
struck AS (
    UPDATE steps SET state = 'cancelled', armed = false, rung_at = NULL, ended_at = now(), updated_at = now(), sentence = :why
    FROM chosen WHERE steps.id = chosen.id RETURNING steps.id, steps.run_id),
gone AS (DELETE FROM waits USING struck WHERE waits.on_id = struck.id RETURNING waits.step_id),
opened AS (
    UPDATE steps s SET pending = pending - n.c, state = CASE WHEN state = 'waiting' AND pending - n.c <= 0 THEN 'ready' ELSE state END,
        armed = armed OR (state = 'waiting' AND pending - n.c <= 0)
    FROM (SELECT step_id, count(*) AS c FROM gone GROUP BY step_id) n
    WHERE s.id = n.step_id AND s.id NOT IN (SELECT id FROM struck) RETURNING s.id),
runs_left AS (
    UPDATE runs r SET open_steps = open_steps - n.c, reason = :why,
        state = CASE WHEN open_steps - n.c <= 0 THEN 'cancelled' ELSE state END, ended_at = CASE WHEN open_steps - n.c <= 0 THEN now() END
    FROM (SELECT run_id, count(*) AS c FROM struck GROUP BY run_id) n WHERE r.id = n.run_id RETURNING r.event_id, r.event_at, r.state),
ended AS (
    UPDATE events e SET state = 'superseded', reason = :why, ended_at = now() FROM runs_left l
    WHERE l.state = 'cancelled' AND e.id = l.event_id AND e.at = l.event_at AND e.state = 'running' RETURNING e.id),
closed AS (
    UPDATE case_members m SET closed_at = now() FROM struck WHERE m.member = 'step:' || struck.id AND m.closed_at IS NULL RETURNING 1)
SELECT count(*) AS n, max(id) AS last FROM struck
""")
CLOSE_CASES = text("""
UPDATE cases SET status = 'resolved', closed_at = now(), closed_by = :who
WHERE status <> 'resolved' AND kind IN ('dead', 'parked') AND NOT EXISTS (SELECT 1 FROM case_members WHERE case_id = cases.id AND closed_at IS NULL)
""")
STATES = ("waiting", "ready", "parked", "dead")
MOST = 2_000_000
SIZE = 20_000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which steps: by account, flow, step, channel (empty: any) and age. Only those that have not begun."""

    account: str = ""
    flow: str = ""
    name: str = ""
    channel: str = ""
    before: datetime | None = None
    states: tuple[str, ...] = STATES


def preview(tx: Connection, wanted: Filter, most: int = MOST) -> int:
    """How many steps a filter takes, up to `most`."""
    return int(tx.execute(COUNT, {**asdict(wanted), "states": list(wanted.states), "most": most}).scalar_one())


def cancel(wanted: Filter, who: str, reason: str) -> Iterator[int]:
    """Cancels all that the filter takes, a slice at a time, each committed; yields how many so far. May be asked again at any time."""
    with transaction() as tx:
        count = preview(tx, wanted)
        audit(
            tx,
            who,
            "cancel steps by filter",
            "steps",
            reason,
            after={**{k: str(v) for k, v in asdict(wanted).items()}, "preview": count},
        )
    after, done = 0, 0
    while True:
        with transaction() as tx:
            values = {
                **asdict(wanted),
                "states": list(wanted.states),
                "after": after,
                "size": SIZE,
                "why": f"given up by {who}: {reason}",
            }
            row = tx.execute(SLICE, values).one()
        if not row.n:
            break
        after, done = row.last, done + row.n
        yield done
    with transaction() as tx:
        tx.execute(CLOSE_CASES, {"who": who})
