"""Tryton sends nothing by itself: it is asked. Orders become its lines in lines.py, buyers in parties.py."""

from __future__ import annotations

from connectors.canonical.snapshot import Ignored, Reading
from connectors.kit.account import Account
from connectors.kit.capabilities import Message


def read(account: Account, message: Message) -> tuple[Reading, ...]:
    """Whatever comes is not Tryton's, and is ignored under its name."""
    return (Ignored(f"{message.topic}: Tryton has no deliveries."),)
