"""Errands: what a person asks a worker to do at an account, since the web face calls no vendor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from app.bell import HUB, Ring
from app.journal.actions import audit
from app.journal.reading.rows import found, listed

TASK = "waybill.errand"
ASK = text("""
INSERT INTO errands (account, what, by) VALUES (:account, :what, :by)
ON CONFLICT (account, what) WHERE ended_at IS NULL DO UPDATE SET by = errands.by RETURNING id
""")
# Taken by one worker; by another one when the first is not heard of for a minute.
TAKE = text("""
UPDATE errands SET began_at = now() WHERE id = :id AND ended_at IS NULL AND (began_at IS NULL OR began_at < now() - interval '60 seconds')
RETURNING id, account, what, by, asked_at, ended_at, said
""")
END = text("UPDATE errands SET ended_at = now(), said = :said WHERE id = :id AND ended_at IS NULL")
LATE = text("""
SELECT id FROM errands WHERE ended_at IS NULL AND asked_at < now() - interval '5 seconds'
    AND (began_at IS NULL OR began_at < now() - interval '60 seconds') ORDER BY id LIMIT 100
""")
LAST = text("""
SELECT id, account, what, by, asked_at, ended_at, said FROM errands WHERE account = :account ORDER BY id DESC LIMIT 5
""")


@dataclass(frozen=True, slots=True)
class Errand:
    """`said` is what came of it, in words."""

    id: int
    account: str
    what: str
    by: str
    asked_at: datetime
    ended_at: datetime | None
    said: str


def ask(tx: Connection, account: str, what: str, who: str, why: str) -> list[Ring]:
    """Notes the errand, once while it is open; ring the answer after the commit."""
    audit(tx, who, what, f"account:{account}", why)
    number = int(tx.execute(ASK, {"account": account, "what": what, "by": who}).scalar_one())
    return [Ring(TASK, HUB, number)]


def register(tx: Connection, account: str, who: str, why: str) -> list[Ring]:
    """Asks for the account's webhook subscriptions to be registered where they are missing."""
    return ask(tx, account, "register webhooks", who, why)


def take(tx: Connection, number: int) -> Errand | None:
    """The errand, if nobody else is at it."""
    return found(tx, Errand, TAKE, id=number)


def end(tx: Connection, number: int, said: str) -> None:
    tx.execute(END, {"id": number, "said": said[:500]})


def late(tx: Connection) -> list[Ring]:
    """Those whose ring was lost, or whose worker was."""
    return [Ring(TASK, HUB, number) for number in tx.execute(LATE).scalars()]


def last(tx: Connection, account: str) -> tuple[Errand, ...]:
    return listed(tx, Errand, LAST, account=account)
