"""What the journal says of a channel's hour, to be held against the words of outsiders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from app.journal.reading.rows import listed

NAME = text("SELECT id FROM journal")
# An event and its delivery are of one statement, so of one moment: that finds the event's partition.
KEPT = text("""
SELECT d.delivery_id, e.id IS NOT NULL AND p.owner_id IS NOT NULL AS kept,
    CASE WHEN :bodies THEN left(encode(sha256(p.body), 'hex'), 32) ELSE '' END AS content
FROM deliveries d LEFT JOIN events e ON e.id = d.event_id AND e.at = d.first_at
LEFT JOIN payloads p ON p.owner = 'event' AND p.owner_id = d.event_id AND p.n = 0 AND p.at = d.first_at
WHERE d.account = :account AND d.delivery_id = ANY(:ids)
""")
EVENTS = text("""
SELECT id, delivery_id, door, state FROM events WHERE account = :account AND at >= :since AND at < :until ORDER BY id
""")
HELD_UP = text("""
SELECT s.state, count(DISTINCT e.id) AS n FROM events e JOIN runs r ON r.event_id = e.id AND r.state = 'open'
JOIN steps s ON s.run_id = r.id AND s.state IN ('parked', 'dead')
WHERE e.account = :account AND e.at >= :since AND e.at < :until AND e.state = 'running' GROUP BY s.state
""")
STUCK = text("""
SELECT e.id, e.subject_id, e.topic, e.at FROM events e
WHERE e.account = :account AND e.at >= :since AND e.at < :until AND e.state = 'running'
    AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.event_id = e.id AND r.state = 'open') ORDER BY e.id LIMIT 1000
""")
ORDERS = text("""
SELECT id, external_id, coalesce(waybill, '') AS waybill, number, version, placed_at FROM subjects
WHERE kind = 'order' AND account = :account AND external_id = ANY(:ids)
""")
PLACED = text("""
SELECT id, external_id, coalesce(waybill, '') AS waybill, number, version, placed_at FROM subjects
WHERE kind = 'order' AND account = :account AND placed_at >= :since AND placed_at < :until
    AND version <> ''  -- what the hub placed itself (an exchange) is in no source's list
""")
HEARD = text("SELECT subject_id, max(at) AS at FROM events WHERE subject_id = ANY(:subjects) GROUP BY subject_id")
ENDED_AS = text("""
SELECT d.delivery_id, e.state FROM deliveries d JOIN events e ON e.id = d.event_id AND e.at = d.first_at
WHERE d.account = :account AND d.delivery_id = ANY(:ids)
""")
BOOKED = text("""
SELECT DISTINCT s.id AS step_id, s.subject_id, b.account AS channel, b.external_id, coalesce(b.waybill, '') AS waybill, b.number,
    s.result, s.ended_at, d.body AS document,
    EXISTS (
        SELECT 1 FROM steps x WHERE x.subject_id = s.subject_id AND x.account = s.account
            AND x.name IN ('amend_order', 'cancel_booking') AND x.state NOT IN ('skipped', 'cancelled')) AS changed
FROM attempts a JOIN steps s ON s.id = a.step_id JOIN subjects b ON b.id = s.subject_id
JOIN runs r ON r.id = s.run_id JOIN documents d ON d.id = r.document_id
WHERE a.account = :account AND a.at >= :since AND a.at < :until
    AND s.name = 'book_order' AND s.role = 'erp' AND s.state = 'done' AND s.ended_at >= :since AND s.ended_at < :until
""")
DELIVERED = text("""
SELECT DISTINCT s.id AS step_id, s.subject_id, b.account AS channel, coalesce(b.waybill, '') AS waybill, b.number,
    s.result, s.ended_at, d.body AS document, r.child
FROM attempts a JOIN steps s ON s.id = a.step_id JOIN subjects b ON b.id = s.subject_id
JOIN runs r ON r.id = s.run_id JOIN documents d ON d.id = r.document_id
WHERE a.account = :account AND a.at >= :since AND a.at < :until
    AND s.name = 'record_shipment' AND s.role = 'erp' AND s.state = 'done' AND s.ended_at >= :since AND s.ended_at < :until
""")
DELIVERIES_OF = text("""
SELECT l.theirs AS booking, b.id AS subject_id, b.account AS channel, coalesce(b.waybill, '') AS waybill,
    ARRAY(SELECT theirs FROM links WHERE account = :account AND kind = 'shipment' AND subject_id = b.id) AS theirs,
    EXISTS (SELECT 1 FROM steps WHERE subject_id = b.id AND account = :account AND name = 'record_shipment' AND role = 'erp'
        AND state NOT IN ('done', 'skipped', 'cancelled', 'dead')) AS under_way
FROM links l JOIN subjects b ON b.id = l.subject_id WHERE l.account = :account AND l.kind = 'order' AND l.theirs = ANY(:bookings)
""")
FIRST_TRIED = text("SELECT min(at) AS at FROM attempts WHERE step_id = ANY(:steps)")
BOOKINGS_OF = text("""
SELECT b.id AS subject_id, b.account AS channel, b.external_id, coalesce(b.waybill, '') AS waybill,
    coalesce((SELECT theirs FROM links WHERE account = :account AND kind = 'order' AND subject_id = b.id LIMIT 1), '') AS theirs,
    coalesce((SELECT string_agg(DISTINCT state, ',') FROM steps WHERE subject_id = b.id AND account = :account
        AND name = 'book_order' AND role = 'erp'), '') AS states
