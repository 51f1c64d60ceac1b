"""Orders come by polling: by the instant of their change, across ties and moving pages, and those that were never exported."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.canonical.snapshot import Pointer
from connectors.kit.errors import NotOffered, Rejected, Transient
from connectors.salesforce_commerce.client import Client
from connectors.salesforce_commerce.walking import Walk, stamp
from tests.connectors.salesforce_commerce.conftest import MakeShop, Shop
from tests.connectors.salesforce_commerce.contract import at_utc, place_orders

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, MS = timedelta(hours=1), timedelta(milliseconds=1)


def numbers(shop: Shop, since: datetime, until: datetime) -> list[str]:
    return [message.delivery_id.split(":")[1] for message in shop.connector.changed("order", since, until)]


def test_a_tie_of_many_pages_is_listed_whole(shop: MakeShop) -> None:
    """Eleven in one millisecond, three to a page, with one before and one after."""
    at = shop()
    times = [NOON - HOUR, *([NOON] * 11), NOON + HOUR]
    wanted = place_orders(at.system, times)
    assert numbers(at, NOON - HOUR, NOON + HOUR) == list(wanted)


def test_no_page_goes_beyond_what_may_be_reached(shop: MakeShop) -> None:
    """The offset never grows with the list: each page begins at the last row's own instant."""
    at = shop()
    place_orders(at.system, [NOON + n * MS for n in range(30)])
    assert len(numbers(at, NOON, NOON + HOUR)) == 30
    window = [call for call in at.system.calls("orders.list") if "exportStatus" not in call["path"]]
    assert len(window) > 10
    assert all("offset=0" in call["path"] for call in window)


def test_a_millisecond_holds_its_microseconds(shop: MakeShop) -> None:
    """Our cursor knows microseconds, Commerce Cloud milliseconds: what changed in the cursor's own is not lost."""
    at = shop()
    (wanted,) = place_orders(at.system, [NOON])
    assert numbers(at, NOON + timedelta(microseconds=400), NOON + HOUR) == [wanted]
    assert numbers(at, NOON - HOUR, NOON) == [wanted]


def test_an_order_touched_while_the_list_is_walked_moves_to_the_next_window(shop: MakeShop) -> None:
    """It leaves the tie that is read; the walk sees that, and reads it again."""
    at = shop()
    wanted = place_orders(at.system, [NOON] * 8)
    at.system.bad_day("page_shift", times=3)
    seen = numbers(at, NOON, NOON + HOUR)
    assert set(seen) == set(wanted)
    assert len(seen) == len(set(seen))


def test_a_tie_that_never_rests_is_tried_again_later() -> None:
    moving = iter(range(100_000))

    def page(floor: datetime, beyond: datetime, offset: int) -> Sequence[dict[str, str]]:
        return [{"orderNo": str(next(moving)), "lastModified": stamp(NOON)} for _ in range(3)]

    with pytest.raises(Transient) as met:
        list(Walk(page, 3).rows(NOON, NOON + HOUR))
    assert met.value.code == "pages_shifted"


def test_a_tie_longer_than_any_list_is_no_silent_loss() -> None:
    rows = [{"orderNo": str(n), "lastModified": stamp(NOON)} for n in range(10_500)]

    def page(floor: datetime, beyond: datetime, offset: int) -> Sequence[dict[str, str]]:
        assert offset + 200 <= 10_000
        return rows[offset : offset + 200]

    def walked() -> Iterator[Any]:
        return Walk(page, 200).rows(NOON, NOON + HOUR)

    with pytest.raises(Transient) as met:
        list(walked())
    assert met.value.code == "too_many_tied"


def test_what_was_never_exported_is_found_although_its_window_is_gone(shop: MakeShop) -> None:
    """The list was late with one; nobody acknowledged it, so every poll lists it until somebody does."""
    at = shop()
    late, known = place_orders(at.system, [NOON - 3 * HOUR, NOON - 2 * HOUR])
    at.connector.client.set_status(known, "export-status", "exported")
    now = datetime.now(UTC)
    at.settings(export_days=(now - NOON).days + 2)
    assert late in numbers(at, now - HOUR, now + HOUR)
    at.connector.client.set_status(late, "export-status", "exported")
    assert numbers(at, now + HOUR, now + 2 * HOUR) == []
    at.settings(export_days=0)
    assert numbers(at, now + HOUR, now + 2 * HOUR) == []


