"""Broker and store as the pages see them: asked how long queues are and what limits have left, with short waits, never written to."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from typing import Any

import redis
from kombu import Connection
from kombu.exceptions import OperationalError

AWAY = (redis.RedisError, OperationalError, OSError)
WAIT = 1  # seconds


def store() -> redis.Redis:
    """Redis, where the limits are counted, whichever broker carries the messages."""
    return _client(os.environ["REDIS_URL"])


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_connect_timeout=WAIT, socket_timeout=WAIT)


def address() -> str:
    return os.environ.get("BROKER_URL") or os.environ["REDIS_URL"]


def reach() -> None:
    """Raises one of AWAY when the broker does not answer."""
    if not address().startswith("amqp"):
        _client(address()).ping()
        return
    with Connection(address(), connect_timeout=WAIT) as connection:
        connection.ensure_connection(max_retries=1, timeout=WAIT)


def depths(names: Iterable[str]) -> dict[str, float]:
    """Messages in each queue; of one that RabbitMQ does not have yet: none. Raises one of AWAY."""
    if not address().startswith("amqp"):
        return {name: float(str(_client(address()).llen(name))) for name in names}
    with Connection(address(), connect_timeout=WAIT) as connection:
        connection.ensure_connection(max_retries=1, timeout=WAIT)
        return {name: _depth(connection, name) for name in names}


def _depth(connection: Connection, name: str) -> float:
    """A passive look at a queue that is not there closes the channel: each has one of its own."""
    channel: Any = connection.channel()
    with channel:
        try:
            return float(channel.queue_declare(name, passive=True).message_count)
        except connection.channel_errors:
            return 0.0
