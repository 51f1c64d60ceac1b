"""The raw matter: an event with the body that came, an attempt with each request and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from app.journal.reading import shapes
from app.journal.reading.rows import found, listed
from app.journal.reading.shapes import AttemptRow, EventRow

EVENT = text(f"{shapes.EVENT} WHERE e.id = :id")
ATTEMPT = text(f"{shapes.ATTEMPT} WHERE a.id = :id")
PAYLOADS = text("SELECT n, at, head, body FROM payloads WHERE owner = :owner AND owner_id = :id ORDER BY n LIMIT 60")
SEEN = text(
    "SELECT seen, first_at, last_at, event_id FROM deliveries WHERE account = :account AND delivery_id = :delivery"
)
LED_TO = text("SELECT id, flow, state, reason FROM runs WHERE event_id = :id ORDER BY id LIMIT 50")


@dataclass(frozen=True, slots=True)
class Payload:
    n: int
    at: datetime
    head: Mapping[str, Any]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Seen:
    """How often a delivery came: the first counts, the others are duplicates."""

    seen: int
    first_at: datetime
    last_at: datetime
    event_id: int


@dataclass(frozen=True, slots=True)
class LedTo:
    id: int
    flow: str
    state: str
    reason: str


def event(tx: Connection, event_id: int) -> EventRow | None:
    return found(tx, EventRow, EVENT, id=event_id)


def attempt(tx: Connection, attempt_id: int) -> AttemptRow | None:
    return found(tx, AttemptRow, ATTEMPT, id=attempt_id)


def payloads(tx: Connection, owner: str, owner_id: int) -> tuple[Payload, ...]:
    """What was kept with an `event` or an `attempt`, in its order."""
    return listed(tx, Payload, PAYLOADS, owner=owner, id=owner_id)


def seen(tx: Connection, one: EventRow) -> Seen | None:
    return found(tx, Seen, SEEN, account=one.account, delivery=one.delivery_id)


def led_to(tx: Connection, event_id: int) -> tuple[LedTo, ...]:
    return listed(tx, LedTo, LED_TO, id=event_id)
