"""Proofs as they are kept: the last result of each channel's hour, and every difference with both sides' words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

KEEP = text("""
INSERT INTO proofs AS p (channel, hour, figures, unproved, inputs, differences, final)
VALUES (:channel, :hour, :figures, :unproved, :inputs, :differences, :final)
ON CONFLICT (channel, hour) DO UPDATE SET at = now(), figures = excluded.figures, unproved = excluded.unproved,
    inputs = excluded.inputs, differences = excluded.differences, final = excluded.final
""")
FOUND = text("""
INSERT INTO proof_differences AS d (channel, hour, kind, account, about, subject_id, ours, theirs)
VALUES (:channel, :hour, :kind, :account, :about, :subject, :ours, :theirs)
ON CONFLICT (channel, hour, kind, account, about) WHERE closed_at IS NULL
    DO UPDATE SET last_at = now(), ours = excluded.ours, theirs = excluded.theirs
RETURNING id
""")
AGREED = text("""
UPDATE proof_differences SET closed_at = now()
WHERE channel = :channel AND hour = :hour AND closed_at IS NULL AND kind = ANY(:kinds) AND account = ANY(:accounts) AND NOT id = ANY(:still)
RETURNING id
""")
OPEN_HOURS = text("SELECT DISTINCT hour FROM proofs WHERE NOT final AND hour >= :since ORDER BY hour")
NEWEST = text("SELECT max(hour) FROM proofs")
FORGET = text("DELETE FROM proofs WHERE hour < now() - make_interval(days => :days) AND differences = 0")


@dataclass(frozen=True, slots=True)
class Found:
    """A difference to be kept: see tasks/proving for its kinds."""

    kind: str
    account: str
    about: str
    ours: str
    theirs: str
    subject: int | None


def keep(
    tx: Connection,
    channel: str,
    hour: datetime,
    figures: Mapping[str, int],
    unproved: Sequence[str],
    inputs: str,
    differences: int,
    final: bool,
) -> None:
    """The hour's result in place of its last one."""
    values = {"figures": Jsonb(dict(figures)), "unproved": Jsonb(sorted(set(unproved))), "inputs": inputs}
    tx.execute(KEEP, {"channel": channel, "hour": hour, **values, "differences": differences, "final": final})


def found(tx: Connection, channel: str, hour: datetime, one: Found) -> int:
    """Keeps a difference, or says that it is still there; answers its id."""
    values = {name: getattr(one, name) for name in Found.__slots__}
    values |= {name: _plain(str(values[name]))[:1000] for name in ("about", "ours", "theirs")}
    return int(tx.execute(FOUND, {"channel": channel, "hour": hour, **values}).scalar_one())


def _plain(words: str) -> str:
    """PostgreSQL keeps no NUL in a text."""
    return words.replace("\x00", "")


def agreed(
    tx: Connection,
    channel: str,
    hour: datetime,
    kinds: Collection[str],
    accounts: Collection[str],
    still: Collection[int],
) -> list[int]:
    """Closes the differences of these kinds with these accounts that are there no more; answers their ids."""
    asked = {"channel": channel, "hour": hour, "kinds": list(kinds), "accounts": list(accounts), "still": list(still)}
    return list(tx.execute(AGREED, asked).scalars())


def open_hours(tx: Connection, since: datetime) -> list[datetime]:
    """The hours since then of which something may still come."""
    return list(tx.execute(OPEN_HOURS, {"since": since}).scalars())


def newest(tx: Connection) -> datetime | None:
    found_hour: datetime | None = tx.execute(NEWEST).scalar()
    return found_hour


def forget(tx: Connection, days: int) -> None:
    """Hours in which all agreed are not kept for ever."""
    tx.execute(FORGET, {"days": days})
