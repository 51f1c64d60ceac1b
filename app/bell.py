"""The bell sends a task by name, after the commit; a ring that is lost is rung again by the sweep."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from typing import NamedTuple

from celery import Celery
from kombu.exceptions import ChannelError, OperationalError

HUB = "hub"
INTAKE = "intake"  # deliveries to be read: a flood of them must not hold up the hub's own steps
CLOCK = "clock"  # beat's jobs: a backlog of deliveries must not hold up the sweep that retries wait for
RECEIVE = "waybill.receive"


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


def _wire(broker: str, patience: float) -> dict[str, object]:
    """RabbitMQ confirms what it was sent; Redis is asked in good time whether it is still there."""
    if broker.startswith("amqp"):
        return {"confirm_publish": True}
    return {
        "socket_connect_timeout": patience,
        "socket_timeout": 15,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "max_connections": 200,
        "visibility_timeout": 3600,
    }


_made = threading.local()


def _producer() -> Celery:
    """One producer for each process, made after any fork."""
    if getattr(_made, "pid", None) != os.getpid():
        _made.celery = Celery("waybill-bell", set_as_current=False)
        _made.celery.conf.update(celery_settings())
        _made.pid = os.getpid()
    made: Celery = _made.celery
    return made


def ring(rings: Iterable[Ring]) -> bool:
    """Rings each; False when the broker is away (nothing is lost: the journal knows, the sweep rings again)."""
    try:
        for one in rings:
            _producer().send_task(one.task, (one.id,), queue=one.queue, retry=False, ignore_result=True)
    except (OperationalError, ChannelError, OSError):
        return False
    return True


def ring_event(event_id: int) -> bool:
    """Rings for an accepted event."""
    return ring((Ring(RECEIVE, INTAKE, event_id),))
