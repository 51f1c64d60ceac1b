"""Every operation that we call is sent by the real client over HTTP and held, with its answer, against Amazon's models."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import simplejson

from connectors import registry
from connectors.amazon.client import stamp
from connectors.amazon.simulator_access import PLANS
from connectors.canonical.money import Money
from connectors.canonical.product import Price
from connectors.canonical.snapshot import Pointer
from connectors.canonical.stock import StockLevel
from connectors.kit.writes import BatchItem
from tests.connectors.amazon.conftest import MakeShop, Shop
from tests.connectors.amazon.openapi import OUTSIDE, Published, complaints, needs_spec, operation, schema_complaints
from tests.connectors.counting import Counted
from tests.contract.samples import parcels, refund

pytestmark = needs_spec
NOW = datetime.now(UTC)
OPERATIONS = {
    "orders.search": "searchOrders",
    "orders.get": "getOrder",
    "orders_v0.list": "getOrders",
    "orders_v0.get": "getOrder",
    "orders_v0.items": "getOrderItems",
    "orders.confirm": "confirmShipment",
    "tokens.restricted": "createRestrictedDataToken",
    "feeds.documents.create": "createFeedDocument",
    "feeds.documents.get": "getFeedDocument",
    "feeds.create": "createFeed",
    "feeds.get": "getFeed",
    "listings.search": "searchListingsItems",
    "listings.get": "getListingsItem",
    "listings.patch": "patchListingsItem",
    "finances.order": "listFinancialEventsByOrderId",
    "finances.list": "listFinancialEvents",
    "subscriptions.get": "getSubscription",
    "subscriptions.create": "createSubscription",
    "destinations.list": "getDestinations",
    "destinations.create": "createDestination",
}


# Operations of no model, by the beginning of their name: what they are held against instead.
BESIDE = {
    "lwa": "Login with Amazon: RFC 6749",
    "feeds": "feed documents at presigned addresses: what lies there keeps to the feed schemas",
    "sqs": "Amazon SQS: moto takes them, botocore signs alike",
}


def everything(seller: Shop) -> None:
    """A seller's day, so that every operation is called once at least."""
    connector = seller.connector
    connector.subscribe(["ORDER_CHANGE"], "")
    connector.subscriptions()
    for kind in ("tax_beside", "promotion", "gift", "jpy", "tip", "business", "amazon", "pending", "replacement"):
        seller.system.post("/_sim/orders", {"kind": kind})
    sold = seller.place(lines=[{"sku": "WB-TEE", "quantity": 2}, {"sku": "WB-MUG", "price": "8.50", "tax": "1.36"}])
    seller.done(connector.acknowledge(sold, number="SO-1", key="k1"))
    for parcel in parcels(sold):
        seller.done(connector.confirm_shipment(sold, parcel, key="k2"))
    seller.done(connector.give_back(seller.again(sold), refund(sold), key="k3"), find_first=True)
    seller.system.post(
        f"/_sim/orders/{sold.id}/refunds", {"goodwill": "2.00", "at": stamp(NOW - timedelta(hours=1)), "kind": "claim"}
    )
    assert len(list(connector.changed("refund", NOW - timedelta(days=2), NOW - timedelta(minutes=5)))) == 1
    assert connector.fetch(Pointer("refund", sold.id)) is not None
    seller.done(connector.cancel_sale(seller.place(), key="k4"))
    publish(seller, ["WB-TEE", "WB-MUG", "WB-COMMA"])
    seller.settings(feed_from=1)
    publish(seller, ["WB-MUG", "WB-GONE"], 3)
    assert list(connector.changed("order", NOW - timedelta(days=400), NOW - timedelta(minutes=5)))
    connector.settle([one.receipt for one in connector.receive(10)])
    seller.settings(orders="v0")
    assert list(seller.connector.changed("order", NOW - timedelta(days=400), NOW - timedelta(minutes=5)))
    assert seller.connector.fetch(Pointer("order", sold.id)) is not None


