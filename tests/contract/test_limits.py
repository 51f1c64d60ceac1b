"""What a limit promises is counted at the system: no window exceeded, and at least 95 % of it used."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import redis

from connectors.kit.errors import Throttled
from connectors.kit.limiter import Limiter
from connectors.kit.manifest import Limit
from tests.contract.cases import Case, each
from tests.contract.contract import Rate
from tests.contract.trial import NAME, Trial
from tests.contract.trial import trial as begin

WINDOWS = 2.2  # of the limit's own seconds, so that two whole ones lie between the first call and the last
THREADS = 2
TRIES = 4  # a machine that is busy with other things brings calls late and bunched, which is no fault of the limiter


@each("rate")
def test_limits(case: Case, redis_url: str) -> None:
    rate: Rate = case.given("limits", "rate", offered=bool(case.manifest.limits))
    client = redis.Redis.from_url(redis_url)
    try:
        said = [counted(case, rate, client)]
        while said[-1] and len(said) < TRIES:
            said.append(counted(case, rate, client))
    finally:
        client.close()
    assert not said[-1], said


def counted(case: Case, rate: Rate, client: redis.Redis) -> str:
    """One spell of calls as the system counted them; what was wrong with it, if anything."""
    prefix = f"waybill:tried:{case}:{time.monotonic_ns()}"
    limiter = Limiter(client, lambda account: (rate.limit,), patience=1.0, prefix=prefix)
    limiter.warm(NAME)
    with begin(case, "", limiter, rate.simulator) as trial:
        call_for(trial, rate, WINDOWS * (rate.limit.seconds or 1.0))
        calls = trial.system.calls(rate.operation)
    refused = [call for call in calls if call["status"] == 429]
    arrivals = sorted(call["at"] for call in calls)
    allowed = allowance(rate.limit, arrivals[-1] - arrivals[0])
    if refused:
        return f"{len(refused)} of {len(calls)} calls were refused by the system"
    return "" if len(calls) >= 0.95 * allowed else f"{len(calls)} calls of {allowed:.0f} that were allowed"


def allowance(limit: Limit, span: float) -> float:
    """How many calls the limit allows in so many seconds, from full."""
    if limit.kind == "window":
        return limit.burst * (1 + span // limit.seconds)
    return limit.burst + span * limit.rate


def call_for(trial: Trial, rate: Rate, seconds: float) -> None:
    """As many calls as the limiter lets through."""
    until = time.monotonic() + seconds

    def work(_: int) -> None:
        connector = trial.bench.connector()
        while time.monotonic() < until:
            try:
                list(rate.call(connector) or ())
            except Throttled as busy:
                time.sleep(min(busy.retry_after or 0.1, 0.2))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
