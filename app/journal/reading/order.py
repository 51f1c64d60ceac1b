"""One order with everything that became of it: what came in, what was done where, what people did, what is to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app.journal.reading import shapes
from app.journal.reading.rows import found, listed
from app.journal.reading.shapes import AttemptRow, AuditRow, EventRow, Held, StepRow
from connectors.canonical.codec import decode
from connectors.canonical.order import Order

MOST = 500  # of each kind on one page; an order with more is cut off and says so

SUBJECT = """
SELECT s.id, s.waybill, s.kind, s.account, s.external_id, s.number, s.state, s.version, s.roles, s.customer,
    s.email, s.phone, s.amount, s.currency, s.placed_at, s.created_at, s.updated_at, s.erased_at, d.body
FROM subjects s LEFT JOIN documents d ON d.id = s.document_id
"""
BY_WAYBILL = text(f"{SUBJECT} WHERE s.waybill = upper(:waybill)")
RUNS = text("""
SELECT id, flow, difference, state, reason, created_at, ended_at, event_id, open_steps FROM runs
WHERE subject_id = :subject ORDER BY id LIMIT :most
""")
STEPS = text(f"{shapes.STEP} WHERE s.subject_id = :subject ORDER BY s.id LIMIT :most")
ATTEMPTS = text(f"{shapes.ATTEMPT} WHERE a.subject_id = :subject ORDER BY a.id DESC LIMIT :most")
# Two indexed look-ups joined: an OR over both would walk every event.
OF_SUBJECT = """
WHERE e.id IN (SELECT id FROM events WHERE subject_id = :subject
    UNION SELECT event_id FROM runs WHERE subject_id = :subject AND event_id IS NOT NULL)
ORDER BY e.id DESC LIMIT :most
"""
EVENTS = text(f"{shapes.EVENT} {OF_SUBJECT}")
WAITS = text("""
SELECT w.step_id, o.name, o.account, o.state FROM waits w
JOIN steps s ON s.id = w.step_id JOIN steps o ON o.id = w.on_id
WHERE s.subject_id = :subject LIMIT 2000
""")
LINKS = text(
    """SELECT account, kind, ours, theirs, at FROM links WHERE subject_id = :subject
    ORDER BY account, kind, ours LIMIT :most"""
)
AUDIT = text("""
SELECT id, at, who, address, action, object, reason, before, after FROM audit WHERE object = ANY(:objects)
ORDER BY id DESC LIMIT :most
""")
HELD = text("""
SELECT account, paused, drained_at, why, by, since, breaker, failures, retry_at, limits, limits_until,
    last_trouble, last_trouble_at
FROM account_state WHERE account = ANY(:accounts)
""")
RESERVED = text("""
SELECT line_id, sku, quantity, shipped, state FROM reservations WHERE subject_id = :subject ORDER BY line_id LIMIT :most
""")
CASES = text("""
SELECT c.id, c.owner, c.assignee, c.sentence, c.status, m.member FROM case_members m JOIN cases c ON c.id = m.case_id
WHERE m.member = ANY(:members) AND m.closed_at IS NULL LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class SubjectRow:
    id: int
    waybill: str
    kind: str
    account: str
    external_id: str
    number: str
    state: str
    version: str
    roles: Mapping[str, Any]
    customer: str
    email: str
    phone: str
    amount: Decimal | None
    currency: str
    placed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    erased_at: datetime | None
    body: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class RunRow:
    id: int
    flow: str
    difference: str
    state: str
    reason: str
    created_at: datetime
    ended_at: datetime | None
    event_id: int | None
    open_steps: int


@dataclass(frozen=True, slots=True)
class LinkRow:
    account: str
    kind: str
    ours: str
    theirs: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reserved:
    line_id: str
    sku: str
    quantity: Decimal
    shipped: Decimal
    state: str


@dataclass(frozen=True, slots=True)
class OpenCase:
    id: int
    owner: str
    assignee: str
    sentence: str
    status: str
    member: str


@dataclass(frozen=True, slots=True)
class _Wait:
    step_id: int
    name: str
    account: str
    state: str


@dataclass(frozen=True)
class OrderPage:
    """Everything about one order; `waits` are the names of what each waiting step waits for."""

    subject: SubjectRow
    document: Order | None
    runs: Sequence[RunRow]
    steps: Sequence[StepRow]
    attempts: Sequence[AttemptRow]
    events: Sequence[EventRow]
    links: Sequence[LinkRow]
    audit: Sequence[AuditRow]
    held: Mapping[str, Held]
    waits: Mapping[int, list[str]]
    reserved: Mapping[str, Reserved]
    cases: Mapping[str, OpenCase]

    @property
    def cut(self) -> bool:
        """Whether there is more than the page shows."""
        return max(len(self.attempts), len(self.events), len(self.steps)) >= MOST


def order(tx: Connection, waybill: str) -> OrderPage | None:
    """The order under a waybill number; None when there is none."""
    subject = found(tx, SubjectRow, BY_WAYBILL, waybill=waybill)
    return None if subject is None else _whole(tx, subject)


def _whole(tx: Connection, subject: SubjectRow) -> OrderPage:
    of = {"subject": subject.id, "most": MOST}
    steps = listed(tx, StepRow, STEPS, **of)
    events = listed(tx, EventRow, EVENTS, **of)
    members = [f"step:{step.id}" for step in steps] + [f"event:{event.id}" for event in events]
    accounts = list({step.account for step in steps})
    return OrderPage(
        subject=subject,
        document=_document(subject.body),
        runs=listed(tx, RunRow, RUNS, **of),
        steps=steps,
        attempts=listed(tx, AttemptRow, ATTEMPTS, **of),
        events=events,
        links=listed(tx, LinkRow, LINKS, **of),
        audit=listed(tx, AuditRow, AUDIT, objects=[f"order:{subject.waybill}", *members], most=MOST),
        held={row.account: row for row in listed(tx, Held, HELD, accounts=accounts)},
        waits=_waits(tx, subject.id),
        reserved={row.line_id: row for row in listed(tx, Reserved, RESERVED, **of)},
        cases={row.member: row for row in listed(tx, OpenCase, CASES, members=members, most=MOST)},
    )


def _document(body: Mapping[str, Any] | None) -> Order | None:
    document = decode(body) if body else None
    return document if isinstance(document, Order) else None


def _waits(tx: Connection, subject: int) -> dict[int, list[str]]:
    from app.journal.reading.words import action

    names: dict[int, list[str]] = {}
    for wait in listed(tx, _Wait, WAITS, subject=subject):
        names.setdefault(wait.step_id, []).append(f"{action(wait.name)} at {wait.account}")
    return names
