"""NetSuite counts calls at a time for the whole account: ours keep within them, and a refusal is a wait."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from connectors.kit.errors import Throttled
from connectors.kit.limiter import Limiter
from connectors.kit.manifest import read_manifest

MANIFEST = read_manifest(Path("connectors/netsuite/manifest.toml"))


def ask(netsuite, count: int, workers: int) -> list[str]:
    def once(_: int) -> str:
        try:
            list(netsuite.connector.stock())
        except Throttled as busy:
            return busy.code
        return "answered"

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(once, range(count)))


@pytest.mark.parametrize(("busy", "statuses"), [("429", {429}), ("400", {400}), ("both", {400, 429})])
def test_more_calls_at_a_time_than_allowed_are_refused_and_waited_for(world, busy, statuses):
    netsuite = world(simulator={"concurrency": 2, "latency": 0.05, "busy": busy})
    list(netsuite.connector.stock())
    said = ask(netsuite, 24, 12)
    told = netsuite.ask("/_sim/concurrency")
    assert told["peak"] == 2
    assert told["refused"] == said.count("CONCURRENCY_LIMIT_EXCEEDED") > 0
    assert {call.status for call in netsuite.simulator.calls if call.status >= 400} == statuses
    assert len(netsuite.limits.blocked) == told["refused"]
    assert len(netsuite.limits.heeded) == told["refused"]


@pytest.mark.parametrize("busy", ["429", "400"])
def test_where_others_use_the_account_our_share_shrinks(world, redis_url, busy):
    (limit,) = MANIFEST.limits
    client = redis.Redis.from_url(redis_url)
    limiter = Limiter(client, lambda account: (limit,), patience=20, prefix=f"test-netsuite-{time.time()}")
    netsuite = world(simulator={"concurrency": 2, "latency": 0.05, "busy": busy}, limits=limiter)
    limiter.warm(netsuite.account.name)
    assert "CONCURRENCY_LIMIT_EXCEEDED" in ask(netsuite, 24, 12)
    assert limiter.shares([netsuite.account.name])[netsuite.account.name][limit.name] < 1
    client.close()


def test_with_the_limiter_no_call_is_refused_and_every_place_is_used(world, redis_url):
    (limit,) = MANIFEST.limits
    client = redis.Redis.from_url(redis_url)
    limiter = Limiter(client, lambda account: (limit,), patience=20, prefix=f"test-netsuite-{time.time()}")
    netsuite = world(simulator={"concurrency": 5, "latency": 0.03}, limits=limiter)
    limiter.warm(netsuite.account.name)
    assert set(ask(netsuite, 40, 12)) == {"answered"}
    assert netsuite.ask("/_sim/concurrency") == {"limit": 5, "peak": 5, "refused": 0}
    client.close()
