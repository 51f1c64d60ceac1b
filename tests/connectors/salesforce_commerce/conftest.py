"""A site for each test, our connector to it, and everything that either said held against Commerce Cloud's contracts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Response, request

from connectors.canonical.order import Order
from connectors.kit.simulator import Simulator
from connectors.kit.writes import ExternalId, Writes
from connectors.salesforce_commerce.connector import SalesforceCommerce
from connectors.salesforce_commerce.simulator import create
from tests.connectors.salesforce_commerce.contract import CONTRACT, bench, read_order
from tests.connectors.salesforce_commerce.openapi import SPECS, Spoken, complaints, xsd
from tests.contract.bench import Bench, Free, _served
from tests.contract.driver import drive
from tests.contract.system import System


@dataclass
class Shop:
    """One simulated site, our connector to it, and what went over the wire."""

    simulator: Simulator
    system: System
    bench: Bench
    spoken: list[Spoken]

    @property
    def connector(self) -> SalesforceCommerce:
        found: SalesforceCommerce = self.bench.connector()
        return found

    @property
    def blocked(self) -> list[float]:
        assert isinstance(self.bench.limits, Free)
        return self.bench.limits.blocked

    def settings(self, **more: Any) -> None:
        account = self.bench.account
        self.bench.account = replace(account, settings={**account.settings, **more})

    def place(self, kind: str = "plain", **spec: Any) -> Order:
        """A customer orders; the order as the hub reads it."""
        number = self.system.post("/_sim/orders", {"kind": kind, **spec})[0]["orderNo"]
        return read_order(self.system, number, **self.bench.account.settings)

    def again(self, order: Order) -> Order:
        return read_order(self.system, order.id, **self.bench.account.settings)

    def move(self, order: Order, what: str, **how: Any) -> Any:
        """Staff, a job or another system does something with it."""
        return self.system.post(f"/_sim/orders/{order.id}/{what}", how)

    def done(self, writes: Writes, find_first: bool = False) -> ExternalId:
        return drive(writes, find_first=find_first, known=self.bench.known)

    def effects(self, kind: str) -> dict[str, Any]:
        told: dict[str, Any] = self.system.get("/_sim/effects")[kind]
        return told

    def summary(self, order: Order) -> Any:
        return next(one for one in self.system.get("/_sim/orders") if one["orderNo"] == order.id)


MakeShop = Callable[..., Shop]


@pytest.fixture
def shop() -> Iterator[MakeShop]:
    """shop(**simulator settings) -> a running site. At the end all that was said over HTTP, and every file that was
    imported, is held against the contract."""
    shops: list[Shop] = []
    with ExitStack() as stack:

        def made(**settings: Any) -> Shop:
            simulator = create({**CONTRACT.simulator, **settings})
            spoken: list[Spoken] = []
            simulator.app.after_request(lambda answer: _overheard(simulator, spoken, answer))
            system = System(stack.enter_context(_served(simulator)))
            shops.append(Shop(simulator, system, bench(system), spoken))
            return shops[-1]

        yield made
        files = [file for one in shops for file in one.system.get("/_sim/imports")["files"]]
    if SPECS.exists():
        found = sorted({said for one in shops for spoken in one.spoken for said in complaints(spoken)})
        assert not found, "\n".join(found)
        for file in files:
            xsd("pricebook").validate(file.partition("?>")[2])


def _overheard(simulator: Simulator, spoken: list[Spoken], answer: Response) -> Response:
    if not request.path.startswith("/_sim/"):
        headers = {name.lower(): value for name, value in request.headers.items()}
        faulty = bool(simulator.calls and simulator.calls[-1].fault)
        path = urlsplit(request.environ.get("RAW_URI", request.path)).path  # as sent: %2F is no slash
        said = (request.method, path, request.args.to_dict(), headers, request.get_data())
        spoken.append(Spoken(*said, answer.status_code, answer.get_data(), faulty))
    return answer


__all__ = ["MakeShop", "Shop", "shop"]
