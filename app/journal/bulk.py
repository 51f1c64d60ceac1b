"""Bulk: many steps retried or given up by a filter: counted first, done in slices by a worker, audited once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app.bell import INTAKE, RECEIVE, Ring
from app.database import transaction
from app.journal.actions import audit, replay
from app.journal.nourish import feed_accounts

WHERE = """state = ANY(:states)
    AND (:account = '' OR account = :account) AND (:flow = '' OR flow = :flow) AND (:name = '' OR name = :name)
    AND (:channel = '' OR channel = :channel)
    AND (:held OR fact NOT LIKE '@hold:%') AND (CAST(:before AS timestamptz) IS NULL OR created_at < :before)
    AND (:case = 0 OR id IN (SELECT CASE WHEN member LIKE 'step:%' THEN substr(member, 6)::bigint END FROM case_members
        WHERE case_id = :case AND closed_at IS NULL))"""
# Bounded: the count stops at :most, and says so by being it.
COUNT = text(f"SELECT count(*) FROM (SELECT 1 FROM steps WHERE {WHERE} LIMIT :most) counted")  # noqa: S608 - our own texts
CHOSEN = f"SELECT id, run_id FROM steps WHERE id > :after AND {WHERE} ORDER BY id LIMIT :size FOR UPDATE SKIP LOCKED"  # noqa: S608
# One statement a slice: steps, what waited for them, their runs, the events whose runs have all ended.
CANCEL = text(f"""
WITH chosen AS ({CHOSEN}),
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
        state = CASE WHEN open_steps - n.c > 0 THEN state
            WHEN EXISTS (SELECT 1 FROM steps d WHERE d.run_id = r.id AND d.state = 'done') THEN 'done' ELSE 'cancelled' END,
        ended_at = CASE WHEN open_steps - n.c <= 0 THEN now() END
    FROM (SELECT run_id, count(*) AS c FROM struck GROUP BY run_id) n WHERE r.id = n.run_id RETURNING r.id, r.event_id, r.event_at, r.state),
fates AS (
    SELECT event_id, event_at, bool_or(state = 'open') AS open, bool_or(state = 'done') AS done FROM (
        SELECT event_id, event_at, state FROM runs_left UNION ALL
        SELECT event_id, event_at, state FROM runs
        WHERE event_id IN (SELECT event_id FROM runs_left) AND id NOT IN (SELECT id FROM runs_left)) every_run
    GROUP BY event_id, event_at),
ended AS (
    UPDATE events e SET state = CASE WHEN o.done THEN 'applied' ELSE 'superseded' END, reason = :why, ended_at = now() FROM fates o
    WHERE NOT o.open AND e.id = o.event_id AND e.at = o.event_at AND e.state = 'running' RETURNING e.id),
closed AS (
    UPDATE case_members m SET closed_at = now() FROM struck WHERE m.member = 'step:' || struck.id AND m.closed_at IS NULL RETURNING 1)
SELECT count(*) AS n, max(id) AS last, '{{}}'::text[] AS accounts FROM struck
""")  # noqa: S608 - our own texts
# Behind the live lane: a great many must not hold up what comes in now.
RETRY = text(f"""
WITH chosen AS ({CHOSEN}),
tried AS (
    UPDATE steps SET state = CASE WHEN doubtful THEN 'unknown' ELSE 'ready' END, armed = true, due_at = now(), tries = 0, losses = 0,
        rung_at = NULL, lane = 1, updated_at = now()
    FROM chosen WHERE steps.id = chosen.id RETURNING steps.id, steps.account)
SELECT count(*) AS n, max(id) AS last, array_agg(DISTINCT account) AS accounts FROM tried
""")  # noqa: S608
CLOSE_CASES = text("""
UPDATE cases SET status = 'resolved', closed_at = now(), closed_by = :who
WHERE status <> 'resolved' AND kind IN ('dead', 'parked') AND NOT EXISTS (SELECT 1 FROM case_members WHERE case_id = cases.id AND closed_at IS NULL)
""")
EVENTS = text("""
SELECT id FROM (
    SELECT CASE WHEN member LIKE 'event:%' THEN substr(member, 7)::bigint END AS id FROM case_members
    WHERE case_id = :case AND closed_at IS NULL) held
WHERE id > :after ORDER BY id LIMIT :size
""")
ASK = text("""
INSERT INTO bulk_actions (action, wanted, who, reason, found) VALUES (:action, :wanted, :who, :reason, :found) RETURNING id
""")
TAKE = text("SELECT * FROM bulk_actions WHERE id = :id AND state = 'open' FOR UPDATE SKIP LOCKED")
OPEN = text("SELECT id FROM bulk_actions WHERE state = 'open' ORDER BY id")
REACHED = text("""
UPDATE bulk_actions SET done = done + :n, reached = :reached, updated_at = now(), state = CASE WHEN :n = 0 THEN 'done' ELSE state END,
    ended_at = CASE WHEN :n = 0 THEN now() END WHERE id = :id
