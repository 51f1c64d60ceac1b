"""A trial is one connector with one contract, before one system, with one order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any

import pytest

from connectors.canonical.order import Order
from connectors.kit.account import Account
from connectors.kit.limiter import Limits
from connectors.kit.writes import Writes
from tests.contract.bench import Bench, Free, MemoryCodes, has_simulator, served
from tests.contract.cases import Case
from tests.contract.driver import AlwaysInDoubt, Driver
from tests.contract.proxy import behind_proxy
from tests.contract.steps import STEPS
from tests.contract.system import System

NAME = "tried"  # the account


@dataclass
class Trial:
    case: Case
    system: System
    bench: Bench
    driver: Driver

    @cached_property
    def order(self) -> Order:
        return self.case.contract.order(self.system)

    @cached_property
    def authorised(self) -> Order:
        return self.case.contract.authorised(self.system)

    def order_of(self, step: str) -> Order:
        found: Order = getattr(self, STEPS[step].order)
        return found

    @cached_property
    def connector(self) -> Any:
        return self.bench.connector()

    def make(self, step: str) -> Callable[[], Writes]:
        return lambda: STEPS[step].do(self.connector, self.order_of(step), self.case.contract)

    def stand(self, step: str) -> None:
        """Does, on a good day, all that the step stands on; its order is placed in any case."""
        assert self.order_of(step)
        for name in STEPS[step].before:
            self._driver().finish(self.make(name))

    def finish(self, step: str, settles: float | None = None) -> tuple[str, Driver]:
        """Does the step, however many attempts it takes, and tells its id and what the driver met."""
        driver = self._driver(settles)
        return driver.finish(self.make(step)), driver

    def attempt(self, step: str) -> str:
        """One attempt; its trouble is raised."""
        return self._driver().attempt(self.make(step))

    def find_first(self, step: str) -> tuple[str, Driver]:
        """The step by a worker that knows only that it may have been done."""
        driver = replace(self._driver(), doubts=AlwaysInDoubt())
        return driver.finish(self.make(step)), driver

    def _driver(self, settles: float | None = None) -> Driver:
        return replace(self.driver, recorded={}, doubts={}, met=[], names=[], settles=settles or self.driver.settles)

    def effects(self) -> dict[str, Any]:
        """What the system says was done, flat, the order's own id taken out so that two worlds compare."""
        flat = _flat(self.case.contract.seen(self.system))
        made = [self.__dict__[name].id for name in ("order", "authorised") if name in self.__dict__]
        return {reduce(lambda word, own: word.replace(own, "{order}"), made, name): one for name, one in flat.items()}

    def patient(self, seconds: float) -> None:
        """From now on the account waits only so long for an answer."""
        self.bench.account = replace(self.bench.account, timeout=seconds)
        self.__dict__.pop("connector", None)


def _flat(tree: Any, path: str = "") -> dict[str, Any]:
    if isinstance(tree, Mapping):
        return {name: value for k, v in tree.items() for name, value in _flat(v, f"{path}/{k}").items()}
    return {path: tree}


def change(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What is new or different."""
    return {name: value for name, value in after.items() if before.get(name) != value}


@contextmanager
def trial(
    case: Case, live_address: str = "", limits: Limits | None = None, more: Mapping[str, Any] | None = None
) -> Iterator[Trial]:
    """A fresh system (or the live one) and a bench before it; `more` are settings of the simulator on top."""
    with _system(case, live_address, more or {}) as system:
        bench = _bench(case, system, limits or Free())
        yield Trial(case, system, bench, Driver(bench.known, _settles(case)))


@contextmanager
def _system(case: Case, live_address: str, more: Mapping[str, Any]) -> Iterator[System]:
    if case.live:
        with behind_proxy(case.live, live_address) as system:
            yield system
    elif not has_simulator(case.name):
        pytest.skip(f"{case.name} has no simulator: --live {case.name} tries it against the running system")
    else:
        with served(case.name, {**case.contract.simulator, **more}) as system:
            yield system


def _bench(case: Case, system: System, limits: Limits) -> Bench:
    contract = case.contract
    account = Account(NAME, case.name, system.address, contract.credentials, contract.settings)
    return Bench(replace(account, **contract.prepare(system)), MemoryCodes(contract.codes, NAME), limits=limits)


def _settles(case: Case) -> float:
    """Until when a look-up that finds nothing does not count: the manifest's slowest, or what the contract says."""
    slowest = max((rule.settles_after for rule in case.manifest.writes.values()), default=1.0)
    return min(slowest, 3.0) if case.contract.settles is None else case.contract.settles
