"""Every interleaving of cancel, edit, pick, ship, invoice, return and refund in a small world (pains 16, 36, 38), through production's own doors."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import pytest

from app.orders.difference import Kind
from tasks.flows.book import PREEMPT
from tests.orders.happenings import BY_STORE, BY_WAREHOUSE, Happening, happens
from tests.orders.places import shelves
from tests.orders.small_hub import LIES, SmallHub, small_hub
from tests.orders.test_giving_back import acme as acme  # noqa: PLC0414 - a fixture
from tests.world import World

FULL = os.environ.get("WAYBILL_LAB") == "full"


class Counterexample(AssertionError):
    """The way to what must not be."""


@dataclass
class Explorer:
    """Depth first: each moment is left by a savepoint, and gone into once (again only with more steps left)."""

    hub: SmallHub
    happenings: Mapping[str, Happening]
    seen: dict[str, int] = field(default_factory=dict)
    moves: int = 0

    def walk(self, left: int, way: tuple[str, ...] = ()) -> None:
        state = self.hub.state()
        if self.seen.get(state, -1) >= left:
            return
        self.seen[state] = left
        for name, one in self.happenings.items() if left else ():
            if self.hub.outside.times(name) < one.most and one.when(self.hub):
                self._go(name, one, left, way)

    def _go(self, name: str, one: Happening, left: int, way: tuple[str, ...]) -> None:
        with self.hub.set_back():
            self.moves += 1
            wrong = happens(self.hub, name, one)
            if wrong:
                raise Counterexample(f"{' -> '.join((*way, name))}: {wrong}")
            self.walk(left - 1, (*way, name))


def explore(hub: SmallHub, happenings: Mapping[str, Happening], steps: int, after: tuple[str, ...] = ()) -> Explorer:
    """All ways of so many steps from there on. Raises Counterexample, by the shortest way."""
    hub.place()
    for name in after:
        assert not happens(hub, name, BY_WAREHOUSE[name])
    made = Explorer(hub, happenings)
    for depth in range(1, steps + 1):
        made.walk(depth)
    return made


@pytest.mark.parametrize("after", [(), ("invoice",)], ids=["not booked yet", "booked"])
def test_no_interleaving_breaks_a_law(acme: World, monkeypatch: pytest.MonkeyPatch, after: tuple[str, ...]) -> None:
    """Pain 38: never invoiced and cancelled without credit, never shipped and restocked; pain 36: refunds never above captured per tender."""
    with small_hub(monkeypatch, pieces=1, tenders={"gift": 4, "card": 6}) as hub:
        found = explore(hub, BY_WAREHOUSE, 5 if FULL else 3, after)
    print(f"{len(found.seen)} states, {found.moves} moves")
    assert len(found.seen) > 40, "the world was too small to say anything"


def test_no_interleaving_at_a_store_breaks_a_law(many: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where a store that speaks by our API accepts, picks and ships it."""
    shelves(many, store_WB_TEE=LIES)
    with small_hub(monkeypatch, pieces=1, tenders={"gift": 4, "card": 6}, lies_at="store") as hub:
        found = explore(hub, BY_STORE, 5 if FULL else 3)
    print(f"{len(found.seen)} states, {found.moves} moves")
    assert len(found.seen) > 40, "the world was too small to say anything"


@pytest.mark.skipif(not FULL, reason="in make lab-histories")
def test_no_interleaving_of_two_pieces_breaks_a_law(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_hub(monkeypatch) as hub:
        found = explore(hub, BY_WAREHOUSE, 5, ("invoice",))
    print(f"{len(found.seen)} states, {found.moves} moves")


# ---- the explorer finds what it is there to find: each of these is how such systems go wrong


def _nothing(*given: Any, **named: Any) -> Any:
    return ()


def _back_to_the_shelf_twice(sound: Any) -> Any:
    def credit(tx: Any, claim: str, number: str, line: str, sold: Any, *, restock: bool) -> None:
        sound(tx, claim, number, line, sold, restock=True)

    return credit


@dataclass(frozen=True)
class Fault:
    """What is wrong: a name in a module and what stands there instead; the law that breaks; who is late, what happens in that world, and what has
    happened already."""

    module: str
    name: str
    instead: Callable[[Any], Any]
    law: str
    lazy: frozenset[str] = frozenset()
    among: tuple[str, ...] = ("cancel", "edit up", "ship", "return", "count", "refund")
    after: tuple[str, ...] = ()


ORDERS, STOCK = "app.orders.", "app.stock."
FAULTS: Mapping[str, Fault] = {
    "what is promised is given again": Fault(
        ORDERS + "repaying", "promised", lambda sound: lambda *given: {}, "refunds above", frozenset(("shop",))
    ),
    "a tender gives what it never took": Fault(
        ORDERS + "repaying", "spread", lambda sound: lambda life, amount: ([("card", amount)], 0), "refunds above"
    ),
    "a refund credits no bill": Fault(
        ORDERS + "difference", "_newly_refunded", lambda sound: lambda *given: [], "without credit"
    ),
    "a cancellation overtakes a credit": Fault(
        "tasks.flows.book",
        "WHEN_OPEN",
        lambda sound: {**sound, ("order_refunded", Kind.CANCELLED): PREEMPT},
        "without credit",
        frozenset(("erp",)),
        ("return", "count", "cancel", "invoice"),
        ("invoice", "ship"),
    ),
    "what came back is put on the shelf twice": Fault(
        STOCK + "ledger", "credit", _back_to_the_shelf_twice, "shipped and restocked"
    ),
    "what never left comes back": Fault(
        ORDERS + "eligibility", "left_to_return", lambda sound: lambda *given: 9, "shipped and restocked"
    ),
    "what was cancelled stays claimed": Fault(
        STOCK + "reservations", "release", lambda sound: _nothing, "still to leave"
    ),
    "a cancellation keeps the money": Fault(
        ORDERS + "repaying", "cancelled", lambda sound: lambda *given: 0, "of its money is kept"
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found(acme: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    fault = FAULTS[name]
    within = import_module(fault.module)
    monkeypatch.setattr(within, fault.name, fault.instead(getattr(within, fault.name)))
    happenings = {each: BY_WAREHOUSE[each] for each in fault.among}
    with (
        small_hub(monkeypatch, pieces=1, tenders={"gift": 4, "card": 6}, lazy=fault.lazy) as hub,
        pytest.raises(Counterexample) as found,
    ):
        explore(hub, happenings, 5, fault.after)
    assert fault.law in str(found.value)
    print(found.value)
