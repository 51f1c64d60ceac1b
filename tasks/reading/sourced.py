"""Sourced orders: each location that is asked gets a run of its own; what a location answers is followed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, text

from app.bell import HUB
from app.journal import preempt, runs
from app.journal.runs import NewRun, NewStep
from app.orders import falling_short, fulfilling, fulfilments
from app.orders.falling_short import Short
from app.orders.fulfilments import Fulfilment
from connectors.canonical.codec import dump
from connectors.canonical.shipment import Shipment
from connectors.kit.capabilities import RestCanceller
from tasks.flows.book import FLOWS
from tasks.reading import booking, laying, offering

BOOKED = text("""
SELECT id FROM steps WHERE subject_id = :subject AND name = 'book_order' AND state NOT IN ('done', 'skipped', 'cancelled') ORDER BY id
""")
TAKEN_BACK = text("""
SELECT s.id FROM steps s JOIN runs r ON r.id = s.run_id
WHERE s.subject_id = :subject AND r.flow = 'order_withdrawn' AND s.role = 'location' AND s.state NOT IN ('done', 'skipped', 'cancelled') ORDER BY s.id
""")
LAID = text("""
SELECT s.id FROM steps s JOIN runs r ON r.id = s.run_id
WHERE s.subject_id = :subject AND s.name = ANY(:names) AND r.difference = :number AND s.state NOT IN ('skipped', 'cancelled')
""")


def lay(tx: Connection, setting: laying.Setting, numbers: Sequence[str]) -> None:
    """A run for each request to a connected location: asked after the order is booked. Others are told by our own API."""
    for one in fulfilments.of(tx, setting.subject.id):
        if one.number in numbers and one.account:
            _lay(tx, setting, one)


def _lay(tx: Connection, setting: laying.Setting, one: Fulfilment) -> None:
    booked = tuple(tx.execute(BOOKED, {"subject": setting.subject.id}).scalars())
    flow = _flow(one)
    asking = FLOWS[flow].steps[0].name
    key = laying.key(setting.subject, flow, one.number, asking, one.account)
    steps = [NewStep(asking, "location", one.account, "outer", key, after_ids=booked)]
    if one.purchase:
        steps.append(replace(booking.step(setting, FLOWS[flow], "record_purchase", one.number), after=(asking,)))
    else:  # a supplier accepts by his acknowledgement
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


def fall_short(tx: Connection, setting: laying.Setting, short: Short) -> None:
    """What a location cannot send now is withdrawn there first; one that cannot be told so is somebody's to ask."""
    one, flow = short.asked, FLOWS["order_fell_short"]
    lacks = offering.lacking(one.account, "location", RestCanceller)
    if lacks:
        falling_short.ask_a_person(tx, short, setting.subject.waybill)
        return
    difference = short.rest.number
    keys = [laying.key(setting.subject, flow.name, difference, step.name, one.account) for step in flow.steps]
    steps = (
        NewStep("withdraw_rest", "location", one.account, "outer", keys[0]),
        NewStep("offer_rest", "hub", HUB, "inner", keys[1], after=("withdraw_rest",), ordered=False),
    )
    base = _run(setting, one, difference, steps)
    runs.lay(tx, replace(base, flow=flow.name, version=flow.version))


def take_back(tx: Connection, setting: laying.Setting, one: Fulfilment, why: str) -> None:
    """One request, by a run of its own, with the ERP's purchase order where there is one; nothing where nobody was asked."""
    asking = FLOWS[_flow(one)].steps[0]
    asked = _laid(tx, setting, one, asking.name)
    if asked is None or asking.undo is None:
        return
    name, difference = asking.undo.__name__, f"{one.number}:{why}"
    key = laying.key(setting.subject, _flow(one), difference, name, one.account)
    undo = NewStep(name, "location", one.account, "undo", key, after_ids=(asked,), undoes=asked, flow=_flow(one))
    _withdraw(tx, setting, one, difference, (undo, *_unbooked(tx, setting, one, difference, (name,))))


def refused(tx: Connection, setting: laying.Setting, one: Fulfilment) -> None:
    """A supplier who refuses needs no withdrawal; the ERP's purchase order to him is given up."""
    difference = f"{one.number}:refused"
    steps = _unbooked(tx, setting, one, difference)
    if steps:
        _withdraw(tx, setting, one, difference, steps)


def cut_down(tx: Connection, setting: laying.Setting, one: Fulfilment, difference: str = "") -> None:
    """A supplier who sends only a part: the ERP's purchase order comes down to it."""
    if _laid(tx, setting, one, "record_purchase") is not None:
        booking.lay(tx, setting, "purchase_amended", difference or one.number, _child(one))


def bought_less(tx: Connection, setting: laying.Setting, rest: Fulfilment) -> None:
    """What a supplier fell short of after he had accepted it is not bought of him any more: the ERP's purchase order comes down, or is given up."""
    number = falling_short.fell_short_of(rest) if rest.purchase else ""
    for one in fulfilments.of(tx, setting.subject.id) if number else ():
        if one.number == number and number == rest.number:
            refused(tx, setting, one)
        elif one.number == number:
            cut_down(tx, setting, one, f"{number}:{rest.number}")


def received(tx: Connection, setting: laying.Setting, one: Fulfilment, parcel: Shipment) -> None:
    """What a supplier has sent is received in the ERP, once for each shipment."""
    child = {**_child(one), "shipment": dump(parcel)}
    booking.lay(tx, setting, "purchase_received", f"{one.number}:{parcel.id}", child)


def _unbooked(
    tx: Connection, setting: laying.Setting, one: Fulfilment, difference: str, after: tuple[str, ...] = ()
) -> tuple[NewStep, ...]:
    booked = _laid(tx, setting, one, "record_purchase") if one.purchase else None
    if booked is None:
        return ()
    made = booking.step(setting, FLOWS["order_purchased"], "cancel_purchase", difference)
    undo = replace(made, kind="undo", after=after, after_ids=(booked,), undoes=booked, flow="order_purchased")
    return (undo,)


def _laid(tx: Connection, setting: laying.Setting, one: Fulfilment, *names: str) -> int | None:
    """The id of a step of a request, unless nobody does it."""
    found: int | None = tx.execute(
        LAID, {"subject": setting.subject.id, "number": one.number, "names": list(names)}
    ).scalar()
    return found


def _withdraw(
    tx: Connection, setting: laying.Setting, one: Fulfilment, difference: str, steps: tuple[NewStep, ...]
) -> None:
    runs.lay(tx, replace(_run(setting, one, difference, steps), flow="order_withdrawn"))


def _run(setting: laying.Setting, one: Fulfilment, difference: str, steps: tuple[NewStep, ...]) -> NewRun:
    flow = FLOWS[_flow(one)]
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
        child=_child(one),
    )


def _child(one: Fulfilment) -> dict[str, Any]:
    return {
        "number": one.number,
        "lines": [dict(line) for line in one.lines],
        **({"supplier": one.account} if one.purchase else {}),
    }


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
