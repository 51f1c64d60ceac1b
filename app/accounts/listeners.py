"""Partners that are told of events: where, of which, and under which secrets; a secret is replaced with an overlap."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from app.accounts import entries
from app.accounts.tokens import opened, sealed
from connectors.kit.masking import closed_url

EVENTS = ("order.accepted", "order.shipped", "order.cancelled", "order.refunded")
OVERLAP = 24 * 3600.0  # seconds that an old secret signs beside its successor
MOST = 20  # subscriptions of one account
COLUMNS = "id, account, url, events, active, made_at, made_by, changed_at"
MAKE = text("""
INSERT INTO listeners (id, account, url, events, made_by) VALUES (:id, :account, :url, :events, :by)
ON CONFLICT (account, url) DO NOTHING RETURNING id
""")
COUNT = text("SELECT count(*) FROM listeners WHERE account = :account")
ALL = text(f"SELECT {COLUMNS} FROM listeners ORDER BY account, made_at, id LIMIT 1000")  # noqa: S608 - constants only
OF = text(f"SELECT {COLUMNS} FROM listeners WHERE account = :account ORDER BY made_at, id")  # noqa: S608
ONE = text(f"SELECT {COLUMNS} FROM listeners WHERE id = :id")  # noqa: S608
WANTING = text("SELECT id FROM listeners WHERE account = :account AND active AND :event = ANY(events) ORDER BY id")
SET = text("UPDATE listeners SET active = :active, changed_at = now() WHERE id = :id")
FORGET = text("DELETE FROM listeners WHERE id = :id")
KEEP = text("INSERT INTO listener_secrets (listener_id, sealed) VALUES (:id, :sealed)")
END = text("""
UPDATE listener_secrets SET expires_at = least(expires_at, now() + make_interval(secs => :seconds)) WHERE listener_id = :id
""")
VALID = text("""
SELECT sealed FROM listener_secrets WHERE listener_id = :id AND (expires_at IS NULL OR expires_at > now()) ORDER BY id DESC LIMIT 5
""")
# A house that does not answer is left alone, longer each time; when its rest is over one event is tried, and the others wait for what it meets.
FAILED = text("""
UPDATE listeners SET failures = failures + 1,
    rests_until = now() + make_interval(secs => least(:most, :pause * power(2, least(failures, 10)))) WHERE id = :id
RETURNING failures
""")
WELL = text("UPDATE listeners SET failures = 0, rests_until = NULL WHERE id = :id AND failures > 0 RETURNING 1")
TRY = text("""
UPDATE listeners SET rests_until = now() + make_interval(secs => :patience) WHERE id = :id AND rests_until <= now() RETURNING 1
""")
RESTS = text("SELECT extract(epoch FROM rests_until - now())::float FROM listeners WHERE id = :id")
GONE = text("DELETE FROM listener_secrets WHERE expires_at < now() - interval '1 day'")


@dataclass(frozen=True, slots=True)
class Listener:
    """A subscription: `url` is told of `events` of the account's orders while it is `active`.

    `shown` is the address for people and records: its query may hold a key of the partner's.
    """

    id: str
    account: str
    url: str
    events: Sequence[str]
    active: bool
    made_at: datetime
    made_by: str
    changed_at: datetime

    @property
    def shown(self) -> str:
        return closed_url(self.url)


class Wrong(ValueError):
    """Why a subscription cannot be: `code` for programs, the words for people."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


def may_listen(account: str) -> bool:
    """Whether an account's partner can be told of events at all."""
    return "EventSink" in entries.manifest(account).offers


def everyone(tx: Connection) -> list[Listener]:
    return [Listener(**row) for row in tx.execute(ALL).mappings()]


def of(tx: Connection, account: str) -> list[Listener]:
    return [Listener(**row) for row in tx.execute(OF, {"account": account}).mappings()]


def one(tx: Connection, name: str) -> Listener | None:
    """The subscription; None when there is none of this name."""
    row: Any = tx.execute(ONE, {"id": name}).mappings().first()
    return None if row is None else Listener(**row)


def make(
    tx: Connection, account: str, url: str, events: Collection[str], by: str, why_not: str
) -> tuple[Listener, str]:
    """A subscription and its secret, which cannot be shown again. `why_not` is the door's word on the address. Raises Wrong."""
    if why_not:
        raise Wrong("address", why_not)
    if not events or not set(events) <= set(EVENTS):
        raise Wrong("events", f"There are these events: {', '.join(EVENTS)}.")
    if tx.execute(COUNT, {"account": account}).scalar_one() >= MOST:
        raise Wrong("too_many", f"At most {MOST} subscriptions.")
    name = f"wh_{secrets.token_hex(10)}"
    row = {"id": name, "account": account, "url": url, "events": sorted(set(events)), "by": by}
    if tx.execute(MAKE, row).scalar() is None:
        raise Wrong("known", "That address is subscribed already.")
    secret = _fresh(tx, name)
    found = one(tx, name)
    assert found is not None
    return found, secret


def rotate(tx: Connection, name: str, overlap: float = OVERLAP) -> str:
    """A new secret; those before it sign beside it for `overlap` seconds."""
    tx.execute(END, {"id": name, "seconds": overlap})
    tx.execute(GONE)
    return _fresh(tx, name)


def _fresh(tx: Connection, name: str) -> str:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    tx.execute(KEEP, {"id": name, "sealed": sealed(secret)})
    return secret


def switch(tx: Connection, name: str, active: bool) -> None:
    """Off: nothing new is told, and what waits is skipped."""
    tx.execute(SET, {"id": name, "active": active})


def withdraw(tx: Connection, name: str) -> None:
    tx.execute(FORGET, {"id": name})


def wanting(tx: Connection, account: str, event: str) -> list[str]:
    """Ids of the account's subscriptions that are to hear of an event."""
    return list(tx.execute(WANTING, {"account": account, "event": event}).scalars())


def failed(tx: Connection, name: str, pause: float, most: float) -> int:
    """It did not answer: nobody calls it for `pause` seconds, doubled with each failure in a row up to `most`. How many failures in a row."""
    return int(tx.execute(FAILED, {"id": name, "pause": pause, "most": most}).scalar() or 0)


def well(tx: Connection, name: str) -> bool:
    """It answered; whether it had failed before."""
    return tx.execute(WELL, {"id": name}).scalar() is not None


def member(name: str) -> str:
    """Who is in the case of a listener that has been silent for long."""
    return f"listener:{name}"


def rests(tx: Connection, name: str, patience: float) -> float:
    """Seconds for which it is left alone; 0 when it may be called. Of those who ask when its rest is over one may, the others wait `patience`."""
    left: float | None = tx.execute(RESTS, {"id": name}).scalar()
    if left is None or (left <= 0 and tx.execute(TRY, {"id": name, "patience": patience}).scalar() is not None):
        return 0.0
    return max(left, 0.0) or patience


def valid(tx: Connection, name: str) -> tuple[str, ...]:
    """The secrets that sign now, the newest first."""
    return tuple(opened(bytes(row)) for row in tx.execute(VALID, {"id": name}).scalars())
