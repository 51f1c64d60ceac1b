"""One time line of an order over all systems: deliveries in, attempts out, and what people did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.journal.reading.order import OrderPage
from app.journal.reading.shapes import AttemptRow, AuditRow, EventRow, StepRow
from app.journal.reading.words import Told, action, span, tell

PEOPLE = "people"
LOOK = "see personal data"  # noted for the audit, and nothing that happened to the order
HUB = "hub"
# What an attempt ended in, as people say it, and how it looks.
OUTCOME = {
    "done": ("done", "good"),
    "found": ("found done already", "good"),
    "skipped": ("not needed", "calm"),
    "overtaken": ("overtaken by a cancellation", "calm"),
    "submitted": ("taken as a job", "busy"),
    "throttled": ("asked to slow down", "warn"),
    "retry": ("failed, tried again", "warn"),
    "unknown": ("no answer", "warn"),
    "not found yet": ("not there yet", "warn"),
    "lease lost": ("another worker took over", "calm"),
    "parked": ("waits for a fact", "warn"),
    "unauthorised": ("credentials refused", "bad"),
    "rejected": ("refused", "bad"),
    "given up": ("given up", "bad"),
    "error": ("an error of our own", "bad"),
}
EVENT = {
    "accepted": ("just come in", "busy"),
    "running": ("being worked on", "busy"),
    "applied": ("applied", "good"),
    "echo": ("our own change, told back", "calm"),
    "superseded": ("overtaken by a newer one", "calm"),
    "ignored": ("of no use here", "calm"),
    "quarantined": ("cannot be used", "bad"),
    "parked": ("waits for a fact", "warn"),
    "dead": ("stopped", "bad"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that happened: `lane` is the system it happened at; `kind` event, attempt, step or person."""

    at: datetime
    lane: str
    kind: str
    title: str
    label: str
    tone: str
    text: str = ""
    attempt: AttemptRow | None = None
    event: EventRow | None = None
    step: StepRow | None = None


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a step stands, told in words."""

    step: StepRow
    told: Told


def lanes(page: OrderPage) -> list[str]:
    """The systems of the order, the channel first and people last."""
    first = [page.subject.account, HUB]
    seen = [event.account for event in page.events[::-1]] + [step.account for step in page.steps]
    return list(dict.fromkeys([*first, *seen, PEOPLE]))


def timeline(page: OrderPage) -> list[Item]:
    """What happened, the newest first."""
    items = [*_events(page.events), *_attempts(page.attempts), *_quiet(page), *_people(page.audit)]
    return sorted(items, key=lambda item: item.at, reverse=True)


def stands(page: OrderPage) -> list[Stand]:
    """Every step in words, in the order it was laid out."""
    return [Stand(step, _told(page, step)) for step in page.steps]


def _told(page: OrderPage, step: StepRow) -> Told:
    case = page.cases.get(f"step:{step.id}")
    return tell(step, page.held.get(step.account), page.waits.get(step.id, []), case.owner if case else "")


def _events(events: Sequence[EventRow]) -> Iterator[Item]:
    for event in events:
        label, tone = EVENT.get(event.state, (event.state, "calm"))
        how = DOORS.get(event.door, event.door)
        text = NEW.get(event.state, "{}").format(event.reason) if event.reason else ""
        yield Item(
            event.at, event.account, "event", f"{event.account} {how}: {event.topic}", label, tone, text, event=event
        )


NEW = {"applied": "What was new: {}.", "running": "What was new: {}."}
DOORS = {
    "webhook": "told us",
    "poll": "was asked",
    "queue": "queued for us",
    "file": "sent a file",
    "fetch": "was fetched",
}


def _attempts(attempts: Sequence[AttemptRow]) -> Iterator[Item]:
    for one in attempts:
        label, tone = OUTCOME.get(one.outcome, (one.outcome, "calm"))
        took = f"Attempt {one.n}, {one.seconds:.2f} s" + (f", {one.calls} calls" if one.calls > 1 else "")
        later = ""
        if one.next_at is not None and (one.next_at - one.at).total_seconds() >= 1:
            later = f" Tried again after {span((one.next_at - one.at).total_seconds())}."
        text = " ".join(part for part in (one.sentence, f"{took}.{later}") if part)
        yield Item(one.at, one.account, "attempt", action(one.name), label, tone, text, attempt=one)


def _quiet(page: OrderPage) -> Iterator[Item]:
    """Steps that ended without an attempt of their own: inner ones, skipped and cancelled ones."""
    tried = {attempt.step_id for attempt in page.attempts}
    for step in page.steps:
        if step.ended_at is not None and step.id not in tried:
            told = tell(step, None, [])
            yield Item(
                step.ended_at, step.account, "step", action(step.name), told.label, told.tone, step.sentence, step=step
            )


def _people(rows: Sequence[AuditRow]) -> Iterator[Item]:
    for row in rows:
        if row.action != LOOK:
            yield Item(row.at, PEOPLE, "person", f"{row.who}: {row.action}", "by hand", "calm", row.reason)


SETTLED = frozenset(("done", "skipped", "cancelled"))


def headline(page: OrderPage) -> tuple[str, str]:
    """The one sentence that a person wants first, and its tone: where it is stuck, who is asked, what is next."""
    open_ones = [stand for stand in stands(page) if stand.step.state not in SETTLED]
    for state in ("dead", "parked", "unknown"):
        stuck = [stand for stand in open_ones if stand.step.state == state]
        if stuck:
            return _stuck(stuck, len(open_ones))
    if open_ones:
        first = next((stand for stand in open_ones if stand.step.state != "waiting"), open_ones[0])
        where = f"{action(first.step.name)} at {first.step.account}: {first.told.label}."
        return (f"In progress. {where} {first.told.now} {first.told.next}", "busy")
    if not page.steps:
        return ("Nothing has been started for this order yet.", "calm")
    return ("Everything that this order asked for is done; nothing is waiting.", "good")


def _stuck(stuck: list[Stand], open_ones: int) -> tuple[str, str]:
    step, told = stuck[0].step, stuck[0].told
    more = (
        f" {open_ones - 1} more steps wait." if open_ones > 2 else (" One more step waits." if open_ones == 2 else "")
    )
    asked = f" Asked to look: {told.owner}." if told.owner else ""
    verb = {"dead": "Stopped at", "parked": "Waiting at", "unknown": "In doubt at"}[step.state]
    since = span((datetime.now(UTC) - step.updated_at).total_seconds())
    return (
        f"{verb} “{action(step.name)}” at {step.account} for {since}: {told.now} {told.next}{asked}{more}",
        told.tone,
    )
