"""Events: what was accepted, and the one state that each ends in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from connectors.kit.capabilities import Message

OPEN = text("""
SELECT e.id, e.at, e.account, e.topic, e.delivery_id, e.state, e.lane, e.door, p.head, p.body
FROM events e JOIN payloads p ON p.owner = 'event' AND p.owner_id = e.id AND p.n = 0
WHERE e.id = :id
""")
END = text("""
UPDATE events SET state = :state, reason = :reason, code = :code, subject_id = coalesce(:subject, subject_id),
    ended_at = CASE WHEN :state = 'running' THEN NULL ELSE now() END
WHERE id = :id AND at = :at AND state = 'accepted'
""")
LOCK = text("SELECT state FROM events WHERE id = :id AND at = :at FOR UPDATE")
# What was merged into another event's run, or concerned no step, has nothing of its own to wait for.
SETTLE = text("""
UPDATE events SET state = 'applied', ended_at = now() WHERE id = :id AND at = :at AND state = 'running'
    AND NOT EXISTS (SELECT 1 FROM runs WHERE event_id = :id AND state = 'open')
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
    """An event with its raw delivery."""
    row = tx.execute(OPEN, {"id": event_id}).mappings().first()
    return None if row is None else _event(row)


def _event(row: Any) -> Event:
    message = Message(row["topic"], row["delivery_id"], bytes(row["body"] or b""), tuple(row["head"].items()))
    return Event(row["id"], row["at"], row["account"], row["state"], row["lane"], row["door"], message)


def still_open(tx: Connection, event: Event) -> bool:
    """Locks the event; False when another worker has received it already."""
    return tx.execute(LOCK, {"id": event.id, "at": event.at}).scalar() == "accepted"


def end(tx: Connection, event: Event, state: str, reason: str = "", code: str = "", subject: int | None = None) -> None:
    """Gives an accepted event its state; `running` while its runs are open."""
    tx.execute(
        END, {"id": event.id, "at": event.at, "state": state, "reason": reason, "code": code, "subject": subject}
    )


def settle(tx: Connection, event: Event) -> None:
    """An event that started nothing of its own does not wait for anything."""
    tx.execute(SETTLE, {"id": event.id, "at": event.at})


def unheard(tx: Connection, seconds: float, most: int = 500) -> list[int]:
    """Accepted events whose ring was lost, marked as rung now."""
    return list(tx.execute(UNHEARD, {"seconds": seconds, "most": most}).scalars())
