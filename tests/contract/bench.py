"""A bench to try a connector on: its account, real HTTP to its simulator, and in memory what the hub would keep."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from connectors import registry
from connectors.kit.account import Account, Connection
from connectors.kit.errors import Missing
from connectors.kit.http import Exchange, Http
from connectors.kit.limiter import Limits
from connectors.kit.simulator import Simulator, serve
from tests.contract.samples import CODES
from tests.contract.system import System

# Flask's routes are compiled by way of Python's ast, which in 3.11 is not safe in several threads at once
# (https://github.com/python/cpython/issues/106905: "AST constructor recursion depth mismatch").
CREATING = threading.Lock()


class Free:
    """Limits that limit nothing, and remember what they were told."""

    def __init__(self) -> None:
        self.blocked: list[float] = []
        self.reported: list[float] = []
        self.refusals: list[str] = []

    def leave(self, account: str, operation: str, cost: float) -> AbstractContextManager[None]:
        return nullcontext()

    def report(self, account: str, left: float) -> None:
        self.reported.append(left)

    def block(self, account: str, seconds: float) -> None:
        self.blocked.append(seconds)

    def refused(self, account: str, operation: str, seconds: float) -> None:
        self.refusals.append(operation)

    def told(self, account: str, operation: str, rate: float) -> None: ...


@dataclass(frozen=True)
class MemoryCodes:
    """Cross references as a table kind -> ours -> theirs."""

    table: Mapping[str, Mapping[str, str]]
    account: str = "tried"

    def theirs(self, kind: str, ours: str) -> str:
        if ours not in self.table.get(kind, {}):
            raise Missing(f"{kind} {ours} is not mapped.", kind=kind, value=ours, account=self.account)
        return self.table[kind][ours]

    def ours(self, kind: str, theirs: str) -> str:
        found = next((ours for ours, name in self.table.get(kind, {}).items() if name == theirs), None)
        if found is None:
            raise Missing(f"{kind} {theirs} is not mapped.", kind=kind, value=theirs, account=self.account)
        return found


@dataclass
class MemoryTokens:
    """Tokens shared by threads: one refreshes, the others wait for it."""

    values: dict[str, tuple[str, float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, name: str, refresh: Callable[[], tuple[str, float]]) -> str:
        with self.lock:
            token, until = self.values.get(name, ("", 0.0))
            if until <= time.monotonic():
                token, lives = refresh()
                self.values[name] = (token, time.monotonic() + lives)
            return token

    def refused(self, name: str, token: str) -> None:
        with self.lock:
            if self.values.get(name, ("", 0.0))[0] == token:
                del self.values[name]


@dataclass
class MemoryKnown:
    """Cross references of one subject."""

    ids: dict[tuple[str, str], str] = field(default_factory=dict)

    def id(self, kind: str, ours: str) -> str | None:
        return self.ids.get((kind, ours))

    def others(self, kind: str, ours: str) -> frozenset[str]:
        return frozenset(theirs for (k, o), theirs in self.ids.items() if k == kind and o != ours)


@dataclass
class Bench:
    """One account and all that its connector said over the wire (`exchanges`)."""

    account: Account
    codes: MemoryCodes = field(default_factory=lambda: MemoryCodes(CODES))
    tokens: MemoryTokens = field(default_factory=MemoryTokens)
    known: MemoryKnown = field(default_factory=MemoryKnown)
    limits: Limits = field(default_factory=Free)
    exchanges: list[Exchange] = field(default_factory=list)

    def connection(self) -> Connection:
        http = Http(self.account, self.limits, tap=self.exchanges.append, correlation="WB-100001")
        return Connection(self.account, http, self.codes, self.tokens, self.known, lambda: datetime.now(UTC))

    def connector(self) -> Any:
        return registry.connect(self.connection())


def has_simulator(name: str) -> bool:
    return (registry.HERE / name / "simulator.py").exists() or (registry.HERE / name / "simulator").exists()


@contextmanager
def served(name: str, settings: Mapping[str, Any] | None = None) -> Iterator[System]:
    """A connector's simulator on a free port."""
    with CREATING:
        simulator = import_module(f"connectors.{name}.simulator").create(settings or {})
    with _served(simulator) as address:
        yield System(address)


@contextmanager
def _served(simulator: Simulator) -> Iterator[str]:
    """As Simulator.served, but asked fifty times a second whether to stop: the suite starts hundreds."""
    if type(simulator).served is not Simulator.served:  # plays more than HTTP
        with simulator.served() as address:
            yield address
        return
    server = serve(simulator.app, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
