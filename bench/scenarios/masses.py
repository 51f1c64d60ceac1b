"""Masses: a hundred thousand steps waiting, a million cancelled by a filter, a year of orders in the journal."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import psycopg
import requests

from bench import filling, load, measure
from bench.orders import names, ours
from bench.scenarios.rush import _memory
from bench.stage import Stage

# Beside the first page of every view that the admin has: searches, filters, one order, the metrics.
ASKED = (
    "/admin/",
    "/admin/orders/?state=open",
    "/admin/orders/?attention=1",
    "/admin/orders/?q={number}",
    "/admin/orders/?q=p777@shop.example",
    "/admin/orders/{waybill}",
    "/admin/events/?account=shop",
    "/admin/steps/?account=erp",
    "/admin/steps/?state=dead",
    "/admin/attempts/?account=erp",
    "/metrics",
)
CANCELLED = "SELECT count(*) FROM steps WHERE account = 'letters' AND state = 'cancelled'"


def lists() -> tuple[str, ...]:
    """Every page that is measured."""
    from app.web.admin import VIEWS

    return (*ASKED, *(f"{view().url}/" for view in VIEWS))


def waiting(stage: Stage, steps: int = 100_000, seconds: float = 60.0) -> dict[str, Any]:
    """Steps that are due in an hour cost rows: memory of workers and Redis before and after a minute beside them."""
    ours(stage, 50)
    workers, store = _memory(stage)
    with stage.rows() as connection:
        filling.waiting(connection, steps, "letters", 3600, "w")
    time.sleep(seconds)
    ours(stage, 50, beside=steps)
    after = _memory(stage)
    return {
        "waiting_worker_mb": round((after[0] - workers) / 1e6, 1),
        "waiting_redis_mb": round((after[1] - store) / 1e6, 1),
    }


def cancelled(stage: Stage, steps: int = 1_000_000) -> dict[str, Any]:
    """Queued steps of one account, counted by the preview and cancelled by the filter."""
    from app.database import transaction
    from app.journal import bulk

    with stage.rows() as connection:
        filling.waiting(connection, steps, "letters", 3600, "c")
    wanted = bulk.Filter(account="letters")
    began = time.monotonic()
    with transaction() as tx:
        found = bulk.preview(tx, wanted)
    counted = time.monotonic() - began
    done = list(bulk.cancel(wanted, "load lab", "a runaway import"))
    took = time.monotonic() - began
    return {
        "cancel_seconds": round(took, 1),
        "cancel_preview_seconds": round(counted, 2),
        "cancel_missed": steps - int(str(stage.one(CANCELLED))),
        "cancel_told_otherwise": max(abs(steps - found), abs(steps - done[-1])),
    }


def growth(stage: Stage, small: int = 10_000, large: int = 1_000_000) -> dict[str, Any]:
    """The same orders and the same pages over a small and a large past; retention and a migration on the large one while intake goes on."""
    with stage.rows() as connection:
        filling.past(connection, small, _body())
    first = _cost(stage), pages(stage)
    with stage.rows() as connection:
        filling.past(connection, large - small, _body())
    second = _cost(stage), pages(stage)
    slowest = max(second[1], key=lambda path: second[1][path])
    worst = max(second[1], key=lambda path: second[1][path] / max(first[1][path], 10.0))
    return {
        "growth_orders": large,
        "growth_order_cost": round(second[0] / first[0], 2),
        "growth_pages": round(second[1][worst] / max(first[1][worst], 10.0), 2),
        "growth_worst_page": worst,
        "growth_p95_ms": round(second[1][slowest], 1),
        "growth_slowest_page": slowest,
        "growth_pages_ms": {path: [round(first[1][path], 1), round(second[1][path], 1)] for path in second[1]},
        **_beside(stage, "retention", _retain),
        **_beside(stage, "migration", _migrate),
    }


def _body() -> str:
    from connectors.acme import orders, schemas
    from connectors.canonical.codec import encode

    return json.dumps(encode(orders.order(schemas.loaded(schemas.Order, load.order("past")))), default=str)


def _cost(stage: Stage) -> float:
    """Processor seconds of workers and PostgreSQL for an order, the median of five drains."""
    stopped = stage.open_steps()  # the past has its dead ones, too
    ours(stage, 50, beside=stopped)
    drains = [ours(stage, 200, beside=stopped).cpu for _ in range(5)]
    return median(spent["workers"] + spent["postgres"] for spent in drains)


def pages(stage: Stage, rounds: int = 5, times: int = 40) -> dict[str, float]:
    """p95 in ms of each page, as an administrator's browser asks for it: the median of so many rounds over all pages, so that what the machine did
    meanwhile is no page's.

    Raises AssertionError for a page that is not answered with 200.
    """
    session = _administrator(stage)
    found = stage.one(
        "SELECT waybill || ' ' || number FROM subjects WHERE document_id IS NOT NULL AND external_id LIKE 'L%' ORDER BY id LIMIT 1"
    )
    waybill, number = str(found).split()
    told: dict[str, list[float]] = {path: [] for path in lists()}
    for path in (one for _ in range(rounds) for one in told):
        address = f"http://127.0.0.1:{stage.web_port}{path.format(waybill=waybill, number=number)}"
        told[path].append(measure.percentile([_asked(session, address) for _ in range(times)], 0.95))
    return {path: median(found) for path, found in told.items()}


def _asked(session: requests.Session, address: str) -> float:
    """How long a page took, in ms."""
    began = time.monotonic()
    answer = session.get(address, timeout=60)
    took = 1000 * (time.monotonic() - began)
    assert answer.status_code == 200, (address, answer.status_code)
    return took


def _administrator(stage: Stage) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    door = f"http://127.0.0.1:{stage.web_port}/admin/login"
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', session.get(door, timeout=30).text)
    form = {"login": "admin", "password": stage.admin_password, "csrf_token": found.group(1) if found else ""}
    session.post(door, data=form, timeout=30, allow_redirects=False)
    return session


def _beside(stage: Stage, name: str, work: Callable[[Stage], None]) -> dict[str, Any]:
    """Something done to the large database while deliveries come in at 100 a second."""
    with _intake(stage, 100) as told:
        began = time.monotonic()
        work(stage)
        took = time.monotonic() - began
    return {
        f"{name}_seconds": round(took, 2),
        f"{name}_not_taken": sum(n for status, n in told.statuses.items() if status >= 300),
        f"{name}_intake_max_ms": round(1000 * max(told.took), 1),
        f"{name}_intake_p99_ms": round(1000 * measure.percentile(told.took, 0.99), 1),
    }


@contextmanager
def _intake(stage: Stage, rate: float) -> Iterator[load.Told]:
    """Deliveries by the clock for as long as the block runs, and a few seconds before and after."""
    told, over = load.Told(), threading.Event()

    def send() -> None:
        while not over.is_set():
            piece = load.by_the_clock(stage.web_port, [load.delivery(name) for name in names(int(rate))], rate)
            told.took += piece.took
            for status, n in piece.statuses.items():
                told.statuses[status] = told.statuses.get(status, 0) + n

    sender = threading.Thread(target=send)
    sender.start()
    time.sleep(3)
    try:
        yield told
    finally:
        time.sleep(3)
        over.set()
        sender.join()


def _retain(stage: Stage) -> None:
    """Three full months that are older than what is kept are dropped by the shipped job."""
    from tasks.feeds import retain

    with stage.rows() as connection:
        for parent in retain.PARENTS:
            connection.execute("SELECT make_partitions(%s, (now() - interval '17 months')::date, 3)", (parent,))
        connection.execute(
            "INSERT INTO attempts (at, step_id, run_id, subject_id, account, n, fence, outcome)"
            " SELECT now() - interval '16 months', i, i, i, 'erp', 1, 1, 'done' FROM generate_series(1, 200000) i"
        )
    dropped = retain.run()
    assert dropped.count("attempts_") == 3, dropped


def _migrate(stage: Stage) -> None:
    """What an expanding migration does: a column on the busiest tables, an index made beside the traffic."""
    from app.database import gently

    with psycopg.connect(stage.database, autocommit=True) as connection:
        for table in ("events", "steps", "attempts"):
            gently(connection, f"ALTER TABLE {table} ADD COLUMN lab text NOT NULL DEFAULT ''")
        connection.execute("CREATE INDEX CONCURRENTLY steps_lab ON steps (lab, id)")
        connection.execute("DROP INDEX CONCURRENTLY steps_lab")