def test_a_late_index_only_delays(shop: MakeShop) -> None:
    at = shop()
    at.system.bad_day("index_late", value=0.6)
    (wanted,) = place_orders(at.system, [NOON])
    assert numbers(at, NOON - HOUR, NOON + HOUR) == []
    at.system.good_day()
    time.sleep(0.7)
    assert numbers(at, NOON - HOUR, NOON + HOUR) == [wanted]


def test_each_change_is_a_delivery_of_its_own(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    first = at.connector.fetch(Pointer("order", order.id))
    assert first is not None
    at.move(order, "pay")
    second = at.connector.fetch(Pointer("order", order.id))
    assert second is not None
    assert first.delivery_id != second.delivery_id
    listed = [
        one for one in at.connector.changed("order", NOON, datetime.now(UTC) + HOUR) if order.id in one.delivery_id
    ]
    assert [one.delivery_id for one in listed] == [second.delivery_id], "listed or fetched, it is the same delivery"


def test_unplaced_orders_are_not_listed_and_placed_ones_are(shop: MakeShop) -> None:
    at = shop()
    number = at.system.post("/_sim/orders", {"kind": "unplaced"})[0]["orderNo"]
    window = (datetime.now(UTC) - HOUR, datetime.now(UTC) + HOUR)
    assert numbers(at, *window) == []
    at.system.post(f"/_sim/orders/{number}/place")
    assert numbers(at, *window) == [number]


def test_only_orders_are_listed_or_fetched(shop: MakeShop) -> None:
    at = shop()
    with pytest.raises(NotOffered):
        list(at.connector.changed("product", NOON, NOON + HOUR))
    with pytest.raises(NotOffered):
        at.connector.fetch(Pointer("product", "WB-TEE"))


def test_products_are_what_is_sold(shop: MakeShop) -> None:
    """Masters are left out; variants say whose they are. Only what changed since then, where a time is given."""
    at = shop()
    at.system.post("/_sim/products", {"sku": "WB-SHIRT", "kind": "master"})
    told = {"sku": "WB-SHIRT-M", "kind": "variant", "master": "WB-SHIRT", "price": "29.00"}
    at.system.post("/_sim/products", {**told, "lastModified": at_utc(datetime.now(UTC) + HOUR)})
    found = {one.sku: one for one in at.connector.products()}
    assert "WB-SHIRT" not in found
    assert found["WB-SHIRT-M"].parent_id == "WB-SHIRT"
    assert len(found) == 7, "three to a page, all pages walked"
    assert [one.sku for one in at.connector.products(datetime.now(UTC) + timedelta(minutes=30))] == ["WB-SHIRT-M"]


def test_a_catalogue_may_be_longer_than_a_search_reaches(shop: MakeShop) -> None:
    """Walked by when its products were made: an import makes many in one instant, and the offset never grows beyond that."""
    at = shop()
    for n in range(9):
        made = at_utc(NOON + timedelta(seconds=n // 4))
        at.system.post("/_sim/products", {"sku": f"X-{n}", "creationDate": made})
    found = [one.sku for one in at.connector.products()]
    assert len(found) == len(set(found)) == 15
    offsets = {json.loads(call["body"])["offset"] for call in at.system.calls("products.search")}
    assert max(offsets) <= 6


def test_an_id_leads_nowhere_else(shop: MakeShop) -> None:
    at = shop()
    assert at.connector.fetch(Pointer("order", "../../products/v1")) is None
    for name in ("", ".", "..", "x" * 101):
        with pytest.raises(Rejected):
            at.connector.fetch(Pointer("order", name))
    assert isinstance(at.connector.client, Client)
