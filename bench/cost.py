"""What an order costs: processor time of each kind of process and PostgreSQL's statements, counted over a drained backlog.

`python -m bench.cost [orders] [profile]`. Processor time, unlike a rate, hardly depends on what else the machine does. With a path, py-spy
(when it is installed) writes there which Python frames held the interpreter, as folded stacks.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench import orders
from bench.stage import Stage, stage

WARM = 100  # orders before it counts: plans, connections, imports
RUNS = 3
TOP = """
SELECT calls, total_exec_time + total_plan_time AS ms, left(regexp_replace(query, '\\s+', ' ', 'g'), 110) AS query FROM pg_stat_statements
WHERE toplevel AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY ms DESC
"""


@contextmanager
def _spied(made: Stage, path: str) -> Iterator[None]:
    """py-spy at the first worker meanwhile; nothing where no path is given."""
    spy = shutil.which("py-spy") if path else None
    if spy is None:
        yield
        return
    pid = str(made.processes.pid(made.workers[0]))
    command = [
        spy,
        "record",
        "--pid",
        pid,
        "--gil",
        "--rate",
        "400",
        "--format",
        "raw",
        "--output",
        path,
        "--duration",
        "600",
    ]
    with subprocess.Popen(command) as watching:
        yield
        watching.send_signal(2)


def measured(made: Stage, many: int, profile: str = "") -> dict[str, float]:
    """Milliseconds of processor time per order, by kind of process, and `rate`: orders a second."""
    with _spied(made, profile):
        drained = orders.ours(made, many)
    spent = {name: round(1000 * seconds / many, 2) for name, seconds in drained.cpu.items()}
    return {**spent, "all": round(sum(spent.values()), 2), "rate": round(drained.rate, 1)}


def statements(made: Stage, many: int) -> list[tuple[float, float, str]]:
    """(calls an order, ms of PostgreSQL an order, words) of every statement since the last reset."""
    with made.rows() as connection:
        found: list[Any] = connection.execute(TOP.encode()).fetchall()
    return [(round(int(calls) / many, 2), round(float(ms) / many, 3), str(query)) for calls, ms, query in found]


def main(many: int = 300, profile: str = "") -> None:
    with stage(counting=True) as made:
        orders.ours(made, WARM)
        made.one("SELECT pg_stat_statements_reset()")
        for _ in range(RUNS):
            print(measured(made, many, profile), flush=True)
        told = statements(made, many * RUNS)
    for calls, ms, query in told[:40]:
        print(f"{calls:7.2f} {ms:8.3f}  {query}")
    print(f"{sum(calls for calls, _, _ in told):7.2f} {sum(ms for _, ms, _ in told):8.3f}  all statements")


if __name__ == "__main__":
    main(*(kind(word) for kind, word in zip((int, str), sys.argv[1:], strict=False)))
