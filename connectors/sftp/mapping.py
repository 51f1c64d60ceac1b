"""Files are read by the feeds that they are for, not as deliveries."""

from __future__ import annotations

from connectors.canonical.snapshot import Ignored, Reading
from connectors.kit.account import Account
from connectors.kit.capabilities import Message


def read(account: Account, message: Message) -> tuple[Reading, ...]:
    """Nothing is received as a delivery."""
    return (Ignored("files are read by their feeds"),)
