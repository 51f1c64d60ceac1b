"""`make bench`: the hub beside its floors, some minutes; leaves var/bench.json and the table in docs/performance.md."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench import intake, kept, measure, orders, pacing, page, stock, table
from bench.stage import SLOTS, Stage, stage

FIGURES = Path("var/bench.json")
# ../shared/ground.md: what each floor reached on the machine whose bare receiver (no database) answered so many a second.
GROUND = {"bare": 5150, "receiver": 826, "steps": 248, "chain": 93}


def orders_a_second(made: Stage, rounds: int = 5, many: int = 300) -> dict[str, Any]:
    """Ours, floor (ii) and floor (iii) in turn."""
    orders.start_chain(made)
    orders.ours(made, 60)
    floors, chains, ours = [], [], []
    for _ in range(rounds):
        made.freeze(*made.hub)
        floors.append(orders.steps_floor(made, many))
        chains.append(orders.chain_floor(made, many))
        made.thaw(*made.hub)
        ours.append(orders.ours(made, many))
    made.processes.kill("chain")
    return {
        "orders_floor": round(measure.ratio(_pairs(ours, floors)), 3),
        "orders_celery": round(measure.ratio(_pairs(ours, chains)), 3),
        "orders_per_second": round(median(one.rate for one in ours), 1),
        "floor_orders_per_second": round(median(one.rate for one in floors), 1),
        "celery_orders_per_second": round(median(one.rate for one in chains), 1),
        "orders_halfway": round(median(one.halfway for one in ours), 2),
        "celery_halfway": round(median(one.halfway for one in chains), 2),
        "order_cpu_ms": {
            who: {name: round(1000 * median(one.cpu[name] for one in ran) / many, 2) for name in ran[0].cpu}
            for who, ran in (("ours", ours), ("steps", floors), ("chain", chains))
        },
        "sink_cpu_ms": {
            name: round(1000 * median(one.sink_cpu for one in ran) / many, 2)
            for name, ran in (("ours", ours), ("steps", floors), ("chain", chains))
        },
    }


def _pairs(ours: list[orders.Drained], floors: list[orders.Drained]) -> list[measure.Pair]:
    return [measure.Pair(ours=a.rate, floor=b.rate) for a, b in zip(ours, floors, strict=True)]


def at_50_ms(made: Stage, rounds: int = 3, many: int = 250) -> dict[str, Any]:
    """Calls a second as a share of what so many slots could make if nothing but the API took time."""
    rates = [orders.ours(made, many, delay=0.05).rate * 4 for _ in range(rounds)]
    return {"api_50ms": round(median(rates) / (SLOTS / 0.05), 3), "api_50ms_calls_per_second": round(median(rates), 1)}


def floors_hold(figures: dict[str, Any]) -> dict[str, Any]:
    """Each floor as a share of its figure in ground.md, scaled to this machine by the receiver without a database. Under 0.8 a floor is no floor."""
    if "bare_per_second" not in figures:
        return {}
    scale = figures["bare_per_second"] / GROUND["bare"]
    named = {
        "receiver": "floor_intake_per_second",
        "steps": "floor_orders_per_second",
        "chain": "celery_orders_per_second",
    }
    shares = {name: round(figures[key] / (GROUND[name] * scale), 2) for name, key in named.items() if key in figures}
    return {"floors_of_ground": shares, "machine_of_ground": round(scale, 3)}


ROWS: dict[str, Callable[[Stage], dict[str, Any]]] = {
    "idle": pacing.idle,
    "intake": intake.measured,
    "orders": orders_a_second,
    "50 ms": at_50_ms,
    "paced": pacing.paced,
}
ALONE: dict[str, Callable[[], dict[str, Any]]] = {"stock": stock.apart}  # with servers of its own


def main(chosen: list[str]) -> int:
    """Measures each row; one that breaks is named and the others go on. 0 only when every row was measured and holds."""
    figures = kept.read(FIGURES)
    wanted = chosen or [*ROWS, *ALONE]
    if any(name in ROWS for name in wanted):
        with stage(limits=pacing.LIMITS) as made:
            for name in (one for one in wanted if one in ROWS):
                kept.measure(figures, name, table.BENCH, _whole(name, partial(ROWS[name], made)), FIGURES)
    for name in (one for one in wanted if one in ALONE):
        kept.measure(figures, name, table.BENCH, _whole(name, ALONE[name]), FIGURES)
    figures.update(floors_hold(figures), machine=page.machine())
    kept.write(FIGURES, figures)
    told = table.markdown(table.BENCH, figures, table.stay(table.BENCH, wanted, page.between("bench")))
    page.put("bench", f"`make bench`: {figures['machine']}.\n\n{told}")
    print(f"\n{told}\n\nfloors as shares of ground.md, scaled to this machine: {figures.get('floors_of_ground')}")
    return 0 if all(verdict == "holds" for _, _, verdict in table.judged(table.BENCH, figures)) else 1


def _whole(name: str, row: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    def run() -> dict[str, Any]:
        try:
            return row()
        except Exception as error:  # noqa: BLE001 - a row that cannot be measured must not cost the others
            traceback.print_exc()
            return {f"{name}_broke": repr(error)}

    return run


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
