"""Each channel of `make run`: its simulator is understood, its account and routes are whole, and it is tried by its own share."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from app.web.checker import check
from config.reader import read
from local import run, simulators
from local.ports import LOCALHOST
from local.servers import CHECKOUT
from local.story import addresses, keys, report
from local.story.catalogue import NEW, PRICED, SHELVED
from local.story.channels import CHANNELS, Channel
from local.story.configured import FILED, MORE, configured
from local.story.desk import Desk
from local.story.erps import ENTERED, PLAYED
from local.story.facts import Asked, Books, Inside, Outside, Parcel, Sold, whole
from local.story.judge import DOUBLED, LOST, WRONG, findings
from local.story.life.scenes import STORE, TELLER
from local.story.report import Judged
from local.story.shares import divided

HERE = addresses.Addresses(
    web="http://127.0.0.1:1",
    flower="http://127.0.0.1:2",
    systems={name: f"http://127.0.0.1:{n}" for n, name in enumerate((*addresses.SYSTEMS, *addresses.MORE), 3)},
    files="sftp://127.0.0.1:9/prices",
    smtp="smtp://127.0.0.1:9",
    channels={one.system: f"http://127.0.0.1:{n}" for n, one in enumerate(CHANNELS, 10)},
)

SELLING = [one for one in CHANNELS if one.orders]  # the marketplace's orders are those of local/story/life


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What `make run` puts into the environment, with every ERP that is played."""
    more = {f"{name}_MAIN_URL": "http://127.0.0.1:8" for name in (*map(str.upper, PLAYED), "TRYTON")}
    tryton = {f"TRYTON_MAIN_{name}": "tryton" for name in ("DATABASE", "USER", "PASSWORD")}
    made = {**keys.kept(tmp_path / "keys.json"), **HERE.variables(), **more, **tryton}
    monkeypatch.delenv("DATABASE_URL", raising=False)  # files are asked here, no database
    for name, value in made.items():
        monkeypatch.setenv(name, value)
    return {**os.environ, **made}


@pytest.fixture
def desk(request: pytest.FixtureRequest, environ: dict[str, str], tmp_path: Path) -> Iterator[tuple[Channel, Desk]]:
    channel = request.param
    environ[channel.variable] = f"http://{LOCALHOST}:0"
    with ExitStack() as stack:
        yield channel, Desk(stack.enter_context(simulators.play(channel.system, environ, tmp_path)))


def named(channel: Channel) -> str:
    return channel.account


@pytest.mark.parametrize("desk", SELLING, ids=named, indirect=True)
def test_a_channel_is_understood(desk: tuple[Channel, Desk]) -> None:
    """Opened twice it is opened once; every order is read as worth something, each cancelled one as cancelled."""
    channel, asked = desk
    channel.opens(asked)
    channel.opens(asked)
    specs = [*channel.orders, *channel.to_cancel, *channel.to_refund, *channel.to_bring, *channel.to_change]
    placed = asked.post("orders", [dict(spec) for spec in specs])
    assert len(placed) == len(specs) >= 24
    for order in placed[len(channel.orders) :][: len(channel.to_cancel)]:
        assert channel.cancel is not None
        channel.cancel(asked, order)
    for order in placed[len(specs) - len(channel.to_change) :]:
        assert channel.change is not None
        channel.change(asked, order)
    sold = channel.sold(asked)
    assert sum(one.changed for one in sold) == len(channel.to_change)
    assert {one.id for one in sold} == {channel.name(order) for order in placed}
    assert len({one.name for one in sold}) == len(sold)
    assert all(one.worth > 0 and one.currency == "EUR" for one in sold)
    assert {sku for one in sold for sku in one.wanted} <= set(SHELVED)
    assert sum(one.cancelled for one in sold) == len(channel.to_cancel)
    assert not any(one.called_off for one in sold)  # by its customers' and staff's word alone
    assert not any(one.number or one.sent for one in sold if one.takes_number)
    assert set(channel.offered(asked)) == {"WB-LAMP", "WB-BOOK"}


@pytest.mark.parametrize("desk", [one for one in CHANNELS if one.refund], ids=named, indirect=True)
def test_money_back_is_understood(desk: tuple[Channel, Desk]) -> None:
    channel, asked = desk
    channel.opens(asked)
    for order in asked.post("orders", [dict(spec) for spec in channel.to_refund]):
        assert channel.refund is not None
        if channel.system == "amazon":  # which gives back for what has left only
            asked.post(f"orders/{order['id']}/amazon", {})
        channel.refund(asked, order)
    for one in channel.sold(asked):
        (tenders,) = one.refunds.values()
        assert 0 < sum(tenders.values()) < one.worth
        assert set(channel.payments(asked).values()) >= set(tenders)


