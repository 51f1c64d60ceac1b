"""What SAP is told is written in the modules beside this one; it delivers nothing to us."""

from __future__ import annotations

from connectors.canonical.snapshot import Ignored, Reading
from connectors.kit.account import Account
from connectors.kit.capabilities import Message


def read(account: Account, message: Message) -> tuple[Reading, ...]:
    """Nothing of SAP's comes as a delivery: its events (SAP Event Mesh) are another product's contract."""
    return (Ignored(f"SAP's {message.topic or 'unnamed'} are not used."),)
