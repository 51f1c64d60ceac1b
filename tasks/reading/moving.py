"""Moving money: what was decided is laid out as a run of its own, made at the order's channel where that offers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from app.bell import HUB
from app.journal import runs
from app.journal.runs import NewRun, NewStep
from tasks.flows.book import FLOWS
from tasks.flows.table import Outer
from tasks.reading import laying, offering


def lay(tx: Connection, setting: laying.Setting, name: str, difference: str, child: Mapping[str, Any]) -> None:
    """One run for each difference. Where the channel does not play what it needs, its steps are skipped with the reason."""
    channel, flow = setting.roles.get("channel"), FLOWS[name]
    asked, noted = flow.steps
    assert isinstance(asked, Outer)
    skip = offering.lacking(channel, "channel", asked.plays)
    first, second = (laying.key(setting.subject, name, difference, step.name, channel or HUB) for step in flow.steps)
    steps = (
        NewStep(asked.name, "channel", channel or HUB, "outer", first, skip=skip),
        NewStep(noted.name, "hub", HUB, "inner", second, after=(asked.name,), ordered=False, skip=skip),
    )
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
        steps=steps,
        child=child,
    )
    runs.lay(tx, run)