""")
TURN = text("""
UPDATE bulk_actions SET state = :state, updated_at = now(), ended_at = CASE WHEN :state = 'stopped' THEN now() END
WHERE id = :id AND state IN ('open', 'paused') RETURNING 1
""")
STATES = ("waiting", "ready", "parked", "dead")
RETRIED = ("dead", "parked")
MOST = 2_000_000
SIZE = 20_000
RETRY_SIZE = 500

# Workers plan each statement once for a session (app.database.plan_once): a filter wants a plan for what it names.
PLANNED_FOR_ITS_VALUES = text("SET LOCAL plan_cache_mode = auto")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which steps: by account, flow, step, channel, case (empty or 0: any) and age. Only those that have not begun.

    `held`: those of held orders, too. A retry never takes them: only the release of its hold lets an order go on.
    """

    account: str = ""
    flow: str = ""
    name: str = ""
    channel: str = ""
    before: datetime | None = None
    case: int = 0
    held: bool = True
    states: tuple[str, ...] = STATES


def wanted_of(kept: Mapping[str, Any]) -> Filter:
    """The filter that a kept action names."""
    known = {field.name for field in fields(Filter)}
    said = {name: value for name, value in kept.items() if name in known}
    before = said.get("before")
    return Filter(
        **{**said, "before": datetime.fromisoformat(before) if before else None, "states": tuple(said["states"])}
    )


def preview(tx: Connection, wanted: Filter, most: int = MOST) -> int:
    """How many steps a filter takes, up to `most`."""
    return int(tx.execute(COUNT, {**_values(wanted), "most": most}).scalar_one())


def ask(
    tx: Connection, action: str, wanted: Filter, who: str, reason: str, address: str = "", found: int | None = None
) -> int:
    """Has a worker do it, slice by slice; audited here, once, with the count that the filter took. Answers the action's id."""
    count = preview(tx, wanted) if found is None else found
    kept = {name: str(value) if isinstance(value, datetime) else value for name, value in asdict(wanted).items()}
    told = {**{name: str(value) for name, value in kept.items()}, "preview": count}
    audit(tx, who, f"{action} steps by filter", "steps", reason, after=told, address=address)
    values = {"action": action, "wanted": Jsonb(kept), "who": who, "reason": reason, "found": count}
    return int(tx.execute(ASK, values).scalar_one())


def turn(tx: Connection, action: int, state: str, who: str, reason: str, address: str = "") -> bool:
    """Pauses, resumes ("open") or stops an action that has not ended; what it did stays done."""
    if tx.execute(TURN, {"id": action, "state": state}).scalar() is None:
        return False
    audit(tx, who, f"bulk action {state}", f"bulk:{action}", reason, address=address)
    return True


def open_actions(tx: Connection) -> Sequence[int]:
    """Actions that a worker should go on with."""
    return list(tx.execute(OPEN).scalars())


def advance(tx: Connection, action: int) -> list[Ring] | None:
    """The next slice, under the action's lock; None when there is none, or another worker has it. Ring after the commit."""
    tx.execute(PLANNED_FOR_ITS_VALUES)
    row = tx.execute(TAKE, {"id": action}).mappings().first()
    if row is None:
        return None
    took = SLICES[row["action"]](tx, dict(row))
    tx.execute(REACHED, {"id": action, "n": took.n, "reached": took.last})
    if took.n == 0:
        tx.execute(CLOSE_CASES, {"who": row["who"]})
        return None
    return took.rings


@dataclass(frozen=True, slots=True)
class Slice:
    """How many were done, up to which id, and what to ring."""

    n: int
    last: int
    rings: list[Ring]


def _cancel(tx: Connection, row: Mapping[str, Any]) -> Slice:
    return _steps(tx, row, CANCEL, SIZE)


def _retry(tx: Connection, row: Mapping[str, Any]) -> Slice:
    return _steps(tx, row, RETRY, RETRY_SIZE)


def _steps(tx: Connection, row: Mapping[str, Any], statement: Any, size: int) -> Slice:
    why = f"given up by {row['who']}: {row['reason']}"
    wanted = replace(wanted_of(row["wanted"]), held=row["action"] == "cancel")
    values = {**_values(wanted), "after": row["reached"], "size": size, "why": why}
    took = tx.execute(statement, values).one()
    return Slice(took.n, took.last or row["reached"], feed_accounts(tx, set(took.accounts or ())))


def _replay(tx: Connection, row: Mapping[str, Any]) -> Slice:
    """Deliveries that a case holds are received again; the sweep rings each."""
    values = {"case": int(row["wanted"]["case"]), "after": row["reached"], "size": RETRY_SIZE}
    ids = list(tx.execute(EVENTS, values).scalars())
    rings = [Ring(RECEIVE, INTAKE, event) for event in ids if replay(tx, event, row["who"], row["reason"])]
    return Slice(len(ids), ids[-1] if ids else row["reached"], rings)


SLICES = {"cancel": _cancel, "retry": _retry, "replay": _replay}


def cancel(wanted: Filter, who: str, reason: str) -> Iterator[int]:
    """Cancels all that the filter takes at once, a slice at a time, each committed; yields how many so far."""
    with transaction() as tx:
        action = ask(tx, "cancel", wanted, who, reason)
    while True:
        with transaction() as tx:
            if advance(tx, action) is None:
                return
        with transaction() as tx:
            yield int(tx.execute(text("SELECT done FROM bulk_actions WHERE id = :id"), {"id": action}).scalar_one())


def _values(wanted: Filter) -> dict[str, Any]:
    return {**asdict(wanted), "states": list(wanted.states)}
