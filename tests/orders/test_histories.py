"""Random histories of an order through production's own doors, everybody as late as he likes (pains 16, 17, 36); 10,000 in `make lab-histories`."""

from __future__ import annotations

import os
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.orders.life import Life, TenderLife, spread
from app.orders.shipping import to_ship
from tests.orders.happenings import BY_WAREHOUSE, Happening, can_be_paid_back, happens, still_here
from tests.orders.laws import broken
from tests.orders.small_hub import ACCOUNTS, SmallHub, small_hub
from tests.orders.test_giving_back import acme as acme  # noqa: PLC0414 - a fixture
from tests.world import World

MANY = int(os.environ.get("WAYBILL_HISTORIES", "40"))
PIECES = 3
EVERYTHING = {
    **{name: Happening(one.act, 4, one.when) for name, one in BY_WAREHOUSE.items()},
    "ship two": Happening(
        lambda hub: hub.ship(2), when=lambda hub: still_here(hub) and hub.outside.gone + 2 <= hub.pieces
    ),
    "refund for goods": Happening(lambda hub: hub.refund(1, restock=True), when=can_be_paid_back),
    "the hub": Happening(lambda hub: hub.works("hub"), 20),
    "the warehouse": Happening(lambda hub: hub.works("warehouse"), 20),
}
TURN = 500  # histories in one transaction, which grows slow with each
few = settings(
    max_examples=min(MANY, TURN),
    deadline=None,
    derandomize=MANY <= 300,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=(Phase.explicit, Phase.generate),  # a way of twenty words is short enough to be read
)


