"""Sourced orders: each location that is asked gets a run of its own; what a location answers is followed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, text

from app.bell import HUB
from app.journal import preempt, runs
from app.journal.runs import NewRun, NewStep
from app.orders import fulfilling
from app.orders.fulfilling import Fulfilment
from tasks.flows.book import FLOWS
from tasks.reading import laying

BOOKED = text("""
SELECT id FROM steps WHERE subject_id = :subject AND name = 'book_order' AND state NOT IN ('done', 'skipped', 'cancelled') ORDER BY id
""")
TAKEN_BACK = text("""
SELECT s.id FROM steps s JOIN runs r ON r.id = s.run_id
WHERE s.subject_id = :subject AND r.flow = 'order_withdrawn' AND s.state NOT IN ('done', 'skipped', 'cancelled') ORDER BY s.id
""")
ASKED = text("""
SELECT s.id FROM steps s JOIN runs r ON r.id = s.run_id
WHERE s.subject_id = :subject AND s.name IN ('request_from_location', 'place_purchase_order') AND r.difference = :number
""")


def lay(tx: Connection, setting: laying.Setting, numbers: Sequence[str]) -> None:
    """A run for each request to a connected location: asked after the order is booked. Others are told by our own API."""
    for one in fulfilling.of(tx, setting.subject.id):
        if one.number in numbers and one.account:
            _lay(tx, setting, one)


def _lay(tx: Connection, setting: laying.Setting, one: Fulfilment) -> None:
    booked = tuple(tx.execute(BOOKED, {"subject": setting.subject.id}).scalars())
    flow = _flow(one)
    asking = FLOWS[flow].steps[0].name
    key = laying.key(setting.subject, flow, one.number, asking, one.account)
    steps = [NewStep(asking, "location", one.account, "outer", key, after_ids=booked)]
    if not one.purchase:  # a supplier accepts by his acknowledgement
        noted = laying.key(setting.subject, flow, one.number, "note_accepted", HUB)
        steps.append(NewStep("note_accepted", "hub", HUB, "inner", noted, after=(asking,), ordered=False))
    runs.lay(tx, _run(setting, one, one.number, tuple(steps)))


def _flow(one: Fulfilment) -> str:
    return "order_purchased" if one.purchase else "order_sourced"


def withdraw(tx: Connection, setting: laying.Setting, why: str) -> Sequence[Fulfilment]:
    """What was not asked yet is struck out; what was, or may have been, is taken back by a run of its own once the asking has ended.
    Answers the requests that were open. Steps are locked before requests, as where a step is concluded."""
    preempt.overtake(tx, setting.subject.id, ("order_sourced", "order_purchased", "order_resourced"))
    gone = fulfilling.cancel_open(tx, setting.subject.id)
    for one in gone:
        take_back(tx, setting, one, why)
    return gone


def afterwards(tx: Connection, setting: laying.Setting, why: str) -> bool:
    """What is taken back just now is asked of others only once it is: whoever has sent it already must not be one of two. False where all are
    free of it."""
    back = tuple(tx.execute(TAKEN_BACK, {"subject": setting.subject.id}).scalars())
    if not back:
        return False
    flow = FLOWS["order_resourced"]
    key = laying.key(setting.subject, flow.name, why, "source_again", HUB)
    step = NewStep("source_again", "hub", HUB, "inner", key, after_ids=back, ordered=False)
    runs.lay(
        tx,
        NewRun(
            subject=setting.subject.id,
            event=setting.cause.id,
            event_at=setting.cause.at,
            flow=flow.name,
            version=flow.version,
            difference=why,
            document=setting.document,
            channel=setting.subject.account,
            lane=setting.cause.lane,
            steps=(step,),
        ),
    )
    return True


def take_back(tx: Connection, setting: laying.Setting, one: Fulfilment, why: str) -> None:
    """One request, by a run of its own; nothing where nobody was asked."""
    asked = tx.execute(ASKED, {"subject": setting.subject.id, "number": one.number}).scalar()
    undoing = FLOWS[_flow(one)].steps[0].undo
    if asked is None or undoing is None:
        return
    name = undoing.__name__
    key = laying.key(setting.subject, _flow(one), f"{one.number}:{why}", name, one.account)
    undo = NewStep(name, "location", one.account, "undo", key, after_ids=(asked,), undoes=asked, flow=_flow(one))
    runs.lay(tx, replace(_run(setting, one, f"{one.number}:{why}", (undo,)), flow="order_withdrawn"))


def _run(setting: laying.Setting, one: Fulfilment, difference: str, steps: tuple[NewStep, ...]) -> NewRun:
    flow = FLOWS[_flow(one)]
    child: dict[str, Any] = {"number": one.number, "lines": [dict(line) for line in one.lines]}
    return NewRun(
        subject=setting.subject.id,
        event=setting.cause.id,
        event_at=setting.cause.at,
        flow=flow.name,
        version=flow.version,
        difference=difference,
        document=setting.document,
        channel=setting.subject.account,
        lane=setting.cause.lane,
        steps=steps,
        child=child,
    )


def lay_ready(tx: Connection, setting: laying.Setting, one: Fulfilment, shipment: Any) -> None:
    """The customer is told, once for each time it is set out."""
    notifier = setting.roles.get("notify")
    flow = FLOWS["order_ready"]
    key = laying.key(setting.subject, flow.name, one.number, "notify_ready", notifier or HUB)
    step = NewStep(
        "notify_ready",
        "notify",
        notifier or HUB,
        "outer",
        key,
        ordered=False,
        skip="" if notifier else "no account plays the role notify for this order",
    )
    base = _run(setting, one, one.number, (step,))
    runs.lay(tx, replace(base, flow=flow.name, version=flow.version, child=shipment))
