"""A story over the real hub: orders of the site are polled, booked, exported, shipped, cancelled, each once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.connectors.salesforce_commerce.conftest import MakeShop, Shop
from tests.connectors.salesforce_commerce.contract import CREDENTIALS, ORGANIZATION, SITE
from tests.joined import join, look, ship
from tests.world import World, world

ACCOUNT = """[shop]
connector = "salesforce_commerce"
base_url = "{address}"
credentials = {{ client_id = "SITE_ID", client_secret = "SITE_SECRET" }}
settings = {{ organization = "{organization}", site = "{site}", page_size = 2, number_attribute = "c_erpNumber", inventory_list = "main" }}
codes = {{ sku = "same" }}
polls = {{ order = {{ every = 0, settling_delay = 0 }} }}

"""
OPEN = "SELECT count(*) FROM steps WHERE state NOT IN ('done', 'skipped', 'cancelled')"


@dataclass
class Told:
    """The hub with the simulated site as its shop, Acme in every other role."""

    hub: World
    site: Shop

    def look(self) -> None:
        """The poll's next window has come, and what it brings is done."""
        look()
        self.hub.pump(30)

    def warehouse_ships(self, number: str) -> None:
        ship(self.hub, number)


@pytest.fixture
def told(shop: MakeShop, tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Told]:
    site = shop()
    with world(tmp_path / "config", database_url, redis_url) as hub:
        accounts = hub.folder / "accounts.toml"
        others = accounts.read_text().split("[erp]")[1]
        text_ = ACCOUNT.format(address=site.system.address, organization=ORGANIZATION, site=SITE)
        accounts.write_text(f"{text_}[erp]{others}")
        os.environ.update(SITE_ID=CREDENTIALS["client_id"], SITE_SECRET=CREDENTIALS["client_secret"])
        join(hub, (), skus=("WB-TEE", "WB-MUG"))
        yield Told(hub, site)


def numbers(placed: list[Any]) -> list[str]:
    return [one["orderNo"] for one in placed]


def test_orders_are_booked_and_exported_once_however_often_they_are_listed(told: Told) -> None:
    """Five orders over three pages; their own export moves them, and the next looks list them again."""
    kinds = [
        {"kind": kind} for kind in ("plain", "net", "order_promotion_net", "item_promotion", "gift_certificate_used")
    ]
    placed = numbers(told.site.system.post("/_sim/orders", kinds))
    for _ in range(3):
        told.look()
    assert told.hub.effects("erp")["bookings"] == {f"shop-{number}": 1 for number in placed}
    assert told.site.effects("exported") == dict.fromkeys(placed, 1)
    assert told.hub.events() == {"applied": 5, "superseded": 5}, "their own export moved them: it is no news"
    assert all(value.startswith("c_erpNumber=") for value in told.site.effects("custom").values())
    assert not told.hub.one(OPEN)


def test_answers_that_are_lost_export_once(told: Told) -> None:
    """The site did it and the connection broke, again and again: looked up, found, not asked twice."""
    told.site.system.bad_day("commit_then_drop", operations=["orders.export-status", "orders.update"], times=3)
    placed = numbers(told.site.system.post("/_sim/orders", [{}, {}]))
    told.look()
    assert told.site.effects("exported") == dict.fromkeys(placed, 1)
    assert told.hub.effects("erp")["bookings"] == {f"shop-{number}": 1 for number in placed}
    assert len(told.site.system.calls("orders.export-status")) == 2
    assert not told.hub.one(OPEN)


def test_a_site_under_load_is_waited_for(told: Told) -> None:
    """It sheds the poll: the next look lists everything, and nothing was lost."""
    (number,) = numbers(told.site.system.post("/_sim/orders", {}))
    told.site.system.bad_day("unavailable", operations=["orders.list"], times=1)
    told.look()
    assert told.hub.effects("erp").get("bookings", {}) == {}
    told.look()
    assert told.hub.effects("erp")["bookings"] == {f"shop-{number}": 1}


def test_what_left_is_told_to_the_site_and_its_echo_starts_nothing(told: Told) -> None:
    (number,) = numbers(told.site.system.post("/_sim/orders", {}))
    told.look()
    told.warehouse_ships(number)
    told.look()
    assert told.site.effects("shipping") == {number: "shipped"}
    assert sum(told.hub.effects("erp")["deliveries"].values()) == 1
    assert sum(told.hub.effects("letters")["letters"].values()) == 1
    assert not told.hub.one(OPEN)


def test_an_order_cancelled_in_the_site_is_cancelled_everywhere(told: Told) -> None:
    (number,) = numbers(told.site.system.post("/_sim/orders", {}))
    told.look()
    told.site.system.post(f"/_sim/orders/{number}/cancel", {"reason": "Ordered by mistake"})
    told.look()
    assert told.hub.effects("erp")["cancelled"] == {f"bookings shop-{number}": 1}
    assert told.hub.one("SELECT count(*) FROM reservations WHERE state = 'open'") == 0
    assert not told.hub.one(OPEN)


def test_an_order_that_the_list_was_late_with_is_booked_all_the_same(told: Told) -> None:
    """Its change lies long before the poll's window: it was never exported, and so it is listed."""
    told.look()
    with_age = {"updated_at": "2026-11-20T10:00:00.000Z", "created_at": "2026-11-20T10:00:00.000Z"}
    from app.database import transaction

    with transaction() as tx:
        tx.execute(text("UPDATE cursors SET reached = now() WHERE account = 'shop'"))
    (number,) = numbers(told.site.system.post("/_sim/orders", with_age))
    told.look()
    assert told.hub.effects("erp")["bookings"] == {f"shop-{number}": 1}


def test_a_sum_that_does_not_add_up_is_quarantined_with_its_difference(told: Told) -> None:
    """And a total that was mended in the site is booked."""
    (number,) = numbers(told.site.system.post("/_sim/orders", {}))
    whole = told.site.system.get("/_sim/state")["orders"][number]["orderTotal"]
    told.site.system.post(f"/_sim/orders/{number}/total", {"total": "1.00"})
    told.look()
    assert told.hub.effects("erp").get("bookings", {}) == {}
    assert told.hub.events() == {"quarantined": 1}
    told.site.system.post(f"/_sim/orders/{number}/total", {"total": whole})
    told.look()
    assert told.hub.effects("erp")["bookings"] == {f"shop-{number}": 1}


def test_what_the_warehouse_counts_is_what_the_site_sells(told: Told) -> None:
    """Through load that is shed in the middle, and answers that are lost: the newest count, for each article."""
    from tasks.feeds import publish

    told.site.system.bad_day("commit_then_drop", operations=["inventory.update"], times=1)
    for version, pieces in enumerate(("40", "30"), 1):
        for sku in ("WB-TEE", "WB-MUG"):
            at = f"2030-01-01T00:00:{version:02d}.000000Z"
            counted = {"id": f"lev-{sku}", "sku": sku, "location": "main", "available": pieces, "on_hand": pieces}
            told.hub.deliver("stock.changed", {**counted, "updated_at": at}, account="warehouse", at=at)
        told.hub.pump(30)
        publish.run()
        told.hub.pump(30)
    until = time.monotonic() + 30
    while told.hub.one("SELECT count(*) FROM dirty") and time.monotonic() < until:
        publish.run()
        told.hub.pump(30)
    assert told.site.effects("stock")["WB-TEE@main"] == told.site.effects("stock")["WB-MUG@main"] == "30 pieces"