@pytest.mark.parametrize("turn", range(max(1, MANY // TURN)))
def test_no_history_breaks_a_law(acme: World, monkeypatch: pytest.MonkeyPatch, turn: int) -> None:
    """After each step what must hold at once, and in the end, when everybody has done what he was asked, all of it."""
    with small_hub(monkeypatch, pieces=PIECES, tenders={"gift": 8, "card": 22}, lazy=ACCOUNTS) as hub:
        hub.place()

        @few
        @given(st.lists(st.sampled_from(sorted(EVERYTHING)), min_size=4, max_size=20))
        def histories(names: list[str]) -> None:
            with hub.set_back():
                done: list[str] = []
                for name in names:
                    one = EVERYTHING[name]
                    if hub.outside.times(name) < one.most and one.when(hub):
                        done.append(name)
                        wrong = happens(hub, name, one)
                        assert not wrong, f"{' -> '.join(done)}: {wrong}"
                wrong = _everybody_works(hub)
                assert not wrong, f"{' -> '.join(done)} -> everybody works: {wrong}"

        histories()


def _everybody_works(hub: SmallHub) -> str:
    """The first law that is broken once everybody has done what he was asked; empty where all hold."""
    lazy, hub.lazy, decided = hub.lazy, frozenset(), hub.decided()
    try:
        hub.at_once()
    finally:
        hub.lazy = lazy
    return next(broken(hub, decided), "")


@settings(max_examples=max(100, MANY), deadline=None, database=None)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=4), st.lists(st.integers(1, 400), max_size=12))
def test_any_split_of_partial_refunds_ends_at_what_was_paid(taken: list[int], parts: list[int]) -> None:
    """Pain 36: a full refund equals what was paid to the cent after any split of partials, and no tender gives back more than it took."""
    cents = Decimal("0.01")
    life = Life((), tuple(TenderLife(f"t{n}", captured=sum_ * cents) for n, sum_ in enumerate(taken)))
    paid = sum(taken) * cents
    for part in [*(one * cents for one in parts), paid]:
        shares, over = spread(life, part)
        assert over == max(Decimal(0), part - sum((one.refundable for one in life.tenders), Decimal(0)))
        for name, share in shares:
            known = life.tender(name)
            life = life.with_tender(TenderLife(name, captured=known.captured, refunded=known.refunded + share))
        assert all(0 <= one.refunded <= one.captured for one in life.tenders)
    assert sum((one.refunded for one in life.tenders), Decimal(0)) == paid


def test_a_partial_refund_after_a_partial_invoice_and_shipment(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pain 17, the case of magento/inventory#2087: of 9, 6 are invoiced and shipped, 2 of those come back, 3 never sent are cancelled."""
    with small_hub(monkeypatch, pieces=9, tenders={"card": 90}, lazy=frozenset()) as hub:
        hub.place()
        for act in (
            lambda: hub.ship(6),
            lambda: hub.ask_return(2),
            lambda: hub.count_return(2, "restock"),
            lambda: hub.edit(hub.outside.wanted - 3),
        ):
            act()
            hub.at_once()
            assert not list(broken(hub, 0))
        shelf = hub.shelf()
        assert (shelf.told, shelf.reserved) == (9 - 6 + 2, 0)
        assert dict(hub.outside.given) == {"card": 50}, "two that came back and three that never left"
        assert (hub.outside.billed, hub.outside.credited) == (6, 2)


@pytest.mark.parametrize("again", [1, 2])
def test_a_cancellation_after_the_shipment_compensates_nothing(
    acme: World, monkeypatch: pytest.MonkeyPatch, again: int
) -> None:
    """Pain 16: what has left cannot be cancelled, only come back; told twice it is told once."""
    with small_hub(monkeypatch, lazy=frozenset()) as hub:
        hub.place()
        hub.ship(2)
        hub.at_once()
        for _ in range(again):
            hub.cancel()
            hub.at_once()
        assert (hub.shelf().told, hub.shelf().reserved, dict(hub.outside.given)) == (7, 0, {})
        assert (hub.outside.billed, hub.outside.credited) == (2, 0)


def test_an_order_that_is_edited_and_cancelled_before_it_was_reserved_claims_nothing(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pain 18: an edit claims at once, and the step that a cancellation would undo was never done."""
    with small_hub(monkeypatch, pieces=3, lazy=frozenset(("hub",))) as hub:
        hub.place()
        hub.edit(2)
        assert hub.claimed() == 2
        hub.cancel()
        hub.lazy = frozenset()
        hub.at_once()
        assert hub.claimed() == hub.shelf().reserved == 0


def test_a_piece_that_is_added_after_all_has_left_is_claimed(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_hub(monkeypatch, lazy=frozenset()) as hub:
        hub.place()
        hub.ship(2)
        hub.at_once()
        for wanted, claimed in ((3, 1), (5, 3), (2, 0), (4, 2)):
            hub.edit(wanted)
            hub.at_once()
            assert hub.claimed() == hub.shelf().reserved == claimed
        assert hub.shelf().told == 7


def test_what_leaves_after_its_order_was_cancelled_is_put_before_a_person_though_some_had_left_before(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pain 38: the line is no cancelled one, since some of it had left in time."""
    with small_hub(monkeypatch, lazy=frozenset()) as hub:
        hub.place()
        hub.ship(1)
        hub.at_once()
        hub.cancel()
        hub.at_once()
        assert "shipped_though_cancelled" not in hub.cases()
        hub.ship(1)
        hub.at_once()
        assert "shipped_though_cancelled" in hub.cases()


@pytest.mark.parametrize("how", ["edit", "refund"])
def test_what_leaves_though_it_was_taken_off_before_is_put_before_a_person(
    acme: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Pain 38, of a part: the warehouse sends what it was asked for first."""
    with small_hub(monkeypatch, lazy=frozenset()) as hub:
        hub.place()
        hub.edit(1) if how == "edit" else hub.refund(1, restock=True)
        hub.at_once()
        hub.ship(1)
        hub.at_once()
        assert not hub.cases()
        hub.ship(1)
        hub.at_once()
        assert hub.cases() == ["shipped_though_cancelled"]


def test_a_refund_of_what_never_left_lets_go_of_its_claim(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that takes a piece off by giving its money back, and tells of no edit beside it: it is not to leave any more."""
    with small_hub(monkeypatch, lazy=frozenset()) as hub:
        hub.place()
        hub.refund(1, restock=True)
        hub.at_once()
        assert (hub.claimed(), hub.shelf().reserved) == (1, 1)
        assert to_ship(hub.order) == {"L1": 1}
        assert hub.done("withdraw_fulfilment"), "the warehouse was to send both"
        assert hub.done("request_again")
        assert not hub.done("amend_order"), "the books credit it"


def test_money_back_for_what_has_left_keeps_the_rest_to_leave(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three one left, and its price is given back though nobody sends it back: the two others are wanted."""
    with small_hub(monkeypatch, pieces=3, tenders={"card": 30}, lazy=frozenset()) as hub:
        hub.place()
        hub.ship(1)
        hub.at_once()
        hub.refund(1, restock=False)
        hub.at_once()
        assert to_ship(hub.order) == {"L1": 2}
        assert hub.claimed() == hub.shelf().reserved == 2
        assert not hub.done("withdraw_fulfilment")
        hub.refund(1, restock=False)
        hub.at_once()
        assert to_ship(hub.order) == {"L1": 1}, "only one had left: the second refund is for one that had not"


def test_what_came_back_before_its_leaving_was_noted_had_left_all_the_same(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pain 17: the step that takes a parcel off its claim waits for the shop, and the customer has sent it back meanwhile."""
    with small_hub(monkeypatch, pieces=3, tenders={"card": 30}, lazy=ACCOUNTS) as hub:
        hub.place()
        hub.works("hub")
        hub.ship(3)
        hub.ask_return(1)
        hub.count_return(1, "restock")
        assert hub.left() == 3
        assert not _everybody_works(hub)
        assert (hub.left(), hub.claimed()) == (3, 0)


def test_what_was_given_for_a_piece_that_left_is_not_taken_off_what_is_cancelled(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two one left and was paid back as a kindness; then the other is cancelled: all of it goes back."""
    with small_hub(monkeypatch, tenders={"card": 20}, lazy=frozenset()) as hub:
        hub.place()
        hub.ship(1)
        hub.at_once()
        hub.refund(1, restock=False)
        hub.at_once()
        hub.edit(0)
        hub.at_once()
        assert dict(hub.outside.given) == {"card": 20}
        assert hub.claimed() == 0


def test_what_was_not_sent_is_still_to_be_sent_after_a_return(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three, two left and one of these came back and was paid back: the third is still to leave, and wanted of somebody."""
    with small_hub(monkeypatch, pieces=3, tenders={"card": 30}, lazy=frozenset()) as hub:
        hub.place()
        hub.ship(2)
        hub.at_once()
        hub.ask_return(1)
        hub.count_return(1, "restock")
        hub.at_once()
        assert to_ship(hub.order) == {"L1": 1}
