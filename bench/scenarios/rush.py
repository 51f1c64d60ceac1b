"""Rushes: twice as many deliveries as can be taken, a flash sale, a neighbour that takes half a minute for every call."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

from app.database import transaction
from app.journal.reading import draining
from bench import filling, intake, load, measure
from bench.orders import names
from bench.stage import Stage, until

FLASH = {
    "erp": '{ all = { kind = "bucket", rate = 20, burst = 20 }, creates = { rate = 1000, burst = 1000 }, at_once = { burst = 64 } }',
    "other": "{ all = { burst = 1000000 }, creates = { rate = 100000, burst = 100000 }, at_once = { burst = 64 } }",
}

LOST = """SELECT count(*) FROM unnest(%s::text[]) told(id)
WHERE NOT EXISTS (SELECT FROM deliveries d WHERE d.account = 'shop' AND d.delivery_id = told.id)"""
WARM = 300  # orders before the calm is measured: a receiver's first answers load what they need


def overload(stage: Stage, seconds: float = 300.0) -> dict[str, Any]:
    """Twice the capacity by the clock, at most a thousand connections: what is not taken is told 429 or 503 with Retry-After; nothing that
    was acknowledged is missing from the journal."""
    stage.freeze(*stage.workers, "beat")
    capacity = intake.capacity(stage.web_port, 1500).rate
    told = load.Told()
    while told.seconds < seconds:  # signed in pieces: a signature is good for five minutes
        piece = load.by_the_clock(
            stage.web_port, [load.delivery(name) for name in names(int(capacity * 2 * 10))], capacity * 2, 1000
        )
        told.took += piece.took
        told.acknowledged += piece.acknowledged
        told.retry_after += piece.retry_after
        told.seconds += piece.seconds
        for status, n in piece.statuses.items():
            told.statuses[status] = told.statuses.get(status, 0) + n
    taken = told.statuses.get(200, 0)
    refused = told.statuses.get(429, 0) + told.statuses.get(503, 0)
    return {
        "overload_offered_per_second": round(capacity * 2),
        "overload_taken_per_second": round(taken / told.seconds),
        "overload_lost": int(str(stage.one(LOST, told.acknowledged))),
        "overload_other_answers": sum(told.statuses.values()) - taken - refused,
        "overload_without_retry_after": refused - told.retry_after,
        "overload_p99_seconds": round(measure.percentile(told.took, 0.99), 2),
    }


def flash_sale(stage: Stage, orders: int = 6000, seconds: float = 60.0) -> dict[str, Any]:
    """So many orders in a minute while the ERP takes 20 calls a second: intake, memory, another route's orders, the drain forecast."""
    load.closed(stage.web_port, [load.delivery(name) for name in names(WARM)], 8)
    until(lambda: _rests(stage), 3600, 0.5)
    before = _calm(stage)
    memory, store = _memory(stage)
    beside = _Trickle(stage, "other", "/other/v1/bookings")
    trickle = threading.Thread(target=beside.run, args=(int(seconds), 1.0))
    trickle.start()
    rush = load.by_the_clock(stage.web_port, [load.delivery(name) for name in names(orders)], orders / seconds)
    trickle.join()
    with transaction() as tx:
        forecast, peak = draining.last(tx, stage.accounts), _memory(stage)
    assert forecast is not None, "the hub does not know when it is done"
    took = until(lambda: _rests(stage), 3600, 0.5)
    after = _calm(stage)
    calm, alone = (
        _calmer(*both, share) for both, share in zip(zip(before, after, strict=True), (0.99, 0.95), strict=True)
    )
    return {
        "flash_calm_p99_ms": [round(1000 * measure.percentile(one, 0.99), 1) for one, _ in (before, after)],
        "flash_p99_ratio": round(measure.percentile(rush.took, 0.99) / measure.percentile(calm, 0.99), 2),
        "flash_p99_over_ms": _over(rush.took, calm, 0.99),
        "flash_worker_mb": round((peak[0] - memory) / 1e6, 1),
        "flash_redis_mb": round((peak[1] - store) / 1e6, 1),
        "flash_others_over_ms": _over(beside.took, alone, 0.95),
        "flash_others_ratio": round(measure.percentile(beside.took, 0.95) / measure.percentile(alone, 0.95), 2),
        "flash_forecast_off": round(abs(took - forecast) / took, 3),
        "flash_drained_in_seconds": round(took, 1),
    }


def _calm(stage: Stage) -> tuple[list[float], list[float]]:
    """Seconds of deliveries at ten a second, and of another route's orders, while nothing else is asked."""
    told = load.by_the_clock(stage.web_port, [load.delivery(name) for name in names(200)], 10)
    until(lambda: _rests(stage), 3600, 0.5)
    other = _Trickle(stage, "other", "/other/v1/bookings")
    other.run(20, 0.5)
    return told.took, other.took


def _calmer(one: list[float], another: list[float], share: float) -> list[float]:
    """The less disturbed of two calms: the one whose percentile is lower."""
    return min(one, another, key=lambda took: measure.percentile(took, share))


def _rests(stage: Stage) -> bool:
    return stage.open_steps() == 0 and not stage.one("SELECT count(*) FROM events WHERE state = 'accepted'")


def slow_neighbour(stage: Stage, queued: int = 10_000) -> dict[str, Any]:
    """One account takes 30 seconds a call and has so many steps waiting: what does another account's order feel of it?"""
    alone = _Trickle(stage, "shop", "/erp/v1/bookings")
    alone.run(60, 0.3)
    stage.clear_sink(30.0, "/letters")
    with stage.rows() as connection:
        filling.waiting(connection, queued, "letters", 0, f"n{random.randrange(10**6)}-")  # noqa: S311
    time.sleep(5)  # the sweep finds them and the slots fill
    beside = _Trickle(stage, "shop", "/erp/v1/bookings", clear=False)
    beside.run(60, 0.3)
    return {
        "neighbour_p95_over_ms": _over(beside.took, alone.took, 0.95),
        "neighbour_p95_ratio": round(measure.percentile(beside.took, 0.95) / measure.percentile(alone.took, 0.95), 2),
    }


class _Trickle:
    """One order after the other at an account; how long each took from its webhook to its first call at `path`."""

    def __init__(self, stage: Stage, account: str, path: str, clear: bool = True) -> None:
        self._stage, self._account, self._path = stage, account, path
        self.took: list[float] = []
        if clear:
            stage.clear_sink()

    def run(self, orders: int, pause: float) -> None:
        for name in names(orders):
            self.took.append(self._one(name))
            time.sleep(pause)

    def _one(self, name: str) -> float:
        read, _ = self._stage.new_calls(0, self._path)
        began = time.monotonic()
        came: list[float] = []
        load.closed(self._stage.web_port, [load.delivery(name, self._account)], 1)
        while not came:
            read, came = self._stage.new_calls(read, self._path)
            if time.monotonic() - began > 300:
                raise TimeoutError(f"{name} did not reach {self._path} in five minutes")
            time.sleep(0.05)
        return came[0] - began


def _over(there: list[float], here: list[float], share: float) -> float:
    return round(1000 * (measure.percentile(there, share) - measure.percentile(here, share)), 1)


def _memory(stage: Stage) -> tuple[int, int]:
    """Bytes of the largest worker, and of what Redis holds."""
    workers = max(measure.resident(stage.processes.pid(name)) for name in stage.workers)
    told: Any = stage.broker().info("memory")
    return workers, int(told["used_memory"])
