"""What Square offers to the contract suite: its fixtures, its signature, and a seller that can be asked for things."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from connectors import registry
from connectors.canonical.order import Order
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.kit.account import Account
from connectors.kit.manifest import Limit
from connectors.kit.receiver import Incoming
from tests.contract.bench import Bench, MemoryCodes
from tests.contract.contract import Batch, Contract, Fixture, Poll, Rate, Token, Webhooks
from tests.contract.samples import CODES
from tests.contract.system import System

SECRETS = ("signature-key-of-today-0001", "signature-key-of-yesterday-0002")
CREDENTIALS = {
    "application_id": "sq0idp-of-the-tests",
    "application_secret": "sq0csp-secret-of-the-tests",
    "refresh_token": "refresh-token-of-the-tests",
    "application_token": "application-token-of-the-tests",
}
ADDRESS = "https://hub.example.com/hooks/square"
SETTINGS = {
    "merchant_id": "MERCHANT1",
    "locations": ["LOC1", "LOC2"],
    "page_size": 3,
    "ways": ["SHIPMENT", "DELIVERY", "PICKUP"],
    "shipping_charges": ["Shipping"],
    "custom_amount_sku": "WB-CUSTOM",
    "gift_card_sku": "WB-CARD",
}


def sign(topic: str, delivery_id: str, body: bytes, secret: str, at: datetime) -> Incoming:
    """By hand, as the vendor's page says: the address that it was given, then the raw body."""
    proof = base64.b64encode(hmac.new(secret.encode(), ADDRESS.encode() + body, hashlib.sha256).digest()).decode()
    headers = {"content-type": "application/json", "x-square-hmacsha256-signature": proof}
    return Incoming("POST", ADDRESS, {}, headers, body.replace(b"delivery-1", delivery_id.encode()))


def bench(system: System, **settings: Any) -> Bench:
    account = Account("tried", "square", system.address, CREDENTIALS, {**SETTINGS, **settings})
    return Bench(account, MemoryCodes(CONTRACT.codes, "tried"))


def read_order(system: System, name: str) -> Order:
    """An order of the seller as the hub reads it."""
    made = bench(system)
    readings = registry.read(made.account, made.connector().fetch(Pointer("order", name)))
    reading = next(one for one in readings if isinstance(one, Snapshot) and one.kind == "order")
    assert isinstance(reading.document, Order)
    return replace(reading.document, channel="square")


def placed(system: System) -> Order:
    """Two tees and a mug, to be shipped."""
    return read_order(system, str(system.post("/_sim/orders", {"kind": "plain"})[0]["id"]))


def authorised(system: System) -> Order:
    """The same, its payment approved only."""
    return read_order(system, str(system.post("/_sim/orders", {"kind": "plain", "payment": "authorized"})[0]["id"]))


def place_orders(system: System, times: Sequence[datetime]) -> Sequence[str]:
    specs = [{"updated_at": told(at), "created_at": told(at)} for at in times]
    return [str(one["id"]) for one in system.post("/_sim/orders", specs)] if specs else []


