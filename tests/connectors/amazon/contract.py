"""What Amazon offers to the contract suite: its fixtures, and a seller's account that can be asked for things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from connectors import registry
from connectors.amazon.simulator import DEMO, MARKETPLACE
from connectors.canonical.order import Order
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.kit.account import Account
from connectors.kit.manifest import Limit
from tests.contract.bench import Bench, MemoryCodes
from tests.contract.contract import Batch, Contract, Fixture, Poll, Rate, Token
from tests.contract.samples import CODES
from tests.contract.system import System

SELLER = DEMO["seller_id"]
CREDENTIALS = {
    **{name: value for name, value in DEMO.items() if name != "seller_id"},
    "aws_access_key_id": "AKIAWAYBILLTESTS0001",
    "aws_secret_access_key": "aws-secret-of-the-tests",
}
SETTINGS: dict[str, Any] = {
    "seller_id": SELLER,
    "marketplaces": [MARKETPLACE],
    "currency": "EUR",
    "page_size": 3,
    "feed_patience": 1,
}
SIMULATOR: dict[str, Any] = {"generous": 1000}
ORDER_NEEDS = (
    "order.orderId",
    "order.createdTime",
    "order.lastUpdatedTime",
    "order.salesChannel.channelName",
    "order.fulfillment.fulfillmentStatus",
    "order.proceeds.grandTotal",
    "order.proceeds.grandTotal.currencyCode",
    "order.orderItems",
    "order.orderItems[0].orderItemId",
    "order.orderItems[0].quantityOrdered",
    "order.orderItems[0].product",
    "order.orderItems[0].proceeds.breakdowns[0].type",
    "order.orderItems[0].proceeds.breakdowns[0].subtotal",
    "order.orderItems[0].proceeds.breakdowns[0].subtotal.amount",
)
V0_NEEDS = (
    "order",
    "items",
    "order.AmazonOrderId",
    "order.PurchaseDate",
    "order.LastUpdateDate",
    "order.OrderStatus",
    "order.OrderTotal.CurrencyCode",
    "items[0].OrderItemId",
    "items[0].QuantityOrdered",
)
NOTE = "Payload.OrderChangeNotification"


def order(kind: str, number: int, needs: tuple[str, ...] = ORDER_NEEDS) -> Fixture:
    return Fixture(f"order__{kind}", "orders/2026-01-01/order", (f"order:{order_id(number)}",), needs)


def order_v0(kind: str, number: int, needs: tuple[str, ...] = V0_NEEDS) -> Fixture:
    return Fixture(f"order_v0__{kind}", "orders/v0/order", (f"order:{order_id(number)}",), needs)


def order_id(number: int) -> str:
    return f"303-{number:07d}-{number:07d}"


def refunded(kind: str) -> Fixture:
    """One refund of order 15."""
    charge = "events.RefundEventList[0].ShipmentItemAdjustmentList[0].ItemChargeAdjustmentList[0]"
    needs = (
        "events",
        "events.RefundEventList[0].PostedDate",
        f"{charge}.ChargeType",
        f"{charge}.ChargeAmount.CurrencyCode",
    )
    return Fixture(f"refunds__{kind}", "finances/v0/order", (f"refund:{order_id(15)}",), needs)


CANCELLED = tuple(name for name in ORDER_NEEDS if "proceeds" not in name)
FIXTURES = (
    Fixture(
        "order_change__status",
        "ORDER_CHANGE",
        (f"pointer:order:{order_id(1)}",),
        (f"{NOTE}.AmazonOrderId", f"{NOTE}.SellerId"),
    ),
    Fixture("order_change__small_letters", "ORDER_CHANGE", (f"pointer:order:{order_id(1)}",)),
    Fixture("feed_processing_finished__done", "FEED_PROCESSING_FINISHED", ("ignored",)),
    Fixture("listings_item_mfn_quantity_change__plain", "LISTINGS_ITEM_MFN_QUANTITY_CHANGE", ("ignored",)),
    order("plain", 1),
    order("tax_beside", 2),
    order("tax_inside", 3),
    order("promotion", 4),
    order("gift", 5),
    order("jpy", 6),
    order("kwd", 7),
    order("tip", 8),
    order("business", 9),
    order("prime", 10),
    order("amazon", 11),
    order("replacement", 12),
    order("shipped_in_part", 15, (*ORDER_NEEDS, "order.packages[0].packageReferenceId")),
    order("shipped", 15),
    order("cancelled", 16, CANCELLED),
    order("cancel_asked", 17),
    Fixture("order__pending", "orders/2026-01-01/order", ("ignored",), ("order.orderId",)),
    Fixture("order__elsewhere", "orders/2026-01-01/order", ("ignored",), ("order.orderId",)),
    order_v0("plain", 1),
    order_v0("tax_beside", 2),
    order_v0("promotion", 4),
    order_v0("gift", 5),
    order_v0("jpy", 6),
    order_v0("amazon", 11),
    order_v0("cancelled", 16, tuple(name for name in V0_NEEDS if "OrderTotal" not in name)),
    Fixture("order_v0__pending", "orders/v0/order", ("ignored",), ("order.AmazonOrderId",)),
    Fixture(
        "orders_v0__row",
        "orders/v0/orders",
        (f"pointer:order:{order_id(1)}",),
        ("AmazonOrderId", "LastUpdateDate", "OrderStatus"),
    ),
    Fixture("orders_v0__pending", "orders/v0/orders", ("ignored",)),
    Fixture(
        "refund_event__plain",
        "finances/v0/event",
        (f"pointer:refund:{order_id(15)}",),
        ("AmazonOrderId", "PostedDate"),
    ),
    refunded("plain"),
    Fixture("refunds__claims", "finances/v0/order", (*(f"refund:{order_id(15)}",) * 3, "ignored")),
    refunded("v0"),
    Fixture("refunds__none", "finances/v0/order", ("ignored",)),
)


def prepare(system: System) -> Mapping[str, Any]:
    """The queue's address is the simulator's own."""
    queue = system.get("/_sim/queue")
    return {"settings": {**SETTINGS, "queue_url": queue["url"], "queue_arn": queue["arn"], "queue_region": "eu-west-1"}}


def bench(system: System, **settings: Any) -> Bench:
    account = Account("tried", "amazon", system.address, CREDENTIALS, {**prepare(system)["settings"], **settings})
    return Bench(account, MemoryCodes(CONTRACT.codes, "tried"))


def read_order(system: System, name: str, **settings: Any) -> Order:
    """An order of the seller as the hub reads it."""
    made = bench(system, **settings)
    message = made.connector().fetch(Pointer("order", name))
    (reading,) = registry.read(made.account, message)
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Order)
    return replace(reading.document, channel="amazon")


def placed(system: System) -> Order:
    """Two tees and a mug, in the marketplace itself."""
    lines = [{"sku": "WB-TEE", "quantity": 2}, {"sku": "WB-MUG", "quantity": 1, "price": "8.50"}]
    spec = {"lines": lines, "created_at": "2026-03-01T09:30:00Z", "updated_at": "2026-03-01T09:30:00Z"}
    return read_order(system, str(system.post("/_sim/orders", spec)[0]["id"]))


def shipped(system: System) -> Order:
    """The same, when it has left: what has not is cancelled, not refunded."""
    sold = placed(system)
    connector = bench(system).connector()
    items = [{"orderItemId": line.id, "quantity": int(line.quantity)} for line in sold.lines]
    detail = {
        "packageReferenceId": "1",
        "carrierCode": "DHL",
        "trackingNumber": "JD000000",
        "shipDate": "2026-03-02T09:30:00Z",
        "orderItems": items,
    }
    connector.client.confirm_shipment(sold.id, {"marketplaceId": MARKETPLACE, "packageDetail": detail})
    return read_order(system, sold.id)


def place(system: System, times: Sequence[datetime]) -> Sequence[str]:
    specs = [{"updated_at": told(at), "created_at": told(at)} for at in times]
    return [str(one["id"]) for one in system.post("/_sim/orders", specs)] if specs else []


def given_back(system: System, times: Sequence[datetime]) -> Sequence[str]:
    """A whole order goes back at each of these times, by its seller's own hand."""
    found = []
    for at in times:
        name = shipped(system).id
        system.post(f"/_sim/orders/{name}/refunds", {"at": told(at)})
        found.append(name)
    return found


