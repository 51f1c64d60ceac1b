"""Proofs as they are shown: the last results by channel and hour, and the differences with both sides' words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from app.journal.reading.counts import Bounded, bounded
from app.journal.reading.rows import SHOWN, Page, found, listed

COLUMNS = "channel, hour, at, figures, unproved, inputs, differences, final"
LAST = text(f"""
SELECT {COLUMNS} FROM proofs WHERE hour > now() - make_interval(hours => :hours) ORDER BY hour DESC, channel LIMIT 2000
""")  # noqa: S608 - our own texts
PAGE = text(f"""
SELECT {COLUMNS} FROM proofs WHERE (:channel = '' OR channel = :channel) AND (NOT :wrong OR differences > 0)
    AND (CAST(:before AS timestamptz) IS NULL OR hour < :before) ORDER BY hour DESC, channel LIMIT 201
""")  # noqa: S608
ONE = text(f"SELECT {COLUMNS} FROM proofs WHERE channel = :channel AND hour = :hour")  # noqa: S608
DIFFERENCES = text("""
SELECT d.id, d.channel, d.hour, d.kind, d.account, d.about, d.subject_id, b.waybill, d.ours, d.theirs, d.first_at, d.last_at, d.closed_at, m.case_id
FROM proof_differences d LEFT JOIN subjects b ON b.id = d.subject_id
LEFT JOIN LATERAL (SELECT case_id FROM case_members WHERE member = 'proof:' || d.id AND closed_at IS NULL LIMIT 1) m ON true
WHERE d.channel = :channel AND d.hour = :hour AND d.id > :after ORDER BY d.id LIMIT 51
""")
WHEN = text("SELECT max(at) FROM proofs")
OPEN = text("SELECT channel, kind, count(*) AS n FROM proof_differences WHERE closed_at IS NULL GROUP BY channel, kind")


@dataclass(frozen=True, slots=True)
class ProofRow:
    """A channel's hour as it was last proved."""

    channel: str
    hour: datetime
    at: datetime
    figures: Mapping[str, int]
    unproved: list[str]
    inputs: str
    differences: int
    final: bool


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    id: int
    channel: str
    hour: datetime
    kind: str
    account: str
    about: str
    subject_id: int | None
    waybill: str | None
    ours: str
    theirs: str
    first_at: datetime
    last_at: datetime
    closed_at: datetime | None
    case_id: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How the proof stands: when it was last made, what differs, what could not be asked in the newest hours."""

    at: datetime | None
    differences: Bounded
    unproved: list[str]


def standing(tx: Connection) -> Standing:
    newest: dict[str, ProofRow] = {}
    for row in last(tx, 3):
        newest.setdefault(row.channel, row)
    silent = sorted({why for row in newest.values() for why in row.unproved})
    differ = bounded(tx, "SELECT 1 FROM proof_differences WHERE closed_at IS NULL")
    return Standing(tx.execute(WHEN).scalar(), differ, silent)


def last(tx: Connection, hours: int) -> tuple[ProofRow, ...]:
    """The newest hours of every channel, the newest first."""
    return listed(tx, ProofRow, LAST, hours=hours)


def page(tx: Connection, channel: str, wrong: bool, before: datetime | None) -> Page[ProofRow]:
    """Hours, the newest first; a page ends between hours, so that all channels of one stand together."""
    rows = listed(tx, ProofRow, PAGE, channel=channel, wrong=wrong, before=before)
    if len(rows) <= 200:
        return Page(rows)
    whole = tuple(row for row in rows if row.hour != rows[-1].hour)
    return Page(whole, whole[-1].hour.isoformat() if whole else None)


def one(tx: Connection, channel: str, hour: datetime) -> ProofRow | None:
    return found(tx, ProofRow, ONE, channel=channel, hour=hour)


def differences(tx: Connection, channel: str, hour: datetime, after: int) -> Page[DifferenceRow]:
    rows = listed(tx, DifferenceRow, DIFFERENCES, channel=channel, hour=hour, after=after)
    return Page(rows[:SHOWN], str(rows[SHOWN - 1].id) if len(rows) > SHOWN else None)


def open_by_kind(tx: Connection) -> dict[tuple[str, str], int]:
    """Open differences by (channel, kind)."""
    return {(row.channel, row.kind): int(row.n) for row in tx.execute(OPEN)}


def hours_of(tx: Connection, hours: int) -> dict[tuple[str, str, str], Any]:
    """(channel, hour, figure) -> how many, of the newest hours."""
    return {
        (row.channel, f"{row.hour:%Y-%m-%dT%H:00Z}", name): n
        for row in last(tx, hours)
        for name, n in {**row.figures, "differences": row.differences, "unproved": len(row.unproved)}.items()
    }
