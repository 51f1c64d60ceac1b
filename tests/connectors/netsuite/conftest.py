"""A simulated NetSuite account over HTTP and a connector to it, driven as the engine drives one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from connectors.kit.account import Account, Connection
from connectors.kit.errors import Ambiguous, Missing, Throttled, Transient
from connectors.kit.http import Exchange, Http
from connectors.kit.simulator import Simulator
from connectors.kit.writes import ExternalId, Job, Write, Writes
from connectors.netsuite import simulator
from connectors.netsuite.connector import NetSuite, connect

KEY = simulator.private_key()
CREDENTIALS = {"account_id": "1234567", "client_id": "client-1", "certificate_id": "certificate-1", "private_key": KEY}
CODES = {
    "sku": {"WB-TEE": "1001", "WB-MUG": "1002", "WB-CAP": "1003"},
    "location": {"main": "1", "shop": "2"},
    "payment_method": {"card": "21", "gift_card": "22", "wallet": "23"},
    "tax_code": {"standard": "901", "VAT 19%": "901"},
    "shipping_method": {"standard": "31"},
}


@dataclass
class Limits:
    """Leave for every call; keeps what it was told."""

    blocked: list[float] = field(default_factory=list)
    heeded: list[str] = field(default_factory=list)  # operations that were refused for too many at a time

    @contextmanager
    def leave(self, account: str, operation: str, cost: float = 1) -> Iterator[None]:
        yield

    def report(self, account: str, left: float) -> None:
        return None

    def refused(self, account: str, operation: str, seconds: float) -> None:
        self.heeded.append(operation)

    def told(self, account: str, operation: str, rate: float) -> None: ...

    def block(self, account: str, seconds: float) -> None:
        self.blocked.append(seconds)


@dataclass
class Tokens:
    """Tokens as the hub keeps them: one refresh at a time, and a refused token is bought anew once."""

    held: dict[str, str] = field(default_factory=dict)
    refreshes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, name: str, refresh: Callable[[], tuple[str, float]]) -> str:
        with self.lock:
            if name not in self.held:
                self.held[name] = refresh()[0]
                self.refreshes += 1
            return self.held[name]

    def refused(self, name: str, token: str) -> None:
        with self.lock:
            if self.held.get(name) == token:
                del self.held[name]


@dataclass
class Codes:
    table: Mapping[str, Mapping[str, str]]

    def theirs(self, kind: str, ours: str) -> str:
        if ours not in self.table.get(kind, {}):
            raise Missing(f"No {kind} for {ours}.", kind=kind, value=ours)
        return self.table[kind][ours]

    def ours(self, kind: str, theirs: str) -> str:
        found = next((ours for ours, one in self.table.get(kind, {}).items() if one == theirs), None)
        if found is None:
            raise Missing(f"No {kind} is {theirs}.", kind=kind, value=theirs)
        return found


@dataclass
class Known:
    ids: dict[tuple[str, str], str] = field(default_factory=dict)

    def id(self, kind: str, ours: str) -> str | None:
        return self.ids.get((kind, ours))

    def others(self, kind: str, ours: str) -> frozenset[str]:
        return frozenset(theirs for (k, o), theirs in self.ids.items() if k == kind and o != ours)


@dataclass
class World:
    """One account: its simulator, its connector, and what was sent."""

    simulator: Simulator
    address: str
    account: Account
    connection: Connection
    connector: NetSuite
    limits: Limits
    tokens: Tokens
    known: Known
    exchanges: list[Exchange]

    def ask(self, path: str) -> Any:
        return self._session().get(self.address + path, timeout=10).json()

    def effects(self) -> Any:
        return self.ask("/_sim/effects")

    def tell(self, path: str, body: Any = None) -> Any:
        return self._session().post(self.address + path, json=body, timeout=10).json()

    def bad_day(self, kind: str, **how: Any) -> None:
        self.bad_days({"kind": kind, **how})

    def bad_days(self, *faults: Mapping[str, Any]) -> None:
        self._session().put(self.address + "/_sim/faults", json=list(faults), timeout=10).raise_for_status()

    def good_day(self) -> None:
        self._session().delete(self.address + "/_sim/faults", timeout=10)

    def operations(self) -> list[str]:
        return [call.operation for call in self.simulator.calls]

    def post(self, path: str, form: Mapping[str, str]) -> Any:
        return self._session().post(self.address + path, data=form, timeout=10).json()

    def drive(self, writes: Writes, settles: float = 0.3, recorded: dict[str, ExternalId] | None = None) -> ExternalId:
        """Runs a capability as the engine does: a lost answer is looked up before anything is sent again.

        What is `recorded` under a write's name is not asked again.
        """
        kept = {} if recorded is None else recorded
        try:
            write = next(writes)
            while True:
                if write.name not in kept:
                    kept[write.name] = done(write, settles)
                self.known.ids |= dict.fromkeys(write.links, kept[write.name])
                write = writes.send(kept[write.name])
        except StopIteration as stop:
            return str(stop.value)

    def drive_again(self, step: Callable[[], Writes], settles: float = 0.3) -> ExternalId:
        """A step from its start at each attempt, when one of its reads fails."""
        recorded: dict[str, ExternalId] = {}
        for _ in range(8):
            try:
                return self.drive(step(), settles, recorded)
            except (Transient, Throttled):
                time.sleep(0.02)
        raise AssertionError("the step did not come to an end")

    @staticmethod
    def _session() -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers["connection"] = "close"
        return session


def done(write: Write, settles: float) -> ExternalId:
    """One write to its end, as often as it takes (eight times)."""
    doubt = False
    for _ in range(8):
        try:
            found = looked_up(write, settles) if doubt else None
            answer = found if found is not None else write.send()
            return answer if isinstance(answer, str) else polled(write, answer)
        except Ambiguous:
            doubt = True
        except (Transient, Throttled):
            time.sleep(0.02)
    raise AssertionError(f"{write.name} did not come to an end")


def looked_up(write: Write, settles: float) -> ExternalId | None:
    found = write.find()
    if found is None:
        time.sleep(settles)
        found = write.find()
    return found


def polled(write: Write, job: Job) -> ExternalId:
    assert write.poll is not None
    for _ in range(100):
        answer = write.poll(job.id)
        if isinstance(answer, str):
            return answer
        time.sleep(0.05)
    raise AssertionError("the job did not end")


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[Callable[..., World]]:
    """Makes an account: world(settings={...}, simulator={...}, codes={...}, timeout=5)."""
    open_servers: list[Any] = []

    def make(
        settings: Mapping[str, Any] | None = None,
        simulator: Mapping[str, Any] | None = None,
        codes: Mapping[str, Mapping[str, str]] | None = None,
        timeout: float = 5.0,
        limits: Any = None,
        credentials: Mapping[str, str] | None = None,
    ) -> World:
        played = played_with(simulator or {})
        server = played.served()
        address = server.__enter__()
        open_servers.append(server)
        return connected(played, address, settings or {}, codes or CODES, timeout, limits, credentials or CREDENTIALS)

    yield make
    for server in open_servers:  # a server looks up twice a second whether it should end: nobody waits for that
        threading.Thread(target=server.__exit__, args=(None, None, None), daemon=True).start()


def played_with(settings: Mapping[str, Any]) -> Simulator:
    items = {"1001": "WB-TEE", "1002": "WB-MUG", "1003": "WB-CAP"}
    return simulator.create({**CREDENTIALS, "items": items, **settings})


def connected(
    played: Simulator,
    address: str,
    settings: Mapping[str, Any],
    codes: Mapping[str, Mapping[str, str]],
    timeout: float,
    limits: Any,
    credentials: Mapping[str, str],
) -> World:
    chosen = {**simulator.DEMO_SETTINGS, **settings}
    # the name is the address, so that no kept-alive session of another test's server is used again
    account = Account(f"netsuite-{address}", "netsuite", address, credentials, chosen, timeout)
    exchanges: list[Exchange] = []
    held, tokens, known = limits or Limits(), Tokens(), Known()
    http = Http(account, held, tap=exchanges.append)
    connection = Connection(account, http, Codes(codes), tokens, known, lambda: datetime.now(UTC))
    return World(played, address, account, connection, connect(connection), held, tokens, known, exchanges)
