"""What a simulated system will do later: jobs at their time, in threads of their own."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count

LOOK = 0.02  # seconds until an agenda that is held looks again


class Agenda:
    """Jobs run at their time, or as soon after as those before let them: one after the other, or as many at once as there are `threads`
    (none: they wait for ever), which start with the first job. While `held` says so, nothing begins."""

    def __init__(self, name: str, threads: int = 1, held: Callable[[], bool] = lambda: False) -> None:
        self._name, self._threads, self._held = name, threads, held
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._changed = threading.Condition()
        self._numbers = count()
        self._started = False

    def after(self, seconds: float, job: Callable[[], object]) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), job))
            if not self._started:
                self._start()
            self._changed.notify()

    def _start(self) -> None:
        self._started = True
        for _ in range(self._threads):
            threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        while True:
            self._next()()

    def _next(self) -> Callable[[], object]:
        with self._changed:
            while not self._due or self._due[0][0] > time.monotonic() or self._held():
                self._changed.wait(self._rest())
            job = heapq.heappop(self._due)[2]
            self._changed.notify()  # somebody else looks when the next one is due
            return job

    def _rest(self) -> float | None:
        """Seconds until there may be something to do; None while nothing is on the agenda."""
        if not self._due:
            return None
        left = self._due[0][0] - time.monotonic()
        return left if left > 0 else LOOK
