"""Steps, attempts, events, audit and codes as lists: narrowed by what an address says, one page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from app.journal.reading import shapes
from app.journal.reading.counts import OPEN
from app.journal.reading.rows import SHOWN, Page, listed, paged
from app.journal.reading.shapes import AttemptRow, AuditRow, EventRow, StepRow

BAD = [
    "retry",
    "unknown",
    "rejected",
    "unauthorised",
    "given up",
    "error",
]  # outcomes that are errors; throttled is not

# Filters stand inside the select, so that each finds its index.
STEP_FILTERS = {
    "account": "s.account = :account",
    "state": "s.state = :state",
    "name": "s.name = :name",
    "before": "s.id > :before",
}
# The first page of each state by the index on account and state, then the oldest of these.
WAITING = text(f"""
{shapes.STEP} WHERE s.id IN (
    SELECT x.id FROM unnest(ARRAY['ready', 'running', 'submitted', 'unknown']) AS t(state),
    LATERAL (SELECT id FROM steps WHERE account >= :account AND account <= :account
        AND state >= t.state AND state <= t.state AND state IN {OPEN} AND id > :before
        ORDER BY account, state, id LIMIT 51) x)
ORDER BY s.id LIMIT 51
""")  # noqa: S608 - our own texts
ATTEMPT_FILTERS = {
    "account": "a.account = :account",
    "outcome": "a.outcome = :outcome",
    "bad": "a.outcome = ANY('{retry,unknown,rejected,unauthorised,given up,error}')",
    "recent": "a.at > now() - interval '15 minutes'",
    "before": "a.id < :before",
}
EVENT_FILTERS = {
    "account": "e.account >= :account AND e.account <= :account",
    "state": "e.state >= :state AND e.state <= :state",
    "recovered": "e.recovered",
    "before": "e.id < :before",
}
AUDIT_FILTERS = {"who": "who = :who", "object": "object = :object", "before": "id < :before"}
AUDIT = "SELECT id, at, who, address, action, object, reason, before, after FROM audit"


def steps(tx: Connection, given: Mapping[str, Any]) -> Page[StepRow]:
    """Steps, the oldest first: those have waited longest. `open` (with an account): what waits for the account."""
    if given.get("open") and given.get("account"):
        rows = listed(tx, StepRow, WAITING, account=given["account"], before=given.get("before") or 0)
        return Page(rows[:SHOWN], str(rows[SHOWN - 1].id) if len(rows) > SHOWN else None)
    return _page(tx, StepRow, shapes.STEP, STEP_FILTERS, given, "s.id")


def attempts(tx: Connection, given: Mapping[str, Any]) -> Page[AttemptRow]:
    """Attempts, the newest first; of one account by its own index on time."""
    order = "a.at DESC, a.id DESC" if given.get("account") else "a.id DESC"
    return _page(tx, AttemptRow, shapes.ATTEMPT, ATTEMPT_FILTERS, given, order)


def events(tx: Connection, given: Mapping[str, Any]) -> Page[EventRow]:
    """Deliveries, the newest first."""
    by = "e.account, " if given.get("account") else ("e.state, " if given.get("state") else "")
    return _page(tx, EventRow, shapes.EVENT, EVENT_FILTERS, given, f"{by}e.id DESC")


def audit(tx: Connection, given: Mapping[str, Any]) -> Page[AuditRow]:
    return _page(tx, AuditRow, AUDIT, AUDIT_FILTERS, given, "id DESC")


def _page(
    tx: Connection, kind: type[Any], select: str, filters: Mapping[str, str], given: Mapping[str, Any], order: str
) -> Page[Any]:
    return paged(tx, kind, select, filters, given, order=order)


@dataclass(frozen=True, slots=True)
class Code:
    account: str
    kind: str
    ours: str
    theirs: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MissingCode:
    """A code that steps wait for: how many, since when, and at which account."""

    fact: str
    account: str
    kind: str
    ours: str
    n: int
    since: datetime


MISSING = text("""
SELECT fact, split_part(fact, ':', 1) AS account, split_part(fact, ':', 2) AS kind,
    substr(fact, length(split_part(fact, ':', 1)) + length(split_part(fact, ':', 2)) + 3) AS ours, n, since
FROM (SELECT fact, count(*) AS n, min(created_at) AS since FROM (
    SELECT fact, created_at FROM steps WHERE state = 'parked' AND fact <> '' LIMIT 20000) p GROUP BY fact) f
ORDER BY n DESC, fact LIMIT 200
""")
CODES = text("""
SELECT account, kind, ours, theirs, by, at FROM codes
WHERE (account, kind, ours) > (:account, :kind, :ours) AND (:word = '' OR ours = :word OR theirs = :word)
ORDER BY account, kind, ours LIMIT 51
""")


def missing(tx: Connection) -> tuple[MissingCode, ...]:
    """Codes that block orders, the most blocking first."""
    return listed(tx, MissingCode, MISSING)


def codes(tx: Connection, after: tuple[str, str, str], word: str = "") -> tuple[Code, ...]:
    """Up to 51 codes after a key (the 51st says that there are more)."""
    return listed(tx, Code, CODES, account=after[0], kind=after[1], ours=after[2], word=word)
