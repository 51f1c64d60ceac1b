"""The quota of the simulated store: so many calls in a fixed window, told with every answer and really enforced."""

from __future__ import annotations

import threading
import time


class Quota:
    """`most` calls in each window of `seconds`; windows begin with the first call after the last one ended."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        self.refused = self.busiest = 0
        self._began, self._used = 0.0, 0
        self._lock = threading.Lock()

    def take(self) -> bool:
        with self._lock:
            self._renew()
            if self._used >= self.most:
                self.refused += 1
                return False
            self._used += 1
            self.busiest = max(self.busiest, self._used)
            return True

    def spend(self, calls: int) -> None:
        """Other software of the store uses the same quota."""
        with self._lock:
            self._renew()
            self._used = min(self.most, self._used + calls)

    def _renew(self) -> None:
        now = time.monotonic()
        if now >= self._began + self.seconds:
            self._began, self._used = now, 0

    def headers(self) -> dict[str, str]:
        with self._lock:
            left = max(0.0, self._began + self.seconds - time.monotonic())
            return {
                "X-Rate-Limit-Time-Window-Ms": str(int(self.seconds * 1000)),
                "X-Rate-Limit-Time-Reset-Ms": str(int(left * 1000) + 1),
                "X-Rate-Limit-Requests-Quota": str(self.most),
                "X-Rate-Limit-Requests-Left": str(self.most - self._used),
            }
