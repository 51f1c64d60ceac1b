"""Runs and their steps, laid out as rows before anything is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import count, takewhile
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, TextClause, text

from app.cases import leave
from app.database import plain
from app.journal.steps import close_run

# migrations/sql/0021_laying_out.sql, as 0025_beside.py has it
LAY = """
SELECT lay_run(%(subject)s, %(event)s, %(event_at)s::timestamptz, %(flow)s, %(version)s::integer, %(difference)s, %(document)s, %(child)s::jsonb,
    %(detail)s, %(lane)s::smallint, %(channel)s, %(steps)s, %(on)s::integer[], %(for)s::integer[], %(before)s::bigint[], %(after)s::integer[])
"""
READY = text("SELECT DISTINCT account FROM steps WHERE subject_id = :subject AND armed AND rung_at IS NULL")
CHILD = text("SELECT child FROM runs WHERE subject_id = :subject AND flow = :flow AND difference = :difference")
BEFORE = text("SELECT 1 FROM runs WHERE subject_id = :subject AND flow = :flow AND difference = :difference")
WROTE = text("""
SELECT 1 FROM runs r WHERE r.subject_id = :subject AND r.flow = :flow AND r.difference = :difference AND r.created_at >= :since
    AND EXISTS (SELECT 1 FROM steps s WHERE s.run_id = r.id AND s.kind <> 'inner' AND s.state NOT IN ('skipped', 'cancelled'))
""")
FETCH_WAITING = text("""
SELECT 1 FROM steps WHERE subject_id = :subject AND flow = :flow AND state = 'ready' AND NOT doubtful LIMIT 1 FOR UPDATE
""")

GIVEN_UP = text("""
UPDATE steps SET state = 'cancelled', armed = false, updated_at = now(), ended_at = now()
WHERE subject_id = :subject AND flow = :flow AND state = 'dead' AND NOT doubtful AND job IS NULL RETURNING id, run_id
""")


@dataclass(frozen=True, slots=True)
class NewStep:
    """A step to lay out. `after` and `undoes` name steps of this run or ids of earlier ones."""

    name: str
    role: str
    account: str
    kind: str
    key: str
    after: tuple[str, ...] = ()
    after_ids: tuple[int, ...] = ()
    ordered: bool = True
    undoes: int | None = None
    skip: str = ""
    flow: str = ""  # whose table knows it, where that is not the run's (an undo)


@dataclass(frozen=True, slots=True)
class NewRun:
    subject: int
    event: int | None
    event_at: Any
    flow: str
    version: int
    difference: str
    document: int | None
    channel: str
    lane: int
    steps: Sequence[NewStep]
    child: Mapping[str, Any] | None = None
    detail: Mapping[str, Any] | None = None


def lay(tx: Connection, run: NewRun) -> int | None:
    """Lays out a run and all its steps; None when this difference has its run already. One that nothing concerns has ended."""
    own = _waits(run.steps)
    earlier = [(on, n) for n, step in enumerate(run.steps, 1) if not step.skip for on in step.after_ids]
    row = (
        plain(tx)
        .execute(LAY, {**_row(run), **_pairs(own, "on", "for"), **_pairs(earlier, "before", "after")})
        .fetchone()
    )
    return None if row is None or row[0] is None else int(row[0])


def _waits(steps: Sequence[NewStep]) -> list[tuple[int, int]]:
    """(on, step), counted from 1: a step waits for what it names in its run, and for those before it at its account, but for the skipped."""
    places = {step.name: n for n, step in enumerate(steps, 1) if not step.skip}
    pairs: set[tuple[int, int]] = set()
    for n, step in enumerate(steps, 1):
        if not step.skip:
            on = {places[name] for name in step.after if name in places}
            if step.ordered:
                on |= {m for m, other in enumerate(steps[: n - 1], 1) if _goes_before(other, step)}
            pairs |= {(m, n) for m in on}
    return sorted(pairs)


def _goes_before(other: NewStep, step: NewStep) -> bool:
    return not other.skip and other.role != "notify" and other.account == step.account


def _pairs(pairs: Sequence[tuple[int, int]], on: str, waiting: str) -> dict[str, list[int]]:
    return {on: [first for first, _ in pairs], waiting: [second for _, second in pairs]}


def _row(run: NewRun) -> dict[str, Any]:
    return {
        "subject": run.subject,
        "event": run.event,
        "event_at": run.event_at,
        "flow": run.flow,
        "version": run.version,
        "difference": run.difference,
        "document": run.document,
        "child": Jsonb(run.child) if run.child is not None else None,
        "detail": Jsonb(dict(run.detail or {})),
        "lane": run.lane,
        "channel": run.channel,
        "steps": Jsonb([_step(run, step) for step in run.steps]),
    }


def _step(run: NewRun, step: NewStep) -> dict[str, Any]:
    names = {
        "flow": step.flow or run.flow,
        "name": step.name,
        "role": step.role,
        "account": step.account,
        "kind": step.kind,
    }
    return {**names, "key": step.key, "undoes": step.undoes, "skip": step.skip, "ordered": step.ordered}


def child_of(tx: Connection, subject: int, flow: str, difference: str) -> Mapping[str, Any] | None:
    """What a run is about beside its order; None when there is no such run."""
    found: Mapping[str, Any] | None = tx.execute(
        CHILD, {"subject": subject, "flow": flow, "difference": difference}
    ).scalar()
    return found


def anew(tx: Connection, subject: int, flow: str, difference: str) -> str:
    """The name of a difference that may come again (an order is edited to and fro): its own, or another one of the kind where that had its run."""
    return next(name for name in _names(difference) if not _had(tx, BEFORE, subject, flow, name))


def written(tx: Connection, subject: int, flow: str, difference: str, since: datetime) -> int:
    """How many runs this very difference had since then (aware UTC) that wrote to anybody, or may still do so."""
    had = takewhile(lambda name: _had(tx, BEFORE, subject, flow, name), _names(difference))
    return sum(_had(tx, WROTE, subject, flow, name, since=since) for name in had)


def _names(difference: str) -> Iterator[str]:
    yield difference
    for n in count(2):
        yield blake2b(f"{difference}/{n}".encode(), digest_size=10).hexdigest()


def _had(tx: Connection, statement: TextClause, subject: int, flow: str, name: str, **more: Any) -> bool:
    row = {"subject": subject, "flow": flow, "difference": name, **more}
    return tx.execute(statement, row).scalar() is not None


def ready_accounts(tx: Connection, subject: int) -> set[str]:
    """Accounts where a subject has steps that may be rung now."""
    return set(tx.execute(READY, {"subject": subject}).scalars())


def fetch_waiting(tx: Connection, subject: int, flow: str) -> bool:
    """Whether a fetch of this object has not begun yet; it is held until this transaction ends."""
    return tx.execute(FETCH_WAITING, {"subject": subject, "flow": flow}).scalar() is not None


def give_way(tx: Connection, subject: int, flow: str) -> None:
    """Ends the fetches of this object that were given up: another looks now, and their cases are over."""
    for step in tx.execute(GIVEN_UP, {"subject": subject, "flow": flow}).all():
        close_run(tx, step.run_id, 1, "told of again: another fetch looks")
        leave(tx, f"step:{step.id}")
