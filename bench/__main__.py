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
# ../shared/ground.md: the hand-written floors and the usual chain, on the machine whose receiver without a database answered 5,150 a second.
BARE, GROUND = 5150, {"receiver": 1244, "steps": 248, "chain": 93}


def orders_a_second(made: Stage, rounds: int = 5, many: int = 300) -> dict[str, Any]:
    """Ours, floor (ii) and floor (iii) in turn."""
    orders.start_chain(made)
    bare = intake.start_bare(made)
    orders.ours(made, 60)
    floors, chains, ours, bares = [], [], [], []
    for _ in range(rounds):
        made.freeze(*made.hub)
        bares.append(intake.capacity(bare, 1500).rate)
        floors.append(orders.steps_floor(made, many))
        chains.append(orders.chain_floor(made, many))
        made.thaw(*made.hub)
        ours.append(orders.ours(made, many))
    for name in ("chain", "bare"):
        made.processes.kill(name)
    return {
        "steps_of_bare": round(median(a.rate / b for a, b in zip(floors, bares, strict=True)), 4),
        "chain_of_bare": round(median(a.rate / b for a, b in zip(chains, bares, strict=True)), 4),
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


def at_50_ms(made: Stage, rounds: int = 5, many: int = 250) -> dict[str, Any]:
    """Calls a second as a share of what so many slots could make if nothing but the API took time."""
    rates = [orders.ours(made, many, delay=0.05).rate * 4 for _ in range(rounds)]
    return {"api_50ms": round(median(rates) / (SLOTS / 0.05), 3), "api_50ms_calls_per_second": round(median(rates), 1)}


def floors_hold(figures: dict[str, Any]) -> dict[str, Any]:
    """Each floor as a share of its figure in ground.md; the receiver without a database, asked right beside it, says what the machine's speed was.
    `floors_least`: the least of all three."""
    found = {name: figures.get(f"{name}_of_bare") for name in GROUND}
    shares = {name: round(share * BARE / GROUND[name], 2) for name, share in found.items() if share is not None}
    least = {"floors_least": min(shares.values())} if len(shares) == len(GROUND) else {"floors_least": None}
    return {"floors_of_ground": shares, **least}


def beside(figures: dict[str, Any]) -> str:
    """What stands under the table: each floor's share of ground.md, and the sink's processor time for an order."""
    shares = ", ".join(f"{name} {share}" for name, share in figures.get("floors_of_ground", {}).items())
    sink = ", ".join(f"{name} {ms}" for name, ms in figures.get("sink_cpu_ms", {}).items())
    return f"`floors_of_ground`: {shares or 'not measured'}. `sink_cpu_ms`, an order: {sink or 'not measured'}."


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
    asked = [*wanted, *(["floors"] if {"intake", "orders"} & set(wanted) else [])]
    told = table.markdown(table.BENCH, figures, table.stay(table.BENCH, asked, page.between("bench")))
    told += f"\n\n{beside(figures)}"
    page.put("bench", f"`make bench`: {figures['machine']}.\n\n{told}")
    print(f"\n{told}")
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
