"""Expiry: reservations that their holders did not extend in time are let go, each in a transaction of its own."""

from __future__ import annotations

from app.database import transaction
from app.stock import claims, ledger

MOST = 1000


def run() -> str:
    """Lets go of what ran out; answers how many claims that were."""
    with transaction() as tx:
        gone = list(tx.execute(claims.EXPIRED, {"most": MOST}).scalars())
    ended = 0
    for claim in gone:
        with transaction() as tx:
            ended += bool(ledger.expire(tx, claim))
    return f"{ended} claims ran out"