def told(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def written(system: System) -> dict[str, Any]:
    """What we did there: not the orders that buyers placed."""
    return {kind: rows for kind, rows in system.get("/_sim/effects").items() if kind != "order"}


def pointer(system: System) -> Pointer:
    return Pointer("order", str(system.post("/_sim/orders", {"kind": "promotion"})[0]["id"]))


def enqueue(system: System, count: int) -> None:
    """So many orders change while Amazon tells us of it."""
    connector = bench(system).connector()
    if not all(connector.subscriptions().values()):
        connector.subscribe(["ORDER_CHANGE"], "")
    for _ in range(count):
        system.post("/_sim/orders", {})


RATE = Rate(
    limit=Limit("tried", "bucket", burst=10, rate=19.6, seconds=1.0, operations=("subscriptions.get",)),
    simulator={"generous": 1, "rates": {"subscriptions.get": (20, 12)}},
    call=lambda connector: connector.client.subscription("ORDER_CHANGE"),
    operation="subscriptions.get",
)
EXEMPT = {
    "daily_quota": "Amazon counts by the second and operation, never calls a day",
    "version": "each of Amazon's APIs has a version of its own, in its path: tests/connectors/amazon/openapi.py holds each call against it",
    "half_an_answer:SalesChannel.confirm_shipment": "confirmShipment answers 204 without a body, of which there is no half",
}
CONTRACT = Contract(
    settings=SETTINGS,
    credentials=CREDENTIALS,
    simulator=SIMULATOR,
    prepare=prepare,
    codes={
        **CODES,
        "sku": {**CODES["sku"], "WB-GONE": "WB-GONE"},
        "carrier": {"dhl": "DHL"},
    },
    fixtures=FIXTURES,
    versions=(("order__shipped_in_part", "order__shipped"),),
    order=placed,
    polls=(Poll("order", place, 3), Poll("refund", given_back, 3)),
    fetch=pointer,
    batch=Batch("WB-GONE"),
    enqueue=enqueue,
    seen=written,
    token=Token("lwa.token", lambda system: system.post("/_sim/tokens/ends")),
    rate=RATE,
    settles=1.0,
    steps=(
        "SalesChannel.acknowledge",
        "SalesChannel.confirm_shipment",
        "SalesChannel.publish_stock",
        "SaleCanceller.cancel_sale",
        "PriceTaker.publish_prices",
    ),
    exempt=EXEMPT,
)


def _also(**more: Any) -> Contract:
    """The same account in another shape."""
    names = ("settings", "credentials", "simulator", "prepare", "codes", "order", "seen", "settles", "exempt")
    return Contract(**{**{name: getattr(CONTRACT, name) for name in names}, **more})


def prepare_feeds(system: System) -> Mapping[str, Any]:
    return {"settings": {**prepare(system)["settings"], "feed_from": 1}}


def prepare_v0(system: System) -> Mapping[str, Any]:
    return {"settings": {**prepare(system)["settings"], "orders": "v0"}}


# Refunds are of what has left. Quantities and prices may go by feed. Orders may be read by v0.
REFUNDED = _also(order=shipped, steps=("Refunder.give_back",))
BY_FEED = _also(
    prepare=prepare_feeds,
    batch=Batch("WB-GONE"),
    steps=("SalesChannel.publish_stock", "PriceTaker.publish_prices"),
    exempt={
        **EXEMPT,
        "throttled": "where feeds are used up patches stand in, so no 429 is met: test_writes.py counts them",
    },
)
BY_V0 = _also(
    prepare=prepare_v0, polls=(Poll("order", place, 3), Poll("refund", given_back, 3)), fetch=pointer, steps=("none",)
)
CONTRACTS = {"": CONTRACT, "refunded": REFUNDED, "feeds": BY_FEED, "v0": BY_V0}