def test_a_way_that_is_not_gone_is_absent(capsys: pytest.CaptureFixture[str]) -> None:
    """Every channel cancels, is given back to by somebody, or says why not; the printed table says it under a number."""
    for channel in SELLING:
        assert set(channel.absent) <= set(report.WAYS)
        gone = {
            "changed": channel.to_change,
            "cancelled by the hub": channel.to_call_off,
            "cancelled there": channel.to_cancel,
            "refunded there": channel.to_refund,
            "refunded by the hub": channel.to_bring,
            "price": channel.priced,
        }
        assert {way for way, played in gone.items() if not played} == set(channel.absent)
    order = replace(sold("#1", refunds={"r1": {}, "r2": {}}), by_hub=frozenset(("r1",)))
    one = Judged(Outside((order,), books(), (), {}, (), channel="amazon-main"), ())
    assert (one.steps()["refunded there"], one.steps()["refunded by the hub"]) == (1, 1)
    quiet = Inside(Counter(), 0, 0, {}, frozenset(), 0)
    report._steps(report.Outcome((one,), quiet, 0.0, {}, {}), Console(width=200))
    told = capsys.readouterr().out
    assert one.steps()["cancelled there"] == one.steps()["cancelled by the hub"] == 0
    ours = replace(one, outside=replace(one.outside, sold=(replace(order, cancelled=True, called_off=True),)))
    assert (ours.steps()["cancelled there"], ours.steps()["cancelled by the hub"]) == (0, 1)
    assert "absent: Amazon's buyers cannot edit an order" in told


def test_the_policy_of_the_demonstration_is_whole(environ: dict[str, str], tmp_path: Path) -> None:
    """Its accounts stand beside those shipped, which are left as they are; every order has a route, every channel is told the stock."""
    folder = configured(CHECKOUT / "config", tmp_path / "config", CHANNELS)
    assert check(folder) == []
    policy, shipped = read(folder), read(CHECKOUT / "config")
    assert set(policy.accounts) - set(shipped.accounts) == {*map(named, CHANNELS), *MORE}
    orders = [(route.when["account"], route.roles["channel"]) for route in policy.routes if route.kind == "order"]
    assert sorted(orders) == sorted((name, name) for name in ("shopify-main", *map(named, CHANNELS)))
    stock, price = (next(route for route in policy.routes if route.kind == kind) for kind in ("stock", "price"))
    assert set(stock.roles["publish"]) == {"shopify-main", *map(named, SELLING)}
    assert set(price.roles["publish"]) == {"shopify-main", *(one.account for one in CHANNELS if one.priced)}
    assert policy.routes[-len(shipped.routes) :] == shipped.routes
    told = {name: tomllib.loads((folder / f"{name}.toml").read_text()) for name in ("authority", "schedules", "prices")}
    assert told["authority"]["stock"]["locations"] == {STORE: TELLER}
    assert told["schedules"]["prices"]["every"] == 5
    assert told["prices"]["feeds"]["price-files"] == {"refused": "0.5"}
    assert set(told["prices"]["sources"]) == {"netsuite-main"}
    assert (told["authority"]["price"]["owner"], told["authority"]["price"]["lists"]) == (
        "netsuite-main",
        {FILED: "price-files"},
    )
    assert policy.accounts["salesforce-commerce-main"].settings["price_book"] == FILED


@pytest.mark.parametrize("name", sorted(PLAYED))
def test_an_erp_is_told_of_a_new_article_and_prices_only_what_nobody_orders(
    environ: dict[str, str], tmp_path: Path, name: str
) -> None:
    environ[f"{name.upper()}_MAIN_URL"] = f"http://{LOCALHOST}:0"
    with simulators.play(name, environ, tmp_path) as address:
        desk = Desk(address)
        before = str(desk.get("state"))
        assert NEW.sku not in before
        assert all(sku in before and price.rstrip("0").rstrip(".") in before for sku, price in PRICED.items())
        ENTERED[name](desk, NEW)
        assert NEW.sku in str(desk.get("state"))
    with simulators.play(name, environ, tmp_path) as address:
        assert NEW.sku in str(Desk(address).get("state"))


