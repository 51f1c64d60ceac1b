"""A simulated company of S/4HANA over HTTP and a connector to it, driven as the engine drives one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from connectors.kit.account import Account
from connectors.kit.writes import Writes
from connectors.sap_s4hana.connector import SapS4Hana
from connectors.sap_s4hana.simulator import DEMO_SETTINGS
from tests.connectors.sap_s4hana.contract import CODES, CREDENTIALS, ITEMS
from tests.contract.bench import Bench, MemoryCodes, served
from tests.contract.driver import Driver
from tests.contract.system import System


@dataclass
class World:
    """One company: its simulator, a connector to it, and all that was said."""

    system: System
    bench: Bench
    settles: float = 0.3
    met: list[Exception] = field(default_factory=list)

    @property
    def connector(self) -> SapS4Hana:
        made: SapS4Hana = self.bench.connector()
        return made

    def do(self, act: Callable[[SapS4Hana], Writes]) -> str:
        """A capability to its end, as often as it takes; what a person must see is raised."""
        driver = Driver(self.bench.known, self.settles)
        try:
            return driver.finish(lambda: act(self.connector))
        finally:
            self.met = driver.met

    def effects(self) -> dict[str, Any]:
        told: dict[str, Any] = self.system.get("/_sim/effects")
        return told

    def state(self, table: str) -> list[dict[str, Any]]:
        return [one for one in self.system.get("/_sim/state").get(table, {}).values() if one is not None]

    def operations(self, write: bool | None = None) -> list[str]:
        return [one["operation"] for one in self.system.calls() if write is None or one["write"] is write]

    def elsewhere(self) -> World:
        """The same company as a worker sees it who knows of nothing."""
        return replace(self, bench=Bench(self.bench.account, self.bench.codes))


@pytest.fixture
def world() -> Iterator[Callable[..., World]]:
    """Makes a company: world(settings={...}, simulator={...}, codes={...})."""
    with ExitStack() as stack:

        def made(
            settings: Mapping[str, Any] | None = None,
            simulator: Mapping[str, Any] | None = None,
            codes: Mapping[str, Mapping[str, str]] | None = None,
        ) -> World:
            system = stack.enter_context(served("sap_s4hana", {**CREDENTIALS, "items": ITEMS, **(simulator or {})}))
            chosen = {**DEMO_SETTINGS, **(settings or {})}
            # the name is the address, so that no kept-alive session of another test's server is used again
            account = Account(f"sap-{system.address}", "sap_s4hana", system.address, CREDENTIALS, chosen, 5.0)
            return World(system, Bench(account, MemoryCodes({**CODES, **(codes or {})}, account.name)))

        yield made
