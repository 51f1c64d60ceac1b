"""Runs and their steps, laid out as rows before anything is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app.cases import leave
from app.database import plain
from app.journal.steps import close_run

RUN = text("""
INSERT INTO runs (subject_id, event_id, event_at, flow, flow_version, difference, document_id, child, detail, open_steps, state, ended_at)
VALUES (:subject, :event, :event_at, :flow, :version, :difference, :document, :child, :detail, :open,
    CASE WHEN :open > 0 THEN 'open' ELSE 'done' END, CASE WHEN :open = 0 THEN now() END)
ON CONFLICT (subject_id, flow, difference) DO NOTHING RETURNING id
""")
# All steps of a run in one statement, in the order of their table: their ids rise with it.
STEPS = """
INSERT INTO steps (run_id, subject_id, flow, name, role, account, kind, state, lane, channel, key, pending, armed, undoes, ended_at, sentence)
SELECT %(run)s, %(subject)s, s.flow, s.name, s.role, s.account, s.kind, CASE WHEN s.sentence = '' THEN 'waiting' ELSE 'skipped' END,
    %(lane)s, %(channel)s, s.key, 0, false, s.undoes, CASE WHEN s.sentence <> '' THEN now() END, s.sentence
FROM unnest(%(flows)s::text[], %(names)s::text[], %(roles)s::text[], %(accounts)s::text[], %(kinds)s::text[], %(keys)s::text[],
    %(undoes)s::bigint[], %(sentences)s::text[]) WITH ORDINALITY AS s (flow, name, role, account, kind, key, undoes, sentence, n)
ORDER BY s.n RETURNING id, name
"""
OPEN_UP = "SELECT open_up(%(on)s::bigint[], %(waiting)s::bigint[], %(steps)s::bigint[])"
EARLIER = """
SELECT id, account FROM steps WHERE subject_id = %(subject)s AND account = ANY(%(accounts)s::text[]) AND id < %(first)s AND role <> 'notify'
    AND state NOT IN ('done', 'skipped', 'cancelled')
"""
READY = text("SELECT DISTINCT account FROM steps WHERE subject_id = :subject AND armed AND rung_at IS NULL")
CHILD = text("SELECT child FROM runs WHERE subject_id = :subject AND flow = :flow AND difference = :difference")
BEFORE = text("SELECT 1 FROM runs WHERE subject_id = :subject AND flow = :flow AND difference = :difference")
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
    open_steps = [step for step in run.steps if not step.skip]
    run_id = tx.execute(RUN, _run_row(run, len(open_steps))).scalar()
    if run_id is None or not run.steps:
        return run_id
    ids = {str(name): int(made) for made, name in plain(tx).execute(STEPS, _step_rows(run, int(run_id))).fetchall()}
    mine = [ids[step.name] for step in open_steps]
    pairs = _waits(run, ids, _earlier(tx, run, min(ids.values())))
    if mine:
        waits = {"on": [on for on, _ in pairs], "waiting": [step for _, step in pairs]}
        plain(tx).execute(OPEN_UP, {**waits, "steps": mine})
    return int(run_id)


def _earlier(tx: Connection, run: NewRun, first: int) -> Sequence[tuple[int, str]]:
    """Open steps that this subject had before this run, with their accounts, where a step of ours must wait for them."""
    accounts = {step.account for step in run.steps if step.ordered and not step.skip}
    values = {"subject": run.subject, "accounts": sorted(accounts), "first": first}
    return [(int(name), str(account)) for name, account in plain(tx).execute(EARLIER, values).fetchall()]


def _waits(run: NewRun, ids: Mapping[str, int], earlier: Sequence[tuple[int, str]]) -> list[tuple[int, int]]:
    """(on, step): a step waits for what it names, and for earlier steps of its subject on its account (of this run too)."""
    pairs: set[tuple[int, int]] = set()
    before = list(earlier)
    for step in run.steps:
        me = ids[step.name]
        if not step.skip:
            on = {ids[name] for name in step.after if name in ids} | set(step.after_ids)
            if step.ordered:
                on |= {name for name, account in before if account == step.account}
            pairs |= {(name, me) for name in on}
            if step.role != "notify":
                before.append((me, step.account))
    return sorted(pairs)


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


def _step_rows(run: NewRun, run_id: int) -> dict[str, Any]:
    steps = run.steps
    return {
        "run": run_id,
        "subject": run.subject,
        "lane": run.lane,
        "channel": run.channel,
        "flows": [step.flow or run.flow for step in steps],
        "names": [step.name for step in steps],
        "roles": [step.role for step in steps],
        "accounts": [step.account for step in steps],
        "kinds": [step.kind for step in steps],
        "keys": [step.key for step in steps],
        "undoes": [step.undoes for step in steps],
        "sentences": [step.skip for step in steps],
    }


def child_of(tx: Connection, subject: int, flow: str, difference: str) -> Mapping[str, Any] | None:
    """What a run is about beside its order; None when there is no such run."""
    found: Mapping[str, Any] | None = tx.execute(
        CHILD, {"subject": subject, "flow": flow, "difference": difference}
    ).scalar()
    return found


def anew(tx: Connection, subject: int, flow: str, difference: str) -> str:
    """The name of a difference that may come again (an order is edited to and fro): its own, or another one of the kind where that had its run."""
    name, n = difference, 1
    while tx.execute(BEFORE, {"subject": subject, "flow": flow, "difference": name}).scalar() is not None:
        n += 1
        name = blake2b(f"{difference}/{n}".encode(), digest_size=10).hexdigest()
    return name


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
