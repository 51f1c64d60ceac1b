"""Rotating tokens: sealed in the database, refreshed by one worker while the others wait for it."""

from __future__ import annotations

import base64
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from cryptography.fernet import Fernet
from sqlalchemy import text

from app.database import transaction
from connectors.kit.errors import Transient

READ = text(
    "SELECT sealed, extract(epoch FROM expires_at - now()) AS left FROM tokens WHERE account = :account AND name = :name AND expires_at > now()"
)
CLAIM = text("""
INSERT INTO tokens AS t (account, name, refreshing_until) VALUES (:account, :name, now() + interval '20 seconds')
ON CONFLICT (account, name) DO UPDATE SET refreshing_until = excluded.refreshing_until
    WHERE t.expires_at <= now() AND t.refreshing_until <= now()
RETURNING 1
""")
KEEP = text("""
UPDATE tokens SET sealed = :sealed, expires_at = now() + make_interval(secs => :life), refreshing_until = '-infinity', refreshed_at = now()
WHERE account = :account AND name = :name
""")
RELEASE = text("UPDATE tokens SET refreshing_until = '-infinity' WHERE account = :account AND name = :name")
REFUSE = text(
    "UPDATE tokens SET expires_at = '-infinity' WHERE account = :account AND name = :name AND sealed = :sealed"
)
PATIENCE = 25.0
MARGIN = 0.05  # a token is renewed after 95 % of its life

NEAR = 30.0  # seconds a process may hold what the database gave it

_near: dict[tuple[str, str], tuple[str, float]] = {}
_dead: dict[
    tuple[str, str], str
] = {}  # what a vendor refused last: this process hands it to nobody again, whoever read it meanwhile


@cache
def _seal() -> Fernet:
    """The key is derived from WAYBILL_SECRET_KEY: tokens are useless without it."""
    secret = os.environ["WAYBILL_SECRET_KEY"].encode()
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"waybill tokens" + secret).digest()))


def sealed(secret: str) -> bytes:
    """A secret as it may stand in the database."""
    return _seal().encrypt(secret.encode())


def opened(kept: bytes) -> str:
    """What was sealed. Raises cryptography's InvalidToken under another WAYBILL_SECRET_KEY."""
    return _seal().decrypt(kept).decode()


@dataclass(frozen=True, slots=True)
class SharedTokens:
    """The tokens of one account, shared by all workers through the database."""

    account: str

    def get(self, name: str, refresh: Callable[[], tuple[str, float]]) -> str:
        """The valid token. Raises Transient when another worker's refresh does not come to an end."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if (known := self._known(name)) is not None:
                return known
            if self._mine_to_refresh(name):
                return self._refresh(name, refresh)
            time.sleep(0.05)
        raise Transient(
            "The access token is being refreshed by another worker and is not there yet.", code="token_wait"
        )

    def refused(self, name: str, token: str) -> None:
        _dead[self.account, name] = token

    def _known(self, name: str) -> str | None:
        dead = _dead.get((self.account, name))
        near = _near.get((self.account, name))
        if near is not None and near[0] != dead and time.monotonic() < near[1]:
            return near[0]
        with transaction() as tx:
            row = tx.execute(READ, {"account": self.account, "name": name}).first()
            if row is None:
                return None
            token = opened(bytes(row.sealed))
            if token == dead:
                tx.execute(REFUSE, {"account": self.account, "name": name, "sealed": row.sealed})
                return None
        _near[self.account, name] = (token, time.monotonic() + min(float(row.left), NEAR))
        return token

    def _mine_to_refresh(self, name: str) -> bool:
        with transaction() as tx:
            return tx.execute(CLAIM, {"account": self.account, "name": name}).scalar() is not None

    def _refresh(self, name: str, refresh: Callable[[], tuple[str, float]]) -> str:
        """Asks the vendor with no transaction open; a failed refresh lets the next worker try."""
        kept = False
        try:
            token, life = refresh()
            with transaction() as tx:
                life *= 1 - MARGIN
                tx.execute(KEEP, {"account": self.account, "name": name, "sealed": sealed(token), "life": life})
            kept = True
            if _dead.get((self.account, name)) == token:  # the same again, and good again, says the vendor
                del _dead[self.account, name]
            return token
        finally:
            if not kept:
                with transaction() as tx:
                    tx.execute(RELEASE, {"account": self.account, "name": name})
