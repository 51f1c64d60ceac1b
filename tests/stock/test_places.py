"""A channel of several places is told of each by itself: never more than lies there, and together never more than there is."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.stock.conftest import Stock, forget

PLACES = '[channels.shop.places]\nweb = ["main", "overflow"]\ncity = ["store"]\n'
OWNERS = {"main": "wms", "overflow": "wms", "store": "other"}
NONE = Decimal(0)
FULL = os.environ.get("WAYBILL_LAB") == "full"


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


class Channel:
    """A channel of two places: what it shows at each, and what became of each item of a call."""

    def __init__(self, stock: Stock) -> None:
        self.stock, self.shown = stock, {"web": NONE, "city": NONE}

    def call(self, answer: Callable[[str], str]) -> list[tuple[str, Decimal]]:
        """One batch, as a worker makes it. `answer` of a place: taken, refused, lost (taken, nobody hears of it), dropped (never arrived)."""
        from app.stock import dirty

        marks = self.stock.do(dirty.take, "shop", 100)
        wanted = [mark for mark in marks if mark.news]
        self.stock.do(dirty.sending, "shop", wanted)
        for mark in marks:
            if mark not in wanted:
                self.stock.do(dirty.nothing_to_tell, "shop", mark)
        most = max(sum(self.shown.values(), NONE), self.stock.free("TEE"))
        for mark in wanted:
            said = answer(mark.location)
            if said in ("taken", "lost"):
                self.shown[mark.location] = mark.available
                assert sum(self.shown.values(), NONE) <= most, "a telling never raises the sum above what is there"
            if said == "taken":
                self.stock.do(dirty.told, "shop", mark)
            elif said == "refused":
                self.stock.do(dirty.refuse, "shop", mark, "not now")
        return [(mark.location, mark.available) for mark in wanted]


def moved(stock: Stock, when: int, web: int, city: int) -> None:
    """The owners' words: so many lie at each place."""
    stock.tell("TEE", web, "main", when=when, account="wms")
    stock.tell("TEE", city, "store", when=when, account="other")


def test_a_place_is_told_of_more_once_the_other_was_told_of_less(placed: Stock) -> None:
    """Five pieces go from the shop on the web to the one in the city: at no moment does the channel show ten."""
    channel = Channel(placed)
    moved(placed, 0, 5, 0)
    assert channel.call(lambda place: "taken") == [("city", 0), ("web", 5)]
    moved(placed, 5, 0, 5)
    assert channel.call(lambda place: "taken") == [("web", 0)]
    assert channel.call(lambda place: "taken") == [("city", 5)]
    assert not channel.call(lambda place: "taken")
    assert channel.shown == {"web": 0, "city": 5}
    assert placed.one("SELECT count(*) FROM dirty") == 0


@pytest.mark.parametrize("answer", ["refused", "lost", "dropped"])
def test_a_place_waits_while_nobody_knows_that_the_other_was_told(placed: Stock, answer: str) -> None:
    channel = Channel(placed)
    moved(placed, 0, 5, 0)
    channel.call(lambda place: "taken")
    moved(placed, 5, 0, 5)
    assert channel.call(lambda place: answer) == [("web", 0)]
    assert channel.call(lambda place: answer) == ([] if answer == "refused" else [("web", 0)])
    assert placed.rows("SELECT location, waits FROM dirty WHERE waits <> ''") == [("city", "web")]
    assert placed.one("SELECT due_at > now() FROM dirty WHERE location = 'city'"), "no run is started for it"
    if answer == "refused":
        placed.tell("TEE", 0, "main", when=6)
        placed.do(lambda tx: tx.execute(text("UPDATE dirty SET refused = '', due_at = now() WHERE location = 'web'")))
    assert channel.call(lambda place: "taken") == [("web", 0)]
    assert channel.call(lambda place: "taken") == [("city", 5)], "woken at once"


def test_a_raise_that_may_have_arrived_counts(placed: Stock) -> None:
    """The call that told the city of five was not answered; then the five go back. The web waits until the city was told of none."""
    channel = Channel(placed)
    moved(placed, 0, 0, 5)
    channel.call(lambda place: "lost" if place == "city" else "taken")
    moved(placed, 5, 5, 0)
    assert channel.call(lambda place: "taken") == [("city", 0)]
    assert channel.call(lambda place: "taken") == [("web", 5)]


