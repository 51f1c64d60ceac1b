"""Acme offers one contract for each of its shapes: the first is tried in all parts, the others in what is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import simplejson
from standardwebhooks.webhooks import Webhook

from connectors.acme import mapping
from connectors.canonical.order import Order
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.manifest import Limit
from connectors.kit.receiver import Incoming
from tests.contract.contract import NO_STEPS, Batch, Contract, Fixture, Poll, Rate, Token, Webhooks
from tests.contract.samples import CODES
from tests.contract.system import System

SECRETS = ("whsec_YWNtZS10ZXN0LXNlY3JldC1vbmUtMDAwMQ==", "whsec_YWNtZS10ZXN0LXNlY3JldC10d28tMDAwMg==")

# ---- deliveries


def sign(topic: str, delivery_id: str, body: bytes, secret: str, at: datetime) -> Incoming:
    """As Standard Webhooks has it: the topic stands in the body."""
    headers = {
        "content-type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(delivery_id, at, body.decode()),
    }
    return Incoming("POST", "https://hub.example.com/hooks/acme", {}, headers, body)


def challenge(secret: str) -> Incoming:
    return Incoming("GET", "https://hub.example.com/hooks/acme", {"challenge": "c0ffee"}, {}, b"")


ORDER_NEEDS = ("data.id", "data.currency", "data.totals.total", "data.lines[0].unit_price", "data.payments[0].amount")
FIXTURES = (
    Fixture("order_placed__plain", "order.placed", ("order:1001",), ORDER_NEEDS),
    Fixture("order_placed__taxes_included", "order.placed", ("order:1002",), ("data.charges[0].kind",)),
    Fixture("order_placed__no_decimals", "order.placed", ("order:1003",)),
    Fixture("order_changed__part_shipped", "order.changed", ("order:1001",), ("data.shipments[0].lines[0].quantity",)),
    Fixture("order_cancelled__plain", "order.cancelled", ("order:1001",), ("data.updated_at",)),
    Fixture("order_document__polled", "order.document", ("order:1001",), ("data",)),
    Fixture("refund_made__one_line", "refund.made", ("refund:1001",), ("data.total", "data.lines[0].tax")),
    Fixture("shipment_document__polled", "shipment.document", ("shipment:",), ("data.status",)),
    Fixture("shipment_sent__two_parcels", "shipment.sent", ("shipment:",), ("data.status", "data.trackings[1].number")),
    Fixture(
        "return_arrived__two_conditions", "return.arrived", ("return:back-7",), ("data.id", "data.lines[1].condition")
    ),
    Fixture("return_document__polled", "return.document", ("return:back-7",), ("data.lines[0].quantity",)),
    Fixture(
        "purchase_acknowledged__part",
        "purchase.acknowledged",
        ("acknowledgement:",),
        ("data.status", "data.lines[0].quantity"),
    ),
    Fixture("stock_changed__plain", "stock.changed", ("stock:lev-WB-TEE-main@main",), ("data.available",)),
    Fixture("stock_document__polled", "stock.document", ("stock:lev-WB-TEE-main@main",), ("data.updated_at",)),
    Fixture("product_document__polled", "product.document", ("product:art-WB-TEE",), ("data.title",)),
    Fixture("product_changed__plain", "product.changed", ("product:art-WB-TEE",), ("data.sku",)),
)
THIN = Fixture("order_changed__thin", "order.changed", ("pointer:order:1001",), ("data.id", "timestamp"))

# ---- what the simulator is asked to do


def placed(system: System, **wanted: Any) -> Order:
    """An order of Acme's own shop, as the hub reads it."""
    row = system.post("/_sim/orders", wanted)
    body = simplejson.dumps({"type": "order.document", "timestamp": row["updated_at"], "data": row}).encode()
    (reading,) = mapping.read(Account("acme", "acme", system.address), Message("order.document", "1", body))
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Order)
    return replace(reading.document, channel="acme")


def authorised(system: System) -> Order:
    held = {"id": "auth-1", "kind": "authorisation", "status": "success", "tender": "card", "gateway": "card"}
    return placed(system, payments=[{**held, "amount": "57.36"}], payment_status="authorised")


def place_orders(system: System, times: Sequence[datetime]) -> Sequence[str]:
    return [str(system.post("/_sim/orders", {"updated_at": told(at)})["id"]) for at in times]


