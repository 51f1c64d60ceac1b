"""What Shopify offers to the contract suite: its fixtures, its signature, and a shop that can be asked for things."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import requests
import simplejson

from connectors.canonical.order import Order
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.manifest import Limit
from connectors.kit.receiver import Incoming
from connectors.shopify import documents, mapping
from tests.contract.contract import Batch, Contract, Fixture, Poll, Rate, Webhooks
from tests.contract.samples import CODES
from tests.contract.system import System

SECRETS = ("client-secret-of-today", "client-secret-of-yesterday")


def sign(topic: str, delivery_id: str, body: bytes, secret: str, at: datetime) -> Incoming:
    """An HTTPS delivery: the signature covers the raw body and nothing else."""
    proof = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    headers = {
        "content-type": "application/json",
        "x-shopify-topic": topic,
        "x-shopify-webhook-id": delivery_id,
        "x-shopify-shop-domain": "waybill-demo.myshopify.com",
        "x-shopify-triggered-at": at.isoformat(),
        "x-shopify-hmac-sha256": base64.b64encode(proof).decode(),
    }
    return Incoming("POST", "https://hub.example.com/hooks/shopify", {}, headers, body)


ORDER_NEEDS = ("id", "updated_at", "currency", "line_items", "line_items[0].id", "line_items[0].quantity")
REFUND_NEEDS = ("id", "order_id", "refund_line_items[0].line_item_id", "refund_line_items[0].quantity")
FULFILMENT_NEEDS = ("id", "order_id", "status", "line_items[0].id", "line_items[0].quantity")


def order_of(file: str, number: int, topic: str = "orders/create", needs: tuple[str, ...] = ORDER_NEEDS) -> Fixture:
    return Fixture(file, topic, (f"order:{5_500_000_000_000 + number}",), needs)


FIXTURES = (
    order_of("orders_create__plain", 1),
    order_of("orders_create__line_discount", 2),
    order_of("orders_create__order_discount", 3),
    order_of("orders_create__several_discounts", 4),
    order_of("orders_create__tax_included", 5),
    order_of("orders_create__presentment", 6),
    order_of("orders_create__jpy", 7),
    order_of("orders_create__kwd", 8),
    order_of("orders_create__gift_card_bought", 9),
    Fixture("orders_create__gift_card_used", "orders/create", ("pointer:order:5500000000010",), ("id", "updated_at")),
    order_of("orders_create__tip", 11),
    order_of("orders_create__duties", 12, needs=(*ORDER_NEEDS, "line_items[0].duties[0].shop_money.amount")),
    order_of("orders_create__fees", 13),
    order_of("orders_create__pos_cash_rounded", 14),
    order_of("orders_create__draft", 15),
    order_of("orders_create__bundle", 16),
    order_of("orders_create__guest", 17),
    Fixture("orders_edited__swap", "orders/edited", ("pointer:order:5500000000018",), ("order_edit.order_id",)),
    Fixture("orders_updated__edited", "orders/updated", ("pointer:order:5500000000018",), ("updated_at",)),
    order_of("orders_partially_fulfilled__one_parcel", 19, "orders/partially_fulfilled"),
    order_of("orders_fulfilled__three_parcels", 19, "orders/fulfilled"),
    order_of("orders_updated__refunded", 19, "orders/updated", ("refunds[0].transactions[0].kind",)),
    order_of("orders_cancelled__refunded", 23, "orders/cancelled"),
    order_of("orders_cancelled__unpaid", 24, "orders/cancelled"),
    order_of("orders_paid__bank", 25, "orders/paid"),
    order_of("orders_create__before_allocations", 26, needs=(*ORDER_NEEDS, "total_price", "line_items[0].price")),
    order_of("orders_updated__company_and_removed_shipping", 27, "orders/updated"),
    Fixture("graphql_order__gift_card_used", "graphql/order", ("order:5500000000010",), ("id",)),
    Fixture("graphql_order__presentment", "graphql/order", ("order:5500000000006",), ("id",)),
    Fixture("graphql_order__several_discounts", "graphql/order", ("order:5500000000004",), ("id",)),
    Fixture("graphql_orders__row", "graphql/orders", ("pointer:order:5500000000001",), ("id", "updatedAt")),
    Fixture("fulfillments_create__one_parcel", "fulfillments/create", ("shipment:5500000000019",), FULFILMENT_NEEDS),
    Fixture("fulfillments_create__two_parcels", "fulfillments/create", ("shipment:5500000000019",), FULFILMENT_NEEDS),
    Fixture("fulfillments_update__delivered", "fulfillments/update", ("shipment:5500000000019",), FULFILMENT_NEEDS),
    Fixture("fulfillments_update__cancelled", "fulfillments/update", ("shipment:5500000000019",), FULFILMENT_NEEDS),
    Fixture("refunds_create__line_and_shipping", "refunds/create", ("refund:5500000000019",), REFUND_NEEDS),
    Fixture("refunds_create__discrepancy", "refunds/create", ("refund:5500000000020",), ("id", "order_id")),
    Fixture("refunds_create__shipping_as_adjustment", "refunds/create", ("refund:5500000000020",), ("id", "order_id")),
    Fixture("refunds_create__shipping_told_twice", "refunds/create", ("refund:5500000000020",), ("id", "order_id")),
    Fixture("refunds_create__other_currency", "refunds/create", ("pointer:order:5500000000021",), ("order_id",)),
    Fixture("refunds_create__two_tenders", "refunds/create", ("refund:5500000000022",), REFUND_NEEDS),
    Fixture("returns_request__two_lines", "returns/request", ("pointer:order:5500000000019",), ()),
    Fixture("returns_approve__exchange", "returns/approve", ("pointer:order:5500000000019",), ()),
    Fixture("returns_decline__final_sale", "returns/decline", ("pointer:order:5500000000019",), ()),
    Fixture("returns_close__plain", "returns/close", ("pointer:order:5500000000019",), ()),
    Fixture("returns_cancel__plain", "returns/cancel", ("pointer:order:5500000000019",), ()),
    Fixture("returns_reopen__plain", "returns/reopen", ("pointer:order:5500000000019",), ()),
    Fixture("returns_update__fee", "returns/update", ("pointer:return:9900000000002",), ("admin_graphql_api_id",)),
    Fixture(
        "inventory_levels_update__plain",
        "inventory_levels/update",
        ("stock:3000001000001@70001",),
        ("inventory_item_id", "location_id", "updated_at"),
    ),
    Fixture(
        "inventory_levels_connect__untracked",
        "inventory_levels/connect",
        ("stock:3000001000001@70001",),
        ("inventory_item_id", "location_id", "updated_at"),
    ),
    Fixture(
        "products_update__two_variants",
        "products/update",
        ("product:4000001000009", "product:4000000999999"),
        ("id", "updated_at", "variants[1].id"),
    ),
    Fixture("products_create__gift_card", "products/create", ("product:4000001000008",), ("id", "updated_at")),
    Fixture("products_delete__plain", "products/delete", ("pointer:product:9000001000009",), ("id",)),
    Fixture("graphql_product__plain", "graphql/product", ("product:4000001000010",), ("id",)),
)


def fetched(system: System, token: str = "shpat_contract_token", listed: bool = True, **spec: Any) -> Order:
    """An order of the shop itself, two tees and a mug, as it is fetched; where the account wants it (`listed`) with its transactions."""
    lines = [{"sku": "WB-TEE", "quantity": 2}, {"sku": "WB-MUG", "quantity": 1}]
    number = system.post("/_sim/orders", {"lines": lines, **spec})[0]["id"]
    asked = {"query": documents.ORDER.text, "variables": {"id": f"gid://shopify/Order/{number}"}}
    headers = {"X-Shopify-Access-Token": token}
    address = f"{system.address}/admin/api/2026-07/graphql.json"
    body = requests.post(address, json=asked, headers=headers, timeout=10).json()["data"]["order"]
    account = Account("tried", "shopify", system.address, settings={"transactions": listed})
    (reading,) = mapping.read(account, Message("graphql/order", "1", simplejson.dumps(body).encode()))
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Order)
    return replace(reading.document, channel="shopify")


def place_orders(system: System, times: Sequence[datetime]) -> Sequence[str]:
    specs = [{"updated_at": at.isoformat(), "created_at": at.isoformat()} for at in times]
    return [str(one["id"]) for one in system.post("/_sim/orders", specs)]


def place_products(system: System, times: Sequence[datetime]) -> Sequence[str]:
    rows = [{"sku": f"WB-{n}", "updated_at": at.isoformat()} for n, at in enumerate(times)]
    return [str(system.post("/_sim/products", row)["variants"][0]["id"]) for row in rows]


def written(system: System) -> dict[str, Any]:
    """What we did there: not the orders that customers placed."""
    return {kind: told for kind, told in system.get("/_sim/effects").items() if kind != "order"}


def pointer(system: System) -> Pointer:
    return Pointer("order", str(system.post("/_sim/orders", {"kind": "gift_card_tender"})[0]["id"]))


# A look-up of one price may cost 12 points and does cost 4: twenty of them a second, ten at once, and some to spare.
RATE = Rate(
    limit=Limit("tried", "bucket", burst=10, rate=20),
    simulator={"points": {"burst": 60, "rate": 84}},
    call=lambda connector: connector.prices(["WB-TEE"]),
    operation="productVariants",
)

CONTRACT = Contract(
    settings={"page_size": 3, "currency": "EUR"},
    credentials={"access_token": "shpat_contract_token"},
    simulator={"access_token": "shpat_contract_token", "senders": 0, "promise_stock": False},
    codes={
        **CODES,
        "sku": {**CODES["sku"], "WB-GONE": "WB-GONE"},
        "location": {"main": "70001"},
        "carrier": {"dhl": "DHL"},
    },
    fixtures=FIXTURES,
    versions=(
        ("orders_partially_fulfilled__one_parcel", "orders_fulfilled__three_parcels"),
        ("orders_fulfilled__three_parcels", "orders_updated__refunded"),
    ),
    webhooks=Webhooks(sign, SECRETS),
    order=fetched,
    authorised=lambda system: fetched(system, status="authorized"),
    polls=(Poll("order", place_orders, 3), Poll("product", place_products, 3)),
    fetch=pointer,
    batch=Batch("WB-GONE"),
    seen=written,
    rate=RATE,
    settles=1.0,
    exempt={
        "handshake": "Shopify asks for none: a subscription is made by an authenticated call",
        "token_expiry": "an admin-made app's token does not expire",
        "daily_quota": "Shopify has points by the second, no daily quota",
    },
)
