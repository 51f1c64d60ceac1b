"""Deadlines: what the hub waits for in the world stands in a row with its hour, never in an open run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from app.units import Seconds

SET = text("""
INSERT INTO deadlines (subject_id, kind, part, due_at) VALUES (:subject, :kind, :part, now() + make_interval(secs => :seconds))
ON CONFLICT (subject_id, kind, part) WHERE state = 'open'
DO UPDATE SET due_at = CASE WHEN :never_sooner THEN greatest(deadlines.due_at, excluded.due_at) ELSE excluded.due_at END RETURNING due_at
""")
SET_AT = text("""
INSERT INTO deadlines (subject_id, kind, part, due_at) VALUES (:subject, :kind, :part, :at)
ON CONFLICT (subject_id, kind, part) WHERE state = 'open' DO UPDATE SET due_at = excluded.due_at
""")
END = text("""
UPDATE deadlines SET state = :state, ended_at = now() WHERE subject_id = :subject AND kind = :kind AND part = :part AND state = 'open'
""")
ALSO = text("""
INSERT INTO deadlines (subject_id, kind, part, due_at)
SELECT subject_id, kind, :other, due_at FROM deadlines WHERE subject_id = :subject AND kind = :kind AND part = :part AND state = 'open'
""")
DUE = text("""
SELECT id, subject_id, kind, part, due_at FROM deadlines WHERE state = 'open' AND due_at <= now() AND kind <> 'preorder'
ORDER BY due_at, id LIMIT :most
""")
TAKE = text("UPDATE deadlines SET state = 'passed', ended_at = now() WHERE id = :id AND state = 'open' RETURNING 1")
TO_COME = text("""
SELECT due_at FROM deadlines WHERE subject_id = :subject AND kind = :kind AND part = :part AND state = 'open' AND due_at > now()
""")
OF = text(
    "SELECT id, subject_id, kind, part, due_at, state FROM deadlines WHERE subject_id = :subject ORDER BY due_at, id"
)


@dataclass(frozen=True, slots=True)
class Deadline:
    id: int
    subject_id: int
    kind: str
    part: str
    due_at: datetime
    state: str = "open"


def set_(
    tx: Connection, subject: int, kind: str, part: str, seconds: Seconds, *, never_sooner: bool = False
) -> datetime:
    """From now in `seconds` (PostgreSQL's clock); set again it is moved, with `never_sooner` only to a later hour."""
    row = {"subject": subject, "kind": kind, "part": part, "seconds": seconds, "never_sooner": never_sooner}
    due: datetime = tx.execute(SET, row).scalar_one()
    return due


def set_at(tx: Connection, subject: int, kind: str, part: str, at: datetime) -> None:
    """At an hour (aware UTC); set again it is moved."""
    tx.execute(SET_AT, {"subject": subject, "kind": kind, "part": part, "at": at})


def also(tx: Connection, subject: int, kind: str, part: str, other: str) -> None:
    """`other` is waited for until the same hour as `part`."""
    tx.execute(ALSO, {"subject": subject, "kind": kind, "part": part, "other": other})


def met(tx: Connection, subject: int, kind: str, part: str) -> None:
    """What was waited for has come."""
    tx.execute(END, {"subject": subject, "kind": kind, "part": part, "state": "met"})


def void(tx: Connection, subject: int, kind: str, part: str) -> None:
    """It is waited for no longer."""
    tx.execute(END, {"subject": subject, "kind": kind, "part": part, "state": "void"})


def passed(tx: Connection, subject: int, kind: str, part: str) -> None:
    """Its hour has come and somebody said so before the clock was looked at."""
    tx.execute(END, {"subject": subject, "kind": kind, "part": part, "state": "passed"})


def to_come(tx: Connection, subject: int, kind: str, part: str) -> datetime | None:
    """The hour that is waited for; None where none is, or it has come."""
    due_at: datetime | None = tx.execute(TO_COME, {"subject": subject, "kind": kind, "part": part}).scalar()
    return due_at


def due(tx: Connection, most: int = 200) -> Sequence[Deadline]:
    """Those that have passed and that nobody has acted upon; preorders are looked at by a job of their own (tasks/feeds/preorders.py)."""
    return [Deadline(*row) for row in tx.execute(DUE, {"most": most})]


def take(tx: Connection, deadline: Deadline) -> bool:
    """Marks one as passed; False when somebody else did, or it was met at the last moment."""
    return tx.execute(TAKE, {"id": deadline.id}).scalar() is not None


def of(tx: Connection, subject: int) -> Sequence[Deadline]:
    return [Deadline(*row) for row in tx.execute(OF, {"subject": subject})]
