"""Runs and their steps, laid out as rows before anything is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

RUN = text("""
INSERT INTO runs (subject_id, event_id, event_at, flow, flow_version, difference, document_id, child, detail, open_steps, state, ended_at)
VALUES (:subject, :event, :event_at, :flow, :version, :difference, :document, :child, :detail, :open,
    CASE WHEN :open > 0 THEN 'open' ELSE 'done' END, CASE WHEN :open = 0 THEN now() END)
ON CONFLICT (subject_id, flow, difference) DO NOTHING RETURNING id
""")
STEP = text("""
INSERT INTO steps (run_id, subject_id, flow, name, role, account, kind, state, lane, channel, key, pending, armed, undoes, ended_at, sentence)
VALUES (:run, :subject, :flow, :name, :role, :account, :kind, :state, :lane, :channel, :key, 0, false, :undoes,
    CASE WHEN :state = 'skipped' THEN now() END, :sentence)
RETURNING id
""")
# A predecessor that is ending just now holds its row: either it sees our wait, or we see that it has ended.
WAIT = text("""
WITH open AS (SELECT id FROM steps WHERE id = ANY(:on) AND state NOT IN ('done', 'skipped', 'cancelled') FOR SHARE)
INSERT INTO waits (on_id, step_id) SELECT id, :step FROM open ON CONFLICT DO NOTHING
""")
OPEN_UP = text("""
UPDATE steps SET pending = w.n, state = CASE WHEN w.n = 0 THEN 'ready' ELSE 'waiting' END, armed = (w.n = 0)
FROM (SELECT count(*) AS n FROM waits WHERE step_id = :step) w WHERE id = :step
""")
EARLIER = text("""
SELECT id FROM steps WHERE subject_id = :subject AND account = :account AND id < :step AND role <> 'notify'
    AND state NOT IN ('done', 'skipped', 'cancelled')
""")
READY = text("SELECT DISTINCT account FROM steps WHERE subject_id = :subject AND armed AND rung_at IS NULL")
FETCH_WAITING = text("""
SELECT 1 FROM steps WHERE subject_id = :subject AND flow = :flow AND state = 'ready' AND NOT doubtful LIMIT 1 FOR UPDATE
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
    open_steps = sum(1 for step in run.steps if not step.skip)
    run_id = tx.execute(RUN, _run_row(run, open_steps)).scalar()
    if run_id is None:
        return None
    ids: dict[str, int] = {}
    for step in run.steps:
        ids[step.name] = int(tx.execute(STEP, _step_row(run, int(run_id), step)).scalar_one())
        if not step.skip:
            _order(tx, run, step, ids)
    return int(run_id)


def _order(tx: Connection, run: NewRun, step: NewStep, ids: Mapping[str, int]) -> None:
    """A step waits for what it names, and for earlier steps of its subject on its account."""
    me = ids[step.name]
    on = {ids[name] for name in step.after if name in ids} | set(step.after_ids)
    if step.ordered:
        on |= set(tx.execute(EARLIER, {"subject": run.subject, "account": step.account, "step": me}).scalars())
    if on:
        tx.execute(WAIT, {"on": sorted(on), "step": me})
    tx.execute(OPEN_UP, {"step": me})


def _run_row(run: NewRun, open_steps: int) -> dict[str, Any]:
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
        "open": open_steps,
    }


def _step_row(run: NewRun, run_id: int, step: NewStep) -> dict[str, Any]:
    return {
        "run": run_id,
        "subject": run.subject,
        "flow": step.flow or run.flow,
        "name": step.name,
        "role": step.role,
        "account": step.account,
        "kind": step.kind,
        "state": "skipped" if step.skip else "waiting",
        "lane": run.lane,
        "channel": run.channel,
        "key": step.key,
        "undoes": step.undoes,
        "sentence": step.skip,
    }


def ready_accounts(tx: Connection, subject: int) -> set[str]:
    """Accounts where a subject has steps that may be rung now."""
    return set(tx.execute(READY, {"subject": subject}).scalars())


def fetch_waiting(tx: Connection, subject: int, flow: str) -> bool:
    """Whether a fetch of this object has not begun yet; it is held until this transaction ends."""
    return tx.execute(FETCH_WAITING, {"subject": subject, "flow": flow}).scalar() is not None
