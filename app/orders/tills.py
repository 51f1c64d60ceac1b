"""Tills that were offline: what each told is posted once, in the order of its own sequence; a missing number is a gap that is shown.

Where the clock goes back, an hour comes twice: a local time in it is the earlier instant, unless the till had sold something after that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import simplejson
from sqlalchemy import Connection, text

from app import cases

TURN = text("""
INSERT INTO tills (account, till, posted) VALUES (:account, :till, :before) ON CONFLICT DO NOTHING
""")
LOCK = text("SELECT posted, last_at, gap_since FROM tills WHERE account = :account AND till = :till FOR UPDATE")
TOLD = text("""
INSERT INTO till_sales (account, till, sequence, state, content, body, sold_at, zone)
VALUES (:account, :till, :sequence, :state, :content, :body, :sold_at, :zone)
ON CONFLICT (account, till, sequence) DO NOTHING RETURNING 1
""")
KNOWN = text("SELECT state, content FROM till_sales WHERE account = :account AND till = :till AND sequence = :sequence")
NEXT = text("""
SELECT sequence, state, body, sold_at, zone FROM till_sales
WHERE account = :account AND till = :till AND sequence > :posted AND state <> 'posted' ORDER BY sequence LIMIT :most
""")
POSTED = text("""
UPDATE till_sales SET state = 'posted', body = NULL, event_id = :event, posted_at = now()
WHERE account = :account AND till = :till AND sequence = :sequence
""")
REACHED = text("""
UPDATE tills SET posted = :posted, last_at = :last_at, gap_since = CASE WHEN :waiting THEN coalesce(:gap_since, now()) END
WHERE account = :account AND till = :till
""")
WAITS = text("""
SELECT min(sequence) AS next, count(*) AS n FROM till_sales
WHERE account = :account AND till = :till AND sequence > :posted AND state = 'waiting'
""")
BLOCKED = text("""
SELECT account, till, posted, gap_since FROM tills WHERE gap_since < now() - make_interval(secs => :seconds) ORDER BY account, till
""")
GAPS = text(
    "SELECT account, till, posted, gap_since FROM tills WHERE gap_since IS NOT NULL ORDER BY gap_since LIMIT 500"
)
ONE = text("SELECT posted, last_at, gap_since FROM tills WHERE account = :account AND till = :till")
MOST = 500  # sales posted in one go
REACH = 100_000  # numbers that a till may be ahead of what was posted: more is a mistake of the till

Post = Callable[[int, bytes], int]  # (sequence, body) -> the event's id


class Wrong(ValueError):
    """A sale that cannot be: says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Sale:
    """`sold_at` is the till's local time without an offset (then `zone` is its IANA zone), or an instant with its offset."""

    sequence: int
    sold_at: str
    zone: str
    order: Mapping[str, Any]

    @property
    def body(self) -> bytes:
        return simplejson.dumps(self.order, use_decimal=True).encode()

    @property
    def content(self) -> str:
        told = simplejson.dumps([self.sold_at, self.zone, self.order], use_decimal=True, sort_keys=True).encode()
        return blake2b(told, digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a till is: `posted` without a gap, the numbers that are `missing` before the `waiting` ones."""

    till: str
    posted: int
    waiting: int
    missing: tuple[int, int] | None
    gap_since: datetime | None


def begin(tx: Connection, account: str, till: str, first: int) -> None:
    """The till's turn: a till that was never heard of begins with `first`."""
    tx.execute(TURN, {"account": account, "till": till, "before": first - 1})
    tx.execute(LOCK, {"account": account, "till": till}).one()


def tell(tx: Connection, account: str, till: str, sale: Sale) -> str:
    """Keeps a sale: `new`, or `known` when it was told before. The caller has the turn.

    Raises Wrong when the number was told otherwise before, or is far off.
    """
    _instant(sale.sold_at, sale.zone, None)
    at = tx.execute(ONE, {"account": account, "till": till}).one()
    if sale.sequence > at.posted + REACH:
        raise Wrong(f"Number {sale.sequence} is more than {REACH} ahead of {at.posted}, the last that was posted.")
    return _keep(tx, account, till, sale, "waiting", at.posted)


def void(tx: Connection, account: str, till: str, sequence: int) -> str:
    """A number that the till never gave to a sale: those after it need not wait for it. Raises Wrong when it did. The caller has the turn."""
    at = tx.execute(ONE, {"account": account, "till": till}).one()
    if not at.posted < sequence <= at.posted + REACH:
        raise Wrong(f"Number {sequence} is not among those that are still to come (the last posted is {at.posted}).")
    return _keep(tx, account, till, Sale(sequence, "", "", {}), "void", at.posted)


def _keep(tx: Connection, account: str, till: str, sale: Sale, state: str, posted: int) -> str:
    name = {"account": account, "till": till, "sequence": sale.sequence}
    row = {"state": state, "content": sale.content if state == "waiting" else "void", "sold_at": sale.sold_at}
    if (
        sale.sequence > posted
        and tx.execute(TOLD, {**name, **row, "zone": sale.zone, "body": sale.body}).scalar() is not None
    ):
        return "new"
    known = tx.execute(KNOWN, name).first()
    if known is not None and known.content == row["content"]:
        return "known"
    if known is None:
        raise Wrong(f"Number {sale.sequence} lies before the first that this till ever told.")
    raise Wrong(f"Number {sale.sequence} of till {till} was told otherwise before.")


def post(tx: Connection, account: str, till: str, do: Post, most: int = MOST) -> int:
    """Posts what is next without a gap, in order; answers how many numbers it passed (posted or void): where these are `most`, more may follow.
    What comes after a missing number waits. The caller has the turn."""
    at = tx.execute(ONE, {"account": account, "till": till}).one()
    posted, last_at, done = at.posted, at.last_at, 0
    for row in tx.execute(NEXT, {"account": account, "till": till, "posted": posted, "most": most}).all():
        if row.sequence != posted + 1:
            break
        posted = row.sequence
        if row.state == "waiting":
            last_at = _instant(row.sold_at, row.zone, last_at)
            event = do(posted, _dated(bytes(row.body), last_at))
            tx.execute(POSTED, {"account": account, "till": till, "sequence": posted, "event": event})
        done += 1
    waits = tx.execute(WAITS, {"account": account, "till": till, "posted": posted}).one()
    gap = bool(waits.n) and waits.next != posted + 1
    since = at.gap_since if posted == at.posted else None
    told = {"posted": posted, "last_at": last_at, "waiting": gap, "gap_since": since}
    tx.execute(REACHED, {"account": account, "till": till, **told})
    if not gap:
        cases.leave(tx, _member(account, till))
    return done


def standing(tx: Connection, account: str, till: str) -> Standing | None:
    """Where a till stands; None for one that was never heard of."""
    at = tx.execute(ONE, {"account": account, "till": till}).first()
    if at is None:
        return None
    waits = tx.execute(WAITS, {"account": account, "till": till, "posted": at.posted}).one()
    missing = (at.posted + 1, waits.next - 1) if waits.n and waits.next > at.posted + 1 else None
    return Standing(till, at.posted, waits.n, missing, at.gap_since)


def gaps(tx: Connection) -> Sequence[Any]:
    """Tills whose sales wait for a missing number, the oldest first: account, till, posted, gap_since."""
    return tx.execute(GAPS).all()


def open_cases(tx: Connection, patience: int) -> int:
    """A number that is missing for longer than `patience` seconds is somebody's to find."""
    opened = 0
    for row in tx.execute(BLOCKED, {"seconds": patience}).all():
        tx.execute(
            LOCK, {"account": row.account, "till": row.till}
        ).one()  # its turn: whoever closes the gap leaves the case, or is seen here
        at = standing(tx, row.account, row.till)
        if at is not None and at.missing is not None:
            _case(tx, row.account, at)
            opened += 1
    return opened


def _case(tx: Connection, account: str, at: Standing) -> None:
    first, last = at.missing or (0, 0)
    named = f"number {first}" if first == last else f"numbers {first} to {last}"
    cases.open_case(
        tx,
        "till",
        account,
        "till_gap",
        f"Till {at.till} of {account} has not told {named}; {at.waiting} later sales wait for it.",
        member=_member(account, at.till),
        role="channel",
        remedy="Have the till send it; a number that it never used is told by POST /api/v1/tills/<till>/voids. The rest follows by itself.",
        cause=at.till,
    )


def _member(account: str, till: str) -> str:
    return f"till:{account}:{till}"[:300]


def _instant(sold_at: str, zone: str, before: datetime | None) -> datetime:
    """The instant of a sale; of an hour that comes twice the first that is not before the till's last sale. Raises Wrong."""
    try:
        at = datetime.fromisoformat(sold_at)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
        if not zone:
            raise Wrong(f"{sold_at} names no instant: give its offset, or the till's zone.")
        early, late = (at.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    except (ZoneInfoNotFoundError, OSError):
        raise Wrong(f"{zone} is no time zone (say Europe/Berlin).") from None
    except OverflowError:
        raise Wrong(f"{sold_at} lies outside the calendar.") from None
    except ValueError as wrong:
        raise wrong if isinstance(wrong, Wrong) else Wrong(f"{sold_at} is no time.") from None
    twice = timedelta(0) < late - early
    return late if twice and before is not None and early < before <= late else early


def _dated(body: bytes, at: datetime) -> bytes:
    """The order with the instant that its local time is."""
    order = simplejson.loads(body, use_decimal=True)
    dated = {**order, "placed_at": at.isoformat(), "updated_at": at.isoformat()}
    return simplejson.dumps(dated, use_decimal=True).encode()
