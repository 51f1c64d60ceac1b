"""Alignments: all of our stock, or what moved of it, is held against its owner and against each channel; how far each came, and what it found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app import cases
from app.journal.reading.rows import found, listed
from app.stock import dirty, positions
from connectors.canonical.stock import StockLevel

FULL, DELTA, SOURCE, CHANNEL = "full", "delta", "source", "channel"
OVERLAP = 600  # seconds that a delta looks back beyond the last one's beginning
TRIES, AGAIN = 12, 60  # tries of one that meets trouble, and the seconds between them
DROP = Decimal("0.9")  # a source that lists fewer than this share of the last time's levels is a case
COLUMNS = (
    "id, kind, account, side, state, since, reached, looked, changed, before, tries, due_at, said, began_at, ended_at"
)
BEGIN = text("""
INSERT INTO alignments (kind, account, side, since, before)
SELECT :kind, :account, :side,
    coalesce((SELECT max(began_at) FROM alignments WHERE account = :account AND side = :side AND state = 'done'), now() - interval '1 day')
        - make_interval(secs => :overlap),
    (SELECT looked FROM alignments WHERE account = :account AND side = :side AND kind = :kind AND state = 'done' ORDER BY id DESC LIMIT 1)
ON CONFLICT (kind, account, side) WHERE state = 'waiting' DO NOTHING RETURNING id
""")
DUE = text(f"SELECT {COLUMNS} FROM alignments WHERE state = 'waiting' AND due_at <= now() ORDER BY side DESC, id")  # noqa: S608 - constants only
RECENT = text(f"SELECT {COLUMNS} FROM alignments ORDER BY id DESC LIMIT 30")  # noqa: S608
ONE = text(f"SELECT {COLUMNS} FROM alignments WHERE id = :id AND state = 'waiting' FOR UPDATE")  # noqa: S608
PASSED = text("""
UPDATE alignments SET reached = :reached, looked = looked + :looked, changed = changed + :changed WHERE id = :id AND state = 'waiting' RETURNING 1
""")
RESTART = text("UPDATE alignments SET looked = 0 WHERE id = :id AND state = 'waiting'")
END = text("UPDATE alignments SET state = :state, said = :said, ended_at = now() WHERE id = :id AND state = 'waiting'")
LATER = text("""
UPDATE alignments SET tries = tries + 1, due_at = now() + make_interval(secs => :again), said = :said,
    state = CASE WHEN tries + 1 >= :most THEN 'failed' ELSE state END, ended_at = CASE WHEN tries + 1 >= :most THEN now() END
WHERE id = :id RETURNING state
""")
# SKUs with stock of ours after the last that was looked at; of a delta those that moved, or are claimed otherwise, since then.
SKUS = text("""
SELECT DISTINCT sku FROM shelves s WHERE sku > :reached AND (:account = '' OR account = :account) AND account <> ''
    AND (:whole OR changed_at >= :since)
ORDER BY sku LIMIT :most
""")
FORGET = text("DELETE FROM alignments WHERE ended_at < now() - interval '40 days'")


@dataclass(frozen=True, slots=True)
class Alignment:
    """`looked` at so many levels (of a source) or SKUs (of a channel), of which `changed` were otherwise than we had them or had told them."""

    id: int
    kind: str
    account: str
    side: str
    state: str
    since: datetime
    reached: str
    looked: int
    changed: int
    before: int | None
    tries: int
    due_at: datetime
    said: str
    began_at: datetime
    ended_at: datetime | None


def begin(tx: Connection, kind: str, sources: Iterable[str], channels: Iterable[str]) -> int:
    """Notes that everybody is to be looked at; answers how many. Who is being looked at already is not noted twice."""
    tx.execute(FORGET)
    sides = [(account, SOURCE) for account in sources] + [(account, CHANNEL) for account in channels]
    rows = [{"kind": kind, "account": account, "side": side, "overlap": OVERLAP} for account, side in sides]
    return sum(tx.execute(BEGIN, row).scalar() is not None for row in rows)


def due(tx: Connection) -> tuple[Alignment, ...]:
    """Those that are to be gone on with, owners of stock before channels: what a channel is told rests on their word."""
    return listed(tx, Alignment, DUE)


def recent(tx: Connection) -> tuple[Alignment, ...]:
    return listed(tx, Alignment, RECENT)


def following(tx: Connection, one: Alignment, most: int) -> Sequence[str]:
    """The next SKUs that it is about."""
    asked: dict[str, Any] = {"reached": one.reached, "whole": one.kind == FULL, "since": one.since, "most": most}
    return tx.execute(SKUS, {**asked, "account": one.account if one.side == SOURCE else ""}).scalars().all()


def again(tx: Connection, alignment: int) -> Alignment | None:
    """The alignment as it stands; None once it has ended."""
    return found(tx, Alignment, ONE, id=alignment)


def restart(tx: Connection, alignment: int) -> None:
    """A source lists all from the beginning: whoever follows a killed worker counts anew (what was taken is taken once)."""
    tx.execute(RESTART, {"id": alignment})


def take(tx: Connection, one: Alignment, levels: Sequence[StockLevel], asked_at: datetime, reached: str = "") -> None:
    """The owner's word on some levels. One that says no time was said when it was asked."""
    changed = sum(
        _taken(tx, one.account, level, asked_at) for level in sorted(levels, key=lambda x: (x.sku, x.location))
    )
    passed(tx, one.id, reached, len(levels), changed)


def _taken(tx: Connection, account: str, level: StockLevel, asked_at: datetime) -> bool:
    if not positions.concerns(account, level):
        return False
    at = level.as_of or asked_at
    return positions.set_level(
        tx, account, replace(level, as_of=at), at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    )


def tell_again(tx: Connection, account: str, skus: Sequence[str]) -> None:
    """A channel that shows something else than it was told is told the truth of now, whatever it was told before."""
    if skus:
        dirty.doubt(tx, [account], skus)


def passed(tx: Connection, alignment: int, reached: str, looked: int, changed: int) -> None:
    tx.execute(PASSED, {"id": alignment, "reached": reached, "looked": looked, "changed": changed})


def end(tx: Connection, alignment: int) -> None:
    """Done; a source that lists far fewer levels than the last time is somebody's to look at (nothing was taken away for it)."""
    one = found(tx, Alignment, ONE, id=alignment)
    if one is None:
        return
    said = f"{one.changed} of {one.looked} differed"
    tx.execute(END, {"id": alignment, "state": "done", "said": said})
    member = f"alignment:{one.account}:{one.kind}:{one.side}"
    cases.leave(tx, member)
    if one.kind == FULL and one.side == SOURCE and one.before and one.looked < one.before * DROP:
        sentence = f"{one.account} lists {one.looked} stock levels, {one.before} the time before."
        remedy = "See whether it has lost articles or a place; what it does not list stays as it was."
        cases.open_case(
            tx, "drift", one.account, "alignment_drop", sentence, member=member, role="warehouse", remedy=remedy
        )


def stumbled(tx: Connection, one: Alignment, why: str) -> None:
    """Trouble on the way: gone on with later from where it is, and a case when it never ends."""
    state = tx.execute(LATER, {"id": one.id, "again": AGAIN, "said": why[:500], "most": TRIES}).scalar_one()
    if state == "failed":
        sentence = f"The {one.kind} stock alignment with {one.account} was given up: {why}"
        member = f"alignment:{one.account}:{one.kind}:{one.side}"
        remedy = "The next one begins by itself; look at the account."
        cases.open_case(
            tx, "drift", one.account, "alignment_failed", sentence, member=member, role="warehouse", remedy=remedy
        )
