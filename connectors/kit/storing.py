"""Where a channel keeps what lies at one of our locations."""

from __future__ import annotations

from connectors.kit.account import Connection
from connectors.kit.errors import Missing


def stored_at(connection: Connection, ours: str, setting: str = "location") -> str:
    """Their code of a location. What lies nowhere in particular, or at a location that is not mapped, is at the account's own (`setting`).
    Raises Missing where there is neither: the step waits for the mapping."""
    alone = str(connection.account.settings.get(setting) or "")
    if not ours and alone:
        return alone
    try:
        found = connection.codes.theirs("location", ours)
    except Missing:
        found = alone
        if not found:
            raise
    if not found:
        words = "This stock names no location, and the account has no one of its own."
        raise Missing(words, code="missing_location", kind="location", value=ours, account=connection.account.name)
    return found
