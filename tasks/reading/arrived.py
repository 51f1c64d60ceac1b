"""Arrived: a warehouse's word that goods came back, matched to its order and return and counted in as at the desk, or kept for a person."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from sqlalchemy import Connection

from app import cases
from app.catalogue import codes
from app.journal import subjects
from app.journal.events import Event
from app.journal.subjects import Subject
from app.orders import arriving, authority, fulfilments
from app.orders.arriving import Arrival
from app.orders.authority import Refusal
from app.orders.difference import fingerprint
from app.orders.refused import Refused
from app.orders.return_requests import UNMATCHED
from connectors.canonical.codec import dump
from connectors.canonical.order import Order
from connectors.canonical.returns import Return
from connectors.canonical.snapshot import Snapshot
from tasks.reading import came_back, laying, refusing
from tasks.reading.outcome import Outcome

REMEDY = "Allow the return on the order's page: the goods are counted in then. Else count them in there by hand, and close this case."


def arrived(tx: Connection, event: Event, told: Snapshot) -> Outcome:
    """The same again, or an older word, says nothing new. One that nothing was done with yet is looked at again at each delivery."""
    mine = subjects.lock(tx, "return", event.account, told.id)
    known = fingerprint(dump(told.document))
    if mine.content == known or told.version < mine.version:
        return Outcome("superseded", "says nothing new", subject=mine.id)
    arrival = Arrival(event.account, _in_our_words(tx, event.account, cast(Return, told.document)), told.reference)
    subject = _order(tx, arrival)
    if subject is None or not isinstance(subject.document, Order):
        return _unmatched(arrival, f"{event.account} received {told.id} back, which names no order of ours.", None)
    refusal = _refusal(tx, arrival, subject)
    if refusal is not None:
        return refusing.outcome(tx, subject, event.account, refusal, known=False)
    try:
        with tx.begin_nested():
            outcome, number = _counted(tx, event, subject, subject.document, arrival)
    except Refused as wrong:
        return _unmatched(arrival, wrong.sentence, subject)
    subjects.note(tx, mine, subjects.keep(tx, mine, told.document), told.version, known, number)
    cases.settle(tx, "quarantined", event.account, UNMATCHED, told.id)
    return outcome


def _counted(tx: Connection, event: Event, subject: Subject, order: Order, arrival: Arrival) -> tuple[Outcome, str]:
    """What became of it, and the number of the return."""
    found = arriving.match(tx, subject.id, order, arrival)
    number, named = found.row.number, {"subject": subject.id, "waybill": subject.waybill}
    if found.known:
        arriving.bind(tx, subject.id, arrival, found.row)
        return Outcome("superseded", f"{number} was counted already, the same", **named), number  # type: ignore[arg-type]
    row = arriving.receive(tx, subject.id, order, arrival, found)
    cause = laying.Cause(event.id, event.at, event.lane, event.account)
    fed = came_back.follow(tx, cause, subject, order, row)
    arriving.sort(tx, order, arrival, found)
    return Outcome("running", f"{number} was received", accounts=fed, **named), number  # type: ignore[arg-type]


def _in_our_words(tx: Connection, account: str, told: Return) -> Return:
    lines = tuple(replace(line, sku=codes.read(tx, account, "sku", line.sku)) for line in told.lines)
    return replace(told, lines=lines, location=codes.read(tx, account, "location", told.location), origin=account)


def _order(tx: Connection, arrival: Arrival) -> Subject | None:
    """Whichever of its names leads to an order of ours."""
    for clue in filter(None, (arrival.reference, *arrival.told.clues)):
        found = subjects.lock_clue(tx, arrival.account, clue)
        if found is not None:
            return found
    return None


def _refusal(tx: Connection, arrival: Arrival, subject: Subject) -> Refusal | None:
    """Whoever ships for an order by the sourcing rules is a warehouse of it, whatever the route says."""
    ships = any(one.account == arrival.account for one in fulfilments.of(tx, subject.id))
    roles = {**subject.roles, "warehouse": arrival.account} if ships else subject.roles
    return authority.child(arrival.told, arrival.account, roles, subject.account)


def _unmatched(arrival: Arrival, sentence: str, subject: Subject | None) -> Outcome:
    named = {"subject": subject.id, "waybill": subject.waybill} if subject else {}
    return Outcome("quarantined", sentence, UNMATCHED, remedy=REMEDY, cause=arrival.told.id, **named)  # type: ignore[arg-type]
