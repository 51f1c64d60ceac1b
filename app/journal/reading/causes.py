"""What failed or waits, by cause: one row for each, with its owner, how many orders it holds up, and since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app.journal.reading.counts import Bounded
from app.journal.reading.rows import Page, found, listed

CASE = """
SELECT c.id, c.kind, c.account, c.step, c.code, c.sentence, c.remedy, c.owner, c.assignee, c.status,
    c.opened_at, c.last_at, c.closed_at, c.closed_by, m.n, m.oldest
FROM cases c, LATERAL (
    SELECT count(*) AS n, min(at) AS oldest FROM (
        SELECT at FROM case_members WHERE case_id = c.id AND closed_at IS NULL LIMIT 1000) x) m
"""
LIST = text(f"""
{CASE} WHERE (CASE WHEN :closed THEN c.status = 'resolved' ELSE c.status <> 'resolved' END) AND c.id < :before
    AND (:owner = '' OR c.owner = :owner) AND (:kind = '' OR c.kind = :kind) AND (:account = '' OR c.account = :account)
ORDER BY c.id DESC LIMIT 51
""")
ONE = text(f"{CASE} WHERE c.id = :id")
OWNERS = text(
    "SELECT DISTINCT owner FROM (SELECT owner FROM cases WHERE status <> 'resolved' LIMIT 5000) x ORDER BY owner"
)
MEMBERS = text("""
SELECT m.member, m.at, m.subject_id, b.waybill, b.number, b.amount, b.currency, b.kind, s.id AS step_id,
    s.state AS step_state, s.tries, s.sentence, s.name, s.account AS step_account, d.about, d.channel, d.hour, d.ours, d.theirs
FROM case_members m LEFT JOIN subjects b ON b.id = m.subject_id
LEFT JOIN steps s ON s.id = CASE WHEN m.member LIKE 'step:%' THEN substr(m.member, 6)::bigint END
LEFT JOIN proof_differences d ON d.id = CASE WHEN m.member LIKE 'proof:%' THEN substr(m.member, 7)::bigint END
WHERE m.case_id = :case AND m.closed_at IS NULL AND m.member > :after ORDER BY m.member LIMIT 51
""")
ALL = text("""
SELECT member FROM case_members WHERE case_id = :case AND closed_at IS NULL AND member > :after
ORDER BY member LIMIT :most
""")
RISK = text("""
SELECT b.currency, sum(b.amount) AS amount, count(*) AS n FROM (
    SELECT DISTINCT subject_id FROM (
        SELECT subject_id FROM case_members
        WHERE case_id = :case AND closed_at IS NULL AND subject_id IS NOT NULL LIMIT 1000) y) x
JOIN subjects b ON b.id = x.subject_id WHERE b.amount IS NOT NULL GROUP BY b.currency ORDER BY 2 DESC
""")


@dataclass(frozen=True, slots=True)
class CaseRow:
    id: int
    kind: str
    account: str
    step: str
    code: str
    sentence: str
    remedy: str
    owner: str
    assignee: str
    status: str
    opened_at: datetime
    last_at: datetime
    closed_at: datetime | None
    closed_by: str
    n: int
    oldest: datetime | None

    @property
    def count(self) -> Bounded:
        return Bounded(self.n)


@dataclass(frozen=True, slots=True)
class Member:
    member: str
    at: datetime
    subject_id: int | None
    waybill: str | None
    number: str | None
    amount: Decimal | None
    currency: str | None
    kind: str | None
    step_id: int | None
    step_state: str | None
    tries: int | None
    sentence: str | None
    name: str | None
    step_account: str | None
    about: str | None = None
    channel: str | None = None
    hour: datetime | None = None
    ours: str | None = None
    theirs: str | None = None


@dataclass(frozen=True, slots=True)
class Risk:
    """Money of the orders of a case, by currency (of at most 1,000 members)."""

    currency: str
    amount: Decimal
    n: int


def cases(tx: Connection, given: Mapping[str, Any], before: int | None = None) -> Page[CaseRow]:
    """Open causes, the newest first; `closed` shows the resolved ones."""
    values = {name: str(given.get(name) or "") for name in ("owner", "kind", "account")}
    rows = listed(tx, CaseRow, LIST, **values, closed=bool(given.get("closed")), before=before or 2**62)
    return Page(rows[:50], str(rows[49].id) if len(rows) > 50 else None)


def case(tx: Connection, case_id: int) -> CaseRow | None:
    return found(tx, CaseRow, ONE, id=case_id)


def owners(tx: Connection) -> list[str]:
    return list(tx.execute(OWNERS).scalars())


def members(tx: Connection, case_id: int, after: str = "") -> Page[Member]:
    """Who shares the cause and still suffers from it."""
    rows = listed(tx, Member, MEMBERS, case=case_id, after=after)
    return Page(rows[:50], rows[49].member if len(rows) > 50 else None)


def names(tx: Connection, case_id: int, after: str, most: int) -> Sequence[str]:
    """The members of a case by name, a chunk at a time: for what is done to all of them."""
    return list(tx.execute(ALL, {"case": case_id, "after": after, "most": most}).scalars())


def at_risk(tx: Connection, case_id: int) -> tuple[Risk, ...]:
    return listed(tx, Risk, RISK, case=case_id)
