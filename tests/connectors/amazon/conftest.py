"""A seller's account for each test, our connector to it, and everything that either said held against Amazon's models."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Response, request

from connectors.amazon.connector import Amazon
from connectors.amazon.simulator import create
from connectors.canonical.order import Order
from connectors.kit.simulator import Simulator
from connectors.kit.writes import ExternalId, Writes
from tests.connectors.amazon import described
from tests.connectors.amazon.contract import SIMULATOR, bench, read_order
from tests.connectors.amazon.openapi import OUTSIDE, SPECS, Spoken, complaints, schema_complaints
from tests.contract.bench import Bench, Free, _served
from tests.contract.driver import drive
from tests.contract.system import System

FEED, REPORT = "feeds/listings-feed-schema-v2.json", "feeds/listings-feed-processing-report-schema-v2.json"


@dataclass
class Shop:
    """One simulated seller, our connector to it, and what went over the wire."""

    simulator: Simulator
    system: System
    bench: Bench
    spoken: list[Spoken]

    @property
    def connector(self) -> Amazon:
        found: Amazon = self.bench.connector()
        return found

    @property
    def limits(self) -> Free:
        assert isinstance(self.bench.limits, Free)
        return self.bench.limits

    def settings(self, **more: Any) -> None:
        account = self.bench.account
        self.bench.account = replace(account, settings={**account.settings, **more})

    def place(self, kind: str = "plain", **spec: Any) -> Order:
        """A buyer orders; the order as the hub reads it."""
        return self.again(str(self.system.post("/_sim/orders", {"kind": kind, **spec})[0]["id"]))

    def again(self, order: Order | str) -> Order:
        name = order if isinstance(order, str) else order.id
        return read_order(self.system, name, **self.bench.account.settings)

    def move(self, order: Order, what: str) -> Any:
        return self.system.post(f"/_sim/orders/{order.id}/{what}", {})

    def done(self, writes: Writes, find_first: bool = False) -> ExternalId:
        return drive(writes, find_first=find_first, known=self.bench.known)

    def effects(self, kind: str) -> dict[str, Any]:
        told: dict[str, Any] = self.system.get("/_sim/effects")[kind]
        return told

    def calls(self, operation: str) -> int:
        return len(self.system.calls(operation))


MakeShop = Callable[..., Shop]


@pytest.fixture
def shop() -> Iterator[MakeShop]:
    """shop(**simulator settings) -> a running seller. At the end all that was said over HTTP is held against the models."""
    spoken: list[Spoken] = []
    with ExitStack() as stack:

        def made(**settings: Any) -> Shop:
            simulator = create({**SIMULATOR, **settings})
            simulator.app.after_request(lambda answer: _overheard(simulator, spoken, answer))
            system = System(stack.enter_context(_served(simulator)))
            return Shop(simulator, system, bench(system), spoken)

        yield made
    if SPECS.exists():
        found = sorted({said for one in spoken for said in _complaints(one)})
        assert not found, "\n".join(found)


def _complaints(one: Spoken) -> Iterator[str]:
    if one.path.startswith("/stored/"):
        yield from _stored(one)
    elif one.path not in OUTSIDE:
        yield from complaints(one)


def _stored(one: Spoken) -> Iterator[str]:
    """What we store is a feed, what Amazon stores a report."""
    if one.status != 200 or one.faulty:
        return
    ours, content = one.method == "PUT", one.body if one.method == "PUT" else one.answer
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    if content[:1] == b"{":
        yield from schema_complaints(FEED if ours else REPORT, json.loads(content))
    elif ours:
        yield from described.complaints(content)


def _overheard(simulator: Simulator, spoken: list[Spoken], answer: Response) -> Response:
    if not request.path.startswith("/_sim/"):
        last = simulator.calls[-1] if simulator.calls else None
        said = (request.method, request.path, request.args.to_dict(), request.get_data())
        faulty = bool(last and last.fault)
        spoken.append(Spoken(last.operation if last else "", *said, answer.status_code, answer.get_data(), faulty))
    return answer


__all__ = ["MakeShop", "Shop", "shop"]
