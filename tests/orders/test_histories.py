"""Random histories of an order against an oracle that follows every piece (pains 16, 17, 36); 10,000 in `make lab-histories`."""

from __future__ import annotations

import os
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.orders.life import QUARANTINE, RESTOCK, Fact, Life, LineLife, TenderLife, broken, decide, spread
from tests.orders.shelf import Shelf
from tests.orders.unit_oracle import Line, Oracle, Piece

MANY = int(os.environ.get("WAYBILL_HISTORIES", "150"))
KINDS = ("cancel", "edit", "pick", "ship", "invoice", "receive", "request_return", "refund")
LINES = ("A", "B")
TENDERS = {"card": 7, "gift card": 3}
happening = st.tuples(
    st.sampled_from(KINDS), st.sampled_from(LINES), st.integers(1, 4), st.booleans(), st.sampled_from(tuple(TENDERS))
)
thorough = settings(
    max_examples=MANY, deadline=None, derandomize=MANY <= 300, suppress_health_check=list(HealthCheck), database=None
)


def begin(first: int, second: int) -> tuple[Life, Shelf, Oracle]:
    wanted = dict(zip(LINES, (first, second), strict=True))
    life = Life(
        tuple(LineLife(name, Decimal(many)) for name, many in wanted.items()),
        tuple(TenderLife(name, captured=Decimal(sum_)) for name, sum_ in TENDERS.items()),
    )
    oracle = Oracle({name: Line([Piece() for _ in range(many)]) for name, many in wanted.items()}, 50, dict(TENDERS))
    return life, Shelf(Decimal(50), Decimal(first + second)), oracle


@thorough
@given(st.integers(1, 4), st.integers(1, 4), st.lists(happening, max_size=30))
def test_the_machine_agrees_with_every_piece(
    first: int, second: int, history: list[tuple[str, str, int, bool, str]]
) -> None:
    """Pains 16, 17: ATS = on hand - sum(open claims) after every step, each claim closes once, restock yes or no per line."""
    life, shelf, oracle = begin(first, second)
    for kind, name, many, restock, tender in history:
        word = (RESTOCK if restock else QUARANTINE) if kind == "receive" else ""
        fact = Fact(kind, tender if kind == "refund" else name, Decimal(many), word)
        decided = decide(life, fact)
        life, shelf = decided.life, shelf.after(life, fact, decided)
        _tell(oracle, kind, name, many, restock, tender, refused=bool(decided.refused))
        assert not list(broken(life))
        _agree(life, shelf, oracle)


def _tell(oracle: Oracle, kind: str, name: str, many: int, restock: bool, tender: str, *, refused: bool) -> None:
    line = oracle.lines[name]
    if kind == "refund":
        assert oracle.refund(tender, many) is not refused, "a refund is taken exactly when the tender has so much left"
    elif kind == "receive":
        line.receive(many, restock)
    elif kind != "request_return":
        getattr(line, kind)(many)


def _agree(life: Life, shelf: Shelf, oracle: Oracle) -> None:
    for line in life.lines:
        told = oracle.lines[line.id].counts()
        assert {name: getattr(line, name) for name in told} == told
    assert shelf.to_sell == oracle.to_sell
    assert all(0 <= tender.refunded <= tender.captured for tender in life.tenders)


@thorough
@given(st.lists(st.integers(1, 500), min_size=1, max_size=4), st.lists(st.integers(1, 400), max_size=12))
def test_any_split_of_partial_refunds_ends_at_what_was_paid(taken: list[int], parts: list[int]) -> None:
    """Pain 36: a full refund equals what was paid to the cent after any split of partials, and no tender gives back more than it took."""
    cents = Decimal("0.01")
    life = Life((), tuple(TenderLife(f"t{n}", captured=sum_ * cents) for n, sum_ in enumerate(taken)))
    paid = sum(taken) * cents
    for part in [*(one * cents for one in parts), paid]:
        shares, _ = spread(life, min(part, _left(life)))
        for tender, share in shares:
            life = decide(life, Fact("refund", tender, share)).life
        assert not list(broken(life))
    assert sum((tender.refunded for tender in life.tenders), Decimal(0)) == paid


def _left(life: Life) -> Decimal:
    return sum((tender.refundable for tender in life.tenders), Decimal(0))


def test_a_partial_refund_after_a_partial_invoice_and_shipment() -> None:
    """Pain 17, the case of magento/inventory#2087: of 10, 6 are invoiced and shipped, 2 of those come back, 3 never sent are cancelled."""
    life = Life((LineLife("A", Decimal(10)),), (TenderLife("card", captured=Decimal(10)),))
    shelf = Shelf(Decimal(10), Decimal(10))
    for fact in (
        Fact("invoice", "A", Decimal(6)),
        Fact("ship", "A", Decimal(6)),
        Fact("request_return", "A", Decimal(2)),
        Fact("receive", "A", Decimal(2), RESTOCK),
        Fact("cancel", "A", Decimal(3)),
        Fact("refund", "card", Decimal(5)),
    ):
        decided = decide(life, fact)
        assert not decided.refused, fact
        life, shelf = decided.life, shelf.after(life, fact, decided)
    line = life.line("A")
    assert (line.open, line.billed, line.credited) == (Decimal(1), Decimal(4), Decimal(2))
    assert (shelf.on_hand, shelf.claims, shelf.to_sell) == (Decimal(6), Decimal(1), Decimal(5))


def test_a_cancellation_after_the_shipment_compensates_nothing() -> None:
    """Pain 16: what has left cannot be cancelled, only come back; asked twice it is refused twice."""
    life = Life((LineLife("A", Decimal(2)),))
    life = decide(life, Fact("ship", "A", Decimal(2))).life
    for _ in range(2):
        decided = decide(life, Fact("cancel", "A", Decimal(2)))
        assert (decided.refused, decided.effects, decided.life) == ("shipped", (), life)


def test_a_parcel_that_left_before_the_cancellation_came_is_put_before_a_person() -> None:
    """Pain 38: the cancellation is undone, the claim taken again, and somebody decides; nothing is put back on the shelf."""
    life = Life((LineLife("A", Decimal(2)),))
    life = decide(life, Fact("cancel", "A", Decimal(2))).life
    decided = decide(life, Fact("ship", "A", Decimal(1)))
    assert [(e.kind, e.word) for e in decided.effects] == [("reclaim", ""), ("conflict", "shipped_though_cancelled")]
    line = decided.life.line("A")
    assert (line.cancelled, line.shipped, line.restocked) == (1, 1, 0)


def test_an_edit_applies_before_it_is_picked_and_is_a_conflict_with_the_difference_after() -> None:
    """Pain 37."""
    life = Life((LineLife("A", Decimal(3)),))
    before = decide(life, Fact("edit", "A", Decimal(1)))
    assert (before.refused, before.life.line("A").open) == ("", 1)
    picked = decide(life, Fact("pick", "A", Decimal(3))).life
    after = decide(picked, Fact("edit", "A", Decimal(1)))
    assert (after.refused, after.life) == ("conflict", picked)
    assert (after.effects[0].amount, after.effects[0].word) == (2, "edited_after_pick")