def test_an_account_that_people_configured_stays_theirs(environ: dict[str, str], tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for name in ("accounts", "routes"):
        (own / f"{name}.toml").write_text((CHECKOUT / "config" / f"{name}.toml").read_text())
    with (own / "accounts.toml").open("a") as file:
        file.write('\n[bigcommerce-main]\nconnector = "bigcommerce"\nbase_url = "https://mine.example.com"\n')
    policy = read(configured(own, tmp_path / "config", CHANNELS))
    assert policy.accounts["bigcommerce-main"].base_url == "https://mine.example.com"


def test_limits_are_those_that_the_played_warehouse_grants(environ: dict[str, str], tmp_path: Path) -> None:
    """Unless people say another."""
    played = read(configured(CHECKOUT / "config", tmp_path / "config", CHANNELS)).accounts["shipbob-main"]
    assert played.limits["minute"]["burst"] < int(run.GRANTED["SHIPBOB_MAIN_CALLS"])
    own = tmp_path / "own"
    shutil.copytree(CHECKOUT / "config", own)
    with (own / "accounts.toml").open("a") as file:
        file.write("\n[shipbob-main.limits.minute]\nburst = 100\n")
    assert read(configured(own, tmp_path / "config", CHANNELS)).accounts["shipbob-main"].limits["minute"] == {
        "burst": 100
    }


# ---- shares


def sold(name: str, **more: Any) -> Sold:
    told: dict[str, Any] = {"kind": "plain", "worth": Decimal("10.00"), "currency": "EUR", "cancelled": False}
    return Sold(
        id="1",
        name=name,
        **{**told, "wanted": {"WB-TEE": 2}, "email": "", "refunds": {}, "sent": (), "number": "SO1", **more},
    )


def books(*names: str) -> Books:
    return Books(dict.fromkeys(names, 1), dict.fromkeys(names, Decimal("10.00")), frozenset(), {}, {})


def request(name: str) -> Asked:
    return Asked(f"WB-{name}", name, False, ())


QUIET = Inside(Counter(), 0, 0, {}, frozenset(), 0)
OTHER = Outside((sold("101"),), books(), (), {}, (), channel="bigcommerce-main")


def shares(held: Books, *requests: str) -> list[list[str]]:
    """What the judge finds: in the web shop's share, in the other channel's."""
    shop = Outside((sold("#1001"),), held, tuple(map(request, requests)), {}, ())
    return [sorted({one.kind for one in findings(share, QUIET)}) for share in divided(shop, [OTHER])]


def test_each_channel_is_tried_by_its_own_share() -> None:
    """One id at two channels is two orders; what is nobody's is found with the web shop."""
    held = ("shopify-main-1", "bigcommerce-main-1")
    assert shares(books(*held), "#1001", "101") == [[], []]
    assert shares(books(held[0]), "#1001", "101") == [[], [LOST]]
    assert shares(books(held[1]), "#1001", "101") == [[LOST], []]
    assert shares(books(*held), "#1001") == [[], [LOST]]
    assert shares(books(*held, "bigcommerce-main-2"), "#1001", "101") == [[], [WRONG]]
    assert shares(books(*held, "elsewhere-1"), "#1001", "101", "102") == [[WRONG], []]


def test_a_tally_counts_what_was_booked_once() -> None:
    held = Books({"shopify-main-1": 2}, {}, frozenset(), {}, {})
    tally = Judged(Outside((sold("#1001"),), held, (), {}, ()), ()).tally()
    assert (tally["accepted"], tally["booked_once"], tally["never_booked"]) == (1, 0, 0)


def test_only_who_takes_a_number_must_be_told_one() -> None:
    till = sold("t", number="", wanted={}, takes_number=False)
    case = Outside((till,), books("shopify-main-1"), (), {}, ())
    assert findings(case, QUIET) == []
    assert [
        one.kind for one in findings(Outside((sold("t", number="", wanted={}),), case.books, (), {}, ()), QUIET)
    ] == [LOST]


def test_what_leaves_without_our_warehouse_is_booked_as_often_as_it_left() -> None:
    """Under its order's name, or (as Tryton does) under that of the channel that told of it."""
    order = sold("#1001", wanted={}, sent=(Parcel("1/amazon", frozenset(), {"WB-TEE": 2}),))

    def found(*names: tuple[str, str]) -> list[str]:
        held = replace(books("shopify-main-1"), fulfilments=dict.fromkeys(names, 1))
        return [one.kind for one in findings(Outside((order,), held, (), {}, ()), QUIET)]

    assert found() == [LOST]
    assert found(("shopify-main-1", "1/amazon")) == found(("", "shopify-main-1/amazon")) == []
    assert found(("shopify-main-1", "1/amazon"), ("shopify-main-1", "2")) == [DOUBLED]


def test_an_order_is_whole_once_all_its_pieces_have_left() -> None:
    half, rest = (Parcel(name, frozenset((name,)), {"WB-TEE": 1}) for name in ("a", "b"))
    assert not whole(sold("x", sent=(half,)))
    assert whole(sold("x", sent=(half, rest)))
