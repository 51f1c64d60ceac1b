"""Booking beside the order: what the ERP alone is told of (a return, a purchase, its receipt), each by a run of its own with one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from app.bell import HUB
from app.journal import runs
from app.journal.runs import NewRun, NewStep
from tasks.flows.book import FLOWS
from tasks.flows.table import Flow, Outer
from tasks.reading import laying, offering


def step(setting: laying.Setting, flow: Flow, name: str, difference: str) -> NewStep:
    """A flow's step at the order's ERP, skipped where that does not offer it."""
    told = flow.step(name) or flow.undoing(name)
    assert isinstance(told, Outer)
    erp = setting.roles.get("erp")
    key = laying.key(setting.subject, flow.name, difference, name, erp or HUB)
    skip = offering.lacking(erp, "erp", told.plays)
    return NewStep(name, "erp", erp or HUB, "outer", key, skip=skip)


def lay(tx: Connection, setting: laying.Setting, name: str, difference: str, child: Mapping[str, Any]) -> None:
    """One run for each difference, of a flow whose one step is the ERP's."""
    flow = FLOWS[name]
    (only,) = flow.steps
    run = NewRun(
        subject=setting.subject.id,
        event=setting.cause.id,
        event_at=setting.cause.at,
        flow=name,
        version=flow.version,
        difference=difference,
        document=setting.document,
        channel=setting.subject.account,
        lane=setting.cause.lane,
        steps=(step(setting, flow, only.name, difference),),
        child=child,
    )
    runs.lay(tx, run)
