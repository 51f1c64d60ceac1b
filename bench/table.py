"""What must be reached: each figure with its name in var/bench.json, its target and whether it holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `holds` judges the figure that the measurement `by` takes.

    `ratio` names a figure that says the same as a multiple of the calm: at 1.25 it holds as well, and under CALM the calm was none.
    """

    name: str
    what: str
    target: str
    holds: Callable[[float], bool]
    by: str
    ratio: str = ""


CALM = 0.8


BENCH = (
    Row("intake", "intake, acks/s as a multiple of the receiver's floor", ">= 0.8", lambda x: x >= 0.8, "intake"),
    Row(
        "intake_p99",
        "its p99 as a multiple of the floor's, at 70 % of the floor's capacity",
        "<= 2",
        lambda x: x <= 2,
        "intake",
    ),
    Row(
        "intake_ringing",
        "acks/s while the door must ring for each delivery, too, as the floor does",
        ">= 0.8",
        lambda x: x >= 0.8,
        "intake",
    ),
    Row(
        "orders_floor",
        "orders/s (four outer steps) as a multiple of the step floor",
        ">= 0.5, aim 0.7",
        lambda x: x >= 0.5,
        "orders",
    ),
    Row(
        "floors_least",
        "the slowest of the three floors, as a share of what it reached when first tried, on a machine as fast",
        ">= 0.8",
        lambda x: x >= 0.8,
        "floors",
    ),
    Row(
        "orders_celery", "orders/s as a multiple of the usual Celery chain", ">= 1, aim 1.8", lambda x: x >= 1, "orders"
    ),
    Row(
        "orders_halfway",
        "share of the orders that have ended at half-time (one by one: 0.5)",
        ">= 0.35",
        lambda x: x >= 0.35,
        "orders",
    ),
    Row(
        "api_50ms",
        "calls/s at 50 ms a call, as a share of concurrency / latency",
        ">= 0.85",
        lambda x: x >= 0.85,
        "50 ms",
    ),
    Row(
        "pace_used",
        "paced accounts: the least share of what is allowed that was used",
        ">= 0.95",
        lambda x: x >= 0.95,
        "paced",
    ),
    Row(
        "pace_windows_over",
        "paced accounts: windows above the limit, counted at the vendor",
        "0",
        lambda x: x == 0,
        "paced",
    ),
    Row(
        "pace_burst_seconds",
        "paced accounts: seconds until a burst that fits has left",
        "<= 4",
        lambda x: x <= 4,
        "paced",
    ),
    Row(
        "idle_p50_over_ms",
        "idle: webhook to ERP booked, p50 in ms over the API's own time",
        "<= 100",
        lambda x: x <= 100,
        "idle",
    ),
    Row(
        "availability",
        "availability of 20 SKUs, answers/s as a multiple of the bare query's",
        ">= 0.5",
        lambda x: x >= 0.5,
        "stock",
    ),
    Row("availability_p99", "its p99 as a multiple of the bare query's", "<= 2", lambda x: x <= 2, "stock"),
    Row(
        "reservations",
        "reservations/s as a multiple of the bare locked update's",
        ">= 0.5",
        lambda x: x >= 0.5,
        "stock",
    ),
    Row("oversold", "pieces sold beyond what was there, in a flash sale", "0", lambda x: x == 0, "stock"),
)


def judged(rows: tuple[Row, ...], figures: Mapping[str, Any]) -> list[tuple[Row, object, str]]:
    """Row, figure, and "holds", "MISSES", "calm disturbed" or "not measured"."""
    return [(row, figures.get(row.name), _verdict(row, figures)) for row in rows]


def _verdict(row: Row, figures: Mapping[str, Any]) -> str:
    figure, ratio = figures.get(row.name), figures.get(row.ratio)
    if not isinstance(figure, int | float):
        return "not measured"
    if ratio is not None and ratio < CALM:
        return "calm disturbed"
    return "holds" if row.holds(figure) or (ratio is not None and ratio <= 1.25) else "MISSES"


HEAD = "| name | what | measured | must reach | | day (UTC), load before and after |"


def markdown(rows: tuple[Row, ...], figures: Mapping[str, Any], old: Mapping[str, str] | None = None) -> str:
    """The table. `old`: lines, by name, of rows that were not measured this time and stay as they are."""
    ran, kept = figures.get("ran", {}), old or {}
    lines = [
        kept.get(row.name)
        or f"| `{row.name}` | {row.what} | {figure} | {row.target} | {verdict} | {ran.get(row.by, '')} |"
        for row, figure, verdict in judged(rows, figures)
    ]
    return "\n".join([HEAD, "|---|---|---|---|---|---|", *lines])


def stay(rows: tuple[Row, ...], measured: Collection[str], text: str) -> dict[str, str]:
    """The lines of an earlier table in `text`, by name, of rows whose measurement is not among `measured`."""
    lines = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `") and line.count("|") == 7}
    wanted = (row.name for row in rows if row.by not in measured)
    return {name: lines[name] for name in wanted if name in lines and "not measured" not in lines[name]}
