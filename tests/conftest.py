"""Real servers for the whole session: a PostgreSQL and a Redis of our own, and an empty database for each story."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from local.servers import Servers, create_database, temporary
from tests.databases import Databases

if TYPE_CHECKING:
    from app.accounts.tokens import SharedTokens

os.environ.setdefault("WAYBILL_SECRET_KEY", "tests only")
TEMPLATE = "waybill_template"
_count = itertools.count(1)

# A worker takes whole files, in this order: what takes minutes begins first, or the other worker would wait for it at the end.
FIRST = (
    "tryton/test_live",
    "contract/test_steps",
    "pains/test_workers",
    "pains/test_intake",
    "local/test_servers",
    "tryton/test_stories",
    "pains/test_pacing",
    "labs/test_kills",
    "feeds/test_prices",
    "amazon/test_hub",
    "engine/test_shapes",
    "api/test_hub",
    "contract/test_new_connector",
    "engine/test_sources",
    "labs/test_scenario",
    "api/test_orders",
    "orders/test_giving_back",
    "contract/test_limits",
    "bench/test_floors",
    "api/test_document",
    "web/test_openapi",
    "api/test_webhooks",
    "web/test_browser",
    "orders/test_dropship",
    "web/test_payloads",
    "feeds/test_catalogue",
    "api/test_day_sales",
    "api/test_desk",
    "orders/test_fulfilment",
    "orders/test_cancelling",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(FIRST)}
    items.sort(key=lambda item: next((ranks[name] for name in FIRST if name in item.nodeid), len(FIRST)))


@pytest.fixture(scope="session")
def real_servers() -> Iterator[Servers]:
    """What DATABASE_URL and REDIS_URL configure, else servers on a data root of this session."""
    with temporary() as servers:
        yield servers


@pytest.fixture(scope="session")
def redis_url(real_servers: Servers) -> str:
    return real_servers.redis_url


@pytest.fixture(scope="session")
def template(real_servers: Servers) -> str:
    """A migrated database that the others are copies of."""
    from app.database import engine, migrate

    url = create_database(real_servers, TEMPLATE)
    migrate(url)
    engine(url).dispose()
    return TEMPLATE


@pytest.fixture(scope="session")
def databases(real_servers: Servers, template: str) -> Iterator[Databases]:
    made = Databases(real_servers, template)
    yield made
    made.end()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A migrated database of this test's own."""
    name = f"waybill_test_{os.getpid()}_{next(_count)}"
    yield databases.take(name)
    databases.give_back(name)


@pytest.fixture
def shared_tokens(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], SharedTokens]]:
    """shared_tokens("tried"): the tokens of that account as the hub's workers share them, in a database of this test's own."""
    from app.accounts.tokens import SharedTokens
    from app.database import engine
    from tests.world import fresh_process

    monkeypatch.setenv("DATABASE_URL", database_url)
    fresh_process()
    yield SharedTokens
    engine().dispose()
    fresh_process()
