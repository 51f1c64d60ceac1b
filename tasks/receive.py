"""Receiving: an accepted delivery is read in canonical words, compared with what was known, and its differences start flows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from app import cases, scrub
from app.accounts import entries
from app.bell import INTAKE, RECEIVE, Ring, ring
from app.database import transaction
from app.journal import events
from app.journal.events import Event
from app.journal.nourish import feed_hungry
from config.reader import config
from connectors import registry
from connectors.canonical.snapshot import Ignored, Pointer, Reading, Snapshot
from connectors.kit.errors import Trouble, Unreadable
from tasks.reading import apply, arrived
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


# Reading is work for the processor: more readers in one process would only be in each other's way, and in that of the steps.
READERS = threading.BoundedSemaphore(3)


def receive_on(event_id: int) -> str:
    """One task: the event that it was rung for, and under backlog those after it, each in its own commit. Answers what it received.

    Rings for another when its turn is over and some are left: where deliveries wait, the door does not ring for each of them. A ring that
    finds enough readers at work ends at once: it was committed before it rang, so they look for it when they are done.
    """
    if not READERS.acquire(blocking=False):
        return "left to who reads already"
    try:
        done = _read_on(event_id)
    finally:
        READERS.release()
        with transaction() as tx:  # only now: what is rung for after this look finds a reader's place free
            left = events.unread(tx)
        ring(() if left is None else (Ring(RECEIVE, INTAKE, left),))
    return f"{done} received"


def _read_on(event_id: int) -> int:
    policy = config().settings["engine"]
    began, done = time.monotonic(), 1
    receive(event_id)
    while done < int(policy["receive_on"]) and time.monotonic() - began < float(policy["go_on_seconds"]):
        if _next(events.following if done % 2 else _quiet) is None:
            break
        done += 1  # one was rung for and another was found: there may be a flood, and somebody quiet behind it
    return done


def _quiet(tx: Connection) -> Event | None:
    return events.quiet_first(tx, list(config().accounts))


def _next(take: Callable[[Connection], Event | None]) -> str | None:
    """The next event that waits; None when none does, or when it could not be received just now: others go before it then."""
    turn = _Turn(take)
    try:
        return turn.received()
    except SQLAlchemyError as error:
        log.warning("an event was put last", event_id=turn.event and turn.event.id, code=type(error).__name__)
        if turn.event is not None:
            with transaction() as tx:
                events.put_last(tx, turn.event.id)
        return None


def receive(event_id: int) -> str:
    """Receives one accepted event; a second ring for it does nothing. Answers the state that it has now."""
    return _Turn(lambda tx: events.opened(tx, event_id)).received() or "received already"


@dataclass
class _Turn:
    """One event from the lock to the commit. Reading is pure and no outside is asked, so all of it is one transaction."""

    take: Callable[[Connection], Event | None]
    event: Event | None = None

    def received(self) -> str | None:
        """The event's state; None when there was none to take."""
        try:
            with transaction() as tx:
                self.event = self.take(tx)
                told = None if self.event is None else _received(tx, self.event, _read(self.event))
        except UNFORESEEN as defect:
            told = self._stumbled(defect)
        if told is None:
            return None
        outcome, rings = told
        ring(rings)
        _log(self.event, outcome)
        return outcome.state

    def _stumbled(self, defect: Exception) -> tuple[Outcome, list[Ring]] | None:
        if self.event is None:
            raise defect
        with transaction() as tx:
            still = events.opened(tx, self.event.id)
            return None if still is None else _received(tx, still, _stumbled(still, defect))


def _received(tx: Connection, event: Event, readings: tuple[Reading, ...] | Unreadable) -> tuple[Outcome, list[Ring]]:
    """Applies what was read, in the transaction that ends the event; what to ring after it."""
    outcome = _apply(tx, event, readings)
    events.end(tx, event, outcome.state, outcome.reason, outcome.code, outcome.subject)
    if outcome.state == "quarantined":
        _open_case(tx, event, outcome)
    return outcome, feed_hungry(tx, outcome.accounts)


def _log(event: Event | None, outcome: Outcome) -> None:
    assert event is not None
    log.info(
        "received",
        waybill=outcome.waybill,
        event_id=event.id,
        account=event.account,
        topic=event.message.topic,
        state=outcome.state,
        code=outcome.code,
    )


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
    return SNAPSHOTS[reading.kind](tx, event, reading)


SNAPSHOTS: Mapping[str, Callable[[Connection, Event, Snapshot], Outcome]] = {
    **apply.SNAPSHOTS,
    "return": arrived.arrived,
}


def _open_case(tx: Connection, event: Event, outcome: Outcome) -> None:
    remedy = outcome.remedy or "Mend the order at its source, or the mapping here; then replay the event."
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
        cause=outcome.reason if outcome.code == "unreadable" else outcome.cause,
    )
