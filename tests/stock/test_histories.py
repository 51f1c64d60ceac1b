"""Any history of words, movements and claims, late and repeated, leaves what the oracle works out (WAYBILL_HISTORIES of them)."""

from __future__ import annotations

import itertools
import os
from decimal import Decimal

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from tests.stock.conftest import Stock, at
from tests.stock.oracle import LATER, Oracle, Place

HISTORIES = int(os.environ.get("WAYBILL_HISTORIES", "25"))
_count = itertools.count(1)
SKUS = st.sampled_from(["TEE", "MUG"])
PLACES = st.sampled_from(["a", "b"])
ANYWHERE = st.sampled_from(["a", "b", None, None])
CLAIMS = st.sampled_from([f"k{n}" for n in range(5)])
NUMBERS = st.sampled_from([f"m{n}" for n in range(6)])
OCCASIONS = st.sampled_from(["1", "2", "3"])
FEW = st.integers(1, 5)
HELD = st.sampled_from([None, None, 3600])  # seconds
SET = {"MUG": 1, "TEE": 2}  # what the bundle is made of
TIMES = st.integers(0, 50)


class Histories(RuleBasedStateMachine):
    """Every act is done to the real stock and to the oracle; both must say the same of every shelf after each."""

    stock: Stock

    @initialize()
    def begin(self) -> None:
        from app.stock import parts

        self.run = next(_count)
        self.oracle = Oracle()
        self.told: dict[str, tuple[Place, int, int]] = {}
        for sku, per in SET.items():
            part = {"bundle": self.sku("SET"), "sku": self.sku(sku), "quantity": per, "account": "shop"}
            self.stock.do(lambda tx, row=part: tx.execute(parts.KEEP, row))

    def sku(self, name: str) -> str:
        return f"{name}-{self.run}"

    def claim(self, name: str) -> str:
        return f"{self.run}:{name}"

    @rule(sku=SKUS, location=PLACES, quantity=st.integers(0, 8), when=TIMES)
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

    @rule(
        name=CLAIMS,
        sku=st.sampled_from(["TEE", "MUG", "SET"]),
        quantity=FEW,
        location=ANYWHERE,
        force=st.booleans(),
        seconds=HELD,
    )
    def somebody_reserves(
        self, name: str, sku: str, quantity: int, location: str | None, force: bool, seconds: int | None
    ) -> None:
        if name in self.oracle.claims:
            return
        wanted = {"location": location, "force": force, "seconds": seconds, "subject": self.run * 100 + int(name[1:])}
        made = self.stock.reserve(self.claim(name), self.sku(sku), quantity, **wanted)
        self._backdate(name)
        made_of = {self.sku(part): per for part, per in (SET if sku == "SET" else {sku: 1}).items()}
        granted = self.oracle.reserve_parts(name, made_of, quantity, location, force, seconds is not None)
        assert hasattr(made, "pieces") == granted, made
        if granted:
            assert [(p.place, int(p.quantity)) for p in made.pieces] == [
                (p.place, p.quantity) for p in self.oracle.claims[name].pieces
            ]

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
        row = {"key": self.claim(name), "subject": self.run * 100 + int(name[1:]), "at": at(when)}
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

    @rule(name=CLAIMS)
    def it_is_held_longer(self, name: str) -> None:
        from app.stock import ledger

        until = self.stock.do(ledger.extend, self.claim(name), 3600)
        assert (until is not None) == self.oracle.extend(name)

    @rule(name=CLAIMS)
    def its_time_runs_out(self, name: str) -> None:
        run_out = text(
            "UPDATE reservations SET expires_at = now() - interval '1 s' WHERE claim = :claim AND state = 'open'"
        )
        held = self.oracle.claims.get(name)
        if held is not None and held.held:
            self.stock.do(lambda tx: tx.execute(run_out, {"claim": self.claim(name)}))
            self.oracle.run_out(name)

    @rule(name=CLAIMS)
    def whoever_has_not_extended_loses_it(self, name: str) -> None:
        from app.stock import ledger

        self.stock.do(ledger.expire, self.claim(name))
        self.oracle.expire(name)

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
            skus=[self.sku("TEE"), self.sku("MUG")],
        )
        for row in rows:
            place = (row.sku, row.location)
            found = (int(row.free), int(row.reserved), int(row.short))
            free = self.oracle.free(place)
            assert found == (free, self.oracle.reserved(place), max(0, -free)), (place, found, free)


def test_any_history_leaves_what_the_oracle_says(stock: Stock) -> None:
    class Bound(Histories):
        pass

    Bound.stock = stock
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Bound,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=18,
            deadline=None,
            derandomize=HISTORIES <= 25,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            phases=(Phase.explicit, Phase.generate) if HISTORIES <= 25 else tuple(Phase),
        ),
    )
    stock.balanced()


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
