"""Orders a second: four outer steps each, drained from a backlog, beside the hand-written journal and the usual Celery chain."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import psycopg
import requests

from bench import load, measure
from bench.stage import Stage, until

_names = itertools.count(1)
LAST = "letters/v1/letters"
PATIENCE = 600


@dataclass(frozen=True, slots=True)
class Drained:
    """One drain of a backlog. `halfway` is the share of the orders that had ended at half-time: 0.5 when they end one by one."""

    rate: float
    halfway: float
    cpu: dict[str, float] = field(default_factory=dict)
    sink_cpu: float = 0.0


def names(many: int) -> list[str]:
    return [f"{next(_names):07d}" for _ in range(many)]


def _drained(stage: Stage, orders: int, begin: Callable[[], None], last: str, delay: float = 0.0) -> Drained:
    """From the first call at the sink to the last; four calls an order."""
    stage.clear_sink(delay)
    before = stage.cpu()
    begin()
    until(lambda: stage.seen() >= orders * 4, PATIENCE, 0.2)
    time.sleep(0.2)
    spent = {name: round(seconds - before[name], 3) for name, seconds in stage.cpu().items()}
    sink_cpu = stage.sink_cpu()
    calls = stage.calls()
    moments = [at for at, _ in calls]
    middle = (min(moments) + max(moments)) / 2
    ends = [at for at, path in calls if last in path]
    return Drained(measure.rate(moments) / 4, sum(at < middle for at in ends) / len(ends), spent, sink_cpu)


def ours(stage: Stage, orders: int, delay: float = 0.0, beside: int = 0) -> Drained:
    """Webhooks accepted while the workers stand still; then the workers receive, lay out and carry out all of them; `beside` steps wait on."""
    stage.freeze(*stage.workers, "beat")
    stage.deliver(names(orders))
    drained = _drained(stage, orders, lambda: stage.thaw(*stage.workers, "beat"), LAST, delay)
    until(lambda: stage.open_steps() <= beside, 120)
    return drained


def steps_floor(stage: Stage, orders: int, processes: int = 2) -> Drained:
    """Floor (ii): two processes of bench/floors/steps.py over laid-out orders."""
    from bench.floors import steps

    with psycopg.connect(stage.database) as connection:
        connection.execute(steps.SCHEMA.encode())
        steps.lay(connection, orders, json.dumps(load.order("floor")))
    started: list[subprocess.Popen[bytes]] = []
    before = _children()

    def begin() -> None:
        started.extend(subprocess.Popen([sys.executable, "-m", "bench.floors.steps"]) for _ in range(processes))

    drained = _drained(stage, orders, begin, "steps/4")
    for process in started:
        process.wait(120)
    return replace(
        drained, cpu={**drained.cpu, "workers": round(_children() - before, 3)}
    )  # with what starting them took


def chain_floor(stage: Stage, orders: int) -> Drained:
    """Floor (iii): the chains are in the broker; a prefork worker of two carries them out."""
    from bench.floors import chain

    stage.freeze("chain")
    body = json.dumps(load.order("floor"))
    for _ in range(orders):
        chain.order(body)
    before = measure.processor_seconds(stage.processes.pid("chain"))
    drained = _drained(stage, orders, lambda: stage.thaw("chain"), "chain/4")
    stage.freeze("chain")
    spent = measure.processor_seconds(stage.processes.pid("chain")) - before
    return replace(drained, cpu={**drained.cpu, "workers": round(spent, 3)})


def _children() -> float:
    """Processor seconds of all processes of ours that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def start_chain(stage: Stage) -> None:
    """The chain's worker, frozen until its turn."""
    line = (
        "exec celery -A bench.floors.chain worker -P prefork -c 2 -Q floor-chain --loglevel WARNING --hostname chain@%h"
    )
    stage.processes.start("chain", line)
    requests.get(f"{stage.sink}/_sink", timeout=10)
    time.sleep(4)
    stage.freeze("chain")
