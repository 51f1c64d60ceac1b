"""How long an account's calls take, as this process sees it: where answers come at once, a few workers do more than many."""

from __future__ import annotations

import threading

from app.bell import HUB

QUICK = 0.02  # seconds; a message through the broker takes about as long on a busy machine
FORGETS = 1.02  # the shortest of late: what a busy machine adds to a call is no slowness of the account
_lock = threading.Lock()
_seen: dict[str, float] = {}


def note(account: str, seconds: float) -> None:
    """A step's calls took so long, waiting for the limits included."""
    with _lock:
        _seen[account] = min(seconds, _seen.get(account, seconds) * FORGETS)


def quick(account: str) -> bool:
    """Whether its answers come at once; not of an account that this process has not called yet."""
    return account == HUB or _seen.get(account, QUICK) < QUICK
