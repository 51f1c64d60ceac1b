"""A seller for each test, our connector to it, and everything that either said held against Square's contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Response, request

from connectors.canonical.order import Order
from connectors.kit.simulator import Simulator
from connectors.kit.writes import ExternalId, Writes
from connectors.square.connector import Square
from connectors.square.simulator import create
from tests.connectors.square.contract import CONTRACT, bench, read_order
from tests.connectors.square.openapi import SPEC, Spoken, complaints
from tests.contract.bench import Bench, Free, _served
from tests.contract.driver import drive
from tests.contract.system import System


@dataclass
class Seller:
    """One simulated seller, our connector to it, and what went over the wire."""

    simulator: Simulator
    system: System
    bench: Bench
    spoken: list[Spoken]

    @property
    def connector(self) -> Square:
        found: Square = self.bench.connector()
        return found

    @property
    def blocked(self) -> list[float]:
        assert isinstance(self.bench.limits, Free)
        return self.bench.limits.blocked

    def settings(self, **more: Any) -> None:
        account = self.bench.account
        self.bench.account = replace(account, settings={**account.settings, **more})

    def place(self, kind: str = "plain", **spec: Any) -> Order:
        """A customer buys; the order as the hub reads it."""
        return self.again(self.rung_up(kind, **spec))

    def rung_up(self, kind: str = "till", **spec: Any) -> str:
        return str(self.system.post("/_sim/orders", {"kind": kind, **spec})[0]["id"])

    def again(self, order: Order | str) -> Order:
        return read_order(self.system, order if isinstance(order, str) else order.id)

    def raw(self, order: Order) -> Any:
        return next(one for one in self.system.get("/_sim/orders") if one["id"] == order.id)

    def staff(self, order: Order, what: str, **how: Any) -> Any:
        """Staff do something with it."""
        return self.system.post(f"/_sim/orders/{order.id}/{what}", how)

    def done(self, writes: Writes, find_first: bool = False) -> ExternalId:
        return drive(writes, find_first=find_first, known=self.bench.known)

    def effects(self, kind: str) -> dict[str, Any]:
        told: dict[str, Any] = self.system.get("/_sim/effects").get(kind, {})
        return told


MakeSeller = Callable[..., Seller]


@pytest.fixture
def seller() -> Iterator[MakeSeller]:
    """seller(**simulator settings) -> a running one. At the end all that was said over HTTP is held against the contract."""
    spoken: list[Spoken] = []
    with ExitStack() as stack:

        def made(**settings: Any) -> Seller:
            simulator = create({**CONTRACT.simulator, **settings})
            simulator.app.after_request(lambda answer: _overheard(simulator, spoken, answer))
            system = System(stack.enter_context(_served(simulator)))
            return Seller(simulator, system, bench(system), spoken)

        yield made
    if SPEC.exists():
        found = sorted({said for one in spoken for said in complaints(one)})
        assert not found, "\n".join(found)


def _overheard(simulator: Simulator, spoken: list[Spoken], answer: Response) -> Response:
    if not request.path.startswith("/_sim/"):
        headers = {name.lower(): value for name, value in request.headers.items()}
        faulty = bool(simulator.calls and simulator.calls[-1].fault)
        said = (request.method, request.path, request.args.to_dict(), headers, request.get_data())
        spoken.append(Spoken(*said, answer.status_code, answer.get_data(), faulty))
    return answer


__all__ = ["MakeSeller", "Seller", "seller"]
