"""Pacing and idling: how much of what an account allows is used, whether it is ever exceeded, and how long one order takes alone."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench import load, measure
from bench.flow import DEARER
from bench.orders import names
from bench.stage import Stage, until

# As a careful manifest states them: a little less than the vendor counts at its own door, for the way there.
LIMITS = {
    "bucket": '{ all = { kind = "bucket", rate = 1.96, burst = 39 }, creates = { rate = 1000, burst = 1000 }, at_once = { burst = 64 } }',
    "window": '{ all = { kind = "window", burst = 60, seconds = 60.15 }, creates = { rate = 1000, burst = 1000 }, at_once = { burst = 64 } }',
    "points": '{ all = { kind = "points", rate = 4.9, burst = 49 }, creates = { rate = 1000, burst = 1000 }, at_once = { burst = 64 } }',
}


Calls = Sequence[tuple[float, float]]  # when each came, and what it costs there


@dataclass(frozen=True, slots=True)
class Vendor:
    """What a vendor counts at its own door. `prices`: what a call costs, by the end of its path, where it costs more than one."""

    allowed: Callable[[float], float]
    over: Callable[[Calls], int]
    burst: int
    prices: Mapping[str, float] = field(default_factory=dict)

    def price(self, path: str) -> float:
        return self.prices.get(path.rpartition("/")[2], 1)


VENDORS = {
    "bucket": Vendor(lambda seconds: 40 + 2 * seconds, lambda calls: measure.over_bucket(calls, 2, 40), 39),
    "window": Vendor(
        lambda seconds: 60 * (1 + seconds // 60), lambda calls: measure.over_window([at for at, _ in calls], 60, 60), 60
    ),
    "points": Vendor(lambda seconds: 50 + 5 * seconds, lambda calls: measure.over_bucket(calls, 5, 50), 49, DEARER),
}


def paced(stage: Stage, seconds: float = 62.0) -> dict[str, object]:
    """2/s with a burst of 40; 60 in any minute; 5 points/s with a burst of 50, where one call of four costs seven points (bench/flow.py):
    each with a backlog of 440 calls, all at once."""
    stage.clear_sink()
    for account in VENDORS:
        stage.deliver(names(110), account=account)
    until(lambda: stage.seen() >= 3, 120)
    time.sleep(seconds + 1)
    seen: dict[str, list[tuple[float, float]]] = {account: [] for account in VENDORS}
    for at, path in stage.every_call():
        account = path.split("/")[1]
        if account in VENDORS:
            seen[account].append((at, VENDORS[account].price(path)))
    told = {name: _told(vendor, sorted(seen[name]), seconds) for name, vendor in VENDORS.items()}
    return {
        "pace_used": min(one["used"] for one in told.values()),
        "pace_windows_over": sum(int(one["over"]) for one in told.values()),
        "pace_burst_seconds": max(one["burst_seconds"] for one in told.values()),
        **{f"pace_{name}": one for name, one in told.items()},
    }


def _told(vendor: Vendor, calls: Calls, seconds: float) -> dict[str, float]:
    began = calls[0][0]
    inside = [(at, price) for at, price in calls if at - began <= seconds]
    spent = list(itertools.accumulate(price for _, price in inside))
    fits = [at for (at, _), so_far in zip(inside, spent, strict=True) if so_far <= vendor.burst]
    return {
        "calls": len(inside),
        "dearer": sum(price > 1 for _, price in inside),
        "used": round(spent[-1] / vendor.allowed(seconds), 3),
        "over": vendor.over(calls),
        "burst_seconds": round(fits[-1] - began, 2),
    }


def idle(stage: Stage, orders: int = 40) -> dict[str, object]:
    """One order after the other: from the moment its webhook is sent to the booking's arrival at the ERP, which answers at once."""
    took = [_alone(stage, name) for name in names(orders + 5)][5:]  # the first ones fetch tokens and load code
    return {
        "idle_p50_over_ms": round(1000 * measure.percentile(took, 0.5), 1),
        "idle_p95_over_ms": round(1000 * measure.percentile(took, 0.95), 1),
    }


def _alone(stage: Stage, name: str) -> float:
    stage.clear_sink()
    began = time.monotonic()
    load.closed(stage.web_port, [load.delivery(name)], 1)
    until(lambda: stage.seen() >= 4, 120, 0.02)
    time.sleep(0.05)
    return min(at for at, path in stage.calls() if path.startswith("/erp")) - began
