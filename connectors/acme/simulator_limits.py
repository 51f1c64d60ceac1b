"""The simulated Acme's limits, really counted at its door: windows, buckets, quotas of a day, calls at a time."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from connectors.acme.simulator_refusal import Refusal

MADE = (
    *("bookings", "requests", "credits", "deliveries", "dispatches", "letters", "purchases"),
    *("returns", "disposals", "buys", "arrivals", "payments"),
)
DAY = 86400

# What Acme publishes; the manifest stays a little under it, because calls arrive less evenly than they are sent.
# A daily quota is renewed at midnight UTC, or `renewed` seconds after it.
LIMITS: tuple[Mapping[str, Any], ...] = (
    {"kind": "window", "burst": 600, "seconds": 10},
    {"kind": "bucket", "burst": 84, "rate": 42, "operations": [f"{kind}.create" for kind in MADE]},
    {"kind": "daily", "burst": 200_000, "operations": [f"{kind}.search" for kind in MADE]},
    {"kind": "concurrency", "burst": 12},
)


class Counter:
    """Counts each call against every limit that names its operation (all operations where none is named)."""

    def __init__(self, limits: Sequence[Mapping[str, Any]], says_when: bool) -> None:
        self._limits, self._says_when = tuple(limits), says_when
        self._lock = threading.Lock()
        self._arrivals: dict[int, deque[float]] = defaultdict(deque)
        self._levels: dict[int, tuple[float, float]] = {}
        self._inside: dict[int, int] = defaultdict(int)
        self.used_up = False

    @contextmanager
    def counted(self, operation: str) -> Iterator[None]:
        """Raises Refusal (429) when a limit is exceeded; a refused call counts against none."""
        mine = [n for n, limit in enumerate(self._limits) if operation in limit.get("operations", (operation,))]
        with self._lock:
            self._enter(mine)
        try:
            yield
        finally:
            with self._lock:
                for n in mine:
                    self._inside[n] -= 1

    def _enter(self, mine: Sequence[int]) -> None:
        now = time.time()
        if self.used_up:
            raise _refused(DAY - now % DAY, True, "daily_quota")
        for n in mine:
            kind = str(self._limits[n]["kind"])
            wait = KINDS[kind](self, n, self._limits[n], now)
            if wait > 0:
                raise _refused(wait, self._says_when, "daily_quota" if kind == "daily" else "too_many_requests")
        for n in mine:
            self._take(n, now)

    def _take(self, n: int, now: float) -> None:
        self._inside[n] += 1
        self._arrivals[n].append(now)
        if n in self._levels:
            self._levels[n] = (self._levels[n][0] - 1, now)

    def _window(self, n: int, limit: Mapping[str, Any], now: float) -> float:
        arrivals = self._arrivals[n]
        while arrivals and arrivals[0] <= now - limit["seconds"]:
            arrivals.popleft()
        return float(arrivals[0] + limit["seconds"] - now) if len(arrivals) >= limit["burst"] else 0.0

    def _bucket(self, n: int, limit: Mapping[str, Any], now: float) -> float:
        level, at = self._levels.get(n, (limit["burst"], now))
        level = min(limit["burst"], level + (now - at) * limit["rate"])
        self._levels[n] = (level, now)
        return 0.0 if level >= 1 else float((1 - level) / limit["rate"])

    def _daily(self, n: int, limit: Mapping[str, Any], now: float) -> float:
        arrivals, renewed = self._arrivals[n], float(limit.get("renewed", 0))
        while arrivals and (arrivals[0] - renewed) // DAY < (now - renewed) // DAY:
            arrivals.popleft()
        return DAY - (now - renewed) % DAY if len(arrivals) >= limit["burst"] else 0.0

    def _concurrency(self, n: int, limit: Mapping[str, Any], now: float) -> float:
        self._arrivals[n].clear()
        return 1.0 if self._inside[n] >= limit["burst"] else 0.0


KINDS: dict[str, Callable[[Counter, int, Mapping[str, Any], float], float]] = {
    "window": Counter._window,
    "bucket": Counter._bucket,
    "daily": Counter._daily,
    "concurrency": Counter._concurrency,
}


def _refused(wait: float, says_when: bool, code: str) -> Refusal:
    headers = {"Retry-After": str(max(1, math.ceil(wait)))} if says_when else {}
    return Refusal(429, code, "Too many calls: wait.", headers=headers)
