"""Workers and their broker: kills, restarts, messages three times, two beats, a hundred thousand waiting (pains 27-33)."""

from __future__ import annotations

import ast
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from local.servers import Servers
from tests.hub import Hub, until
from tests.pains.conftest import size
from tests.world import World

ROOT = Path(__file__).parents[2]
FORBIDDEN = {"rate_limit", "countdown", "eta"}


def test_no_waiting_in_the_broker() -> None:
    """Pains 27, 28: no rate_limit, countdown or eta anywhere; waiting lives in the journal."""
    found = []
    for path in [*ROOT.glob("app/**/*.py"), *ROOT.glob("tasks/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            named = {k.arg for k in node.keywords} if isinstance(node, ast.Call) else set()
            named |= {node.attr} if isinstance(node, ast.Attribute) else set()
            if named & FORBIDDEN:
                found.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}")
    assert found == []


def test_each_message_three_times(acme: World, figure: Callable[..., None]) -> None:
    """Pain 28: a message that is delivered again finds nothing to claim."""
    from tasks.engine.loop import perform

    acme.order()
    again = []
    for _ in range(40):
        due = [row.id for row in acme.rows("SELECT id FROM steps WHERE rung_at IS NOT NULL")]
        if not acme.turn():
            break
        again += [perform(step) for step in due for _ in range(2)]
    acme.pump()
    assert set(again) <= {"not due"}
    assert set(acme.effects("erp")["bookings"].values()) == {1}
    figure("28", messages_repeated=len(again), performed_again=0)


def test_workers_are_killed_in_the_middle(acme: World, running: Hub, figure: Callable[..., None]) -> None:
    """Pain 31: kill -9 in the middle of steps, any number of times: each is done once, and the loss is shown."""
    kills, dice, many = size(2, 100), random.Random(31), 0
    acme.bad_day("erp", "slow", value=0.4)
    for n in range(kills):
        for _ in range(3):
            acme.order()
            many += 1
        until(60, lambda: acme.one("SELECT count(*) FROM steps WHERE state = 'running' AND account = 'erp'"), acme)
        time.sleep(dice.uniform(0.0, 0.5))
        running.kill("worker" if n == 0 else f"worker{n}")
        running.worker(f"worker{n + 1}")
    until(240, acme.settled, acme)
    assert set(acme.effects("erp")["bookings"].values()) == {1}
    assert len(acme.effects("erp")["bookings"]) == many
    assert set(acme.effects("warehouse")["requests"].values()) == {1}
    figure(
        "31",
        kills=kills,
        orders=many,
        lost=0,
        doubled=0,
        leases_lost=acme.one("SELECT count(*) FROM attempts WHERE outcome = 'lease lost'"),
    )


def test_the_broker_is_killed_under_load(
    acme: World, running: Hub, real_servers: Servers, figure: Callable[..., None]
) -> None:
    """Pain 30: Redis killed and started again, under load: workers go on by themselves within 30 s."""
    restarts, many, slowest = size(1, 20), 0, 0.0
    for _ in range(restarts):
        for _ in range(3):
            acme.order()
            many += 1
        real_servers.redis.kill()
        acme.order()
        many += 1
        time.sleep(0.5)
        real_servers.redis.start()
        slowest = max(slowest, until(60, lambda many=many: len(acme.effects("erp")["bookings"]) == many, acme))
    assert set(acme.effects("erp")["bookings"].values()) == {1}
    assert slowest < 30
    figure("30", restarts=restarts, orders=many, slowest_seconds=round(slowest, 1), lost=0, doubled=0)


def test_two_beats_run_each_window_once(acme: World, running: Hub, figure: Callable[..., None]) -> None:
    """Pain 32: two beats; a window is one row, and whoever makes it runs it."""
    running.beat("beat2")
    acme.order()
    until(60, lambda: acme.one("SELECT count(*) FROM windows WHERE job = 'sweep' AND state = 'done'") >= 3, acme)
    rows = acme.rows("SELECT job, starts, count(*) AS n FROM windows GROUP BY job, starts HAVING count(*) > 1")
    assert rows == []
    sweeps = acme.rows("SELECT starts FROM windows WHERE job = 'sweep' ORDER BY starts")
    assert len({row.starts for row in sweeps}) == len(sweeps)
    figure("32", windows=len(sweeps), run_twice=0)


@pytest.mark.parametrize(("policy", "run"), [("catch_up", 3), ("latest", 1), ("skip", 0)])
def test_a_beat_that_was_down(acme: World, policy: str, run: int) -> None:
    """Pain 32: down over three windows: the job's policy decides, and the skipped are on record."""
    from app.database import transaction
    from config.reader import Schedule
    from tasks.feeds.clock import run_due

    ran: list[int] = []
    schedule = Schedule("demo", 3600.0, policy)
    with transaction() as tx:
        tx.execute(text("INSERT INTO schedules VALUES ('demo', date_trunc('hour', now()) - interval '3 hours')"))
    assert run_due(schedule, lambda: ran.append(1)) == run
    assert len(ran) == run
    assert run_due(schedule, lambda: ran.append(1)) == 0
    assert acme.one("SELECT count(*) FROM windows WHERE state = 'skipped'") == 3 - run


SEED = text("""
WITH s AS (
    INSERT INTO subjects (kind, account, external_id) SELECT 'order', 'shop', 'many-' || n FROM generate_series(1, :many) n RETURNING id),
r AS (
    INSERT INTO runs (subject_id, flow, flow_version, difference, open_steps)
    SELECT id, 'order_placed', 1, 'placed', 1 FROM s RETURNING id, subject_id)
INSERT INTO steps (run_id, subject_id, flow, name, role, account, kind, state, channel, key, due_at, armed)
SELECT id, subject_id, 'order_placed', 'book_order', 'erp', 'erp', 'outer', 'ready', 'shop', 'k-' || id,
    now() + make_interval(secs => :later), CAST(:later AS double precision) <= 0 FROM r
""")


def test_many_scheduled_retries_cost_rows_not_memory(acme: World, running: Hub, figure: Callable[..., None]) -> None:
    """Pain 29: a hundred thousand steps that wait for their time: workers and Redis stay as they were."""
    import redis

    from app.database import transaction

    acme.order()
    until(60, acme.settled, acme)
    before, store = _memory(running), redis.Redis.from_url(running.environ["REDIS_URL"])
    held = store.info("memory")["used_memory"]
    many = size(5_000, 100_000)
    with transaction() as tx:
        tx.execute(SEED, {"many": many, "later": 3600.0})
    time.sleep(size(5, 60))
    grown, held_more = _memory(running) - before, store.info("memory")["used_memory"] - held
    assert grown < 50_000_000
    assert held_more < 20_000_000
    figure("29", waiting=many, worker_mb=round(grown / 1e6, 1), redis_mb=round(held_more / 1e6, 1))


def _memory(hub: Hub) -> int:
    """Resident bytes of the worker."""
    status = Path(f"/proc/{hub.running['worker'].pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) * 1024


def test_a_runaway_queue_is_cancelled_by_filter(acme: World, figure: Callable[..., None]) -> None:
    """Pain 33: previewed, cancelled in slices, audited; what the filter does not name is left alone."""
    from app.accounts import control
    from app.database import transaction
    from app.journal.bulk import Filter, cancel, preview

    many = size(5_000, 1_000_000)
    with transaction() as tx:
        control.pause(tx, "erp", "anna", "runaway import")
        tx.execute(SEED, {"many": many, "later": 0.0})
    before = acme.one("SELECT now()")
    other = acme.order()
    acme.turn()
    began = time.monotonic()
    wanted = Filter(account="erp", flow="order_placed", name="book_order", before=before, states=("ready",))
    with transaction() as tx:
        assert preview(tx, wanted) == many
    progress = list(cancel(wanted, "anna", "runaway import"))
    took = time.monotonic() - began
    assert progress[-1] == many
    assert took < 60
    assert acme.one("SELECT count(*) FROM runs WHERE state = 'open'") == 1
    assert acme.one("SELECT count(*) FROM audit WHERE action = 'cancel steps by filter'") == 1
    with transaction() as tx:
        control.resume(tx, "erp", "anna", "clean again")
    acme.pump()
    assert acme.effects("erp")["bookings"] == {f"shop-{other['id']}": 1}
    figure("33", cancelled=many, seconds=round(took, 1))
