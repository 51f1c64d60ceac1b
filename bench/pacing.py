"""Pacing and idling: how much of what an account allows is used, whether it is ever exceeded, and how long one order takes alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from bench import load, measure
from bench.orders import names
from bench.stage import Stage, until

# As a careful manifest states them: a little less than the vendor counts at its own door, for the way there.
LIMITS = {
    "bucket": '{ all = { kind = "bucket", rate = 1.96, burst = 39 }, creates = { rate = 1000, burst = 1000 }, at_once = { burst = 64 } }',
    "window": '{ all = { kind = "window", burst = 60, seconds = 60.15 }, creates = { rate = 1000, burst = 1000 }, at_once = { burst = 64 } }',
    "points": '{ all = { kind = "points", rate = 4.9, burst = 49 }, creates = { rate = 1000, burst = 1000 }, at_once = { burst = 64 } }',
}


@dataclass(frozen=True, slots=True)
class Vendor:
    """What a vendor counts at its own door."""

    allowed: Callable[[float], float]
    over: Callable[[list[float]], int]
    burst: int


VENDORS = {
    "bucket": Vendor(lambda seconds: 40 + 2 * seconds, lambda at: measure.over_bucket(at, 2, 40), 39),
    "window": Vendor(lambda seconds: 60 * (1 + seconds // 60), lambda at: measure.over_window(at, 60, 60), 60),
    "points": Vendor(lambda seconds: 50 + 5 * seconds, lambda at: measure.over_bucket(at, 5, 50), 49),
}


def paced(stage: Stage, seconds: float = 62.0) -> dict[str, object]:
    """2/s with a burst of 40; 60 in any minute; 5 points/s with a burst of 50: each with a backlog of 440 calls, all at once."""
    stage.clear_sink()
    for account in VENDORS:
        stage.deliver(names(110), account=account)
    until(lambda: stage.seen() >= 3, 120)
    time.sleep(seconds + 1)
    seen: dict[str, list[float]] = {account: [] for account in VENDORS}
    for at, path in stage.every_call():
        seen.setdefault(path.split("/")[1], []).append(at)
    told = {name: _told(vendor, sorted(seen[name]), seconds) for name, vendor in VENDORS.items()}
    return {
        "pace_used": min(one["used"] for one in told.values()),
        "pace_windows_over": sum(int(one["over"]) for one in told.values()),
        "pace_burst_seconds": max(one["burst_seconds"] for one in told.values()),
        **{f"pace_{name}": one for name, one in told.items()},
    }


def _told(vendor: Vendor, arrivals: list[float], seconds: float) -> dict[str, float]:
    inside = [at for at in arrivals if at - arrivals[0] <= seconds]
    burst = inside[min(vendor.burst, len(inside)) - 1] - inside[0]
    return {
        "calls": len(inside),
        "used": round(len(inside) / vendor.allowed(seconds), 3),
        "over": vendor.over(arrivals),
        "burst_seconds": round(burst, 2),
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
