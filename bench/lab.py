"""`make lab-load`: the longer scenarios, each on a stage of its own; what was measured before is kept until it is asked for by name.

`make lab-load SCENARIOS="flash growth"` measures those again; without names, what var/lab-load.json does not hold yet.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from bench import kept, page, table
from bench.kept import Figures
from bench.scenarios import masses, rabbit, rush
from bench.stage import Stage, stage
from bench.table import Row

FIGURES = Path("var/lab-load.json")


def staged(scenario: Callable[[Stage], Figures], limits: Mapping[str, str] | None = None) -> Callable[[], Figures]:
    def run() -> Figures:
        with stage(limits=dict(limits or {})) as made:
            return scenario(made)

    return run


SCENARIOS: dict[str, Callable[[], Figures]] = {
    "overload": staged(rush.overload),
    "flash": staged(rush.flash_sale, rush.FLASH),
    "neighbour": staged(rush.slow_neighbour),
    "waiting": staged(masses.waiting),
    "cancel": staged(masses.cancelled),
    "growth": staged(masses.growth),
    "rabbitmq": rabbit.whole_story,
}
ROWS = (
    Row(
        "overload_lost",
        "5 minutes at 2x overload: acknowledged and not in the journal",
        "0",
        lambda x: x == 0,
        "overload",
    ),
    Row(
        "overload_other_answers", "... answers that are neither success nor 429/503", "0", lambda x: x == 0, "overload"
    ),
    Row("overload_without_retry_after", "... 429/503 without Retry-After", "0", lambda x: x == 0, "overload"),
    Row(
        "flash_p99_over_ms",
        "flash sale, 6,000 orders in 60 s: intake p99, ms over the calm",
        "<= 50 (or 1.25x)",
        lambda x: x <= 50,
        "flash",
        "flash_p99_ratio",
    ),
    Row("flash_worker_mb", "... memory of the largest worker, MB more", "<= 50", lambda x: x <= 50, "flash"),
    Row("flash_redis_mb", "... memory of Redis, MB more", "<= 50", lambda x: x <= 50, "flash"),
    Row(
        "flash_others_over_ms",
        "... orders of another route, p95, ms over the calm",
        "<= 50 (or 1.25x)",
        lambda x: x <= 50,
        "flash",
        "flash_others_ratio",
    ),
    Row("flash_forecast_off", "... the drain forecast's error", "<= 0.1", lambda x: x <= 0.1, "flash"),
    Row(
        "neighbour_p95_over_ms",
        "slow neighbour (30 s a call, 10,000 queued): others' p95, ms over alone",
        "<= 50 (or 1.25x)",
        lambda x: x <= 50,
        "neighbour",
        "neighbour_p95_ratio",
    ),
    Row(
        "waiting_worker_mb",
        "100,000 steps waiting: memory of the largest worker, MB more",
        "<= 50",
        lambda x: x <= 50,
        "waiting",
    ),
    Row("waiting_redis_mb", "... memory of Redis, MB more", "<= 20", lambda x: x <= 20, "waiting"),
    Row("cancel_seconds", "1,000,000 queued steps cancelled by a filter, seconds", "< 60", lambda x: x < 60, "cancel"),
    Row("cancel_missed", "... of which the filter missed", "0", lambda x: x == 0, "cancel"),
    Row(
        "growth_order_cost",
        "1,000,000 orders, 10,000,000 attempts: cost of an order, times that at 10,000",
        "<= 1.5",
        lambda x: x <= 1.5,
        "growth",
    ),
    Row(
        "growth_pages",
        "... the page that slowed down most, times its p95 at 10,000 (under 10 ms counts as 10)",
        "<= 1.5",
        lambda x: x <= 1.5,
        "growth",
    ),
    Row("growth_p95_ms", "... the slowest page's p95, ms", "<= 100", lambda x: x <= 100, "growth"),
    Row(
        "retention_not_taken", "... deliveries not taken while partitions were dropped", "0", lambda x: x == 0, "growth"
    ),
    Row("retention_intake_max_ms", "... the slowest delivery meanwhile, ms", "<= 1000", lambda x: x <= 1000, "growth"),
    Row("migration_not_taken", "... deliveries not taken during a migration", "0", lambda x: x == 0, "growth"),
    Row("migration_intake_max_ms", "... the slowest delivery meanwhile, ms", "<= 1000", lambda x: x <= 1000, "growth"),
    Row(
        "rabbitmq_story",
        "the whole story on RabbitMQ: exit code (0: every event accounted for)",
        "0",
        lambda x: x == 0,
        "rabbitmq",
    ),
)


def main(chosen: list[str]) -> int:
    """0 only when every row was measured and holds. A scenario that breaks is named, and the others go on."""
    figures = kept.read(FIGURES)
    ran: dict[str, str] = figures.setdefault("ran", {})
    wanted = chosen or [name for name in SCENARIOS if name not in ran]
    for name in wanted:
        kept.measure(figures, name, ROWS, partial(_apart, name), FIGURES)
    told = table.markdown(ROWS, figures, table.stay(ROWS, wanted, page.between("lab-load")))
    skipped = f"`rabbitmq` skipped: {figures['rabbitmq_skipped']}" if "rabbitmq_skipped" in figures else ""
    page.put("lab-load", f"{page.machine()}.\n\n{told}" + (f"\n\n{skipped}" if skipped else ""))
    print(f"\n{told}\n{skipped}")
    return 0 if all(verdict == "holds" for _, _, verdict in table.judged(ROWS, figures)) else 1


def _apart(name: str) -> Figures:
    """A scenario in a process of its own: this one's engine would belong to the servers of the scenario before."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as told:
        subprocess.run([sys.executable, "-m", "bench.lab", ONE, name, told.name], check=False)
        said = told.read()
    return dict(json.loads(said)) if said else {f"{name}_broke": "it ended without a word"}


ONE = "--one"


def _measured(name: str) -> Figures:
    try:
        return SCENARIOS[name]()
    except rabbit.Cannot as reason:
        return {f"{name}_skipped": str(reason)}
    except Exception as error:  # noqa: BLE001 - a scenario that breaks must not cost the others
        traceback.print_exc()
        return {f"{name}_broke": repr(error)}


if __name__ == "__main__":
    if sys.argv[1:2] == [ONE]:
        Path(sys.argv[3]).write_text(json.dumps(_measured(sys.argv[2])))
        sys.exit(0)
    sys.exit(main(sys.argv[1:]))