def place_levels(system: System, times: Sequence[datetime]) -> Sequence[str]:
    rows = [
        {"sku": f"WB-{n}", "location": "main", "available": "5", "updated_at": told(at)} for n, at in enumerate(times)
    ]
    return [f"{system.post('/_sim/stock', row)['id']}@main" for row in rows]


def place_products(system: System, times: Sequence[datetime]) -> Sequence[str]:
    rows = [{"sku": f"WB-{n}", "updated_at": told(at)} for n, at in enumerate(times)]
    return [str(system.post("/_sim/products", row)["id"]) for row in rows]


def place_parcels(system: System, times: Sequence[datetime]) -> Sequence[str]:
    rows = [
        {"order_id": f"10{n}", "lines": [{"sku": "WB-TEE", "line_id": "", "quantity": "1"}], "updated_at": told(at)}
        for n, at in enumerate(times)
    ]
    return [str(system.post("/_sim/parcels", row)["order_id"]) for row in rows]


def place_back(system: System, times: Sequence[datetime]) -> Sequence[str]:
    lines = [{"sku": "WB-TEE", "quantity": "1", "condition": "sellable"}]
    return [str(system.post("/_sim/goods_back", {"lines": lines, "updated_at": told(at)})["id"]) for at in times]


def told(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def pointer(system: System) -> Pointer:
    return Pointer("order", str(system.post("/_sim/orders", {})["id"]))


def ship(system: System, order: Order, reference: str) -> None:
    system.post(f"/_sim/requests/{reference}/shipments", {})


def enqueue(system: System, count: int) -> None:
    for _ in range(count):
        system.post("/_sim/orders", {})


def acme(shape: str, **more: Any) -> Contract:
    return Contract(
        **{
            "settings": {"shape": shape, "page": 3},
            "credentials": {"client_id": "acme-client_id", "client_secret": "acme-client_secret"},
            "simulator": {"shape": shape, "index_seconds": 0.3 if shape == "searched" else 0, "job_seconds": 0.1},
            "codes": {**CODES, "sku": {**CODES["sku"], "WB-CAP": "WB-CAP", "WB-GONE": "WB-GONE"}},
            "settles": 1.0,
            **more,
        }
    )


RATE = Rate(
    limit=Limit("tried", "window", burst=20, seconds=2.1),
    simulator={"limits": [{"kind": "window", "burst": 20, "seconds": 2.0}]},
    call=lambda connector: connector.prices(["WB-TEE"]),
    operation="prices.list",
)
QUOTA = Rate(
    limit=Limit("tried", "bucket", burst=10, rate=10, operations=("prices.list",)),
    simulator={"limits": [{"kind": "bucket", "burst": 11, "rate": 10.4, "operations": ["prices.list"]}]},
    call=lambda connector: connector.prices(["WB-TEE"]),
    operation="prices.list",
)
CREATES = ("OrderKeeper.book", "Fulfiller.request")
CONTRACTS = {
    "fat": acme(
        "fat",
        fixtures=FIXTURES,
        versions=(
            ("order_placed__plain", "order_changed__part_shipped"),
            ("order_changed__part_shipped", "order_cancelled__plain"),
        ),
        webhooks=Webhooks(sign, SECRETS, challenge),
        order=placed,
        authorised=authorised,
        polls=(
            Poll("order", place_orders, 3),
            Poll("stock", place_levels, 3),
            Poll("product", place_products, 3),
            Poll("shipment", place_parcels, 3),
            Poll("return", place_back, 3),
        ),
        fetch=pointer,
        batch=Batch("WB-GONE"),
        ship=ship,
        daily=lambda system: system.put("/_sim/quota", {"used_up": True}),
        token=Token("token", lambda system: system.post("/_sim/tokens/expiry")),
        rate=RATE,
    ),
    "thin": acme("thin", fixtures=(THIN,), order=placed, fetch=pointer, steps=NO_STEPS),
    "queue": acme("queue", order=placed, enqueue=enqueue, steps=NO_STEPS),
    "searched": acme("searched", steps=CREATES),
    "two_calls": acme("two_calls", steps=CREATES),
    "job": acme("job", steps=CREATES),
    "quotas": acme("quotas", rate=QUOTA, steps=NO_STEPS),
}
