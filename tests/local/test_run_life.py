"""The judge of the marketplace's part of make run: what each house sent, who was bought from, what was oversold, and which price is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.story.catalogue import CHAIR, RUG, RUSH_STOCK, VASE
from local.story.channels import marketplace as channel
from local.story.facts import Books, Outside
from local.story.judge import DOUBLED, LOST, WRONG
from local.story.life import judge, scenes
from local.story.life.partner import order

LINES = {RUG.sku: (1, "80.00"), VASE.sku: (2, "25.00"), CHAIR.sku: (1, "140.00")}
ORIGINS = {RUG.sku: "shipbob-main", VASE.sku: "store-koeln", CHAIR.sku: "maker-main"}


class Desk:
    """What a simulator would say."""

    def __init__(self, **state: Any) -> None:
        self.state = state

    def get(self, path: str) -> Any:
        assert path == "state"
        return self.state


def told(name: str, sku: str, pieces: int) -> dict[str, Any]:
    parcel = {
        "id": f"{name}-{sku}",
        "trackings": [{"number": f"T-{name}-{sku}"}],
        "lines": [{"sku": sku, "quantity": str(pieces)}],
    }
    return {"type": "order.shipped", "data": {"id": name, "shipment": parcel}}


class Day:
    """Everything as it should be; each test breaks one thing."""

    def __init__(self, folder: Path) -> None:
        names = [f"SPLIT-{n}" for n in range(1, scenes.SPLITS + 1)]
        self.orders = {name: order(name, LINES) for name in names}
        self.orders |= {f"RUSH-{n}": order(f"RUSH-{n}", {"WB-RUSH": (1, "49.00")}) for n in range(RUSH_STOCK)}
        self.seen = {f"{name}/{sku}": told(name, sku, many) for name in names for sku, (many, _) in LINES.items()}
        self.seen |= {name: told(name, "WB-RUSH", 1) for name in self.orders if name.startswith("RUSH")}
        self.bought = [CHAIR.sku] * len(names)
        self.granted, self.cut_off = RUSH_STOCK, False
        self.booked = {
            (f"marketplace-main-{one['data']['id']}", one["data"]["shipment"]["id"]): 1 for one in self.seen.values()
        }
        self.prices, self.shop = dict(scenes.TOLD), dict(scenes.TOLD)
        reports = folder / "prices" / "reports"
        reports.mkdir(parents=True)
        (reports / "prices.report.csv").write_text(f"line,sku\n4,{scenes.REFUSED}\n")

    def found(self) -> list[str]:
        rush = {"asked": 150} if self.cut_off else {"granted": self.granted}
        market = Desk(orders=self.orders, seen=self.seen, notes={"rush": rush})
        rows = {str(n): {"state": "shipped", "body": {"lines": [{"sku": sku}]}} for n, sku in enumerate(self.bought)}
        articles = {
            sku: {"item_variation_data": {"sku": sku, "price_money": {"amount": int(float(price) * 100)}}}
            for sku, price in scenes.TOLD.items()
        }
        desks: dict[str, Any] = {
            "marketplace": market,
            "maker": Desk(purchases=rows),
            "salesforce_commerce": Desk(
                prices={f"site-prices/{sku}": [{"amount": p}] for sku, p in self.prices.items()}
            ),
            "square": Desk(articles=articles),
            "shopify": Desk(products={sku: {"variants": [{"sku": sku, "price": p}]} for sku, p in self.shop.items()}),
        }
        books = Books({}, {}, frozenset(), self.booked, {})
        shelf = {"WB-RUSH": RUSH_STOCK - self.granted}
        whole = Outside(channel.CHANNEL.sold(desks["marketplace"]), books, (), {}, (), channel="marketplace-main")
        return [one.kind for one in judge.findings(replace(whole, shelf=shelf), desks)]


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Day:
    monkeypatch.setattr(judge, "FILES", tmp_path)
    return Day(tmp_path)


def test_a_good_day_has_no_findings(day: Day) -> None:
    assert day.found() == []


def test_what_was_not_told_as_sent_or_not_booked_is_lost(day: Day) -> None:
    gone = day.seen.pop(f"SPLIT-1/{VASE.sku}")
    assert day.found() == [
        LOST,
        DOUBLED,
        WRONG,
    ]  # of the order; the books hold what nobody told; two houses instead of three
    del day.booked["marketplace-main-SPLIT-1", gone["data"]["shipment"]["id"]]
    assert day.found() == [LOST, WRONG]


def test_what_left_twice_is_doubled(day: Day) -> None:
    day.seen["again"] = told("SPLIT-2", VASE.sku, 2)
    assert DOUBLED in day.found()


def test_shipments_that_name_no_order_are_found_by_who_told_of_them(day: Day) -> None:
    origin = ORIGINS
    day.booked = {
        (
            "",
            f"{origin.get(parcel.partition('-WB-')[2] and 'WB-' + parcel.partition('-WB-')[2], 'shipbob-main')}-{parcel}",
        ): 1
        for _, parcel in day.booked
    }
    assert day.found() == []


@pytest.mark.parametrize(("more", "kind"), [(1, DOUBLED), (-1, LOST)])
def test_each_order_buys_once_from_the_supplier(day: Day, more: int, kind: str) -> None:
    day.bought = [CHAIR.sku] * (scenes.SPLITS + more)
    assert day.found() == [kind]


def test_nothing_is_sold_that_is_not_there(day: Day) -> None:
    day.granted = RUSH_STOCK + 1
    assert day.found() == [DOUBLED]


def test_a_rush_that_was_cut_off_is_believed_what_is_left(day: Day) -> None:
    """Some were granted a piece and never came to order it; what is neither ordered nor on the shelf is lost all the same."""
    for name in [f"RUSH-{n}" for n in range(3)]:
        del day.orders[name], day.seen[name], day.booked[f"marketplace-main-{name}", f"{name}-WB-RUSH"]
    day.granted = RUSH_STOCK - 3
    assert day.found() == [LOST]
    day.cut_off = True
    assert day.found() == []
    day.granted -= 1
    assert day.found() == [LOST]


def test_what_was_noted_and_not_sent_is_told_again(day: Day) -> None:
    notebook = {"orders": day.orders, "seen": day.seen}
    assert scenes.unsent(notebook) == []
    del day.seen[f"SPLIT-2/{VASE.sku}"]
    assert [one["id"] for one in scenes.unsent(notebook)] == ["SPLIT-2"]


def test_a_price_that_did_not_arrive_is_lost(day: Day) -> None:
    day.prices[RUG.sku] = "80.00"
    assert day.found() == [LOST]
    del day.shop[RUG.sku]
    assert day.found() == [LOST, LOST]
