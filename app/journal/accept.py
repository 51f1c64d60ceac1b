"""The one door for deliveries: kept in one commit, recognised when they come again, answered after that."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from psycopg_pool import ConnectionPool
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from app.cursors import Discreet
from app.database import ALIVE, plain
from connectors.kit.masking import masked

# One statement, one commit, one round trip; fifty of the same at once wait for the first and then only count.
ACCEPT = """
WITH d AS (
    INSERT INTO deliveries AS d (account, delivery_id, event_id) VALUES (%(account)s, %(delivery_id)s, nextval('event_ids'))
    ON CONFLICT (account, delivery_id) DO UPDATE SET seen = d.seen + 1, last_at = now()
    RETURNING event_id, seen),
e AS (
    INSERT INTO events (id, account, door, topic, delivery_id, proof, lane, recovered, rung_at)
    SELECT event_id, %(account)s, %(door)s, %(topic)s, %(delivery_id)s, %(proof)s, %(lane)s, %(recovered)s, now() FROM d WHERE seen = 1),
p AS (
    INSERT INTO payloads (owner, owner_id, head, body) SELECT 'event', event_id, %(head)s::jsonb, %(body)s FROM d WHERE seen = 1)
SELECT event_id, seen FROM d
"""

REFUSED = """
INSERT INTO refusals AS r (account, reason, hour, count) VALUES (%(account)s, %(reason)s, date_trunc('hour', now()), 1)
ON CONFLICT (account, reason, hour) DO UPDATE SET count = r.count + 1, last_at = now()
"""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The event's id, and whether this delivery was the first of it."""

    event_id: int
    fresh: bool


# Seconds after which a connection that cannot be had is given up; the next delivery asks for a new one. The pool's own way doubles its pauses
# for five minutes, so that receivers went on refusing for as long again as the database had been away.
AGAIN = 4.0
_open: list[ConnectionPool] = []


def pools() -> list[ConnectionPool]:
    """The pools of this process, to be closed by whoever ends it early."""
    return [_open.pop() for _ in range(len(_open))]


@cache
def _pool(pid: int) -> ConnectionPool:
    """Plain psycopg connections in autocommit: the receiver's hot path. One pool for each process (`pid`)."""
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql").render_as_string(hide_password=False)
    size = int(os.environ.get("INTAKE_POOL", "8"))
    pool = ConnectionPool(
        url,
        min_size=1,
        max_size=size,
        timeout=2.0,
        reconnect_timeout=AGAIN,
        kwargs={"autocommit": True, "connect_timeout": 3, "cursor_factory": Discreet, **ALIVE},
        open=True,
    )
    _open.append(pool)
    return pool


def accept(
    account: str,
    delivery_id: str,
    topic: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    door: str = "webhook",
    proof: str = "",
    lane: int = 0,
    recovered: bool = False,
) -> Accepted:
    """Keeps a delivery for good before anyone answers for it. Raises psycopg.Error or PoolTimeout when it could not."""
    row = _row(account, delivery_id, topic, headers, body, door, proof, lane, recovered)
    with _pool(os.getpid()).connection() as connection:
        return _kept(connection.execute(ACCEPT, row).fetchone())


def accept_in(
    tx: Connection, account: str, delivery_id: str, topic: str, headers: Mapping[str, str], body: bytes, *, door: str
) -> Accepted:
    """The same within the caller's transaction: kept when that is committed, together with what else is in it."""
    row = _row(account, delivery_id, topic, headers, body, door, "", 0, False)
    return _kept(plain(tx).execute(ACCEPT, row).fetchone())


def _row(
    account: str,
    delivery_id: str,
    topic: str,
    headers: Mapping[str, str],
    body: bytes,
    door: str,
    proof: str,
    lane: int,
    recovered: bool,
) -> dict[str, Any]:
    return {
        "account": account,
        "delivery_id": delivery_id,
        "topic": topic,
        "head": orjson.dumps(masked(headers)).decode(),
        "body": body,
        "door": door,
        "proof": proof,
        "lane": lane,
        "recovered": recovered,
    }


def _kept(kept: Any) -> Accepted:
    if kept is None:
        raise RuntimeError("the journal answered nothing to an insert")
    return Accepted(int(kept[0]), kept[1] == 1)


def name() -> str:
    """The journal's own name, made with its schema: a log outside bears it. Raises psycopg.Error."""
    with _pool(os.getpid()).connection() as connection:
        kept = connection.execute("SELECT id FROM journal").fetchone()
    if kept is None:
        raise RuntimeError("the journal has no name")
    return str(kept[0])


def refused(account: str, reason: str) -> None:
    """Counts a delivery that was not accepted; its body is not kept."""
    with _pool(os.getpid()).connection() as connection:
        connection.execute(REFUSED, {"account": account, "reason": reason})
