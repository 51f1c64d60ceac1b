"""Intake: deliveries acknowledged a second and how long each took, beside the least that a receiver can do."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import psycopg

from bench import load, measure
from bench.floors import steps
from bench.orders import names
from bench.stage import Stage
from local.ports import pick, wait_open

SERVER = "exec gunicorn --worker-class gthread --workers 2 --threads 8 --bind 127.0.0.1:{port} 'bench.floors.receiver:create_app()'"


@dataclass(frozen=True, slots=True)
class Receivers:
    """Ports of the hub's receivers, the floor's, and the floor's without a database."""

    ours: int
    floor: int
    bare: int


def start(stage: Stage) -> Receivers:
    """The floor's receivers, with and without a database."""
    with psycopg.connect(stage.database, autocommit=True) as connection:
        connection.execute(steps.SCHEMA.encode())
    ports = pick(), pick()
    stage.processes.start("receiver", SERVER.format(port=ports[0]))
    stage.processes.start("bare", f"export FLOOR_DATABASE=0; {SERVER.format(port=ports[1])}")
    for port in ports:
        if not wait_open(port, 120):
            raise TimeoutError("the floor's receiver does not answer")
    return Receivers(stage.web_port, *ports)


def capacity(port: int, deliveries: int) -> load.Told:
    """As fast as they are answered, sixteen at a time. Raises AssertionError when one was not acknowledged."""
    told = load.closed(port, [load.delivery(name) for name in names(deliveries)])
    assert set(told.statuses) == {200}, told.statuses
    return told


def at_rate(port: int, rate: float, seconds: float) -> load.Told:
    """Open loop: so many a second by the clock."""
    return load.by_the_clock(port, [load.delivery(name) for name in names(int(rate * seconds))], rate)


def measured(stage: Stage, pairs: int = 5, deliveries: int = 1500, seconds: float = 6.0) -> dict[str, object]:
    """The row. The workers stand still meanwhile on both sides: only receivers, database and broker are asked."""
    ports = start(stage)
    stage.freeze(*stage.workers, "beat")
    capacity(ports.ours, 200), capacity(ports.floor, 200)
    bare = median(capacity(ports.bare, deliveries).rate for _ in range(3))
    runs = [
        measure.Pair(floor=capacity(ports.floor, deliveries).rate, ours=capacity(ports.ours, deliveries).rate)
        for _ in range(pairs)
    ]
    rate = 0.7 * median(pair.floor for pair in runs)
    late = [
        measure.Pair(floor=_p99(ports.floor, rate, seconds), ours=_p99(ports.ours, rate, seconds)) for _ in range(3)
    ]
    for name in ("receiver", "bare"):
        stage.processes.kill(name)
    stage.forget()
    stage.thaw(*stage.workers, "beat")
    return {
        "intake": round(measure.ratio(runs), 3),
        "intake_p99": round(measure.ratio(late), 3),
        "intake_per_second": round(median(pair.ours for pair in runs)),
        "floor_intake_per_second": round(median(pair.floor for pair in runs)),
        "bare_per_second": round(bare),
        "intake_p99_ms": round(1000 * median(pair.ours for pair in late), 1),
        "floor_intake_p99_ms": round(1000 * median(pair.floor for pair in late), 1),
        "intake_offered_per_second": round(rate),
    }


def _p99(port: int, rate: float, seconds: float) -> float:
    return measure.percentile(at_rate(port, rate, seconds).took, 0.99)
