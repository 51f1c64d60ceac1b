"""The few moves of a step: claimed with lease and fence, concluded once, opening what waited for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from app.database import plain

# In the order of Claimed and of Context: read by place, since every step reads them.
COLUMNS = """s.id, s.run_id, s.subject_id, s.flow, s.name, s.role, s.account, s.kind, s.lane, s.channel, s.key, s.fence, s.tries,
    s.doubtful,
    s.sent_at, s.job, s.undoes, s.preempted, s.losses, s.code"""
CLAIM = f"""
UPDATE steps s SET state = 'running', lease_until = now() + make_interval(secs => %(lease)s), fence = fence + 1, tries = tries + 1,
    rung_at = NULL, armed = false, updated_at = now()
WHERE id = %(id)s AND state IN ('ready', 'unknown', 'submitted') AND due_at <= now()
    AND NOT EXISTS (SELECT 1 FROM account_state a WHERE a.account = s.account
        AND (a.paused OR (a.breaker <> 'closed' AND NOT %(probe)s) OR a.drained_at < s.created_at))
RETURNING {COLUMNS}, now() AS claimed_at
"""  # noqa: S608 - constants only
UNRING = text("UPDATE steps SET rung_at = NULL WHERE id = :id AND armed")
PROBING = text("""
SELECT s.account FROM steps s JOIN account_state a ON a.account = s.account
WHERE s.id = :id AND s.state IN ('ready', 'unknown', 'submitted') AND s.due_at <= now() AND a.breaker <> 'closed'
""")
RENEW = text("""
UPDATE steps SET lease_until = now() + make_interval(secs => :lease)
WHERE id = :id AND fence = :fence AND state = 'running' AND lease_until > now()
""")
CONTEXT = """
SELECT r.flow_version, r.child, r.detail, r.difference, r.event_id, r.event_at, d.body, b.waybill, b.kind, b.account, b.external_id, b.roles,
    b.version,
    coalesce((SELECT jsonb_agg(jsonb_build_array(l.account, l.kind, l.ours, l.theirs))
        FROM links l WHERE l.subject_id = s.subject_id), '[]') AS links,
    coalesce((SELECT jsonb_object_agg(c.name, jsonb_build_array(c.result, c.job)) FROM calls c WHERE c.step_id = s.id), '{}') AS calls,
    coalesce((SELECT jsonb_object_agg(e.name, e.result) FROM steps e WHERE e.run_id = s.run_id AND e.state = 'done'), '{}') AS results
FROM steps s JOIN runs r ON r.id = s.run_id JOIN subjects b ON b.id = s.subject_id LEFT JOIN documents d ON d.id = r.document_id
WHERE s.id = %(id)s
"""
CALL = text("""
INSERT INTO calls (step_id, name, result, job) SELECT id, :name, :result, :job FROM steps
WHERE id = :id AND fence = :fence AND state = 'running' AND lease_until > now()
ON CONFLICT (step_id, name) DO UPDATE SET result = excluded.result, job = excluded.job, at = now()
""")
# The moves themselves are functions of the database (migrations/sql/0009_moves.sql): each one round trip.
CONCLUDE = """
SELECT conclude_step(%(id)s::bigint, %(fence)s::integer, %(state)s, %(later)s::double precision, %(again)s, %(untried)s::integer, %(doubtful)s,
    %(sent)s, %(job)s::text, %(result)s, %(code)s, %(sentence)s, %(remedy)s, %(owner)s, %(fact)s, %(try)s::integer, %(outcome)s,
    %(seconds)s::double precision, %(worker)s, %(heads)s, %(bodies)s::bytea[], %(kinds)s::text[], %(ours)s::text[], %(theirs)s::text[])
"""
OPENED = text("SELECT open_what_waited(:ids)")
CLOSE_RUN = text("SELECT close_run(:run, :n, :reason)")
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

    @property
    def task(self) -> str:
        """The Celery task's name."""
        return f"{self.flow}.{self.name}"


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
    results: Mapping[str, str]


def claim(tx: Connection, step: int, lease: float, probe: bool = False) -> Claimed | None:
    """Takes a step that is due; None when it is not, is another's, or its account may not act now (a probe may, once)."""
    row = plain(tx).execute(CLAIM, {"id": step, "lease": lease, "probe": probe}).fetchone()
    return Claimed(*row) if row is not None else None


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
    row = plain(tx).execute(CONTEXT, {"id": step}).fetchone()
    if row is None:
        raise LookupError(f"step {step} has no run")
    return Context(*row)


def record_call(tx: Connection, step: Claimed, name: str, result: str | None, job: str | None = None) -> bool:
    """Commits the result of one write of several under its own name; False when the step is no longer ours."""
    return (
        tx.execute(CALL, {"id": step.id, "fence": step.fence, "name": name, "result": result, "job": job}).rowcount == 1
    )


def conclude(tx: Connection, row: Mapping[str, Any]) -> set[str] | None:
    """Concludes an attempt (CONCLUDE names what `row` holds); the accounts to feed, None when the step is another's by now."""
    answered = plain(tx).execute(CONCLUDE, row).fetchone()
    assert answered is not None
    return None if answered[0] is None else set(answered[0])


def open_what_waited(tx: Connection, ended: Sequence[int]) -> set[str]:
    """Steps that waited only for these are ready now; the accounts to feed."""
    return set(tx.execute(OPENED, {"ids": list(ended)}).scalar_one()) if ended else set()


def close_run(tx: Connection, run: int, ended: int, reason: str = "") -> None:
    """Counts ended steps off a run; the last one ends it, and with it perhaps its event."""
    tx.execute(CLOSE_RUN, {"run": run, "n": ended, "reason": reason})


def begun(tx: Connection, step: int) -> bool:
    """Whether a step had an effect: done, or cancelled with some of its writes made."""
    row = tx.execute(ONE_STATE, {"id": step}).one()
    return row.state == "done" or bool(row.begun)
