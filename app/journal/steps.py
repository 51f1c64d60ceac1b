"""The few moves of a step: claimed with lease and fence, concluded once, opening what waited for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from app.journal.events import finish

COLUMNS = """s.id, s.run_id, s.subject_id, s.flow, s.name, s.role, s.account, s.kind, s.lane, s.channel, s.key, s.fence, s.tries,
    s.doubtful,
    s.sent_at, s.job, s.undoes, s.preempted, s.losses, s.code"""
CLAIM = text(f"""
UPDATE steps s SET state = 'running', lease_until = now() + make_interval(secs => :lease), fence = fence + 1, tries = tries + 1,
    rung_at = NULL, armed = false, updated_at = now()
WHERE id = :id AND state IN ('ready', 'unknown', 'submitted') AND due_at <= now()
    AND NOT EXISTS (SELECT 1 FROM account_state a WHERE a.account = s.account
        AND (a.paused OR (a.breaker <> 'closed' AND NOT :probe) OR a.drained_at < s.created_at))
RETURNING {COLUMNS}, now() AS claimed_at
""")  # noqa: S608 - constants only
UNRING = text("UPDATE steps SET rung_at = NULL WHERE id = :id AND armed")
PROBING = text("""
SELECT s.account FROM steps s JOIN account_state a ON a.account = s.account
WHERE s.id = :id AND s.state IN ('ready', 'unknown', 'submitted') AND s.due_at <= now() AND a.breaker <> 'closed'
""")
RENEW = text("""
UPDATE steps SET lease_until = now() + make_interval(secs => :lease)
WHERE id = :id AND fence = :fence AND state = 'running' AND lease_until > now()
""")
CONTEXT = text("""
SELECT r.flow_version, r.child, r.detail, r.difference, r.event_id, r.event_at, d.body, b.waybill, b.kind, b.account, b.external_id, b.roles,
    b.version,
    coalesce((SELECT jsonb_agg(jsonb_build_array(l.account, l.kind, l.ours, l.theirs))
        FROM links l WHERE l.subject_id = s.subject_id), '[]') AS links,
    coalesce((SELECT jsonb_object_agg(c.name, jsonb_build_array(c.result, c.job)) FROM calls c WHERE c.step_id = s.id), '{}') AS calls
FROM steps s JOIN runs r ON r.id = s.run_id JOIN subjects b ON b.id = s.subject_id LEFT JOIN documents d ON d.id = r.document_id
WHERE s.id = :id
""")
CALL = text("""
INSERT INTO calls (step_id, name, result, job) SELECT id, :name, :result, :job FROM steps
WHERE id = :id AND fence = :fence AND state = 'running' AND lease_until > now()
ON CONFLICT (step_id, name) DO UPDATE SET result = excluded.result, job = excluded.job, at = now()
""")
CONCLUDE = text("""
UPDATE steps SET state = :state, due_at = now() + make_interval(secs => CAST(:later AS double precision)),
    armed = (:again AND CAST(:later AS double precision) <= 0), lease_until = NULL,
    tries = tries - :untried, doubtful = :doubtful, sent_at = CASE WHEN :sent THEN now() ELSE sent_at END, job = :job, result = :result,
    code = :code, sentence = :sentence, remedy = :remedy, owner = :owner, fact = :fact, updated_at = now(),
    ended_at = CASE WHEN :state IN ('done', 'skipped', 'cancelled') THEN now() END
WHERE id = :id AND fence = :fence AND state = 'running'
""")
OPENED = text("""
WITH gone AS (DELETE FROM waits WHERE on_id = ANY(:ids) RETURNING step_id),
n AS (SELECT step_id, count(*) AS c FROM gone GROUP BY step_id),
held AS (SELECT id FROM steps WHERE id IN (SELECT step_id FROM n) ORDER BY id FOR UPDATE)
UPDATE steps s SET pending = pending - n.c, updated_at = now(),
    state = CASE WHEN state = 'waiting' AND pending - n.c <= 0 THEN 'ready' ELSE state END,
    armed = armed OR (state = 'waiting' AND pending - n.c <= 0 AND due_at <= now())
FROM n JOIN held ON held.id = n.step_id WHERE s.id = n.step_id RETURNING s.account, s.armed
""")
CLOSE_RUN = text("""
UPDATE runs SET open_steps = open_steps - :n,
    state = CASE WHEN open_steps - :n > 0 THEN state
        WHEN EXISTS (SELECT 1 FROM steps WHERE run_id = :run AND state = 'done') OR :reason = '' THEN 'done' ELSE 'cancelled' END,
    reason = CASE WHEN :reason <> '' THEN :reason ELSE reason END,
    ended_at = CASE WHEN open_steps - :n <= 0 THEN now() END
