"""API keys: made for a partner, shown once, replaced with an overlap, revoked; only a digest is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from app.database import transaction
from app.journal.reading.rows import found, listed
from config.reader import config

SCOPES = (
    "orders:read",
    "orders:write",
    "cancellations:write",
    "returns:write",
    "returns:receive",
    "fulfilments:read",
    "fulfilments:write",
    "tills:write",
    "prices:read",
    "webhooks:write",
    "availability:read",
    "reservations:write",
    "movements:write",
)
REMEMBERED = 5.0  # seconds until a revoked key is refused everywhere
ROLES = ("channel", "erp", "warehouse", "notify", "store", "supplier", "publish")
OVERLAP = 24 * 3600  # seconds that the old key lives on beside its successor
COLUMNS = "id, name, prefix, scopes, channel, locations, per_minute, made_at, made_by, expires_at, revoked_at, used_at"

ALL = text(f"SELECT {COLUMNS} FROM api_keys ORDER BY name, id DESC LIMIT 500")  # noqa: S608 - constants only
ONE = text(f"SELECT {COLUMNS} FROM api_keys WHERE id = :id FOR UPDATE")  # noqa: S608
BY_PREFIX = text(f"""
WITH used AS (UPDATE api_keys SET used_at = now() WHERE prefix = :prefix AND (used_at IS NULL OR used_at < now() - interval '1 minute'))
SELECT {COLUMNS}, digest FROM api_keys WHERE prefix = :prefix AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
""")  # noqa: S608
MAKE = text("""
INSERT INTO api_keys (name, prefix, digest, scopes, channel, locations, per_minute, made_by)
VALUES (:name, :prefix, :digest, :scopes, :channel, :locations, :per_minute, :by)
""")
EXPIRE = text("""
UPDATE api_keys SET expires_at = least(expires_at, now() + make_interval(secs => :seconds))
WHERE name = :name AND prefix <> :prefix AND revoked_at IS NULL
""")
REVOKE = text("UPDATE api_keys SET revoked_at = now() WHERE id = :id AND revoked_at IS NULL RETURNING name, prefix")


@dataclass(frozen=True, slots=True)
class Key:
    """`channel` names the account whose orders it tells and sees, and whose rules of availability hold for it.

    `locations` is where it may move stock and speaks for what is asked of it ("*" anywhere)."""

    id: int
    name: str
    prefix: str
    scopes: Sequence[str]
    channel: str
    locations: Sequence[str]
    per_minute: int
    made_at: datetime
    made_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None

    def may(self, scope: str) -> bool:
        return scope in self.scopes


_near: dict[str, tuple[Key, float]] = {}


def forget() -> None:
    """What this process remembers of keys."""
    _near.clear()


def who(token: str) -> Key | None:
    """Whose key this is; None for one that is unknown, expired or revoked. Remembered for some seconds."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    near = _near.get(digest)
    if near is not None and time.monotonic() < near[1]:
        return near[0]
    _near.pop(digest, None)
    key = _looked_up(token, digest)
    if key is not None:
        if len(_near) > 10_000:
            _near.clear()
        _near[digest] = (key, time.monotonic() + REMEMBERED)
    return key


def _looked_up(token: str, digest: str) -> Key | None:
    with transaction() as tx:
        row = tx.execute(BY_PREFIX, {"prefix": token[:PREFIX]}).mappings().first()
    if row is None or not hmac.compare_digest(bytes(row["digest"]).hex(), digest):
        return None
    return Key(**{name: value for name, value in row.items() if name != "digest"})


PREFIX = 11  # wb_ and eight characters that may be shown


def everyone(tx: Connection) -> tuple[Key, ...]:
    return listed(tx, Key, ALL)


def make(
    tx: Connection,
    name: str,
    by: str,
    *,
    scopes: Sequence[str],
    channel: str = "",
    locations: Sequence[str] = (),
    per_minute: int = 600,
) -> str:
    """Makes a key and answers it; it cannot be shown again. Raises ValueError saying what is wrong."""
    if not name or len(name) > 80 or not name.isprintable():
        raise ValueError("A partner's name has 1 to 80 printable characters.")
    if name in config().accounts or name in ROLES:
        raise ValueError("That is the name of an account or of a role: what these own, no key may own.")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise ValueError(f"A key has one or more of: {', '.join(SCOPES)}.")
    if not 1 <= per_minute <= 100_000:
        raise ValueError("A key is asked at most 1 to 100,000 times a minute.")
    token = f"wb_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"
    row = {"name": name, "prefix": token[:PREFIX], "digest": hashlib.sha256(token.encode()).digest(), "by": by}
    kept = {
        "scopes": sorted(set(scopes)),
        "channel": channel,
        "locations": sorted(set(locations)),
        "per_minute": per_minute,
    }
    tx.execute(MAKE, {**row, **kept})
    return token


def rotate(tx: Connection, key_id: int, by: str, overlap: float = OVERLAP) -> tuple[str, str] | None:
    """A successor with the same rights, and its name; the partner's older keys end after `overlap` seconds. None when it is gone."""
    old = found(tx, Key, ONE, id=key_id)
    if old is None or old.revoked_at is not None:
        return None
    token = make(
        tx, old.name, by, scopes=old.scopes, channel=old.channel, locations=old.locations, per_minute=old.per_minute
    )
    tx.execute(EXPIRE, {"name": old.name, "prefix": token[:PREFIX], "seconds": overlap})
    return token, old.name


def revoke(tx: Connection, key_id: int) -> str | None:
    """Ends a key at once (other processes within some seconds); its name, or None when it had ended."""
    row = tx.execute(REVOKE, {"id": key_id}).first()
    forget()
    return None if row is None else f"{row.name} ({row.prefix}…)"
