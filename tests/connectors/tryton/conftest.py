"""A real Tryton for the stories of this folder: started once, skipped with the reason where it cannot be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from connectors.canonical.order import Order
from connectors.kit.account import Account
from local import tryton
from local.errors import ServerError
from local.servers import Servers
from local.tryton_count import Counts, count
from tests.contract.bench import Bench, MemoryCodes
from tests.contract.samples import CODES

Counted = Callable[[Order], Counts]


@pytest.fixture(scope="session")
def erp(real_servers: Servers) -> Iterator[tryton.TrytonServer]:
    """A fresh copy of the prepared database (which is made once, in var/tryton, in about two minutes)."""
    try:
        server = tryton.start(database_url=real_servers.database_url, fresh=True)
    except ServerError as reason:
        pytest.skip(f"Tryton cannot be had here: {reason}")
    with server:
        yield server


@pytest.fixture
def bench(erp: tryton.TrytonServer) -> Bench:
    credentials = {"user": erp.user, "password": erp.password}
    account = Account("erp", "tryton", erp.url, credentials, {"database": erp.database}, timeout=60.0)
    return Bench(account, MemoryCodes({**CODES, "location": {"main": "WH"}}, "erp"))


@pytest.fixture
def counted(erp: tryton.TrytonServer) -> Counted:
    """What Tryton holds of one order."""
    return lambda order: count(erp.url, erp.database, erp.user, erp.password, f"{order.channel}-{order.id}")
