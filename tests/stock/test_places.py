"""A channel of several places is told of each by itself: never more than lies there, and together never more than there is."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.stock.conftest import Stock, forget

PLACES = '[channels.shop.places]\nweb = ["main", "overflow"]\ncity = ["store"]\n'
OWNERS = {"main": "wms", "overflow": "wms", "store": "other"}
NONE = Decimal(0)


@pytest.fixture
def placed(stock: Stock, tmp_path: Path) -> Stock:
    shipped = (Path(__file__).parents[2] / "config" / "availability.toml").read_text()
    (tmp_path / "availability.toml").write_text(f"{shipped}\n{PLACES}")
    (tmp_path / "authority.toml").write_text(
        '[stock]\nowner = "warehouse"\n[stock.locations]\nstore = "other"\n[product]\nowner = "channel"\n'
    )
    forget()
    return stock


def again() -> None:
    """The policy is read again."""
    from app.database import engine

    engine().dispose()
    forget()


def marks(stock: Stock) -> dict[tuple[str, str], Any]:
    from app.stock import dirty

    return {(one.sku, one.location): one for one in stock.do(dirty.take, "shop", 100)}


def figures(stock: Stock) -> dict[str, Decimal]:
    return {place: one.available for (_, place), one in marks(stock).items()}


def test_each_place_is_told_of_its_own_locations(placed: Stock) -> None:
    from app.stock import dirty

    for location, many in (("main", 5), ("overflow", 2), ("store", 3)):
        assert placed.tell("TEE", many, location, account=OWNERS[location])
    assert figures(placed) == {"web": 7, "city": 3}
    for one in marks(placed).values():
        placed.do(dirty.told, "shop", one)
    assert not marks(placed)
    placed.reserve("k", "TEE", 2, location="store")
    found = marks(placed)
    assert {place: (one.available, one.told) for (_, place), one in found.items()} == {"web": (7, 7), "city": (1, 3)}
    assert placed.rows("SELECT location, quantity FROM published ORDER BY location") == [("city", 3), ("web", 7)]
    told = placed.rows("SELECT location, quantity, available FROM tellings ORDER BY location")
    assert [tuple(row) for row in told] == [("city", 3, 3), ("web", 7, 7)]


def test_an_echo_is_of_the_place_that_was_told_last_whatever_was_told_for_all_before(placed: Stock) -> None:
    from app.stock import dirty

    for place, many in (("", 9), ("web", 5)):
        placed.do(dirty.told, "shop", dirty.Mark("TEE", 1, Decimal(many), None, known=True, location=place))
    assert placed.do(dirty.is_echo, "shop", "TEE", Decimal(5), "web")
    assert not placed.do(dirty.is_echo, "shop", "TEE", Decimal(9), "web")
    assert placed.do(dirty.is_echo, "shop", "TEE", Decimal(9))


def test_a_refusal_at_one_place_leaves_the_other(placed: Stock) -> None:
    from app.stock import dirty

    placed.tell("TEE", 5)
    placed.tell("TEE", 3, "store", account="other")
    found = marks(placed)
    placed.do(dirty.refuse, "shop", found["TEE", "city"], "no such place")
    assert set(marks(placed)) == {("TEE", "web")}
    placed.tell("TEE", 4, "store", when=5, account="other")
    assert set(marks(placed)) == {("TEE", "web"), ("TEE", "city")}, "it is tried again once its stock changed"


@pytest.mark.parametrize("seed", range(8))
def test_places_together_never_promise_more_than_there_is(placed: Stock, seed: int) -> None:
    from app.stock import ledger

    pick = random.Random(seed)
    for n in range(30):
        where = pick.choice(list(OWNERS))
        act = pick.choice(("owner says", "claim", "let go", "leave"))
        if act == "owner says":
            placed.tell("TEE", pick.randint(-1, 9), where, when=n, account=OWNERS[where])
        elif act == "claim":
            placed.reserve(f"k{n}", "TEE", pick.randint(1, 3), location=pick.choice((None, where)))
        elif act == "let go":
            placed.do(ledger.release, f"k{pick.randint(0, n)}")
        else:
            placed.do(ledger.commit, f"k{pick.randint(0, n)}", f"p{n}")
        shown = {(sku, place): one for (sku, place), one in marks(placed).items() if one.known}
        assert sum((one.available for one in shown.values()), NONE) <= max(NONE, placed.free("TEE"))
        there = {row.location: row.free for row in placed.rows("SELECT location, free FROM shelves WHERE sku = 'TEE'")}
        for (_, place), one in shown.items():
            mine = ("main", "overflow") if place == "web" else ("store",)
            assert one.available <= sum((max(NONE, there.get(location, NONE)) for location in mine), NONE)


def test_what_is_sold_ahead_is_of_no_place(placed: Stock, tmp_path: Path) -> None:
    from app.stock import preorders

    policy = tmp_path / "availability.toml"
    policy.write_text(policy.read_text() + '[preorders."TEE"]\nfrom = 2099-01-01T00:00:00Z\nmost = 50\n')
    again()
    placed.tell("TEE", 5)
    placed.do(preorders.settle, "TEE")
    assert all(value == 0 for value in figures(placed).values())


def test_a_place_that_is_no_more_is_told_nothing(placed: Stock, tmp_path: Path) -> None:
    placed.tell("TEE", 5)
    policy = tmp_path / "availability.toml"
    policy.write_text(policy.read_text().replace(PLACES, ""))
    again()
    assert not any(one.known for one in marks(placed).values()), "the old marks are cleaned away"
    placed.tell("TEE", 6, when=5)
    assert figures(placed)[""] == 6
