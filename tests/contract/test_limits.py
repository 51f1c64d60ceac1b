"""What a limit promises is counted at the system: no window exceeded, and at least 95 % of it used."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import redis

from connectors.kit.errors import Throttled
from connectors.kit.limiter import Limiter
from tests.contract.cases import Case
from tests.contract.contract import Rate
from tests.contract.trial import NAME, Trial
from tests.contract.trial import trial as begin

SECONDS = 3.0
THREADS = 6


def test_limits(case: Case, redis_url: str) -> None:
    rate: Rate = case.given("limits", "rate", offered=bool(case.manifest.limits))
    client = redis.Redis.from_url(redis_url)
    try:
        limiter = Limiter(client, lambda account: (rate.limit,), patience=1.0, prefix=f"waybill:tried:{case}")
        limiter.warm(NAME)
        with begin(case, limits=limiter, **rate.simulator) as trial:
            arrivals = called(trial, rate)
    finally:
        client.close()
    span = arrivals[-1] - arrivals[0]
    allowed = rate.limit.burst + span * (rate.limit.rate or rate.limit.burst / rate.limit.seconds)
    if not rate.limit.rate:  # whole windows
        allowed = rate.limit.burst * (1 + span // rate.limit.seconds)
    assert len(arrivals) >= 0.95 * allowed, f"{len(arrivals)} calls of {allowed:.0f} allowed in {span:.2f} s"


def called(trial: Trial, rate: Rate) -> Sequence[float]:
    """As many calls as the limiter lets through in a few seconds; the system refused none of them."""
    until = time.monotonic() + SECONDS

    def work(_: int) -> None:
        connector = trial.bench.connector()
        while time.monotonic() < until:
            try:
                list(rate.call(connector) or ())
            except Throttled as said:
                assert "allow" in said.sentence, f"the system refused a call: {said}"
                time.sleep(min(said.retry_after or 0.1, 0.2))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    calls = trial.system.calls(rate.operation)
    assert not [call for call in calls if call["status"] == 429]
    return sorted(call["at"] for call in calls)
