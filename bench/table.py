"""What must be reached: each figure with its name in var/bench.json, its target and whether it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `holds` judges the figure."""

    name: str
    what: str
    target: str
    holds: Callable[[float], bool]


BENCH = (
    Row("intake", "intake, acks/s as a multiple of the receiver's floor", ">= 0.8", lambda x: x >= 0.8),
    Row(
        "intake_p99", "its p99 as a multiple of the floor's, at 70 % of the floor's capacity", "<= 2", lambda x: x <= 2
    ),
    Row(
        "orders_floor",
        "orders/s (four outer steps) as a multiple of the step floor",
        ">= 0.5, aim 0.7",
        lambda x: x >= 0.5,
    ),
    Row("orders_celery", "orders/s as a multiple of the usual Celery chain", ">= 1, aim 1.8", lambda x: x >= 1),
    Row(
        "orders_halfway",
        "share of the orders that have ended at half-time (one by one: 0.5)",
        ">= 0.35",
        lambda x: x >= 0.35,
    ),
    Row("api_50ms", "calls/s at 50 ms a call, as a share of concurrency / latency", ">= 0.85", lambda x: x >= 0.85),
    Row(
        "pace_used", "paced accounts: the least share of what is allowed that was used", ">= 0.95", lambda x: x >= 0.95
    ),
    Row("pace_windows_over", "paced accounts: windows above the limit, counted at the vendor", "0", lambda x: x == 0),
    Row("pace_burst_seconds", "paced accounts: seconds until a burst that fits has left", "<= 4", lambda x: x <= 4),
    Row(
        "idle_p50_over_ms",
        "idle: webhook to ERP booked, p50 in ms over the API's own time",
        "<= 100",
        lambda x: x <= 100,
    ),
    Row(
        "availability",
        "availability of 20 SKUs, answers/s as a multiple of the bare query's",
        ">= 0.5",
        lambda x: x >= 0.5,
    ),
    Row("availability_p99", "its p99 as a multiple of the bare query's", "<= 2", lambda x: x <= 2),
    Row("reservations", "reservations/s as a multiple of the bare locked update's", ">= 0.5", lambda x: x >= 0.5),
    Row("oversold", "pieces sold beyond what was there, in a flash sale", "0", lambda x: x == 0),
)


def judged(rows: tuple[Row, ...], figures: Mapping[str, Any]) -> list[tuple[Row, object, str]]:
    """Row, figure, and "holds", "misses" or "not measured"."""
    return [(row, figures.get(row.name), _verdict(row, figures.get(row.name))) for row in rows]


def _verdict(row: Row, figure: Any) -> str:
    if not isinstance(figure, int | float):
        return "not measured"
    return "holds" if row.holds(figure) else "MISSES"


def markdown(rows: tuple[Row, ...], figures: Mapping[str, Any]) -> str:
    lines = [
        f"| `{row.name}` | {row.what} | {figure} | {row.target} | {verdict} |"
        for row, figure, verdict in judged(rows, figures)
    ]
    return "\n".join(["| name | what | measured | must reach | |", "|---|---|---|---|---|", *lines])
