"""How every account is doing, one line for each, from counts that are bounded and indexes that exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from app.journal.reading import counts
from app.journal.reading import order as order_page
from app.journal.reading.counts import Bounded, bounded
from app.journal.reading.lists import BAD
from app.journal.reading.rows import listed
from app.journal.reading.shapes import Held
from app.journal.reading.words import soon, span

LINES = text("""
SELECT a.account, w.waiting, p.parked, d.dead, t.tries, t.bad, g.at AS last_success, r.recovered,
    f.refused, r.at AS silent_since
FROM unnest(CAST(:accounts AS text[])) AS a(account),
LATERAL (SELECT count(*) AS waiting FROM (SELECT 1 FROM steps
    WHERE account = a.account AND state = ANY('{ready,running,submitted,unknown}') LIMIT 1000) x) w,
LATERAL (SELECT count(*) AS parked FROM (SELECT 1 FROM steps
    WHERE account = a.account AND state = 'parked' LIMIT 1000) x) p,
LATERAL (SELECT count(*) AS dead FROM (SELECT 1 FROM steps
    WHERE account = a.account AND state = 'dead' LIMIT 1000) x) d,
LATERAL (SELECT count(*) AS tries, count(*) FILTER (WHERE outcome = ANY(:bad)) AS bad FROM (SELECT outcome FROM attempts
    WHERE account = a.account AND at > now() - interval '15 minutes' ORDER BY at DESC LIMIT 1000) x) t,
LATERAL (SELECT max(at) AS at FROM (SELECT at, outcome FROM attempts
    WHERE account = a.account AND at > now() - interval '7 days' ORDER BY at DESC LIMIT 500) x
    WHERE outcome IN ('done', 'found')) g,
LATERAL (SELECT count(*) FILTER (WHERE recovered) AS recovered, max(at) AS at FROM (SELECT recovered, at FROM events
    WHERE account >= a.account AND account <= a.account ORDER BY account, id DESC LIMIT 1000) x) r,
LATERAL (SELECT coalesce(sum(count), 0)::bigint AS refused FROM refusals
    WHERE account = a.account AND hour > now() - interval '24 hours') f
""")
HEARD = text("SELECT queue, sent_at, seen_at FROM heartbeats ORDER BY queue LIMIT 200")
DEAD_SUBSCRIPTIONS = text("SELECT account, topic FROM subscriptions WHERE NOT alive ORDER BY account, topic LIMIT 200")


@dataclass(frozen=True, slots=True)
class Line:
    """An account's figures. Counts stop at 1,000; `tries` and `bad` are of the last 15 minutes, `refused` of 24 hours,
    `recovered` of its last 1,000 deliveries."""

    account: str
    waiting: int
    parked: int
    dead: int
    tries: int
    bad: int
    last_success: datetime | None
    recovered: int
    refused: int
    silent_since: datetime | None
    oldest: datetime | None = None

    @property
    def error_rate(self) -> float | None:
        """Share of attempts that failed in 15 minutes; None when there was none."""
        return self.bad / self.tries if self.tries else None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    queue: str
    sent_at: datetime
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeadSubscription:
    account: str
    topic: str


@dataclass(frozen=True)
class Overview:
    lines: Sequence[Line]
    held: dict[str, Held]
    heartbeats: Sequence[Heartbeat]
    dead_subscriptions: Sequence[DeadSubscription]
    attention: Bounded
    cases: Bounded
    quarantined: Bounded


def overview(tx: Connection, accounts: list[str]) -> Overview:
    """The home page."""
    return Overview(
        lines=lines(tx, accounts),
        held=held(tx, accounts),
        heartbeats=listed(tx, Heartbeat, HEARD),
        dead_subscriptions=listed(tx, DeadSubscription, DEAD_SUBSCRIPTIONS),
        attention=bounded(tx, "SELECT DISTINCT subject_id FROM steps WHERE state IN ('dead', 'parked')"),
        cases=open_cases(tx),
        quarantined=bounded(tx, "SELECT 1 FROM events WHERE state = 'quarantined'"),
    )


def lines(tx: Connection, accounts: list[str]) -> tuple[Line, ...]:
    """One line for each account, in their order."""
    since = counts.oldest_waiting(tx, accounts)
    rows = listed(tx, Line, LINES, accounts=accounts, bad=BAD)
    return tuple(replace(row, oldest=since.get(row.account)) for row in rows)


def open_cases(tx: Connection) -> Bounded:
    return bounded(tx, "SELECT 1 FROM cases WHERE status <> 'resolved'")


def held(tx: Connection, accounts: list[str]) -> dict[str, Held]:
    """What each account is doing; one that never had trouble has no row and is well."""
    known = {row.account: row for row in listed(tx, Held, order_page.HELD, accounts=accounts)}
    return {account: known.get(account, Held(account)) for account in accounts}


def state(line: Line, held: Held) -> tuple[str, str]:
    """An account's state in words, and its tone: the worst that is true of it."""
    if held.paused:
        return (f"paused: {held.why}" if held.why else "paused", "bad")
    if held.drained_at is not None:
        return ("draining: new steps wait", "warn")
    if held.breaker != "closed":
        return (f"failing; asked again {soon(held.retry_at)}", "bad")
    if line.error_rate is not None and line.error_rate > 0.2:
        return (f"{line.error_rate:.0%} of attempts fail", "warn")
    if line.oldest is not None and (datetime.now(UTC) - line.oldest).total_seconds() > 900:
        return (f"slow: work waits for {span((datetime.now(UTC) - line.oldest).total_seconds())}", "warn")
    return ("well", "good")