def test_what_was_answered_is_no_longer_in_doubt(placed: Stock) -> None:
    channel = Channel(placed)
    moved(placed, 0, 5, 0)
    channel.call(lambda place: "taken")
    moved(placed, 5, 0, 5)
    channel.call(lambda place: "dropped")
    assert placed.rows("SELECT location, sent, least FROM dirty WHERE sent IS NOT NULL") == [("web", 0, 0)]
    placed.tell("TEE", 3, "main", when=6)
    moved(placed, 7, 2, 5)
    assert dict(channel.call(lambda place: "refused")) == {"city": 2, "web": 2}, "it may show the five, or none"
    assert placed.rows("SELECT location, sent, least FROM dirty ORDER BY location") == [
        ("city", None, None),
        ("web", 0, 0),
    ]
    placed.do(lambda tx: tx.execute(text("UPDATE dirty SET refused = '', due_at = now()")))
    for _ in range(3):
        channel.call(lambda place: "taken")
    assert channel.shown == {"web": 2, "city": 5}


def test_what_is_told_again_is_still_known(placed: Stock) -> None:
    """Somebody has everything told once more; what the places show meanwhile is not forgotten."""
    from app.stock import dirty

    channel = Channel(placed)
    moved(placed, 0, 5, 0)
    channel.call(lambda place: "taken")
    moved(placed, 5, 0, 5)
    placed.do(dirty.doubt, ["shop"], ["TEE"])
    assert channel.call(lambda place: "taken") == [("city", 0), ("web", 0)]
    assert channel.call(lambda place: "taken") == [("city", 5)]


def test_a_quick_claim_is_told_to_every_place(placed: Stock) -> None:
    from app.stock import quick, rules
    from app.stock.claims import Wanted

    channel = Channel(placed)
    moved(placed, 0, 5, 3)
    channel.call(lambda place: "taken")
    assert quick.claim("res_1", Wanted("TEE", Decimal(2), "1", None), "market", 60.0, rules.of("shop"))
    assert channel.call(lambda place: "taken") == [("web", 3)]


@pytest.mark.parametrize("seed", range(200 if FULL else 12))
def test_no_history_of_answers_shows_more_than_there_is(placed: Stock, seed: int) -> None:
    """Goods move, are claimed and leave; calls are taken, refused, lost and dropped, item by item. In the end each place shows its own."""
    from app.stock import ledger

    pick, channel = random.Random(seed), Channel(placed)
    moved(placed, 0, 6, 4)
    answers = ("taken", "taken", "refused", "lost", "dropped")
    for n in range(1, 30):
        act = pick.choice(("moved", "claim", "let go", "leave", "call", "call", "call"))
        if act == "moved":
            web = pick.randint(0, 10)
            moved(placed, n, web, 10 - web)
        elif act == "claim":
            placed.reserve(f"k{n}", "TEE", pick.randint(1, 3), location=pick.choice((None, "main", "store")))
        elif act == "let go":
            placed.do(ledger.release, f"k{pick.randint(0, n)}")
        elif act == "leave":
            placed.do(ledger.commit, f"k{pick.randint(0, n)}", f"p{n}")
        else:
            channel.call(lambda place: pick.choice(answers))
    placed.do(lambda tx: tx.execute(text("UPDATE dirty SET refused = '', due_at = now()")))
    for _ in range(4):
        channel.call(lambda place: "taken")
    assert placed.one("SELECT count(*) FROM dirty") == 0
    assert sum(channel.shown.values(), NONE) <= max(NONE, placed.free("TEE"))
    moved(placed, 99, 7, 3)
    for _ in range(3):
        channel.call(lambda place: "taken")
    assert channel.shown == figures_of(placed)


def figures_of(stock: Stock) -> dict[str, Decimal]:
    """What each place may show by the core's own reading."""
    from app.stock import availability, rules

    told = rules.places("shop")
    return {
        place: stock.do(availability.read, ["TEE"], rules.of("shop"), ours)["TEE"].visible
        for place, ours in told.items()
    }


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
