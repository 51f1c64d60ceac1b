"""Feeding with the configured policy: how far ahead each account is fed, and which channels take turns."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from app.accounts import entries, pace
from app.bell import HUB, Ring
from app.journal import feeding
from config.reader import config


def feed_accounts(tx: Connection, accounts: Iterable[str]) -> list[Ring]:
    """Marks what each of these accounts may run soon as rung; ring the answer after the commit."""
    aheads = {account: entries.ahead(account, tx) for account in accounts}
    if not aheads:
        return []
    policy = config().settings["engine"]
    channels = known_channels(tx)
    few, heard, floor = int(policy["rings"]), float(policy["rung_again"]), float(policy["bulk_floor"])
    quick = {account for account in aheads if pace.quick(account)}
    return feeding.feed(tx, aheads, quick, few, channels, heard, floor)


def feed_hungry(tx: Connection, accounts: Iterable[str]) -> list[Ring]:
    """The same after a step became ready or was claimed: without feeding's lock, which is kept until the commit, where nothing is to be rung."""
    asked, policy = set(accounts), config().settings["engine"]
    quick = {account for account in asked if pace.quick(account)}
    return feed_accounts(tx, feeding.hungry(tx, asked, quick, int(policy["rings"]), float(policy["rung_again"])))


_rooms: list[tuple[float, dict[str, int]]] = []


def rooms(tx: Connection) -> dict[str, int]:
    """How many steps each account may have under way."""
    if not _rooms or time.monotonic() - _rooms[0][0] > entries.FRESH:
        found = {account: entries.ahead(account, tx) for account in (HUB, *config().accounts)}
        _rooms[:] = [(time.monotonic(), found)]
    return _rooms[0][1]


def known_channels(tx: Connection) -> list[str]:
    return ["", *config().accounts, *_strays(tx)]


STRAYS = text("SELECT DISTINCT channel FROM steps WHERE armed AND rung_at IS NULL AND channel <> ALL(:known) LIMIT 50")
FRESH = 60.0  # seconds
_seen: list[tuple[float, Sequence[str]]] = []


def _strays(tx: Connection) -> Sequence[str]:
    """Channels that the configuration no longer knows and whose work is not done yet: it is done all the same."""
    if not _seen or time.monotonic() - _seen[0][0] > FRESH:
        found = tx.execute(STRAYS, {"known": ["", *config().accounts]}).scalars().all()
        _seen[:] = [(time.monotonic(), found)]
    return _seen[0][1]
