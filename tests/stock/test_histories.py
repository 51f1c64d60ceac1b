"""Any history of words, movements and claims, late and repeated, leaves what the oracle works out (WAYBILL_HISTORIES of them)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from connectors.canonical.order import Order
from tests.core.generated_orders import order as generated
from tests.stock.conftest import Stock, at
from tests.stock.oracle import LATER, Oracle, Place

FEW_OF_THEM = 25
HISTORIES = int(os.environ.get("WAYBILL_HISTORIES", f"{FEW_OF_THEM}"))
TURN = 500  # histories in one database
_count = itertools.count(1)
SKUS = st.sampled_from(["TEE", "MUG"])
PLACES = st.sampled_from(["a", "b"])
ANYWHERE = st.sampled_from(["a", "b", None, None])
HOLDS = st.sampled_from([f"k{n}" for n in range(3)])
ORDERS = st.sampled_from(["o4", "o5"])
CLAIMS = HOLDS | ORDERS
ARTICLES = st.sampled_from(["TEE", "MUG", "SET", "NEW"])
NUMBERS = st.sampled_from([f"m{n}" for n in range(6)])
OCCASIONS = st.sampled_from(["1", "2", "3"])
FEW = st.integers(1, 5)
HELD = st.sampled_from([None, 1, 1, 2])  # hours
SET = {"MUG": 1, "TEE": 2}  # what the bundle is made of
TIMES = st.integers(0, 50)
HOUR = text("UPDATE reservations SET expires_at = expires_at - interval '1 hour' WHERE claim LIKE :mine")


class Histories(RuleBasedStateMachine):
    """Every act is done to the real stock and to the oracle; both must say the same of every shelf after each."""

    stock: Stock

    @initialize()
    def begin(self) -> None:
        from app.stock import parts

        self.run = next(_count)
        self.oracle = Oracle()
        self.told: dict[str, tuple[Place, int, int]] = {}
        self.sold: dict[str, str] = {}  # what an order is of
        for sku, per in SET.items():
            part = {"bundle": self.sku("SET"), "sku": self.sku(sku), "quantity": per, "account": "shop"}
            self.stock.do(lambda tx, row=part: tx.execute(parts.KEEP, row))

    def sku(self, name: str) -> str:
        return f"{name}-{self.run}"

    def subject(self, name: str) -> int:
        return self.run * 100 + int(name[1:])

    def claim(self, name: str) -> str:
        return f"order:{self.subject(name)}" if name in ("o4", "o5") else f"{self.run}:{name}"

    def made_of(self, sku: str) -> dict[str, int]:
        return {self.sku(part): per for part, per in (SET if sku == "SET" else {sku: 1}).items()}

    def order(self, name: str, quantity: int, sku: str) -> Order:
        """One line of the article that this order was of from its first day on."""
        whole = generated(1)
        kept = self.sold.setdefault(name, sku)
        line = replace(
            whole.lines[0], id="1", sku=self.sku(kept), quantity=Decimal(quantity), current_quantity=Decimal(quantity)
        )
        return replace(whole, lines=(line,))

    @rule(sku=st.sampled_from(["TEE", "MUG", "NEW"]), location=PLACES, quantity=st.integers(0, 8), when=TIMES)
    def the_owner_says(self, sku: str, location: str, quantity: int, when: int) -> None:
        self.stock.tell(self.sku(sku), quantity, location, when)
        self.oracle.tell((self.sku(sku), location), quantity, when)

    @rule(number=NUMBERS, sku=SKUS, location=PLACES, quantity=st.sampled_from([-2, -1, 1, 3]), when=TIMES)
    def something_moves(self, number: str, sku: str, location: str, quantity: int, when: int) -> None:
        from app.stock import movements
        from app.stock.movements import Movement

        place, moved, at_ = self.told.setdefault(number, ((self.sku(sku), location), quantity, when))
        told = Movement("tills", self.claim(number), "adjustment", *place, Decimal(moved), at(at_))
        self.stock.do(movements.record, [told])
        self.oracle.move(number, place, moved, at_)

    @rule(name=HOLDS, sku=ARTICLES, quantity=FEW, location=ANYWHERE, force=st.booleans(), hours=HELD)
    def somebody_reserves(
        self, name: str, sku: str, quantity: int, location: str | None, force: bool, hours: int | None
    ) -> None:
        if name in self.oracle.claims:
            return
        seconds = None if hours is None else hours * 3600
        wanted = {"location": location, "force": force, "seconds": seconds, "subject": self.subject(name)}
        made = self.stock.reserve(self.claim(name), self.sku(sku), quantity, **wanted)
        self._backdate(name)
        granted = self.oracle.reserve_parts(name, self.made_of(sku), quantity, location, force, hours)
        assert hasattr(made, "pieces") == granted, made
        if granted:
            assert [(p.place, int(p.quantity)) for p in made.pieces] == [
                (p.place, p.quantity) for p in self.oracle.claims[name].pieces
            ]

    @rule(name=ORDERS, sku=ARTICLES, quantity=FEW)
    def an_order_is_placed_or_edited(self, name: str, sku: str, quantity: int) -> None:
        from app.stock import reservations

        order = self.order(name, quantity, sku)
        self.stock.do(reservations.adjust, self.subject(name), order)
        self._backdate(name)
        self.oracle.adjust(name, self.made_of(self.sold[name]), quantity)

    @rule(name=ORDERS)
    def all_of_it_is_taken_off(self, name: str) -> None:
        from app.stock import reservations

        if name in self.sold:
            self.stock.do(reservations.adjust, self.subject(name), self.order(name, 0, ""))
            self.oracle.adjust(name, self.made_of(self.sold[name]), 0)

    @rule(name=ORDERS, held=HOLDS, sku=ARTICLES, quantity=FEW)
    def an_order_takes_over_what_is_held(self, name: str, held: str, sku: str, quantity: int) -> None:
        from app.stock import reservations

        order = self.order(name, quantity, sku)
        had = self.stock.do(reservations.take_over, self.subject(name), order, self.claim(held))
        self._backdate(name)
        assert had is self.oracle.take_over(held, name, self.made_of(self.sold[name]), quantity)

    @rule(most=st.integers(0, 4))
    def it_may_be_sold_ahead(self, most: int) -> None:
        self._declare(datetime.now(UTC) + timedelta(days=20), most)
        self.oracle.sell_ahead(self.sku("NEW"), most)

    @rule()
    def its_day_comes(self) -> None:
        self._declare(datetime.now(UTC) - timedelta(days=20), 0)
        self.oracle.day_has_come(self.sku("NEW"))
        for name in self.oracle.claims:
            self._backdate(name)

    def _declare(self, day: datetime, most: int) -> None:
        from config.reader import HERE, config
        from tasks.feeds import preorders

        shipped = (Path(HERE) / "availability.toml").read_text()
        said = f'{shipped}\n[preorders."{self.sku("NEW")}"]\nfrom = {day.replace(microsecond=0).isoformat()}\nmost = {most}\n'
        (Path(os.environ["WAYBILL_CONFIG"]) / "availability.toml").write_text(said)
        config.cache_clear()
        preorders.run()

    def _backdate(self, name: str) -> None:
        """Sources name times of their own in this test: our clock must not lie after all of them."""
        self.stock.do(
            lambda tx: tx.execute(
                text("UPDATE reservations SET changed_at = 'epoch' WHERE claim = :claim"), {"claim": self.claim(name)}
            )
        )

    @rule(name=CLAIMS, when=TIMES)
    def the_warehouse_is_asked(self, name: str, when: int) -> None:
        claim = self.oracle.claims.get(name)
        if claim is None or claim.asked_at is not None:
            return
        claim.asked_at = when
        row = {"key": self.claim(name), "subject": self.subject(name), "at": at(when)}
        self.stock.do(
            lambda tx: tx.execute(
                text(
                    "INSERT INTO links (account, kind, ours, theirs, subject_id, at) VALUES ('wms', 'request', :key, :key, :subject, :at)"
                ),
                row,
            )
        )

    @rule(name=CLAIMS, occasion=OCCASIONS, most=st.sampled_from([None, 1, 2]), when=TIMES)
    def goods_leave(self, name: str, occasion: str, most: int | None, when: int) -> None:
        from app.stock import claims, ledger

        pieces = self.stock.do(claims.of, self.claim(name))
        wanted = None if most is None else {pieces[0].key: Decimal(most)} if pieces else {}
        self.stock.do(ledger.commit, self.claim(name), occasion, wanted, at=at(when))
        self.oracle.commit(name, occasion, most, when)

    @rule(name=CLAIMS)
    def it_is_let_go(self, name: str) -> None:
        from app.stock import ledger

        self.stock.do(ledger.release, self.claim(name))
        self.oracle.release(name)

    @rule(name=HOLDS)
    def it_is_held_longer(self, name: str) -> None:
        from app.stock import ledger

        until = self.stock.do(ledger.extend, self.claim(name), 3600)
        assert (until is not None) == self.oracle.extend(name)

    @rule()
    def an_hour_goes_by(self) -> None:
        self.stock.do(lambda tx: tx.execute(HOUR, {"mine": f"{self.run}:%"}))
        self.oracle.hour += 1

    @rule()
    def whoever_has_not_extended_loses_it(self) -> None:
        from tasks.feeds import expire

        expire.run()
        self.oracle.expire()

    # ---- what takes several acts in a row, which chance alone would seldom put side by side

    @rule(name=HOLDS, sku=SKUS, quantity=FEW, extended=st.booleans(), too_late=st.booleans())
    def a_basket_is_left(self, name: str, sku: str, quantity: int, extended: bool, too_late: bool) -> None:
        self.somebody_reserves(name, sku, quantity, None, True, 1)
        if extended:
            self.it_is_held_longer(name)
        if too_late:
            self.an_hour_goes_by()
            self.it_is_held_longer(name)
        self.whoever_has_not_extended_loses_it()

    @rule(name=ORDERS, sku=ARTICLES, quantity=FEW, there=FEW, when=TIMES)
    def the_warehouse_knows_of_it_and_it_is_edited(
        self, name: str, sku: str, quantity: int, there: int, when: int
    ) -> None:
        self.an_order_is_placed_or_edited(name, sku, 1)
        self.the_warehouse_is_asked(name, when)
        for article, location in [piece.place for piece in self.oracle.claims[name].pieces]:
            for place in (location,) if location in ("a", "b") else ("a", "b"):
                self.the_owner_says(article.partition("-")[0], place, there, 50)
        self.both_say_the_same()
        self.an_order_is_placed_or_edited(name, sku, quantity)

    @rule(name=HOLDS, sku=ARTICLES, quantity=FEW, most=st.sampled_from([1, 2]), restock=st.booleans(), when=TIMES)
    def some_of_it_leaves_and_comes_back(
        self, name: str, sku: str, quantity: int, most: int, restock: bool, when: int
    ) -> None:
        self.somebody_reserves(name, sku, quantity, "a", True, None)
        self.goods_leave(name, "1", most, when)
        self.it_is_credited(name, "1", quantity, restock)

    @rule(name=CLAIMS, quantity=FEW, most=st.integers(0, 4))
    def it_is_sold_ahead_until_its_day(self, name: str, quantity: int, most: int) -> None:
        self.it_may_be_sold_ahead(most)
        if name in ("o4", "o5"):
            self.an_order_is_placed_or_edited(name, "NEW", quantity)
        else:
            self.somebody_reserves(name, "NEW", quantity, None, False, None)
        self.both_say_the_same()
        self.its_day_comes()

    @rule(name=CLAIMS, occasion=OCCASIONS, quantity=FEW, restock=st.booleans())
    def it_is_credited(self, name: str, occasion: str, quantity: int, restock: bool) -> None:
        from app.stock import ledger

        self.stock.do(ledger.credit, self.claim(name), occasion, "1", Decimal(quantity), restock=restock)
        self._backdate(name)
        self.oracle.credit(name, occasion, quantity, restock)

    @invariant()
    def both_say_the_same(self) -> None:
        rows = self.stock.rows(
            "SELECT sku, location, free, reserved, short FROM shelves WHERE sku = ANY(:skus)",
            skus=[self.sku("TEE"), self.sku("MUG"), self.sku("NEW")],
        )
        for row in rows:
            place = (row.sku, row.location)
            found = (int(row.free), int(row.reserved), int(row.short))
            free = self.oracle.free(place)
            assert found == (free, self.oracle.reserved(place), max(0, -free)), (place, found, free)


def histories(stock: Stock, many: int) -> None:
    class Bound(Histories):
        pass

    Bound.stock = stock
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Bound,
        settings=settings(
            max_examples=many,
            stateful_step_count=30,
            deadline=None,
            derandomize=many <= FEW_OF_THEM,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            phases=(Phase.explicit, Phase.generate) if many <= FEW_OF_THEM else tuple(Phase),
            database=None,
        ),
    )
    stock.balanced()


@pytest.mark.parametrize("turn", range(max(1, HISTORIES // TURN)))
def test_any_history_leaves_what_the_oracle_says(stock: Stock, turn: int) -> None:
    histories(stock, min(HISTORIES, TURN))


# ---- each rule finds what it is there to find, within the few histories of the short form


def _nothing(*given: Any, **named: Any) -> Any:
    return ()


def _true(*given: Any, **named: Any) -> bool:
    return True


# Module, name in it, and what stands there instead.
MUTANTS: dict[str, tuple[str, str, Callable[..., Any]]] = {
    "expiry lets go of nothing": ("app.stock.ledger", "expire", _nothing),
    "what is held is extended after its time": (
        "app.stock.claims",
        "EXTEND",
        lambda words: words.replace("expires_at > now()", "true"),
    ),
    "what was extended runs out all the same": (
        "app.stock.claims",
        "EXTEND",
        lambda words: words.replace("secs => :seconds", "secs => 0 * :seconds"),
    ),
    "an edit changes no claim": ("app.stock.ledger", "resize", _true),
    "an edit grows what an owner's word covered": (
        "app.stock.claims",
        "RESIZE",
        lambda words: words.replace("covered AND :quantity <= quantity", "covered"),
    ),
    "what is taken over stays held, too": ("app.stock.ledger", "release", _nothing),
    "the order that takes over claims nothing": ("app.stock.reservations", "_open", _nothing),
    "no limit to what is sold ahead": ("app.stock.preorders", "settle", lambda tx, sku: False),
    "what was sold ahead stays ahead": ("app.stock.preorders", "to_move", _nothing),
    "what lies there is offered while it is sold ahead": ("app.stock.shelves", "sold_ahead", lambda shelf: False),
    "what an owner has counted is counted again": ("app.stock.movements", "included", lambda *given: False),
    "what is credited stays where it is": ("app.stock.ledger", "credit", _nothing),
    "what leaves is still claimed": (
        "app.stock.claims",
        "SHIP",
        lambda words: words.replace("shipped + :quantity", "shipped + 0 * :quantity"),
    ),
}


@pytest.mark.skipif(os.environ.get("WAYBILL_LAB") != "full", reason="in make lab-histories")
@pytest.mark.parametrize("fault", MUTANTS)
def test_each_rule_catches_its_mutant(stock: Stock, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    from importlib import import_module

    module, name, instead = MUTANTS[fault]
    sound = getattr(import_module(module), name)
    monkeypatch.setattr(import_module(module), name, text(instead(sound.text)) if name.isupper() else instead)
    if name.isupper():
        assert getattr(import_module(module), name).text != sound.text, (
            "the mutant is none: the words are not there any more"
        )
    with pytest.raises((AssertionError, IntegrityError)):
        histories(stock, FEW_OF_THEM)


def test_the_oracle_can_fail() -> None:
    """A figure that is off by one is seen."""
    oracle = Oracle()
    oracle.tell(("TEE", "a"), 3, 5)
    oracle.move("m", ("TEE", "a"), -1, 6)
    oracle.move("m", ("TEE", "a"), -1, 6)
    oracle.move("late", ("TEE", "a"), -1, 4)
    assert oracle.free(("TEE", "a")) == 2
    assert oracle.reserve("k", "TEE", 2, None, False)
    assert not oracle.reserve("k2", "TEE", 1, None, False)
    assert LATER > 50
