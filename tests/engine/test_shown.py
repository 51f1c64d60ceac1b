"""Steps that a task goes on with are seen by Flower as tasks of their own names, many of them in one message."""

from __future__ import annotations

import time
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

from celery import Celery
from celery.events import EventReceiver
from kombu.asynchronous import Hub

from app import wire
from tasks.engine import shown

MANY = 30


def _away() -> None:
    raise AssertionError("sent each time that the worker's loop turns")


def test_many_steps_are_told_in_one_message(redis_url: str) -> None:
    wire.lay()
    app = Celery("shown-test", broker=redis_url, set_as_current=False)
    hub, told = Hub(), list[dict[str, Any]]()
    with app.connection_for_read() as reading, app.connection_for_write() as said:
        dispatcher = app.events.Dispatcher(said, buffer_group=["task"], on_send_buffered=_away)
        consumer = SimpleNamespace(event_dispatcher=dispatcher, hub=hub)
        grouped = shown.Grouped(consumer)
        receiver = EventReceiver(reading, handlers={"*": told.append}, app=app)
        with receiver.consumer_context(wakeup=False) as (heard, *_):
            with suppress(TimeoutError):  # Redis is asked for them when it is first listened to
                heard.drain_events(timeout=0.1)
            grouped.start(consumer)
            for number in range(MANY):
                with shown.Shown("order_placed.book_order", number, first=False) as one:
                    one.outcome = "done"
            time.sleep(shown.LATE)
            hub.fire_timers()
            heard.drain_events(timeout=2)
            grouped.stop(consumer)
        shown._consumers.clear()
    kinds = [event["type"] for event in told]
    assert (kinds.count("task-started"), kinds.count("task-succeeded")) == (MANY, MANY), "all of them, in one message"
    assert {event["name"] for event in told if event["type"] == "task-started"} == {"order_placed.book_order"}
