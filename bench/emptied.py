"""Empties queues all the while, as whoever takes the rings would: a door that looks how many wait then rings for each delivery, as its floor does.

`python -m bench.emptied VARIABLE QUEUE [VARIABLE QUEUE ...]`: addresses stand in the environment, where no
`ps` shows them. How many messages each queue held in all stands under COUNT + QUEUE.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import redis

COUNT, EVERY = "bench-emptied-", 0.003
UNHEARD = "floor-unheard"  # where the receiver's floor rings


def empty(broker: redis.Redis, queue: str) -> None:
    """At once, so that none is dropped uncounted."""
    with broker.pipeline(transaction=True) as both:
        both.llen(queue)
        both.delete(queue)
        many = int(both.execute()[0])
    if many:
        broker.incrby(COUNT + queue, many)


def taken(broker: redis.Redis, queue: str) -> int:
    """How many messages have gone since it began to be emptied, and those that wait."""
    gone: Any = broker.get(COUNT + queue)
    waits: Any = broker.llen(queue)
    return int(gone or 0) + int(waits)


def main(asked: list[str]) -> None:
    queues = [
        (redis.Redis.from_url(os.environ[name]), queue) for name, queue in zip(asked[::2], asked[1::2], strict=True)
    ]
    while True:
        for broker, queue in queues:
            empty(broker, queue)
        time.sleep(EVERY)


if __name__ == "__main__":
    main(sys.argv[1:])
