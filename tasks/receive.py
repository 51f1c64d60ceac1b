"""Receiving: an accepted delivery is read in canonical words, compared with what was known, and its differences start flows."""

from __future__ import annotations

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

from app import cases, scrub
from app.accounts import entries
from app.bell import Ring, ring
from app.database import transaction
from app.journal import events
from app.journal.events import Event
from app.journal.nourish import feed_accounts
from connectors import registry
from connectors.canonical.snapshot import Ignored, Pointer, Reading, Snapshot
from connectors.kit.errors import Trouble, Unreadable
from tasks.reading import apply
from tasks.reading.outcome import Outcome, sum_up

log = structlog.get_logger("receive")

# What the same delivery would meet again however often it is rung; a database or lock that is away is none of these.
UNFORESEEN = (
    LookupError,
    ValueError,
    TypeError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    RecursionError,
    Trouble,
    DataError,
    IntegrityError,
)


def receive(event_id: int) -> str:
    """Receives one accepted event; a second ring for it does nothing. Answers the state that it has now."""
    with transaction() as tx:
        event = events.opened(tx, event_id)
    if event is None or event.state != "accepted":
        return "received already"
    try:
        return _received(event, _read(event))
    except UNFORESEEN as defect:
        return _received(event, _stumbled(event, defect))


def _received(event: Event, readings: tuple[Reading, ...] | Unreadable) -> str:
    """Applies what was read, in one transaction with the event's end."""
    with transaction() as tx:
        if not events.still_open(tx, event):
            return "received already"
        outcome = _apply(tx, event, readings)
        events.end(tx, event, outcome.state, outcome.reason, outcome.code, outcome.subject)
        events.settle(tx, event)
        if outcome.state == "quarantined":
            _open_case(tx, event, outcome)
        rings: list[Ring] = feed_accounts(tx, outcome.accounts)
    ring(rings)
    log.info(
        "received",
        waybill=outcome.waybill,
        event_id=event.id,
        account=event.account,
        topic=event.message.topic,
        state=outcome.state,
        code=outcome.code,
    )
    return outcome.state


def _read(event: Event) -> tuple[Reading, ...] | Unreadable:
    """The connector's pure reading; a delivery that cannot be read for a defect of its own is no error of ours."""
    topics = entries.manifest(event.account).topics
    if event.message.topic not in topics and event.door == "webhook" and event.message.topic != "unreadable":
        return (Ignored(f"topic {event.message.topic or '(none)'} is not one that this hub uses"),)
    try:
        return registry.read(entries.account(event.account), event.message)
    except Unreadable as defect:
        return defect


def _stumbled(event: Event, defect: Exception) -> Unreadable:
    """A shape that nobody foresaw must not lose the delivery, nor be rung again for ever: it is kept, and shown with what was stumbled over."""
    log.error("unforeseen payload", event_id=event.id, account=event.account, exc_info=defect)
    return Unreadable(
        f"The payload has a shape that nobody foresaw ({type(defect).__name__}: {scrub.words(str(defect))}).",
        code="unforeseen",
    )


def _plain(words: str) -> str:
    """Words as the journal can keep them."""
    return words.replace("\x00", "").encode("utf-8", "replace").decode()


def _apply(tx: Connection, event: Event, readings: tuple[Reading, ...] | Unreadable) -> Outcome:
    if isinstance(readings, Unreadable):
        where = f" ({readings.field})" if readings.field else ""
        return Outcome("quarantined", _plain(f"{readings.sentence}{where}"), code=readings.code)
    return sum_up([_one(tx, event, reading) for reading in readings])


def _one(tx: Connection, event: Event, reading: Reading) -> Outcome:
    if isinstance(reading, Ignored):
        return Outcome("ignored", reading.reason)
    if isinstance(reading, Pointer):
        return apply.pointer(tx, event, reading)
    assert isinstance(reading, Snapshot)
    return apply.SNAPSHOTS[reading.kind](tx, event, reading)


def _open_case(tx: Connection, event: Event, outcome: Outcome) -> None:
    remedy = "Mend the order at its source, or the mapping here; then replay the event."
    cases.open_case(
        tx,
        "quarantined",
        event.account,
        outcome.code,
        outcome.reason,
        member=f"event:{event.id}",
        subject=outcome.subject,
        role="channel",
        remedy=remedy,
        cause=outcome.reason if outcome.code == "unreadable" else "",
    )
