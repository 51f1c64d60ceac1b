"""What follows from a location's word: pieces given back are offered elsewhere, a pickup set out is told, what left is a shipment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlalchemy import Connection

from app import cases
from app.bell import ring
from app.database import transaction
from app.journal import runs, subjects
from app.journal.nourish import feed_accounts
from app.journal.subjects import Subject
from app.orders import allotting, fulfilments, paying_off, planning, taking_off
from app.orders.fulfilments import Fulfilment
from app.orders.merge import with_shipment
from connectors.canonical.codec import dump
from connectors.canonical.order import Order
from connectors.canonical.shipment import ShipmentStatus
from tasks.feeds.each import each
from tasks.reading import apply, laying, sourced


def run() -> str:
    """What a lost ring left behind; one transaction each."""
    with transaction() as tx:
        waiting = fulfilments.pending(tx)
    each(waiting, follow)
    return f"{len(waiting)} fulfilments followed"


def follow(fulfilment: int) -> str:
    """Rung when a location has spoken (app.orders.fulfilling.FOLLOW). Twice is once: the row says whether something is still to do."""
    with transaction() as tx:
        known = fulfilments.by_id(tx, fulfilment)
        if known is None:
            return "unknown"
        subject = subjects.lock_id(tx, known.subject_id)
        one = fulfilments.by_id(tx, fulfilment)
        if one is None or not one.pending or not isinstance(subject.document, Order):
            return "followed already"
        FOLLOWS[one.state](tx, subject, subject.document, one)
        fulfilments.followed(tx, one.id)
        allotting.follow(tx, subject.id, one.account or one.location)
        rings = feed_accounts(tx, runs.ready_accounts(tx, subject.id))
    ring(rings)
    return one.state


def _setting(subject: Subject, order: Order) -> laying.Setting:
    return laying.Setting(
        laying.Cause(None, None, 0, subject.account), subject, subject.roles, subject.document_id, order
    )


def _asked(tx: Connection, subject: Subject, order: Order, one: Fulfilment) -> None:
    """Sourced again by a person."""
    sourced.lay(tx, _setting(subject, order), [one.number])


def _elsewhere(tx: Connection, subject: Subject, order: Order, one: Fulfilment) -> None:
    if order.cancelled_at is None:
        sourced.bought_less(tx, _setting(subject, order), one)
        sourced.lay(tx, _setting(subject, order), planning.again(tx, subject.waybill, order, one))


def _no_answer(tx: Connection, subject: Subject, order: Order, one: Fulfilment) -> None:
    """Whoever was bought from and did not answer in time must not send it after all: others are asked once he has let go of it."""
    if one.purchase and order.cancelled_at is None:
        sourced.take_back(tx, _setting(subject, order), one, one.state)
        if sourced.afterwards(tx, _setting(subject, order), one.number):
            return
    _elsewhere(tx, subject, order, one)


def _let_go(tx: Connection, subject: Subject, order: Order, one: Fulfilment) -> None:
    if order.cancelled_at is None:
        sourced.lay(tx, _setting(subject, order), planning.resume(tx, subject.id, subject.waybill, order, quiet=False))


def _ready(tx: Connection, subject: Subject, order: Order, one: Fulfilment) -> None:
    set_out = replace(
        replace(one, state="shipped").shipment(), status=ShipmentStatus.READY_FOR_PICKUP, collection_code=one.verify
    )
    sourced.lay_ready(tx, _setting(subject, order), one, dump(set_out))


def _left(tx: Connection, subject: Subject, order: Order, one: Fulfilment) -> None:
    """The same way as a shipment that a connected warehouse tells of."""
    cause = laying.Cause(None, None, 0, one.location)
    apply.keep_changed(tx, cause, subject, order, with_shipment(order, one.shipment()))


def _refused(tx: Connection, subject: Subject, order: Order, one: Fulfilment) -> None:
    """Off the order by our word; where the channel gives money back, somebody is asked to have it do so."""
    if order.cancelled_at is None:
        cause = laying.Cause(None, None, 0, one.location)
        new = taking_off.refused(order, one)
        apply.keep_changed(tx, cause, subject, order, new)
        paying_off.ask(tx, subject.id, order, new, one)


def _not_fetched(tx: Connection, subject: Subject, order: Order, one: Fulfilment) -> None:
    cases.open_case(
        tx,
        "pickup",
        "hub",
        "no_show",
        f"Nobody fetched {one.number} at {one.location} in time.",
        member=f"fulfilment:{one.id}",
        subject=subject.id,
        role="channel",
        cause=one.number,
        remedy="Ask the customer: keep it longer, or put it back and refund it in the channel.",
    )


FOLLOWS: Mapping[str, Callable[[Connection, Subject, Order, Fulfilment], None]] = {
    "requested": _asked,
    "rejected": _elsewhere,
    "timed_out": _no_answer,
    "cancelled": _let_go,
    "ready": _ready,
    "shipped": _left,
    "collected": _left,
    "refused": _refused,
    "no_show": _not_fetched,
}
