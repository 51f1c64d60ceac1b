"""Under more deliveries than it can keep, a receiver says so at once (503, Retry-After) instead of letting every sender wait.

gunicorn reads this module as its configuration (`--config python:app.web.pressure`): its threads take requests from a queue, and how long that queue
is tells how long the next one will wait. Who is sent away has been promised nothing and comes again, as after any 503.
"""

from __future__ import annotations

import time
from typing import Any

import structlog

from config import reader

RETRY_AFTER = "2"
MOST = 200  # requests that may wait in one process; at a thousand a second a fifth of a second
EVERY = 5.0  # seconds between two lines of the log
log = structlog.get_logger("waybill.webhooks")
_worker: list[Any] = []
_told = [0.0, 0]


def post_worker_init(worker: Any) -> None:
    """gunicorn's hook: the worker's own process, with its threads."""
    _worker[:] = [worker]


def waiting() -> int:
    """Requests that wait for a thread in this process; 0 outside gunicorn's threads."""
    pool = getattr(_worker[0], "tpool", None) if _worker else None
    queue = getattr(pool, "_work_queue", None)
    return 0 if queue is None else int(queue.qsize())


def crowded() -> bool:
    """Whether a delivery should be sent away: more wait than settings.toml [intake] `queue_most` says. Notes how many were."""
    if waiting() <= int(reader.config().settings.get("intake", {}).get("queue_most", MOST)):
        return False
    _told[1] += 1
    now = time.monotonic()
    if now - _told[0] > EVERY:
        log.warning("deliveries are sent away: more come than can be kept", so_many=_told[1], waiting=waiting())
        _told[:] = [now, 0]
    return True
