"""ShipBob's sliding window, counted for each token and really enforced."""

from __future__ import annotations

import math
import threading
import time
from collections import deque


class SlidingWindow:
    """`most` calls in any `seconds`. What is refused is not counted (as at the gateway that ShipBob's error body
    comes from)."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        self.busiest = 0
        self.refused = 0
        self._taken: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, token: str) -> tuple[int, int]:
        """(seconds to wait, calls left): the first is 0 when the call may pass."""
        now = time.monotonic()
        with self._lock:
            taken = self._taken.setdefault(token, deque())
            while taken and taken[0] <= now - self.seconds:
                taken.popleft()
            if len(taken) >= self.most:
                self.refused += 1
                return max(1, math.ceil(taken[0] + self.seconds - now)), 0
            taken.append(now)
            self.busiest = max(self.busiest, len(taken))
            return 0, self.most - len(taken)