def told(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written(system: System) -> dict[str, Any]:
    """What we did there: not the orders that customers placed."""
    return {kind: rows for kind, rows in system.get("/_sim/effects").items() if kind != "order"}


def pointer(system: System) -> Pointer:
    return Pointer("order", str(system.post("/_sim/orders", {"kind": "order_discount"})[0]["id"]))


ORDER_NEEDS = (
    "order.id",
    "order.created_at",
    "order.total_money",
    "order.line_items[0].uid",
    "order.line_items[0].quantity",
)


SALES = """plain pickup courier tax_included both_taxes untaxed order_discount line_discount percent modifiers weighed custom_amount
gift_card_sold service_charge spread_charge freight tip cash cash_rounded gift_card split voucher authorized offline unpaid cancelled jpy kwd
returned_in_part""".split()


def hook(file: str, topic: str, reads: tuple[str, ...], *needs: str) -> Fixture:
    return Fixture(file, topic, reads, ("merchant_id", *needs))


def fetched(kind: str, *reads: str, needs: tuple[str, ...] = ORDER_NEEDS) -> Fixture:
    return Fixture(f"api_order__{kind}", "api/order", reads, needs)


TO_ORDER = ("pointer:order:ORDER1",)
BACK = ("order.id", "order.returns[0].return_line_items[0].quantity")
FIXTURES = (
    hook("order_created__plain", "order.created", TO_ORDER, "data.object.order_created.order_id"),
    hook("order_updated__plain", "order.updated", TO_ORDER, "data.object.order_updated.order_id"),
    hook("order_updated__another_seller", "order.updated", ("ignored",)),
    hook(
        "order_fulfillment_updated__plain",
        "order.fulfillment.updated",
        TO_ORDER,
        "data.object.order_fulfillment_updated.order_id",
    ),
    hook("payment_created__plain", "payment.created", TO_ORDER, "data.object.payment"),
    hook("payment_updated__offline", "payment.updated", TO_ORDER, "data.object.payment"),
    hook("payment_updated__without_order", "payment.updated", ("ignored",), "data.object.payment"),
    hook("refund_created__plain", "refund.created", ("pointer:order:ORDER2",), "data.object.refund"),
    hook("refund_updated__plain", "refund.updated", ("pointer:order:ORDER2",), "data.object.refund"),
    hook(
        "inventory_count_updated__two",
        "inventory.count.updated",
        ("pointer:stock:ITEM1@LOC1", "pointer:stock:ITEM1@LOC2"),
        "data.object.inventory_counts",
        "data.object.inventory_counts[0].calculated_at",
    ),
    *(fetched(kind, f"order:{kind.upper()}") for kind in ("till", *SALES)),
    *(fetched(kind, "order:SHIPPED") for kind in ("to_ship", "shipped_in_part", "shipped")),
    fetched("draft", "ignored", needs=("order.id",)),
    fetched("return", "refund:RETURNED_IN_PART", needs=BACK),
    fetched("return_both_taxes", "refund:ORDER1", needs=BACK),
    fetched("exchange", "order:EXCHANGE", "refund:ORDER2", needs=(*ORDER_NEEDS, *BACK)),
    fetched("exchange_with_money_back", "order:EXCHANGE_WITH_MONEY_BACK", "refund:ORDER3", needs=(*ORDER_NEEDS, *BACK)),
    fetched("return_from_elsewhere", "refund:", needs=("order.id",)),
    fetched("exchange_from_elsewhere", "order:EXCHANGE_FROM_ELSEWHERE", "ignored", needs=ORDER_NEEDS),
    Fixture("api_orders__row", "api/orders", ("pointer:order:PLAIN",), ("id",)),
    Fixture("api_refunds__row", "api/refunds", ("pointer:order:ORDER1",), ("id",)),
    Fixture("api_refunds__of_no_order", "api/refunds", ("ignored",), ("id",)),
    Fixture("api_stock__counted", "api/stock", ("stock:ITEM1@LOC1",), ("count.calculated_at", "count.quantity")),
)

CONTRACT = Contract(
    settings=SETTINGS,
    credentials=CREDENTIALS,
    simulator={**CREDENTIALS, "merchant_id": "MERCHANT1"},
    codes={
        **CODES,
        "sku": {**CODES["sku"], "WB-GONE": "WB-GONE"},
        "location": {"main": "LOC1"},
        "carrier": {"dhl": "DHL Paket"},
    },
    fixtures=FIXTURES,
    versions=(
        ("api_order__to_ship", "api_order__shipped_in_part"),
        ("api_order__shipped_in_part", "api_order__shipped"),
    ),
    webhooks=Webhooks(sign, SECRETS),
    order=placed,
    authorised=authorised,
    polls=(Poll("order", place_orders, 3),),
    fetch=pointer,
    batch=Batch("WB-GONE"),
    seen=written,
    token=Token("oauth.token", lambda system: system.post("/_sim/tokens/expiry")),
    rate=Rate(
        limit=Limit("tried", "bucket", burst=10, rate=10),
        simulator={"rate": 10.4, "burst": 11},
        call=lambda connector: connector.client.locations(),
        operation="locations.list",
    ),
    settles=1.0,
    exempt={
        "handshake": "Square sends no challenge: a subscription is made by an authenticated call",
        "daily_quota": "Square publishes no quota of calls a day",
    },
)
CONTRACTS = {"": CONTRACT}
