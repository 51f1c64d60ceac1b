"""The real Tryton under the inherited suite: `pytest tests/contract --live tryton`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from connectors.canonical.order import Order
from local import tryton
from local.servers import temporary
from local.tryton_count import count
from local.tryton_setup import QUARANTINE, SCRAP
from tests.contract.contract import Contract, Live
from tests.contract.samples import CODES, another
from tests.contract.system import System

running: list[tryton.TrytonServer] = []
READS = ("search", "search_read", "read", "get_preferences", "login")


@contextmanager
def serve() -> Iterator[str]:
    """A fresh copy of the prepared database on a PostgreSQL of this session."""
    with temporary() as servers, tryton.start(database_url=servers.database_url, fresh=True) as server:
        running.append(server)
        yield server.url
        running.clear()


def operation(method: str, path: str, body: bytes) -> tuple[str, bool]:
    """As the client names them: Tryton has one path, the method stands in the body."""
    asked = str(json.loads(body)["method"]).removeprefix("model.")
    return asked, asked.rpartition(".")[2] not in READS


def order(system: System) -> Order:
    return another()


def prepare(system: System) -> Mapping[str, Any]:
    (server,) = running
    return {
        "credentials": {"user": server.user, "password": server.password},
        "settings": {"database": server.database, "payments": "all", "quarantine": QUARANTINE, "scrap": SCRAP},
        "timeout": 30.0,
    }


def seen(system: System) -> Mapping[str, Any]:
    """Counted by asking Tryton itself."""
    (server,) = running
    return count(server.url, server.database, server.user, server.password)


LIVE = Live(
    Contract(
        codes={**CODES, "location": {"main": "WH"}, "supplier": {"maker": "V-MAKER"}},
        prepare=prepare,
        order=order,
        seen=seen,
        settles=2.0,
        exempt={
            "version": "JSON-RPC names no version; common.server.version tells it",
            "token_expiry": "Tryton's session lives 30 days; a forgotten one is renewed in tests/connectors/tryton",
            "daily_quota": "Tryton has no quota",
            "limits": "Tryton limits nothing; the concurrency declared is our own courtesy",
            "late_index": "Tryton reads its own database: what is committed is found at once",
        },
    ),
    serve,
    operation,
)
