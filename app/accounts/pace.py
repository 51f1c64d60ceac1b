"""How long an account's calls take, as this process sees it: where answers come at once, a few workers do more than many."""

from __future__ import annotations

import threading
from collections import deque

from app.bell import HUB

QUICK = 0.02  # seconds; a message through the broker takes about as long on a busy machine
LATE = 12  # calls: the shortest of them counts; what a busy machine adds to one is no slowness of the account
_lock = threading.Lock()
_seen: dict[str, deque[float]] = {}


def note(account: str, seconds: float) -> None:
    """A step's calls took so long, waiting for the limits included."""
    with _lock:
        _seen.setdefault(account, deque(maxlen=LATE)).append(seconds)


def quick(account: str) -> bool:
    """Whether its answers come at once; not of an account that this process has not called yet."""
    with _lock:
        return account == HUB or min(_seen.get(account, ()), default=QUICK) < QUICK