FROM subjects b WHERE b.kind = 'order' AND (b.account, b.external_id) IN (SELECT * FROM unnest(CAST(:channels AS text[]), CAST(:ids AS text[])))
""")


@dataclass(frozen=True, slots=True)
class KeptDelivery:
    delivery_id: str
    kept: bool
    content: str | None


@dataclass(frozen=True, slots=True)
class EventRow:
    id: int
    delivery_id: str
    door: str
    state: str


@dataclass(frozen=True, slots=True)
class StuckEvent:
    id: int
    subject_id: int | None
    topic: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KnownOrder:
    id: int
    external_id: str
    waybill: str
    number: str
    version: str
    placed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking that the journal says was done. `document` is the order as it was sent; `changed`: amended since."""

    step_id: int
    subject_id: int
    channel: str
    external_id: str
    waybill: str
    number: str
    result: str
    ended_at: datetime
    document: Any
    changed: bool


@dataclass(frozen=True, slots=True)
class BookingOf:
    """What the journal knows of an order's booking: what the ERP calls it, and the states of the steps that book it."""

    subject_id: int
    channel: str
    external_id: str
    waybill: str
    theirs: str
    states: str


@dataclass(frozen=True, slots=True)
class DeliveredHere:
    """A shipment's booking that the journal says was done. `document` is the order as it was then, `child` the shipment."""

    step_id: int
    subject_id: int
    channel: str
    waybill: str
    number: str
    result: str
    ended_at: datetime
    document: Any
    child: Any


@dataclass(frozen=True, slots=True)
class DeliveriesOf:
    """What the journal knows of the shipments of a booking: what the ERP calls them, and whether one is being booked."""

    booking: str
    subject_id: int
    channel: str
    waybill: str
    theirs: Sequence[str]
    under_way: bool


def name(tx: Connection) -> str:
    return str(tx.execute(NAME).scalar_one())


def kept(tx: Connection, account: str, ids: Sequence[str], bodies: bool) -> Mapping[str, KeptDelivery]:
    """The deliveries that are kept, by id; with the hash of their bodies when those are asked for."""
    rows = listed(tx, KeptDelivery, KEPT, account=account, ids=list(ids), bodies=bodies)
    return {row.delivery_id: row for row in rows}


def events(tx: Connection, account: str, since: datetime, until: datetime) -> tuple[EventRow, ...]:
    return listed(tx, EventRow, EVENTS, account=account, since=since, until=until)


def held_up(tx: Connection, account: str, since: datetime, until: datetime) -> dict[str, int]:
    """How many of the hour's events wait for a fact (parked) or a person (dead)."""
    rows = tx.execute(HELD_UP, {"account": account, "since": since, "until": until})
    return {row.state: int(row.n) for row in rows}


def stuck(tx: Connection, account: str, since: datetime, until: datetime) -> tuple[StuckEvent, ...]:
    """Events that are under way although nothing of them is: this must not be."""
    return listed(tx, StuckEvent, STUCK, account=account, since=since, until=until)


def orders(tx: Connection, account: str, ids: Iterable[str]) -> Mapping[str, KnownOrder]:
    return {row.external_id: row for row in listed(tx, KnownOrder, ORDERS, account=account, ids=list(ids))}


def placed(tx: Connection, account: str, since: datetime, until: datetime) -> tuple[KnownOrder, ...]:
    """Orders placed in the window, by the source's clock, as the hub knows them."""
    return listed(tx, KnownOrder, PLACED, account=account, since=since, until=until)


def heard(tx: Connection, subjects: Iterable[int]) -> Mapping[int, datetime]:
    """When something about each was last received."""
    return {row.subject_id: row.at for row in tx.execute(HEARD, {"subjects": list(subjects)})}


def ended_as(tx: Connection, account: str, ids: Iterable[str]) -> Mapping[str, str]:
    return {row.delivery_id: row.state for row in tx.execute(ENDED_AS, {"account": account, "ids": list(ids)})}


def booked(tx: Connection, account: str, since: datetime, until: datetime) -> tuple[Booked, ...]:
    """What was booked at an ERP in a window, by the journal's own clock."""
    return listed(tx, Booked, BOOKED, account=account, since=since, until=until)


def delivered(tx: Connection, account: str, since: datetime, until: datetime) -> tuple[DeliveredHere, ...]:
    """The shipments that were booked at an ERP in a window, by the journal's own clock."""
    return listed(tx, DeliveredHere, DELIVERED, account=account, since=since, until=until)


def deliveries_of(tx: Connection, account: str, bookings: Iterable[str]) -> Mapping[str, DeliveriesOf]:
    """By the ERP's id of the booking: what the journal knows of its shipments."""
    rows = listed(tx, DeliveriesOf, DELIVERIES_OF, account=account, bookings=sorted(set(bookings)))
    return {row.booking: row for row in rows}


def first_tried(tx: Connection, bookings: Iterable[Booked | DeliveredHere]) -> datetime | None:
    """When the earliest attempt at any of these ended."""
    found: datetime | None = tx.execute(FIRST_TRIED, {"steps": [one.step_id for one in bookings]}).scalar()
    return found


def bookings_of(tx: Connection, account: str, orders: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], BookingOf]:
    """By (channel, order id): what the journal knows of the bookings of these orders at an ERP."""
    channels, ids = [one[0] for one in orders], [one[1] for one in orders]
    rows = listed(tx, BookingOf, BOOKINGS_OF, account=account, channels=channels, ids=ids)
    return {(row.channel, row.external_id): row for row in rows}
