"""What a connector's own tests stand on: a connection with real HTTP, a driver of writes, a simulator to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from connectors import registry
from connectors.kit.account import Account, Connection
from connectors.kit.http import Exchange, Http
from connectors.kit.limiter import Limiter, Limits
from tests.connectors.counting import Counted, tell
from tests.contract.bench import Free, MemoryCodes, MemoryKnown, MemoryTokens
from tests.contract.bench import served as begin
from tests.contract.driver import drive as drive_writes
from tests.contract.samples import CODES
from tests.contract.system import System

Codes = Mapping[str, Mapping[str, str]]


@pytest.fixture
def connection_for() -> Callable[..., Connection]:
    """connection_for(account, codes=..., limits=..., tap=..., known=...): in memory what the hub would keep."""

    def made(
        account: Account,
        *,
        codes: Codes = CODES,
        limits: Limits | None = None,
        tap: Callable[[Exchange], Any] = lambda exchange: None,
        known: MemoryKnown | None = None,
        tokens: MemoryTokens | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Connection:
        http = Http(account, limits or Free(), tap=tap)
        ours = MemoryCodes(codes, account.name), tokens or MemoryTokens(), known or MemoryKnown()
        return Connection(account, http, *ours, now)

    return made


@pytest.fixture
def served() -> Iterator[Callable[..., System]]:
    """served("acme", settings) starts that connector's simulator; all stop after the test."""
    with ExitStack() as stack:

        def started(name: str, settings: Mapping[str, Any] | None = None) -> System:
            return stack.enter_context(begin(name, settings))

        yield started


@pytest.fixture
def drive() -> Callable[..., str]:
    """drive(connector.book(...), find_first=False, known=...): one attempt, as the engine makes it."""
    return drive_writes


@pytest.fixture
def limiter(redis_url: str) -> Iterator[Callable[[str], Limiter]]:
    """limiter("shopify"): the real one, by that connector's manifest, with buckets of this test's own."""
    client = redis.Redis.from_url(redis_url)
    yield lambda name: Limiter(
        client,
        lambda account: registry.manifests()[name].limits,
        prefix=f"waybill:test:{name}:{id(client)}",
    )
    client.close()


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> Counted:
    """counted("operations", {"orders.yaml": 8}): figures of the connector whose test asks, as docs/connectors/coverage.md tells them."""
    return lambda counts, figures: tell(request.path.parent.name, counts, figures)
