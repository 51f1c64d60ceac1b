"""The rows that pages share: steps, attempts, events, and what an account is doing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

STEP = """
SELECT s.id, s.run_id, s.subject_id, s.flow, s.name, s.role, s.account, s.kind, s.state, s.tries, s.due_at,
    s.lease_until, s.doubtful, s.job, s.result, s.code, s.sentence, s.remedy, s.owner, s.fact, s.key, s.created_at,
    s.updated_at, s.ended_at, b.waybill, b.number
FROM steps s JOIN subjects b ON b.id = s.subject_id
"""
ATTEMPT = """
SELECT a.id, a.at, a.step_id, a.subject_id, a.account, a.n, a.outcome, a.code, a.sentence, a.seconds, a.calls, a.worker,
    a.next_at, s.name, b.waybill
FROM attempts a JOIN steps s ON s.id = a.step_id JOIN subjects b ON b.id = a.subject_id
"""
EVENT = """
SELECT e.id, e.at, e.account, e.door, e.topic, e.delivery_id, e.proof, e.state, e.reason, e.code, e.recovered,
    e.ended_at, b.waybill, e.subject_id
FROM events e LEFT JOIN subjects b ON b.id = e.subject_id
"""


@dataclass(frozen=True, slots=True)
class StepRow:
    id: int
    run_id: int
    subject_id: int
    flow: str
    name: str
    role: str
    account: str
    kind: str
    state: str
    tries: int
    due_at: datetime
    lease_until: datetime | None
    doubtful: bool
    job: str | None
    result: str
    code: str
    sentence: str
    remedy: str
    owner: str
    fact: str
    key: str
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    waybill: str
    number: str


@dataclass(frozen=True, slots=True)
class AttemptRow:
    id: int
    at: datetime
    step_id: int
    subject_id: int
    account: str
    n: int
    outcome: str
    code: str
    sentence: str
    seconds: float
    calls: int
    worker: str
    next_at: datetime | None
    name: str
    waybill: str


@dataclass(frozen=True, slots=True)
class EventRow:
    id: int
    at: datetime
    account: str
    door: str
    topic: str
    delivery_id: str
    proof: str
    state: str
    reason: str
    code: str
    recovered: bool
    ended_at: datetime | None
    waybill: str | None
    subject_id: int | None


@dataclass(frozen=True, slots=True)
class Held:
    """What an account is doing now (account_state)."""

    account: str
    paused: bool = False
    drained_at: datetime | None = None
    why: str = ""
    by: str = ""
    since: datetime | None = None
    breaker: str = "closed"
    failures: int = 0
    retry_at: datetime | None = None
    limits: Mapping[str, Any] | None = None
    limits_until: datetime | None = None
    last_trouble: str = ""
    last_trouble_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    id: int
    at: datetime
    who: str
    address: str
    action: str
    object: str
    reason: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
