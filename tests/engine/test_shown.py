"""Steps that a task goes on with are seen by Flower as tasks of their own names, many of them in one message."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
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


def test_only_the_workers_own_loop_sends(redis_url: str) -> None:
    """However many events the threads of tasks make: a thread that sends on the loop's AMQP connection may wait for the loop, and the loop for it."""
    app, hub, sent = Celery("shown-test", broker=redis_url, set_as_current=False), Hub(), list[str]()
    with app.connection_for_write() as said:
        dispatcher = app.events.Dispatcher(said, buffer_group=["task"], on_send_buffered=_away)
        dispatcher._publish = lambda events, *_: sent.append(f"{threading.current_thread().name}: {len(events)}")
        consumer = SimpleNamespace(event_dispatcher=dispatcher, hub=hub)
        grouped = shown.Grouped(consumer)
        grouped.start(consumer)

        def step(number: int) -> None:
            with shown.Shown("order_placed.book_order", number, first=False):
                pass

        with ThreadPoolExecutor(8) as tasks:
            list(tasks.map(step, range(1000)))
        assert sent == []
        time.sleep(shown.LATE)
        hub.fire_timers()
        grouped.stop(consumer)
        shown._consumers.clear()
    assert sent == ["MainThread: 2000"]
