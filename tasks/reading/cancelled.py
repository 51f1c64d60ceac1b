"""Cancelled by the hub: what somebody asked to be cancelled in its channel is laid out as a run, once for each time that it is asked."""

from __future__ import annotations

from sqlalchemy import Connection

from app.bell import HUB, Ring
from app.journal import runs, subjects
from app.journal.nourish import feed_accounts
from app.journal.runs import NewRun, NewStep
from app.journal.subjects import Subject
from app.orders import cancelling, deadlines
from connectors.kit.capabilities import SaleCanceller
from tasks.flows.book import FLOWS
from tasks.reading import laying, offering


def lay(tx: Connection, subject_id: int, reason: str) -> list[Ring]:
    """Whether it may still be is looked at right before it is sent (tasks/flows/sale_cancelled.py)."""
    subject, flow = subjects.lock_id(tx, subject_id), FLOWS[cancelling.FLOW]
    difference, channel = _name(tx, subject), subject.roles.get("channel")
    key = laying.key(subject, flow.name, difference, "cancel_sale", channel or HUB)
    skip = offering.lacking(channel, "channel", SaleCanceller)
    step = NewStep("cancel_sale", "channel", channel or HUB, "outer", key, ordered=False, skip=skip)
    run = NewRun(
        subject=subject.id,
        event=None,
        event_at=None,
        flow=flow.name,
        version=flow.version,
        difference=difference,
        document=subject.document_id,
        channel=subject.account,
        lane=0,
        steps=(step,),
        child={"reason": reason},
    )
    runs.lay(tx, run)
    return feed_accounts(tx, runs.ready_accounts(tx, subject.id))


def _name(tx: Connection, subject: Subject) -> str:
    """What it is known by: each time that somebody asks is another, since the one before may have been given up."""
    times = sum(1 for one in deadlines.of(tx, subject.id) if one.kind == cancelling.KIND)
    return f"{subject.waybill}-C" if times < 2 else f"{subject.waybill}-C{times}"
