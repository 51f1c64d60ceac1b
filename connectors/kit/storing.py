"""Where a channel keeps what lies at one of our locations."""

from __future__ import annotations

from connectors.kit.account import Connection
from connectors.kit.errors import Missing


def stored_at(connection: Connection, ours: str, setting: str = "location") -> str:
    """Their code of a location; what is told for all places together is at the account's own (`setting`).

    Raises Missing where there is none: two of our locations told at one place would write over each other, so the level waits for its mapping.
    """
    alone = str(connection.account.settings.get(setting) or "")
    if not ours and alone:
        return alone
    found = connection.codes.theirs("location", ours)
    if not found:
        words = "This stock names no location, and the account has no one of its own."
        raise Missing(words, code="missing_location", kind="location", value=ours, account=connection.account.name)
    return found
