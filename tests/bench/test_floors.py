"""The floors do what they say, or comparing with them would say nothing; and one tiny run of the whole bench."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
import redis
import requests
from sqlalchemy.engine import make_url

from local.ports import pick, wait_open

pytestmark = pytest.mark.servers


@pytest.fixture
def sink() -> Iterator[str]:
    port = pick()
    server = subprocess.Popen([sys.executable, "-m", "bench.sink", str(port)])
    try:
        assert wait_open(port, 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def floor(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, sink: str
) -> Iterator[psycopg.Connection]:
    """The floors' environment, and their tables."""
    plain = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    monkeypatch.setenv("FLOOR_DATABASE_URL", plain)
    monkeypatch.setenv("FLOOR_BROKER", redis_url)
    monkeypatch.setenv("FLOOR_SINK", sink)
    from bench.floors import steps

    with psycopg.connect(plain) as connection:
        connection.execute(steps.SCHEMA.encode())
        connection.commit()
        yield connection


def paths(sink: str) -> list[str]:
    return [path for _, path in requests.get(f"{sink}/_sink?all=1", timeout=10).json()["calls"]]


def test_the_step_floor_makes_each_call_once_and_in_order(floor: psycopg.Connection, sink: str) -> None:
    from bench.floors import steps

    steps.lay(floor, 3, "{}")
    steps.main()
    steps.main()
    assert paths(sink) == [f"/steps/{n}" for _ in range(3) for n in (1, 2, 3, 4)]  # one order after the other
    assert floor.execute("SELECT count(*) FROM floor_steps WHERE state = 'done' AND result = '1'").fetchone() == (12,)


def test_the_receiver_floor_proves_keeps_and_rings(floor: psycopg.Connection, redis_url: str) -> None:
    from bench.floors import chain, receiver

    broker = redis.Redis.from_url(redis_url)
    broker.flushall()
    chain.app.conf.broker_url = redis_url
    client = receiver.create_app().test_client()
    body = json.dumps({"id": 1}).encode()
    proof = hmac.new(receiver.FLOOR_SECRET, body, hashlib.sha256).hexdigest()
    assert client.post("/hooks/shop", data=body, headers={"x-proof": proof}).status_code == 200
    assert client.post("/hooks/shop", data=body, headers={"x-proof": "0" * 64}).status_code == 401
    assert floor.execute("SELECT body FROM floor_events").fetchall() == [(body,)]
    assert broker.llen(receiver.UNHEARD) == 1
    assert receiver._connection().autocommit  # one statement, as ours is: no BEGIN and COMMIT of its own
    receiver._own.connection.close()


def test_a_queue_that_is_emptied_holds_nobody_quiet_and_is_counted(redis_url: str) -> None:
    from bench import emptied

    broker = redis.Redis.from_url(redis_url)
    broker.flushall()
    for _ in range(3):
        broker.rpush("intake", *range(20))
        emptied.empty(broker, "intake")
        assert broker.llen("intake") == 0
    broker.rpush("intake", 1)
    assert emptied.taken(broker, "intake") == 61


def test_the_chain_makes_four_calls_in_order(floor: psycopg.Connection, sink: str) -> None:
    from bench.floors import chain

    chain.app.conf.update(task_always_eager=True)
    try:
        chain.order("{}")
    finally:
        chain.app.conf.update(task_always_eager=False)
    assert paths(sink) == [f"/chain/{n}" for n in (1, 2, 3, 4)]


def test_a_tiny_run() -> None:
    """In a process of its own: the stage is a whole installation, with its servers and the Procfile's processes."""
    story = (
        "from collections import Counter\nfrom bench import orders\nfrom bench.stage import stage\n"
        "with stage(workers=1, slots=4) as made:\n"
        "    drained = orders.ours(made, 6)\n"
        "    paths = Counter(path for _, path in made.calls())\n"
        "    assert drained.rate > 0 and sum(drained.cpu.values()) > 0, drained\n"
        "    assert sorted(paths.values())[-3:] == [6, 6, 6], paths\n"
        "    assert sum(paths.values()) == 24, paths\n"
        "    assert made.one('SELECT count(*) FROM events WHERE state = %s', 'applied') == 6\n"
    )
    ran = subprocess.run([sys.executable, "-c", story], capture_output=True, text=True, check=False, timeout=280)
    assert ran.returncode == 0, ran.stderr[-3000:]
