"""Laying out: a difference becomes a run of its flow, with every step a row that knows what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from app.bell import HUB
from app.journal import merging, preempt, runs
from app.journal.runs import NewRun, NewStep
from app.journal.subjects import Subject
from app.orders.difference import Difference, Kind, fingerprint
from app.stock import reservations
from connectors.canonical.codec import dump
from connectors.canonical.order import Order
from tasks.flows.book import BY_DIFFERENCE, FLOWS, merged_by, preempted_by
from tasks.flows.table import Flow, Inner, Outer, Step
from tasks.reading import offering


@dataclass(frozen=True, slots=True)
class Cause:
    """The event that starts a run (none where the hub itself does), and the account that told it."""

    id: int | None
    at: datetime | None
    lane: int
    account: str


@dataclass(frozen=True, slots=True)
class Setting:
    """What all runs that one event starts have in common."""

    cause: Cause
    subject: Subject
    roles: Mapping[str, Any]
    document: int | None
    order: Order
    sourced: str = ""  # why no single warehouse is asked, where the order is sourced


def start(tx: Connection, setting: Setting, difference: Difference) -> bool:
    """Starts what follows from a difference; False when it has been started before."""
    if difference.kind is Kind.CANCELLED:
        return _cancel(tx, setting, difference)
    if difference.kind is Kind.CHANGED and merging.merge(
        tx, setting.subject.id, merged_by(difference.kind), setting.document
    ):
        reservations.adjust(tx, setting.subject.id, setting.order)  # what the older document reserved follows the newer
        return True
    flow = BY_DIFFERENCE[difference.kind]
    steps = tuple(_step(setting, flow, step, difference) for step in flow.steps)
    return _lay(tx, setting, flow, difference, steps)


def _lay(tx: Connection, setting: Setting, flow: Flow, difference: Difference, steps: tuple[NewStep, ...]) -> bool:
    run = NewRun(
        subject=setting.subject.id,
        event=setting.cause.id,
        event_at=setting.cause.at,
        flow=flow.name,
        version=flow.version,
        difference=difference.key,
        document=setting.document,
        channel=setting.subject.account,
        lane=setting.cause.lane,
        steps=steps,
        child=dump(difference.child) if difference.child is not None else None,
        detail={"facets": sorted(difference.facets)} if difference.facets else None,
    )
    return runs.lay(tx, run) is not None


def _step(setting: Setting, flow: Flow, step: Step, difference: Difference) -> NewStep:
    role = step.role if isinstance(step, Outer) else "hub"
    account = _account(setting, step)
    unconcerned = bool(step.concerns) and bool(difference.facets) and not (step.concerns & difference.facets)
    return NewStep(
        name=step.name,
        role=role,
        account=account or HUB,
        kind="outer" if isinstance(step, Outer) else "inner",
        key=key(setting.subject, flow.name, difference.key, step.name, account or HUB),
        after=tuple(act.__name__ for act in step.after),
        ordered=step.ordered if isinstance(step, Outer) else True,
        skip=_why_not(account, step, unconcerned) or (setting.sourced if step.name in BY_WAREHOUSE else ""),
    )


# What one warehouse is asked for as a whole; an order that is sourced is asked for location by location (tasks/reading/sourced.py).
BY_WAREHOUSE = frozenset(("request_fulfilment", "withdraw_fulfilment", "request_again"))


def _why_not(account: str | None, step: Step, unconcerned: bool) -> str:
    lacking = offering.lacking(account, step.role, step.plays) if isinstance(step, Outer) else ""
    return lacking or ("what changed does not concern it" if unconcerned else "")


def _account(setting: Setting, step: Step) -> str | None:
    return setting.roles.get(step.role) if isinstance(step, Outer) else HUB


def key(subject: Subject, flow: str, difference: str, step: str, account: str) -> str:
    """The stable key of an effect: subject, flow, difference, step and account. A replay has the same.

    The subject is named as its source names it: our own numbers go back when a standby is promoted that missed something.
    """
    identity = [subject.kind, subject.account, subject.external_id]
    return f"wb-{fingerprint([*identity, flow, difference, step, account])}"


def _cancel(tx: Connection, setting: Setting, difference: Difference) -> bool:
    """A cancellation overtakes: what has not begun is struck out; what is done, or may be, is undone, last first."""
    overtaken = preempt.overtake(tx, setting.subject.id, preempted_by(difference.kind))
    if all(begun.name != "reserve_stock" for begun in overtaken.begun):
        reservations.release(
            tx, setting.subject.id
        )  # an edit had claimed it already: no step is undone that would let go of it
    steps: list[NewStep] = []
    for begun in reversed(overtaken.begun):
        undo = _undo_of(begun.flow, begun.name)
        if undo is None or any(step.name == undo.__name__ for step in steps):
            continue
        steps.append(
            NewStep(
                name=undo.__name__,
                role=begun.role,
                account=begun.account,
                kind="undo",
                key=key(setting.subject, begun.flow, difference.key, undo.__name__, begun.account),
                after=tuple(step.name for step in steps),
                after_ids=(begun.id,),
                undoes=begun.id,
                flow=begun.flow,
            )
        )
    flow = BY_DIFFERENCE[Kind.PLACED]
    return _lay(tx, setting, flow, difference, tuple(steps)) if steps else bool(overtaken.cancelled)


def _undo_of(flow: str, name: str) -> Any:
    step = FLOWS[flow].step(name)
    return step.undo if isinstance(step, Outer | Inner) else None
