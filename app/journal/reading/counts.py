"""Bounded counts: how many of what stands in which state now, and for how long the oldest has waited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

MOST = 1_000  # beyond this a page says "1,000+": nobody reads a bigger number, and counting it costs a scan
METRIC_MOST = 100_000
OPEN = "('waiting', 'ready', 'running', 'submitted', 'unknown', 'parked', 'dead')"
ENDS = ("accepted", "running", "applied", "echo", "superseded", "ignored", "quarantined")

# In this folder an equality with `ORDER BY id` is written as a range with the column in the order: then only the index on
# both can serve it, and a value that has no row does not become a walk over all the others.
EVENTS = text("""
SELECT s.state, count(x.state) AS n FROM unnest(CAST(:states AS text[])) AS s(state) LEFT JOIN LATERAL (
    SELECT e.state FROM events e WHERE e.state >= s.state AND e.state <= s.state ORDER BY e.state, e.id DESC LIMIT :most
) x ON true GROUP BY s.state
""")
STEPS = text(f"""
SELECT account, state, count(*) AS n FROM (SELECT account, state FROM steps WHERE state IN {OPEN} LIMIT :most) x
GROUP BY account, state
""")  # noqa: S608 - our own texts
OLDEST = text(f"""
SELECT a.account, min(x.created_at) AS since FROM unnest(CAST(:accounts AS text[])) AS a(account),
unnest(ARRAY['ready', 'running', 'submitted', 'unknown']) AS t(state),
LATERAL (SELECT created_at FROM steps WHERE account >= a.account AND account <= a.account
    AND state >= t.state AND state <= t.state AND state IN {OPEN} ORDER BY account, state, id LIMIT 1) x
GROUP BY a.account
""")  # noqa: S608
REFUSED = text("""
SELECT account, reason, sum(count)::bigint AS n FROM refusals WHERE hour > now() - interval '30 days'
GROUP BY account, reason LIMIT 500
""")
BREAKERS = text("SELECT account, breaker, paused FROM account_state")


@dataclass(frozen=True, slots=True)
class Bounded:
    """A count that stopped at `most`."""

    n: int
    most: int = MOST

    def __str__(self) -> str:
        return f"{self.most:,}+" if self.n >= self.most else f"{self.n:,}"

    def __bool__(self) -> bool:
        return self.n > 0


def bounded(tx: Connection, query: str, most: int = MOST, **values: Any) -> Bounded:
    """The number of rows of a query, counted no further than `most`."""
    found = tx.execute(text(f"SELECT count(*) FROM ({query} LIMIT :most_) x"), {**values, "most_": most}).scalar_one()  # noqa: S608  # our own texts
    return Bounded(int(found), most)


def events_by_state(tx: Connection, most: int = METRIC_MOST) -> dict[str, int]:
    return {row.state: row.n for row in tx.execute(EVENTS, {"states": list(ENDS), "most": most})}


def steps_by_state(tx: Connection, most: int = METRIC_MOST) -> dict[tuple[str, str], int]:
    """Open steps by (account, state)."""
    return {(row.account, row.state): row.n for row in tx.execute(STEPS, {"most": most})}


def oldest_waiting(tx: Connection, accounts: list[str]) -> dict[str, datetime]:
    """Since when the oldest step of each account waits; dead and parked ones wait for people or facts instead."""
    found = tx.execute(OLDEST, {"accounts": accounts})
    return {row.account: row.since for row in found if row.since is not None}


def refused(tx: Connection) -> dict[tuple[str, str], int]:
    return {(row.account, row.reason): row.n for row in tx.execute(REFUSED)}


def breakers(tx: Connection) -> dict[str, tuple[str, bool]]:
    return {row.account: (row.breaker, row.paused) for row in tx.execute(BREAKERS)}