def publish(seller: Shop, skus: list[str], quantity: int = 7) -> None:
    levels = [StockLevel(sku, "main", available=Decimal(quantity)) for sku in skus]
    seller.connector.publish_stock(levels, key="s").send([BatchItem(one, one.sku) for one in levels])
    prices = [Price(sku, Money(Decimal(quantity), "EUR")) for sku in skus]
    seller.connector.publish_prices(prices, key="p").send([BatchItem(one, one.sku) for one in prices])


@pytest.fixture
def day(shop: MakeShop) -> Shop:
    seller = shop(skus=("WB-TEE", "WB-MUG", "WB,COMMA"), packed=True)
    codes = {**seller.bench.codes.table["sku"], "WB-COMMA": "WB,COMMA"}
    object.__setattr__(seller.bench.codes, "table", {**seller.bench.codes.table, "sku": codes})
    old = (NOW - timedelta(days=1)).isoformat(timespec="seconds").replace("+00:00", "Z")
    seller.system.post("/_sim/orders", {"updated_at": old, "created_at": old})
    everything(seller)
    return seller


def published(seller: Shop) -> dict[str, Published]:
    said = [one for one in seller.spoken if not one.path.startswith("/stored/") and one.path not in OUTSIDE]
    return {one.operation: operation(one.method, one.path) for one in said}


@pytest.mark.counting
def test_every_operation_keeps_to_its_model(day: Shop, counted: Counted) -> None:
    """The fixture complains at its end; here that nothing was left out, and a table of what is covered by what."""
    covered = published(day)
    assert {name: one.told["operationId"] for name, one in covered.items()} == OPERATIONS
    assert set(OPERATIONS) == set(PLANS)
    print()
    for name, one in sorted(covered.items()):
        count = sum(1 for said in day.spoken if said.operation == name)
        print(f"{name:24} {count:3} calls held against {one.name}")
    counted("operations", Counter(f"models/{one.file}" for one in covered.values()))
    beside = {one.operation for one in day.bench.exchanges} - set(OPERATIONS)
    counted("facts", Counter(BESIDE[name.partition(".")[0]] for name in beside))


def test_quotas_are_the_published_ones(day: Shop) -> None:
    """Rate and burst of the manifest and of the simulator are those of the operation's usage plan."""
    limits = {name: limit for limit in registry.manifests()["amazon"].limits for name in limit.operations}
    for name, one in published(day).items():
        assert (limits[name].rate, limits[name].burst) == PLANS[name], name
        if one.plan is not None:
            assert PLANS[name] == one.plan, name
    unplanned = [name for name, one in published(day).items() if one.plan is None]
    assert not unplanned


def test_notifications_keep_to_their_schema(shop: MakeShop) -> None:
    """What comes out of the queue is what Amazon publishes."""
    seller = shop()
    seller.connector.subscribe(["ORDER_CHANGE"], "")
    sold = seller.place("amazon")
    seller.move(seller.place(), "ask")
    found = seller.connector.receive(10)
    assert {one.topic for one in found} == {"ORDER_CHANGE"}
    assert len(found) == 3
    assert sold.id in found[0].body.decode()
    for told in (simplejson.loads(one.body) for one in found):
        assert not list(schema_complaints("notifications/OrderChangeNotification.json", told))


def test_the_contract_notices(day: Shop) -> None:
    """A contract test that cannot fail is none: a call and an answer that are wrong are found."""
    good = next(one for one in day.spoken if one.operation == "orders.confirm")
    for wrong in (
        good.__class__(**{**_fields(good), "body": good.body.replace(b"carrierCode", b"carrier")}),
        good.__class__(**{**_fields(good), "body": good.body.replace(b'"quantity":1', b'"quantity":"1"')}),
        good.__class__(**{**_fields(good), "status": 201}),
    ):
        assert list(complaints(wrong)), wrong
    search = next(one for one in day.spoken if one.operation == "orders.search")
    assert list(complaints(search.__class__(**{**_fields(search), "query": {**search.query, "includedData": "ALL"}})))
    assert list(complaints(search.__class__(**{**_fields(search), "answer": b'{"orders": [{"orderId": 1}]}'})))


def _fields(one: object) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}  # type: ignore[attr-defined]
