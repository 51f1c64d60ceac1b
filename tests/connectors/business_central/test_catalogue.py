"""Items, prices and stock as Business Central tells them, and its webhooks with their three days."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from connectors import registry
from connectors.business_central.webhook import RECEIVER
from connectors.canonical.product import ProductKind
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.kit.capabilities import Message
from connectors.kit.errors import Forged, Rejected
from connectors.kit.receiver import Incoming, Secret
from tests.connectors.business_central.inbox import STATE, hub
from tests.contract.samples import NOW


def test_stock_is_the_items_total_at_the_location_that_the_account_names(world):
    company = world()
    levels = {level.sku: level for level in company.connector.stock()}
    assert levels["WB-TEE"].on_hand == Decimal(7)
    assert levels["WB-TEE"].available is None  # reservations and orders stand in tables that the API does not tell
    assert {level.location for level in levels.values()} == {"main"}


def test_stock_without_a_named_location_is_a_setting_to_make(world):
    with pytest.raises(Rejected) as refused:
        list(world(settings={"stock_location": ""}).connector.stock())
    assert refused.value.field == "settings.stock_location"


def test_a_custom_page_of_the_company_tells_stock_by_location(world):
    company = world(
        settings={"stock_api": "example/stock/v1.0/itemLocations"},
        simulator={
            "stock_page": "example/stock/v1.0/itemLocations",
            "stock": {"WB-TEE": {"MAIN": 5, "SHOP": 2}, "WB-HAT": {"MAIN": 9}},
        },
        codes={"location": {"main": "MAIN", "shop": "SHOP"}},
    )
    told = {(level.sku, level.location): level.on_hand for level in company.connector.stock()}
    assert told == {("WB-TEE", "main"): 5, ("WB-TEE", "shop"): 2}
    assert {level.sku for level in company.connector.stock(["WB-MUG"])} == set()


def test_prices_are_in_the_companys_currency_and_say_whether_tax_is_in_them(world):
    company = world()
    company.system.post("/_sim/items", {"number": "WB-TEE", "unitPrice": 19.9, "priceIncludesTax": True})
    (price,) = company.connector.prices(["WB-TEE"])
    assert (price.amount.amount, price.amount.currency, price.taxes_included) == (Decimal("19.9"), "EUR", True)
    company.system.post("/_sim/items", {"number": "WB-TEE", "unitPrice": 0})
    assert list(company.connector.prices(["WB-TEE"])) == [], "nobody has entered one"


def test_a_service_is_not_counted_and_a_blocked_item_not_sold(world):
    company = world()
    company.system.post("/_sim/items", {"number": "WRAP", "type": "Service", "blocked": True})
    found = {product.sku: product for product in company.connector.products()}
    assert (found["WRAP"].kind, found["WRAP"].tracked, found["WRAP"].active) == (ProductKind.SERVICE, False, False)
    assert "WRAP" not in {level.sku for level in company.connector.stock()}


# ---- webhooks


def test_a_subscription_is_made_once_and_renewed_before_its_three_days_end(world):
    company = world()
    with hub() as (address, _):
        assert company.connector.subscriptions() == {}
        company.connector.subscribe(["items"], address)
        assert company.connector.subscriptions() == {"items": True}
        ends = company.state("subscriptions")[0]["expirationDateTime"]
        late = replace(company.bench.connection(), now=lambda: NOW.now(NOW.tzinfo) + timedelta(hours=49))
        assert registry.connect(late).subscriptions() == {"items": False}  # ends within a day: counts as off
        company.connector.subscribe(["items"], address)
    (only,) = company.state("subscriptions")
    assert only["expirationDateTime"] > ends
    assert company.operations(write=True) == ["subscriptions.create", "subscriptions.update"]


def test_a_subscription_that_lives_elsewhere_hides_none_of_ours_that_ended(world):
    company = world()
    with hub(status=404) as (ours, _), hub() as (elsewhere, _):
        company.connector.subscribe(["items"], ours)
        company.connector.subscribe(["items"], elsewhere)
        assert company.connector.subscribed_at() == {"items": {ours, elsewhere}}
        late = replace(company.bench.connection(), now=lambda: NOW.now(NOW.tzinfo) + timedelta(hours=49))
        assert registry.connect(late).subscribed_at() == {}  # ends within a day: counts as off
        item = company.system.post("/_sim/items", {"number": "WB-TEE", "unitPrice": 21})["id"]
        company.system.post("/_sim/notify", {"entity": "items", "id": item})
    assert company.connector.subscriptions() == {"items": True}
    assert company.connector.subscribed_at() == {"items": {elsewhere}}


def test_an_address_that_does_not_shake_hands_gets_no_subscription(world):
    company = world()
    with pytest.raises(Rejected):
        company.connector.subscribe(["items"], "http://127.0.0.1:9/hooks/books")
    assert company.connector.subscriptions() == {}


def test_the_secret_of_a_subscription_stands_in_no_record_of_a_call(world):
    company = world()
    with hub() as (address, _):
        company.connector.subscribe(["items"], address)
        company.connector.subscriptions()
    kept = " ".join(
        f"{one.url} {one.request!r} {one.answer!r} {one.request_headers}" for one in company.bench.exchanges
    )
    assert STATE not in kept


def test_a_changed_item_is_told_fetched_and_read(world):
    company = world()
    with hub() as (address, taken):
        company.connector.subscribe(["items"], address)
        item = company.system.post("/_sim/items", {"number": "WB-TEE", "unitPrice": 21})["id"]
        company.system.post("/_sim/notify", {"entity": "items", "id": item})
    told = RECEIVER.identify(taken[0])
    message = Message(told.topic, told.delivery_id, taken[0].body)
    (pointer,) = registry.read(company.bench.account, message)
    assert pointer == Pointer("product", item.lower(), pointer.version)
    (snapshot,) = registry.read(company.bench.account, company.connector.fetch(pointer))
    assert isinstance(snapshot, Snapshot)
    assert snapshot.document.price.amount.amount == 21


def test_of_very_many_changes_all_since_then_are_fetched(world):
    company = world()
    found = company.connector.fetch(Pointer("product", "since:2026-01-01T00:00:00+00:00"))
    assert {snapshot.document.sku for snapshot in registry.read(company.bench.account, found)} == {"WB-TEE", "WB-MUG"}
    assert company.connector.fetch(Pointer("product", "since:2099-01-01T00:00:00+00:00")) is None


def test_a_rotated_secret_holds_beside_the_new_one_and_a_stranger_never(world):
    body = b'{"value":[{"clientState":"old-state","resource":"api/v2.0/companies(1)/items(2)"}]}'
    came = Incoming("POST", "https://hub.example/hooks/books", {}, {}, body)
    both = [Secret("new", STATE), Secret("old", "old-state", NOW + timedelta(hours=1))]
    assert RECEIVER.prove(came, both, NOW) == "old"
    for now, secrets in ((NOW + timedelta(hours=2), both), (NOW, both[:1]), (NOW, [Secret("empty", "")])):
        with pytest.raises(Forged):
            RECEIVER.prove(came, secrets, now)


def test_one_notification_of_another_secret_forges_the_whole_delivery():
    body = b'{"value":[{"clientState":"a"},{"clientState":"b"}]}'
    with pytest.raises(Forged):
        RECEIVER.prove(Incoming("POST", "", {}, {}, body), [Secret("a", "a"), Secret("b", "b")], NOW)
