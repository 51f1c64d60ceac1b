"""A step that a task goes on with is shown as a task of its own: the events by which Flower and others follow a worker."""

from __future__ import annotations

import math
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from celery import bootsteps, current_task
from celery.worker.consumer.events import Events

LATE = 0.25  # seconds; Flower is told of many steps in one message, not of each as it happens
_consumers: list[Any] = []


class Grouped(bootsteps.StartStopStep):
    """The consumer's dispatcher collects events (where -E asks for them), also after each time that the worker has reconnected."""

    requires = (Events,)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        _consumers[:] = [consumer]
        dispatcher = consumer.event_dispatcher
        if consumer.hub is not None:
            dispatcher.on_send_buffered = None  # celery would send what is there each time its loop turns
            # Only the loop sends, however many there are. A task's thread that publishes on the loop's own AMQP connection waits for a confirmation
            # that the loop reads, and holds the lock that the loop waits for: seen with RabbitMQ, a worker that stood still for good.
            dispatcher.buffer_limit = math.inf
            self._timer = consumer.hub.call_repeatedly(LATE, dispatcher.flush)

    def stop(self, consumer: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def shutdown(self, consumer: Any) -> None:
        if consumer.event_dispatcher is not None:
            consumer.event_dispatcher.flush()


@dataclass(slots=True)
class Shown:
    """A context in which one step is shown under its own name; the `first` is the Celery task itself and needs no showing."""

    task: str
    step: int
    first: bool
    outcome: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    began: float = field(default_factory=time.monotonic)

    def __enter__(self) -> Shown:
        if not self.first:
            parent = getattr(getattr(current_task, "request", None), "id", None)  # a proxy: of nothing outside a task
            told = {"args": f"({self.step},)", "kwargs": "{}", "root_id": parent, "parent_id": parent, "retries": 0}
            _send("task-started", uuid=self.id, name=self.task, **told)  # a state is made of all its events' fields
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self.first:
            told = {"result": repr(self.outcome), "runtime": time.monotonic() - self.began}
            _send("task-succeeded" if kind is None else "task-failed", uuid=self.id, **told)


def _send(kind: str, **told: Any) -> None:
    dispatcher = _consumers[0].event_dispatcher if _consumers else None
    if dispatcher is not None and dispatcher.enabled:
        dispatcher.send(kind, **told)
