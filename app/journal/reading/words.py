"""What a step's state means for somebody who is not a programmer: what happened, what is next, who is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from app.journal.reading.shapes import Held, StepRow

TONE = {
    "done": "good",
    "skipped": "calm",
    "cancelled": "calm",
    "waiting": "calm",
    "ready": "busy",
    "running": "busy",
    "submitted": "busy",
    "unknown": "warn",
    "parked": "warn",
    "dead": "bad",
}
LABEL = {
    "done": "done",
    "skipped": "not needed",
    "cancelled": "cancelled",
    "waiting": "waits its turn",
    "ready": "about to start",
    "running": "under way",
    "submitted": "handed over",
    "unknown": "answer lost",
    "parked": "waits for a fact",
    "dead": "stopped",
}
ACTIONS = {  # step -> what it does, as people say it
    "reserve_stock": "Reserve the stock",
    "release_stock": "Release the stock",
    "adjust_reservations": "Adjust the reserved stock",
    "commit_stock": "Count the stock as gone",
    "book_order": "Book the order",
    "amend_order": "Change the booked order",
    "cancel_booking": "Cancel the booking",
    "request_fulfilment": "Ask for fulfilment",
    "request_again": "Ask for fulfilment anew",
    "withdraw_fulfilment": "Take back the fulfilment request",
    "cancel_fulfilment": "Stop the fulfilment",
    "acknowledge_order": "Confirm to the channel",
    "record_shipment": "Book the shipment",
    "confirm_shipment": "Report the shipment to the channel",
    "record_refund": "Book the refund",
    "capture_payment": "Take the money for what has left",
    "note_captured": "Note that the money was taken",
    "charge_difference": "Charge the difference in the channel",
    "note_charged": "Note that the difference was paid",
    "give_back": "Give the money back in the channel",
    "note_given_back": "Note that the money went back",
    "cancel_sale": "Cancel the order in the channel",
    "notify_customer": "Write to the customer",
    "notify_refund": "Write to the customer about the refund",
    "request_from_location": "Ask the location to send it",
    "note_accepted": "Note that the location has taken it",
    "withdraw_from_location": "Take the request back from the location",
    "place_purchase_order": "Order it from the supplier",
    "withdraw_purchase_order": "Cancel the purchase order",
    "notify_ready": "Tell the customer that it can be fetched",
    "fetch_object": "Fetch the document",
    "publish_stock": "Publish the stock",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A step in words. `now` is what is observed; `next` what the hub will do and when, or whom it waits for."""

    label: str
    tone: str
    now: str
    next: str
    owner: str = ""


def action(name: str) -> str:
    """A step's name as people say it: `book_order` or `order_placed.book_order` is "Book the order"."""
    name = name.rpartition(".")[2]
    return ACTIONS.get(name) or name.replace("_", " ").capitalize()


def soon(at: datetime | None, now: datetime | None = None) -> str:
    """A moment to come: "now", "in 40 s", "in 3 min"."""
    if at is None:
        return "soon"
    left = (at - (now or datetime.now(UTC))).total_seconds()
    return "within seconds" if left < 2 else f"in {span(left)}"


def span(seconds: float) -> str:
    """A duration in its two biggest units at most: 40 s, 3 min, 2 h 5 min, 4 days."""
    whole = int(max(0, seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        hours, minutes = whole // 3600, whole % 3600 // 60
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{whole // 86400} days"


def tell(step: StepRow, held: Held | None, waits_for: list[str], asked: str = "") -> Told:
    """A step's state in words.

    `held` is its account's state, `waits_for` the names of the steps before it, `asked` whose case it is.
    """
    now, later, owner = WORDS.get(step.state, _other)(step, held, waits_for)
    return Told(LABEL.get(step.state, step.state), TONE.get(step.state, "calm"), now, later, owner or asked)


Words = tuple[str, str, str]


def _hold(step: StepRow, held: Held | None) -> str:
    """Why the account does not act now; empty when it does."""
    if held is None:
        return ""
    if held.paused:
        return f"Nothing is sent to {step.account} until somebody resumes it: {held.why or 'paused'}."
    if held.breaker != "closed":
        return f"{step.account} has been failing; it is asked again {soon(held.retry_at)}."
    if held.drained_at is not None and held.drained_at < step.created_at:
        return f"{step.account} is being drained; this goes on when somebody resumes it."
    return ""


def _done(step: StepRow, held: Held | None, waits: list[str]) -> Words:
    return (f"Done: {step.result}" if step.result else "Done", "", "")


def _waiting(step: StepRow, held: Held | None, waits: list[str]) -> Words:
    return (
        f"Waits for: {', '.join(waits)}" if waits else "Waits for earlier steps",
        "Starts by itself after that.",
        "",
    )


def _ready(step: StepRow, held: Held | None, waits: list[str]) -> Words:
    tried = (
        f"Tried {step.tries} time{'s' if step.tries != 1 else ''}. {step.sentence}"
        if step.tries
        else "Nothing sent yet."
    )
    return (tried, _hold(step, held) or f"{'Next try' if step.tries else 'Starts'} {soon(step.due_at)}.", "")


def _running(step: StepRow, held: Held | None, waits: list[str]) -> Words:
    return ("A worker is doing it now.", f"If the worker dies, another takes over {soon(step.lease_until)}.", "")


def _submitted(step: StepRow, held: Held | None, waits: list[str]) -> Words:
    return (
        f"{step.account} took it as job {step.job or '?'}.",
        _hold(step, held) or f"Asked for its result {soon(step.due_at)}.",
        "",
    )


def _unknown(step: StepRow, held: Held | None, waits: list[str]) -> Words:
    looks = f"Looked up {soon(step.due_at)} before anything is sent again, so nothing is done twice."
    return (f"It was sent, but no answer came. {step.sentence}", _hold(step, held) or looks, step.owner)


def _parked(step: StepRow, held: Held | None, waits: list[str]) -> Words:
    return (
        step.sentence or f"A fact is missing: {step.fact}.",
        step.remedy or "Goes on by itself when the fact arrives.",
        step.owner,
    )


def _dead(step: StepRow, held: Held | None, waits: list[str]) -> Words:
    return (
        step.sentence or "It failed and will not be tried again by itself.",
        step.remedy or "A person decides: retry or give up.",
        step.owner,
    )


def _ended(step: StepRow, held: Held | None, waits: list[str]) -> Words:
    return (step.sentence or LABEL[step.state].capitalize(), "", "")


def _other(step: StepRow, held: Held | None, waits: list[str]) -> Words:
    return (step.sentence or step.state, "", step.owner)


WORDS: dict[str, Callable[[StepRow, Held | None, list[str]], Words]] = {
    "done": _done,
    "waiting": _waiting,
    "ready": _ready,
    "running": _running,
    "submitted": _submitted,
    "unknown": _unknown,
    "parked": _parked,
    "dead": _dead,
    "skipped": _ended,
    "cancelled": _ended,
}
