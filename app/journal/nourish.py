"""Feeding with the configured policy: how far ahead each account is fed, and which channels take turns."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from app.accounts import entries
from app.bell import Ring
from app.journal import feeding
from config.reader import config


def feed_accounts(tx: Connection, accounts: Iterable[str]) -> list[Ring]:
    """Marks what each of these accounts may run soon as rung; ring the answer after the commit. In name order: no deadlock."""
    policy = config().settings["engine"]
    channels = ["", *config().accounts]
    return [
        ring
        for account in sorted(accounts)
        for ring in feeding.feed(
            tx, account, entries.ahead(account, tx), channels, float(policy["rung_again"]), float(policy["bulk_floor"])
        )
    ]
