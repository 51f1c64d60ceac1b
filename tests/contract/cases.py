"""A case is one connector with one of its contracts; the suite runs over all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import pytest

from connectors import registry
from connectors.kit.capabilities import CAPABILITIES
from connectors.kit.manifest import Manifest, WriteRule
from tests.contract.bench import has_simulator
from tests.contract.contract import Contract, Live
from tests.contract.steps import STEPS, Step

DATUM = "waybill_datum"
Test = TypeVar("Test", bound=Callable[..., Any])
CONNECTORS = Path(__file__).parent.parent / "connectors"


@dataclass(frozen=True, eq=False)
class Case:
    """`live` is the running system to try instead of the simulator."""

    name: str
    variant: str
    contract: Contract
    manifest: Manifest
    siblings: tuple[Contract, ...]
    live: Live | None = None

    def __str__(self) -> str:
        return f"{self.name}-{self.variant}" if self.variant else self.name

    def applies(self, part: str) -> None:
        """Skips, with the reason, what the contract says does not apply."""
        reason = self.contract.exempt.get(part)
        if reason:
            pytest.skip(f"exempt: {reason}")

    def given(self, part: str, datum: str, offered: bool = True) -> Any:
        """What the contract gives for a part. Fails where nobody gives it and nobody says why not."""
        if not offered:
            pytest.skip(f"{self.name}: not offered, says the manifest")
        self.applies(part)
        value = getattr(self.contract, datum)
        if value:
            return value
        return pytest.fail(f"{self}: contract.py gives no `{datum}`, and does not say why {part!r} is exempt")

    def offers(self, capability: str) -> bool:
        return capability in self.manifest.offers

    def plays(self, step: Step) -> bool:
        """Whether this contract tries this method."""
        capability, method = step.method.split(".")
        chosen = not self.contract.steps or step.method in self.contract.steps
        chosen = chosen and (self.live is not None or has_simulator(self.name))
        offered = self.offers(capability) and method not in self.manifest.absent
        return chosen and offered and step.method not in self.contract.exempt

    def rule(self, write: str) -> WriteRule:
        return self.manifest.writes.get(write, WriteRule("neither"))

    def steps(self) -> tuple[str, ...]:
        return tuple(name for name, step in STEPS.items() if self.plays(step))

    def fixture(self, file: str) -> Path:
        return CONNECTORS / self.name / "fixtures" / f"{file}.json"


@cache
def cases(live: str | None) -> tuple[Case, ...]:
    """All cases, or those of one connector against its running system."""
    if live:
        system: Live = import_module(f"tests.connectors.{live}.live").LIVE
        return (Case(live, "live", system.contract, registry.manifests()[live], (system.contract,), system),)
    return tuple(case for name in registry.manifests() for case in _of(name))


def _of(name: str) -> Iterator[Case]:
    for variant, contract in contracts(name).items():
        yield Case(name, variant, contract, registry.manifests()[name], tuple(contracts(name).values()))


@cache
def contracts(name: str) -> dict[str, Contract]:
    """A connector's contracts; an empty one where it offers none, so that the suite says what is missing."""
    if not (CONNECTORS / name / "contract.py").exists():
        return {"": Contract()}
    module = import_module(f"tests.connectors.{name}.contract")
    found: dict[str, Contract] = getattr(module, "CONTRACTS", None) or {"": getattr(module, "CONTRACT", Contract())}
    return found


def each(datum: str) -> Callable[[Test], Test]:
    """Runs the test for each contract that gives the datum (for the connector's first, where none does)."""

    def marked(test: Test) -> Test:
        setattr(test, DATUM, datum)
        return test

    return marked


def those_for(test: Callable[..., Any], found: tuple[Case, ...]) -> list[Case]:
    """The cases that a test of no step, fixture or poll runs for: the connector's first, unless it says `each`."""
    datum = getattr(test, DATUM, "")
    chosen = [case for case in found if datum and getattr(case.contract, datum)]
    rest = {case.name: case for case in reversed(found)}
    return chosen + [first for name, first in rest.items() if name not in {case.name for case in chosen}]


def live_name(config: pytest.Config) -> str | None:
    chosen: str | None = config.getoption("live", default=None) or os.environ.get("LIVE")
    return chosen


METHODS: dict[str, Callable[..., Any]] = {
    f"{name}.{method}": getattr(protocol, method)
    for name, protocol in CAPABILITIES.items()
    for method in vars(protocol)
    if not method.startswith("_")
}