WHERE id = :run RETURNING event_id, event_at, state
""")
ATTEMPT = text("""
INSERT INTO attempts (step_id, run_id, subject_id, account, n, fence, outcome, code, sentence, seconds, calls, worker, next_at)
VALUES (:step, :run, :subject, :account, :n, :fence, :outcome, :code, :sentence, :seconds, :calls, :worker,
    now() + make_interval(secs => CAST(:later AS double precision)))
RETURNING id, at
""")
EXCHANGE = text("""
INSERT INTO payloads (owner, owner_id, n, at, subject_id, head, body) VALUES ('attempt', :attempt, :n, :at, :subject, :head, :body)
""")
RESULT = text("SELECT result FROM steps WHERE run_id = :run AND name = :name AND state = 'done'")
ONE_STATE = text(
    "SELECT state, EXISTS (SELECT 1 FROM calls WHERE step_id = :id AND result IS NOT NULL) AS begun FROM steps WHERE id = :id"
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A step that this worker owns until the lease ends or another fence is given."""

    id: int
    run_id: int
    subject_id: int
    flow: str
    name: str
    role: str
    account: str
    kind: str
    lane: int
    channel: str
    key: str
    fence: int
    tries: int
    doubtful: bool
    sent_at: datetime | None
    job: str | None
    undoes: int | None
    preempted: bool
    losses: int
    code: str
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class Context:
    """What a step acts on."""

    flow_version: int
    child: Mapping[str, Any] | None
    detail: Mapping[str, Any]
    difference: str
    event_id: int | None
    event_at: datetime | None
    body: Mapping[str, Any] | None
    waybill: str
    kind: str
    account: str
    external_id: str
    roles: Mapping[str, Any]
    version: str
    links: Sequence[Sequence[str]]
    calls: Mapping[str, Sequence[str | None]]


def claim(tx: Connection, step: int, lease: float, probe: bool = False) -> Claimed | None:
    """Takes a step that is due; None when it is not, is another's, or its account may not act now (a probe may, once)."""
    row = tx.execute(CLAIM, {"id": step, "lease": lease, "probe": probe}).mappings().first()
    return Claimed(**row) if row is not None else None


def probing(tx: Connection, step: int) -> str | None:
    """The step's account, when its breaker is what keeps a step that is due from being claimed."""
    return tx.execute(PROBING, {"id": step}).scalar()


def unring(tx: Connection, step: int) -> None:
    """A step that could not be claimed may be rung again when its account acts again."""
    tx.execute(UNRING, {"id": step})


def renew(tx: Connection, step: Claimed, lease: float) -> bool:
    """A longer lease for a step that makes many calls; False when it is no longer ours."""
    return tx.execute(RENEW, {"id": step.id, "fence": step.fence, "lease": lease}).rowcount == 1


def context(tx: Connection, step: int) -> Context:
    return Context(**tx.execute(CONTEXT, {"id": step}).mappings().one())


def record_call(tx: Connection, step: Claimed, name: str, result: str | None, job: str | None = None) -> bool:
    """Commits the result of one write of several under its own name; False when the step is no longer ours."""
    return (
        tx.execute(CALL, {"id": step.id, "fence": step.fence, "name": name, "result": result, "job": job}).rowcount == 1
    )


def open_what_waited(tx: Connection, ended: Sequence[int]) -> set[str]:
    """Steps that waited only for these are ready now; the accounts to feed."""
    if not ended:
        return set()
    return {row.account for row in tx.execute(OPENED, {"ids": list(ended)}) if row.armed}


def close_run(tx: Connection, run: int, ended: int, reason: str = "") -> None:
    """Counts ended steps off a run; the last one ends it, and with it perhaps its event."""
    row = tx.execute(CLOSE_RUN, {"run": run, "n": ended, "reason": reason}).one()
    if row.state != "open" and row.event_id is not None:
        finish(tx, row.event_id, row.event_at)


def begun(tx: Connection, step: int) -> bool:
    """Whether a step had an effect: done, or cancelled with some of its writes made."""
    row = tx.execute(ONE_STATE, {"id": step}).one()
    return row.state == "done" or bool(row.begun)


def result_of(tx: Connection, run: int, name: str) -> str:
    """The id that a step of the run ended with; empty when it did not."""
    return str(tx.execute(RESULT, {"run": run, "name": name}).scalar() or "")
