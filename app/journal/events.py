"""Events: what was accepted, and the one state that each ends in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from connectors.kit.capabilities import Message

OPEN = """
SELECT e.id, e.at, e.account, e.topic, e.delivery_id, e.state, e.lane, e.door, p.head, p.body
FROM events e JOIN payloads p ON p.owner = 'event' AND p.owner_id = e.id AND p.n = 0
WHERE e.state = 'accepted' AND {which} FOR UPDATE OF e SKIP LOCKED
"""
# By id: whoever holds it reads it, and a second ring need not wait for the end. The next: whoever was rung longest ago.
ONE = text(OPEN.format(which="e.id = :id"))
NEXT = text(
    OPEN.format(
        which="(e.id, e.at) = (SELECT id, at FROM events WHERE state = 'accepted' ORDER BY rung_at LIMIT 1 FOR UPDATE SKIP LOCKED)"
    )
)
# Accounts of which few deliveries wait: their newest ones hold them all. (account, id) is the index's order.
QUIET = text("""
SELECT x.id FROM unnest(CAST(:accounts AS text[])) AS a(account), LATERAL (
    SELECT count(*) FILTER (WHERE state = 'accepted') AS waiting, (array_agg(id ORDER BY rung_at) FILTER (WHERE state = 'accepted'))[1] AS id
    FROM (SELECT id, state, rung_at FROM events WHERE account >= a.account AND account <= a.account ORDER BY account, id DESC LIMIT :few) newest) x
WHERE x.waiting > 0 AND x.waiting < :few ORDER BY random() LIMIT 1
""")
FEW = 20
ANY = text("SELECT id FROM events WHERE state = 'accepted' ORDER BY rung_at LIMIT 1 FOR UPDATE SKIP LOCKED")
LAST = text("UPDATE events SET rung_at = now() WHERE id = :id AND state = 'accepted'")
# What was merged into another event's run, or concerned no step, has nothing of its own to wait for.
END = text("""
UPDATE events e SET state = told.state, reason = :reason, code = :code, subject_id = coalesce(:subject, subject_id),
    ended_at = CASE WHEN told.state = 'running' THEN NULL ELSE now() END
FROM (SELECT CASE WHEN CAST(:state AS text) = 'running' AND NOT EXISTS (SELECT 1 FROM runs WHERE event_id = :id AND state = 'open')
    THEN 'applied' ELSE CAST(:state AS text) END AS state) told
WHERE e.id = :id AND e.at = :at AND e.state = 'accepted'
""")
# Of this very transaction: its start is the event's time, so one partition is asked.
CONCERNS = text("UPDATE events SET subject_id = :subject WHERE id = :id AND at = now()")
UNREAD = text("""
SELECT p.body FROM events e JOIN payloads p ON p.owner = 'event' AND p.owner_id = e.id AND p.n = 0
WHERE e.subject_id = :subject AND e.state = 'accepted' AND e.topic = :topic ORDER BY e.id
""")
# A ring that waits in a long queue is not lost: rung again are only events that a later one has overtaken, or all when nothing is heard.
UNHEARD = text("""
WITH heard AS (SELECT rung_at, ended_at FROM events WHERE state <> 'accepted' AND at > now() - interval '1 day' ORDER BY id DESC LIMIT 1),
deaf AS (SELECT NOT EXISTS (
    SELECT 1 FROM (SELECT state, ended_at, rung_at FROM events WHERE at > now() - interval '1 day' ORDER BY id DESC LIMIT 2000) newest
    WHERE state <> 'accepted' AND coalesce(ended_at, rung_at) > now() - make_interval(secs => :seconds)) AS all_of_it)
UPDATE events SET rung_at = now() WHERE (id, at) IN (
    SELECT id, at FROM events WHERE state = 'accepted' AND rung_at < now() - make_interval(secs => :seconds)
        AND ((SELECT all_of_it FROM deaf) OR rung_at < now() - interval '60 seconds' OR rung_at < (SELECT rung_at FROM heard) - interval '5 seconds')
    ORDER BY rung_at LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING id
""")


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    at: datetime
    account: str
    state: str
    lane: int
    door: str
    message: Message


def opened(tx: Connection, event_id: int) -> Event | None:
    """An accepted event with its raw delivery, locked; None when it has been received, or when somebody is at it."""
    return _event(tx.execute(ONE, {"id": event_id}).mappings().first())


def concerns(tx: Connection, event_id: int, subject: int) -> None:
    """Whoever kept a delivery in this transaction knows already what it is about."""
    tx.execute(CONCERNS, {"id": event_id, "subject": subject})


def unread_of(tx: Connection, subject: int, topic: str) -> list[bytes]:
    """What was kept for a subject (`concerns`) and not read yet, oldest first. The caller holds the subject: nothing of it is read meanwhile."""
    return [bytes(body) for body in tx.execute(UNREAD, {"subject": subject, "topic": topic}).scalars()]


def following(tx: Connection) -> Event | None:
    """The accepted event whose ring is the oldest of those that nobody is at, locked."""
    return _event(tx.execute(NEXT).mappings().first())


def quiet_first(tx: Connection, accounts: Sequence[str]) -> Event | None:
    """The oldest that waits of an account of which few wait, so that nobody waits behind a neighbour's flood; else the next as ever, locked."""
    found = tx.execute(QUIET, {"accounts": list(accounts), "few": FEW}).scalar()
    event = opened(tx, found) if found is not None else None
    return event if event is not None else following(tx)


def unread(tx: Connection) -> int | None:
    """An accepted event that nobody is at."""
    return tx.execute(ANY).scalar()


def put_last(tx: Connection, event_id: int) -> None:
    """Others go before this one: it could not be received just now."""
    tx.execute(LAST, {"id": event_id})


def _event(row: Any) -> Event | None:
    if row is None:
        return None
    message = Message(row["topic"], row["delivery_id"], bytes(row["body"] or b""), tuple(row["head"].items()))
    return Event(row["id"], row["at"], row["account"], row["state"], row["lane"], row["door"], message)


def end(tx: Connection, event: Event, state: str, reason: str = "", code: str = "", subject: int | None = None) -> None:
    """Gives an accepted event its state; `running` while its runs are open, applied where it started nothing that is."""
    tx.execute(
        END, {"id": event.id, "at": event.at, "state": state, "reason": reason, "code": code, "subject": subject}
    )


def unheard(tx: Connection, seconds: float, most: int = 500) -> list[int]:
    """Accepted events whose ring was lost, marked as rung now."""
    return list(tx.execute(UNHEARD, {"seconds": seconds, "most": most}).scalars())


AGAIN = text("""
UPDATE events SET state = 'accepted', reason = '', code = '', ended_at = NULL, rung_at = now()
WHERE subject_id = :subject AND state = 'quarantined' AND code = :code
""")


def again(tx: Connection, subject: int, code: str) -> None:
    """What was put in quarantine for this reason may be read by now: the sweep rings for it."""
    tx.execute(AGAIN, {"subject": subject, "code": code})
