"""Feeding with the configured policy: how far ahead each account is fed, and which channels take turns."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from app.accounts import entries
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
    channels = ["", *config().accounts]
    return feeding.feed(tx, aheads, channels, float(policy["rung_again"]), float(policy["bulk_floor"]), going)
