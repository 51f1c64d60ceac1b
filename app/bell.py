"""The bell sends a task by name, after the commit; a ring that is lost is rung again by the sweep."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from celery import Celery
from kombu.exceptions import ChannelError, OperationalError
from redis.exceptions import RedisError

from config.reader import config

HUB = "hub"
INTAKE = "intake"  # deliveries to be read: a flood of them must not hold up the hub's own steps
CLOCK = "clock"  # beat's jobs: a backlog of deliveries must not hold up the sweep that retries wait for
RECEIVE = "waybill.receive"
OPTIONS = {"socket_keepalive": True, "health_check_interval": 10, "max_connections": 200, "visibility_timeout": 3600}


class Ring(NamedTuple):
    """A task's name, the queue it goes to and the id of the row that it is about: the whole message (claim check)."""

    task: str
    queue: str
    id: int


def celery_settings() -> dict[str, object]:
    """What producer and worker must agree on: where the broker is and how long a broken connection may hold us up."""
    patience = float(os.environ.get("BROKER_PATIENCE", "0.5"))
    broker = os.environ.get("BROKER_URL") or os.environ["REDIS_URL"]
    return {
        "broker_url": broker,
        "broker_connection_timeout": patience,
        "broker_transport_options": _wire(broker, patience),
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_create_missing_queues": True,
        "task_default_queue": HUB,
        "task_send_sent_event": False,
    }


def _amqp(broker: object) -> bool:
    return str(broker).startswith("amqp")


def _wire(broker: str, patience: float) -> dict[str, object]:
    """RabbitMQ confirms what it was sent; Redis is asked in good time whether it is still there."""
    if _amqp(broker):
        return {"confirm_publish": True}
    return {**OPTIONS, "socket_connect_timeout": patience, "socket_timeout": 15}


_made = threading.local()
_quiet_until = 0.0
SHARE, QUIET = (
    4,
    2.0,
)  # who let a ring wait in vain is left alone for so many times as long, and for so many seconds at most


def _producer() -> Celery:
    """One producer for each thread, made after any fork. It tries once: kombu would sleep for two seconds before it gives up."""
    if getattr(_made, "pid", None) != os.getpid():
        patience = float(config().settings["intake"]["ring_patience"])
        settings = celery_settings()
        once = {"max_retries": 0, "socket_connect_timeout": patience, "socket_timeout": patience}
        _made.celery = Celery("waybill-bell", set_as_current=False)
        _made.celery.conf.update(
            settings, **({} if _amqp(settings["broker_url"]) else {"broker_transport_options": {**OPTIONS, **once}})
        )
        _made.pid = os.getpid()
    made: Celery = _made.celery
    return made


AWAY = (OperationalError, ChannelError, RedisError, OSError)


def ring(rings: Iterable[Ring]) -> bool:
    """Rings each; False when the broker is away (nothing is lost: the journal knows, the sweep rings again)."""
    began = time.monotonic()
    if began < _quiet_until:
        return False
    try:
        for one in rings:
            _producer().send_task(one.task, (one.id,), queue=one.queue, retry=False, ignore_result=True)
    except AWAY:
        _hush(began)
        return False
    return True


def _hush(began: float) -> None:
    """Somebody waited since then in vain."""
    global _quiet_until
    ended = time.monotonic()
    _quiet_until = ended + min(QUIET, SHARE * (ended - began))


# So many deliveries that wait to be read are rung for one by one. Those after them need no ring of their own: whoever reads goes on with the next,
# and rings for another when his turn is over (tasks/receive.py).
ENOUGH, LOOK_EVERY = 16, 0.02
_crowd = (0.0, False)  # when it was looked at, and whether enough waited


def ring_event(event_id: int) -> bool:
    """Rings for an accepted event, unless enough rings wait that bring whoever takes them to this one, too."""
    return _crowded() or ring((Ring(RECEIVE, INTAKE, event_id),))


def _crowded() -> bool:
    global _crowd
    looked, crowded = _crowd
    began = time.monotonic()
    if began < _quiet_until:
        return False
    if began - looked > LOOK_EVERY:
        try:
            crowded = _waiting(INTAKE) >= ENOUGH
        except AWAY:
            _hush(began)
            crowded = False
        _crowd = (began, crowded)
    return crowded


def waiting(queue: str) -> int:
    """How many messages wait in a queue; 0 where the broker knows of none, or is away."""
    try:
        return _waiting(queue)
    except AWAY:
        return 0


def known(queue: str) -> int | None:
    """The same; None where the broker is away: then nobody knows."""
    try:
        return _waiting(queue)
    except AWAY:
        return None


def _waiting(queue: str) -> int:
    """RabbitMQ closes the channel in which it is asked for a queue that it does not know: there, each question has a connection of its own."""
    bell = _producer()
    if _amqp(bell.conf.broker_url):
        with bell.connection_for_write() as connection:
            return _count(connection.default_channel, queue)
    with bell.producer_pool.acquire(block=True) as producer:
        return _count(producer.channel, queue)


def _count(channel: Any, queue: str) -> int:
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except ChannelError:  # Redis keeps no empty queue
        return 0
