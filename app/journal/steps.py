"""The few moves of a step: claimed with lease and fence, concluded once, opening what waited for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from app.database import plain

# The moves themselves are functions of the database (migrations/sql/0009_moves.sql, 0020_going_on.sql): each one round trip.
TAKE = "SELECT * FROM take_step(%(id)s::bigint, %(lease)s::double precision, %(probe)s, %(known)s::bigint)"
GOING = """%(along)s, %(home)s, %(rooms)s, %(channels)s::text[], %(quick)s::text[], %(few)s::integer, %(heard)s::double precision,
    %(floor)s::double precision, %(lease)s::double precision, %(known)s::bigint"""
GO_ON = f"SELECT * FROM go_on(%(run)s::bigint, %(fed)s::text[], {GOING})"  # noqa: S608 - constants only
UNRING = text("UPDATE steps SET rung_at = NULL WHERE id = :id AND armed")
PROBING = text("""
SELECT s.account FROM steps s JOIN account_state a ON a.account = s.account
WHERE s.id = :id AND s.state IN ('ready', 'unknown', 'submitted') AND s.due_at <= now() AND a.breaker <> 'closed'
""")
RENEW = text("""
UPDATE steps SET lease_until = now() + make_interval(secs => :lease)
WHERE id = :id AND fence = :fence AND state = 'running' AND lease_until > now()
""")
CALL = text("""
INSERT INTO calls (step_id, name, result, job) SELECT id, :name, :result, :job FROM steps
WHERE id = :id AND fence = :fence AND state = 'running' AND lease_until > now()
ON CONFLICT (step_id, name) DO UPDATE SET result = excluded.result, job = excluded.job, at = now()
""")
CONCLUDE = """
SELECT conclude_step(%(id)s::bigint, %(fence)s::integer, %(state)s, %(later)s::double precision, %(again)s, %(untried)s::integer, %(doubtful)s,
    %(sent)s, %(job)s::text, %(result)s, %(code)s, %(sentence)s, %(remedy)s, %(owner)s, %(fact)s, %(try)s::integer, %(outcome)s,
    %(seconds)s::double precision, %(worker)s, %(heads)s, %(bodies)b::bytea[], %(kinds)s::text[], %(ours)s::text[], %(theirs)s::text[])
"""
DONE = f"""
SELECT * FROM conclude_done(%(id)s::bigint, %(fence)s::integer, %(result)s, %(try)s::integer, %(outcome)s, %(seconds)s::double precision,
    %(worker)s, %(heads)s, %(bodies)b::bytea[], %(kinds)s::text[], %(ours)s::text[], %(theirs)s::text[],
    %(account)s, %(budget)s::double precision, %(refill)s::double precision, %(probes)s::integer,
    %(subject)s::bigint, %(event)s, %(start)s, %(befores)s::text[], %(afters)s::text[], %(run)s::bigint, {GOING})
"""  # noqa: S608 - constants only
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
    document_id: int | None


Taken = tuple[Claimed, Context]


def claim(tx: Connection, step: int, lease: float, probe: bool = False, known: int | None = None) -> Taken | None:
    """Takes a step that is due; None when it is not, is another's, or its account may not act now (a probe may, once).

    The document's body is left out when it is `known`, the id of the one that the caller holds.
    """
    return _taken(plain(tx).execute(TAKE, {"id": step, "lease": lease, "probe": probe, "known": known}).fetchone())


# A row of take_step and its like: who is hungry, then the fields of Claimed and of Context in their order.
CONTEXT = 1 + len(Claimed.__slots__)


def _taken(row: Any) -> Taken | None:
    return (Claimed(*row[1:CONTEXT]), Context(*row[CONTEXT:])) if row is not None and row[1] is not None else None


@dataclass(frozen=True, slots=True)
class Ended:
    """After a step's end: the accounts that are to be fed, and the run's next step where it was taken."""

    hungry: frozenset[str]
    next: Taken | None = None


def go_on(tx: Connection, values: Mapping[str, Any]) -> Ended:
    """Takes the run's next step, where its account has room and nobody goes before it (GO_ON names what `values` holds)."""
    row: Any = plain(tx).execute(GO_ON, values).fetchone()
    return Ended(frozenset(row[0]), _taken(row))


def conclude_done(tx: Connection, values: Mapping[str, Any]) -> Ended | None:
    """An outer step that is simply done, and what go_on does, in one statement; None when the step is another's by now."""
    row: Any = plain(tx).execute(DONE, values).fetchone()
    return Ended(frozenset(row[0]), _taken(row)) if row is not None else None


def probing(tx: Connection, step: int) -> str | None:
    """The step's account, when its breaker is what keeps a step that is due from being claimed."""
    return tx.execute(PROBING, {"id": step}).scalar()


def unring(tx: Connection, step: int) -> None:
    """A step that could not be claimed may be rung again when its account acts again."""
    tx.execute(UNRING, {"id": step})


def renew(tx: Connection, step: Claimed, lease: float) -> bool:
    """A longer lease for a step that makes many calls; False when it is no longer ours."""
    return tx.execute(RENEW, {"id": step.id, "fence": step.fence, "lease": lease}).rowcount == 1


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
