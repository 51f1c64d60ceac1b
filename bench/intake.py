"""Intake: deliveries acknowledged a second and how long each took, beside the least that a receiver can do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from statistics import median

import psycopg
import redis

from app.bell import INTAKE
from bench import load, measure
from bench.emptied import UNHEARD, taken
from bench.floors import steps
from bench.orders import names
from bench.stage import Stage, until
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
    port = pick()
    stage.processes.start("receiver", SERVER.format(port=port))
    bare = start_bare(stage)
    if not wait_open(port, 120):
        raise TimeoutError("the floor's receiver does not answer")
    return Receivers(stage.web_port, port, bare)


def start_bare(stage: Stage) -> int:
    """The floor's receiver without a database and without a bell: how fast the machine is just now. Its port."""
    port = pick()
    stage.processes.start("bare", f"export FLOOR_DATABASE=0; {SERVER.format(port=port)}")
    if not wait_open(port, 120):
        raise TimeoutError("the receiver without a database does not answer")
    capacity(port, 200)
    return port


def rings(stage: Stage) -> tuple[int, int]:
    """How often ours and the floor have rung."""
    return taken(stage.broker(), INTAKE), taken(redis.Redis.from_url(os.environ["FLOOR_BROKER"]), UNHEARD)


def capacity(port: int, deliveries: int) -> load.Told:
    """As fast as they are answered, sixteen at a time. Raises AssertionError when one was not acknowledged."""
    told = load.closed(port, [load.delivery(name) for name in names(deliveries)])
    assert set(told.statuses) == {200}, told.statuses
    return told


def at_rate(port: int, rate: float, seconds: float) -> load.Told:
    """Open loop: so many a second by the clock."""
    return load.by_the_clock(port, [load.delivery(name) for name in names(int(rate * seconds))], rate)


def measured(stage: Stage, pairs: int = 5, deliveries: int = 1500, seconds: float = 6.0) -> dict[str, object]:
    """The row. The workers stand still meanwhile on both sides: only receivers, database and broker are asked.

    `intake`: as the hub does it, whose door is silent while sixteen rings wait, as under a load above what readers take; the floor rings for each.
    `intake_ringing`: the queues are emptied all the while, so ours rings for each delivery, too.
    """
    ports = start(stage)
    stage.freeze(*stage.workers, "beat")
    capacity(ports.ours, 200), capacity(ports.floor, 200)
    runs, of_bare = [], []
    for _ in range(pairs):
        bare = capacity(ports.bare, deliveries).rate
        floor, ours = capacity(ports.floor, deliveries).rate, capacity(ports.ours, deliveries).rate
        runs.append(measure.Pair(ours=ours, floor=floor))
        of_bare.append(measure.Pair(ours=floor, floor=bare))
    rate = 0.7 * median(pair.floor for pair in runs)
    late = [
        measure.Pair(floor=_p99(ports.floor, rate, seconds), ours=_p99(ports.ours, rate, seconds)) for _ in range(3)
    ]
    ringing, rung = _ringing(stage, ports, 3, deliveries)
    for name in ("receiver", "bare", "emptied"):
        stage.processes.kill(name)
    stage.forget()
    stage.thaw(*stage.workers, "beat")
    return {
        "intake": round(measure.ratio(runs), 3),
        "intake_p99": round(measure.ratio(late), 3),
        "intake_ringing": round(measure.ratio(ringing), 3),
        "intake_per_second": round(median(pair.ours for pair in runs)),
        "floor_intake_per_second": round(median(pair.floor for pair in runs)),
        "bare_per_second": round(median(pair.floor for pair in of_bare)),
        "receiver_of_bare": round(measure.ratio(of_bare), 4),
        "intake_rings_each": rung[0],
        "floor_rings_each": rung[1],
        "intake_p99_ms": round(1000 * median(pair.ours for pair in late), 1),
        "floor_intake_p99_ms": round(1000 * median(pair.floor for pair in late), 1),
        "intake_offered_per_second": round(rate),
    }


def _ringing(stage: Stage, ports: Receivers, pairs: int, deliveries: int) -> tuple[list[measure.Pair], list[float]]:
    """Pairs while both ring for each delivery, and how often each of them rang for one."""
    stage.processes.start("emptied", f"exec python -m bench.emptied REDIS_URL {INTAKE} FLOOR_BROKER {UNHEARD}")
    until(lambda: not stage.broker().llen(INTAKE), 60)
    before, runs = rings(stage), []
    for _ in range(pairs):
        floor, ours = capacity(ports.floor, deliveries).rate, capacity(ports.ours, deliveries).rate
        runs.append(measure.Pair(ours=ours, floor=floor))
    rung = [round((now - then) / (pairs * deliveries), 2) for now, then in zip(rings(stage), before, strict=True)]
    return runs, rung


def _p99(port: int, rate: float, seconds: float) -> float:
    return measure.percentile(at_rate(port, rate, seconds).took, 0.99)
