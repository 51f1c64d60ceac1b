"""The broker as the pages see it: asked how long its queues are, with short waits, never written to."""

from __future__ import annotations

import os
from functools import cache

import redis


@cache
def broker() -> redis.Redis:
    return redis.Redis.from_url(
        os.environ.get("BROKER_URL") or os.environ["REDIS_URL"], socket_connect_timeout=1, socket_timeout=1
    )
