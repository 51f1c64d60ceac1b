"""Connecting: a connector is handed its account, the limiter, the codes, the tokens and what is known of the subject there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import redis
from sqlalchemy import text

from app.accounts import entries
from app.accounts.tokens import SharedTokens
from app.catalogue.codes import AccountCodes
from app.database import at_once, transaction
from connectors import registry
from connectors.kit.account import Connection
from connectors.kit.http import Exchange, Http
from connectors.kit.limiter import Limiter
from connectors.kit.manifest import Limit

USED_TODAY = text("""
WITH day AS (SELECT date_trunc('day', now() - CAST(:resets AS interval)) + CAST(:resets AS interval) AS began),
today AS (SELECT id, at, calls FROM attempts, day WHERE account = :account AND at >= began)
SELECT CASE WHEN cardinality(CAST(:operations AS text[])) = 0 THEN (SELECT coalesce(sum(calls), 0) FROM today)
    ELSE (SELECT count(*) FROM today t JOIN payloads p ON p.owner = 'attempt' AND p.owner_id = t.id AND p.at = t.at
        WHERE p.head->>'operation' = ANY(CAST(:operations AS text[]))) END
    + (SELECT coalesce(sum(calls), 0) FROM usage, day WHERE account = :account AND hour >= date_trunc('hour', began)
        AND (cardinality(CAST(:operations AS text[])) = 0 OR operation = ANY(CAST(:operations AS text[]))))
""")
USED = text("""
INSERT INTO usage AS u (account, hour, operation, calls) VALUES (:account, date_trunc('hour', now()), :operation, :calls)
ON CONFLICT (account, hour, operation) DO UPDATE SET calls = u.calls + excluded.calls
""")


@cache
def _limiter(pid: int) -> Limiter:
    """One client of the limiter for each process; Redis answers in milliseconds or not at all."""
    client = redis.Redis.from_url(
        os.environ["REDIS_URL"], socket_timeout=2, socket_connect_timeout=1, health_check_interval=10
    )
    return Limiter(client, entries.limits_of, used_today)


def limiter() -> Limiter:
    return _limiter(os.getpid())


def used_today(account: str, limit: Limit) -> int:
    """Calls that count against a daily quota of an account since it was renewed, from the journal."""
    asked = {"account": account, "resets": f"{limit.resets}:00", "operations": list(limit.operations)}
    with at_once() as tx:
        return int(tx.execute(USED_TODAY, asked).scalar_one())


@dataclass(frozen=True, slots=True)
class KnownIds:
    """Cross references of one subject at one account."""

    account: str
    links: Sequence[Sequence[str]]

    def id(self, kind: str, ours: str) -> str | None:
        return next(
            (theirs for account, k, o, theirs in self.links if (account, k, o) == (self.account, kind, ours)), None
        )

    def others(self, kind: str, ours: str) -> frozenset[str]:
        return frozenset(
            theirs for account, k, o, theirs in self.links if (account, k) == (self.account, kind) and o != ours
        )


def connection(
    name: str,
    links: Sequence[Sequence[str]] = (),
    correlation: str = "",
    guard: Callable[[], None] = lambda: None,
    tap: Callable[[Exchange], None] = lambda exchange: None,
) -> Connection:
    """What an account's connector is handed for one step or one poll."""
    account = entries.account(name)
    return Connection(
        account=account,
        http=Http(account, limiter(), guard=guard, tap=tap, correlation=correlation),
        codes=AccountCodes(name),
        tokens=SharedTokens(name),
        known=KnownIds(name, links),
        now=lambda: datetime.now(UTC),
    )


@contextmanager
def counted(name: str, heard: list[Exchange] | None = None) -> Iterator[Any]:
    """The connector for a look at an account that is no step's: its calls count against the daily quota all the same.

    `heard` gets each of them."""
    calls: list[Exchange] = [] if heard is None else heard
    try:
        yield connect(connection(name, tap=calls.append))
    finally:
        if calls:
            with transaction() as tx:
                for operation, count in sorted(Counter(call.operation for call in calls).items()):
                    tx.execute(USED, {"account": name, "operation": operation, "calls": count})


def connect(made: Connection) -> Any:
    """The connector itself."""
    return registry.connect(made)
