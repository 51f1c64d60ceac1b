"""What BigCommerce offers to the contract suite: its fixtures, its signature, and a store that can be asked for things."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from connectors import registry
from connectors.bigcommerce import mapping
from connectors.canonical.order import Order
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.kit.account import Account
from connectors.kit.manifest import Limit
from connectors.kit.receiver import Incoming
from tests.contract.bench import Bench, MemoryCodes
from tests.contract.contract import Batch, Contract, Fixture, Poll, Rate, Webhooks
from tests.contract.samples import CODES
from tests.contract.system import System

SECRETS = ("client-secret-of-today-0001", "client-secret-of-yesterday-0002")
TOKEN = "bc-token-of-the-tests"
STORE = "abc123"
SETTINGS = {"store_hash": STORE, "currency": "EUR", "weight_unit": "kg", "page_size": 3}


def sign(topic: str, delivery_id: str, body: bytes, secret: str, at: datetime) -> Incoming:
    """By hand, as the vendor's page says: the client secret's own bytes over "id.timestamp.body"."""
    stamp = str(int(at.timestamp()))
    proof = hmac.new(secret.encode(), f"{delivery_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "content-type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(proof).decode()}",
    }
    return Incoming("POST", "https://hub.example.com/hooks/bigcommerce", {}, headers, body)


ORDER_NEEDS = (
    "order.id",
    "order.date_modified",
    "order.date_created",
    "order.status_id",
    "order.default_currency_code",
    "order.total_inc_tax",
    "products",
    "products[0].id",
    "products[0].quantity",
    "products[0].price_ex_tax",
    "products[0].total_ex_tax",
    "products[0].type",
)
WITH_TAX = tuple(one.replace("_ex_tax", "_inc_tax") for one in ORDER_NEEDS)


def hook(file: str, scope: str, reads: str, *needs: str) -> Fixture:
    return Fixture(file, scope, (reads,), ("producer", *needs))


def fetched(kind: str, number: int, needs: tuple[str, ...] = ORDER_NEEDS) -> Fixture:
    return Fixture(f"api_order__{kind}", "api/order", (f"order:{number}",), needs)


FIXTURES = (
    hook("store_order_created__plain", "store/order/created", "pointer:order:101", "data.id"),
    hook("store_order_statusUpdated__paid", "store/order/statusUpdated", "pointer:order:101", "data.id"),
    hook("store_order_archived__plain", "store/order/archived", "pointer:order:101", "data.id"),
    hook("store_order_updated__plain", "store/order/updated", "pointer:order:101", "data.id"),
    hook("store_order_refund_created__plain", "store/order/refund/created", "pointer:order:101", "data.id"),
    hook(
        "store_order_transaction_created__plain",
        "store/order/transaction/created",
        "pointer:order:101",
        "data.order_id",
    ),
    hook(
        "store_order_transaction_updated__plain",
        "store/order/transaction/updated",
        "pointer:order:101",
        "data.order_id",
    ),
    hook("store_shipment_created__plain", "store/shipment/created", "pointer:order:101", "data.orderId"),
    hook("store_shipment_updated__other_spelling", "store/shipment/updated", "pointer:order:101"),
    hook("store_shipment_deleted__plain", "store/shipment/deleted", "pointer:order:101", "data.orderId"),
    hook("store_product_created__plain", "store/product/created", "pointer:product:78", "data.id"),
    hook("store_product_deleted__plain", "store/product/deleted", "pointer:product:78", "data.id"),
    hook("store_sku_created__plain", "store/sku/created", "pointer:product:78", "data.sku.product_id"),
    hook("store_product_updated__plain", "store/product/updated", "pointer:product:78", "data.id"),
    hook("store_sku_updated__plain", "store/sku/updated", "pointer:product:78", "data.sku.product_id"),
    Fixture("store_sku_inventory_updated__absolute", "store/sku/inventory/updated", ("ignored",), ("producer",)),
    fetched("plain", 101),
    fetched("tax_included", 102, WITH_TAX),
    fetched("order_discount", 103),
    fetched("line_discount", 104),
    fetched("coupon", 105),
    fetched("shipping_coupon", 106),
    fetched("tax_included_coupon", 107, WITH_TAX),
    fetched("fee", 108),
    fetched("handling", 109),
    fetched("wrapped", 110),
    fetched("gift_certificate", 111),
    fetched("store_credit", 112),
    fetched("jpy", 113),
    fetched("kwd", 114),
    fetched("pickup", 115),
    fetched("digital", 116),
    fetched("two_addresses", 117),
    fetched("guest", 118),
    fetched("authorized", 119),
    fetched("bank", 120),
    fetched("manual", 121),
    fetched("untaxed", 122),
    fetched("shipped_in_part", 123, (*ORDER_NEEDS, "shipments[0].id", "shipments[0].items[0].order_product_id")),
    fetched("refunded_in_part", 123, (*ORDER_NEEDS, "refunds[0].id", "refunds[0].items[0].item_id")),
    fetched("cancelled", 124),
    fetched("credit_taken_off_the_total", 125),
    fetched("flag_says_otherwise", 126, WITH_TAX),
    fetched("choices_and_pick_list", 127),
    fetched("shipping_overridden", 128),
    Fixture("api_order__incomplete", "api/order", ("ignored",), ("order.id", "order.status_id")),
    Fixture("api_orders__row", "api/orders", ("pointer:order:101",), ("id", "status_id", "date_modified")),
    Fixture("api_product__two_variants", "api/product", ("product:1078", "product:1079"), ("id", "date_modified")),
)


def bench(system: System, **settings: Any) -> Bench:
    account = Account("tried", "bigcommerce", system.address, {"access_token": TOKEN}, {**SETTINGS, **settings})
    return Bench(account, MemoryCodes(CONTRACT.codes, "tried"))


def read_order(system: System, name: str) -> Order:
    """An order of the store as the hub reads it."""
    made = bench(system)
    message = made.connector().fetch(Pointer("order", name))
    (reading,) = registry.read(made.account, message)
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Order)
    return replace(reading.document, channel="bigcommerce")


def placed(system: System) -> Order:
    """Two tees and a mug, in the store itself."""
    lines = [{"sku": "WB-TEE", "quantity": 2}, {"sku": "WB-MUG", "quantity": 1}]
    return read_order(system, str(system.post("/_sim/orders", {"lines": lines})[0]["id"]))


def authorised(system: System) -> Order:
    """The same, its payment authorised only."""
    return read_order(system, str(system.post("/_sim/orders", {"kind": "authorized"})[0]["id"]))


def place_orders(system: System, times: Sequence[datetime]) -> Sequence[str]:
    specs = [{"updated_at": told(at), "created_at": told(at)} for at in times]
    return [str(one["id"]) for one in system.post("/_sim/orders", specs)] if specs else []


def place_products(system: System, times: Sequence[datetime]) -> Sequence[str]:
    system.post("/_sim/empty")
    rows = [{"sku": f"WB-{n}", "date_modified": told(at)} for n, at in enumerate(times)]
    return [str(system.post("/_sim/products", row)["variant"]) for row in rows]


def told(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def written(system: System) -> dict[str, Any]:
    """What we did there: not the orders that customers placed."""
    return {kind: rows for kind, rows in system.get("/_sim/effects").items() if kind != "order"}


def pointer(system: System) -> Pointer:
    return Pointer("order", str(system.post("/_sim/orders", {"kind": "coupon"})[0]["id"]))


RATE = Rate(
    limit=Limit("tried", "window", burst=20, seconds=2.08),
    simulator={"quota": 20, "window": 2.0},
    call=lambda connector: connector.client.hooks(),
    operation="hooks.list",
)

CONTRACT = Contract(
    settings=SETTINGS,
    credentials={"access_token": TOKEN},
    simulator={"access_token": TOKEN, "store_hash": STORE, "quota": 100000, "allow_http": True},
    codes={
        **CODES,
        "sku": {**CODES["sku"], "WB-GONE": "WB-GONE"},
        "location": {"main": "1"},
        "carrier": {"dhl": "dhl-germany"},
    },
    fixtures=FIXTURES,
    versions=(("api_order__shipped_in_part", "api_order__refunded_in_part"),),
    webhooks=Webhooks(sign, SECRETS),
    order=placed,
    authorised=authorised,
    polls=(Poll("order", place_orders, 3), Poll("product", place_products, 3)),
    fetch=pointer,
    batch=Batch("WB-GONE"),
    seen=written,
    rate=RATE,
    version=f"/stores/{STORE}/v",
    settles=1.0,
    exempt={
        "handshake": "BigCommerce sends no challenge: a hook is made by an authenticated call",
        "token_expiry": "a store's access token lives until the app is uninstalled",
        "daily_quota": "BigCommerce counts calls in windows of 30 seconds, never calls a day",
    },
)
# The same store, whose prices are kept in a price list.
LISTED = Contract(
    **{
        **{
            name: getattr(CONTRACT, name)
            for name in ("credentials", "simulator", "codes", "order", "seen", "version", "settles")
        },
        "settings": {**SETTINGS, "price_list": "3"},
        "batch": Batch("WB-GONE"),
        "steps": ("PriceTaker.publish_prices",),
        "exempt": {"batch": "tried in the whole contract"},
    }
)
CONTRACTS = {"": CONTRACT, "price_list": LISTED}
assert mapping.SCOPES
