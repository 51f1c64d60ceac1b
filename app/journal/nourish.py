"""Feeding with the configured policy: how far ahead each account is fed, and which channels take turns."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from app.accounts import entries, pace
from app.bell import Ring
from app.journal import feeding
from app.journal.feeding import NOBODY, Fed, Going
from config.reader import config


def feed_accounts(tx: Connection, accounts: Iterable[str]) -> list[Ring]:
    """Marks what each of these accounts may run soon as rung; ring the answer after the commit."""
    return feed(tx, accounts).rings


def feed(tx: Connection, accounts: Iterable[str], going: Going = NOBODY) -> Fed:
    """The same, for a worker that would go on with the next step of its own account and name itself."""
    aheads = {account: entries.ahead(account, tx) for account in accounts}
    if not aheads:
        return Fed([])
    policy = config().settings["engine"]
    channels = ["", *config().accounts, *_strays(tx)]
    few, heard, floor = int(policy["rings"]), float(policy["rung_again"]), float(policy["bulk_floor"])
    quick = {account for account in aheads if pace.quick(account)}
    return feeding.feed(tx, aheads, quick, few, channels, heard, floor, going)


STRAYS = text("SELECT DISTINCT channel FROM steps WHERE armed AND rung_at IS NULL AND channel <> ALL(:known) LIMIT 50")
FRESH = 60.0  # seconds
_seen: list[tuple[float, Sequence[str]]] = []


def _strays(tx: Connection) -> Sequence[str]:
    """Channels that the configuration no longer knows and whose work is not done yet: it is done all the same."""
    if not _seen or time.monotonic() - _seen[0][0] > FRESH:
        found = tx.execute(STRAYS, {"known": ["", *config().accounts]}).scalars().all()
        _seen[:] = [(time.monotonic(), found)]
    return _seen[0][1]
