"""A step that a task goes on with is shown as a task of its own: the events by which Flower and others follow a worker."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from celery import current_task

_consumers: list[Any] = []


def follow(consumer: Any) -> None:
    """The worker's consumer, once it is ready: its dispatcher sends events in groups, and only where -E asks for them."""
    _consumers[:] = [consumer]


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
