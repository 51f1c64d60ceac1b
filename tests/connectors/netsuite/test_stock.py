"""Stock by location, read by SuiteQL page by page."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.canonical.snapshot import Ignored, Snapshot
from connectors.kit.capabilities import Message
from connectors.kit.errors import Missing, Rejected, Transient, Unreadable
from connectors.netsuite.mapping import read, stock

MANY = {f"{n}": {"1": f"{n}"} for n in range(2001, 2008)}
SKUS = {"sku": {f"S-{n}": f"{n}" for n in range(2001, 2008)}, "location": {"main": "1"}}


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8])
def test_every_row_comes_once_whatever_the_page(world, size):
    netsuite = world(settings={"page_size": size}, simulator={"stock": MANY, "items": {}}, codes=SKUS)
    assert [one.sku for one in netsuite.connector.stock()] == [f"S-{n}" for n in range(2001, 2008)]


def test_pages_that_shift_are_walked_again(world):
    netsuite = world(settings={"page_size": 2}, simulator={"stock": MANY, "items": {}}, codes=SKUS)
    netsuite.bad_day("page_shift", times=1)
    assert [one.sku for one in netsuite.connector.stock()] == [f"S-{n}" for n in range(2001, 2008)]


def test_pages_that_never_hold_still_are_not_believed(world):
    netsuite = world(settings={"page_size": 2}, simulator={"stock": MANY, "items": {}}, codes=SKUS)
    netsuite.bad_day("page_shift")
    with pytest.raises(Transient) as moved:
        list(netsuite.connector.stock())
    assert moved.value.code == "pages_shifted"


def test_only_the_skus_that_were_asked_for(world):
    netsuite = world(simulator={"stock": MANY, "items": {}}, codes=SKUS)
    (one,) = netsuite.connector.stock(["S-2003"])
    assert (one.sku, one.location, one.available, one.item_id) == ("S-2003", "main", Decimal(2003), "2003")


def test_a_sku_without_a_cross_reference_is_missing(world):
    netsuite = world(codes=SKUS)
    with pytest.raises(Missing):
        list(netsuite.connector.stock(["S-9"]))


def test_items_and_places_that_are_not_ours_are_left_out(world):
    netsuite = world(simulator={"stock": {"2001": {"1": "5", "9": "6"}, "3001": {"1": "7"}}, "items": {}}, codes=SKUS)
    assert [(one.sku, one.location) for one in netsuite.connector.stock()] == [("S-2001", "main")]


def test_a_query_that_netsuite_does_not_understand_is_refused_by_name(world):
    netsuite = world()
    with pytest.raises(Rejected) as refused:
        netsuite.connector._client.suiteql("SELECT * FROM everything", ("id",))
    assert (refused.value.code, refused.value.field) == ("INVALID_PARAMETER", "q")


def test_a_quote_in_an_address_cannot_leave_its_place(world):
    from tests.connectors.netsuite import orders

    netsuite = world()
    odd = orders.guest("7", "o'neil@example.com")
    netsuite.drive(netsuite.connector.book(odd, key="k"))
    netsuite.drive(netsuite.connector.book(odd, key="k"))
    assert list(netsuite.effects()["customer"].values()) == [1]


def test_a_row_is_read_as_a_level(world):
    account = world().account
    body = (
        b'{"item": "1001", "sku": "WB-TEE", "location": "1", "available": "7.5", "asof": "2026-03-02T09:30:00+00:00"}'
    )
    (reading,) = read(account, Message("stock", "d1", body))
    assert isinstance(reading, Snapshot)
    assert (reading.id, reading.version) == ("1001@1", "2026-03-02T09:30:00.000000+00:00")
    assert reading.document.available == Decimal("7.5")
    assert reading.document.on_hand is None


def test_what_is_no_quantity_is_named(world):
    body = b'{"item": "1001", "location": "1", "available": "many", "asof": "2026-03-02T09:30:00+00:00"}'
    with pytest.raises(Unreadable) as defect:
        read(world().account, Message("stock", "d1", body))
    assert defect.value.field == "available"


def test_other_topics_are_ignored_by_name(world):
    (reading,) = read(world().account, Message("salesorder", "d1", b"{}"))
    assert isinstance(reading, Ignored)
    assert "salesorder" in reading.reason


def test_an_item_id_that_is_no_number_never_reaches_a_query():
    with pytest.raises(ValueError, match="invalid literal"):
        stock.query(("1); DROP",))
