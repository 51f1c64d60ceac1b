"""What ShipBob offers to the suite that all inherit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from connectors.canonical.order import Order
from connectors.canonical.snapshot import Pointer
from connectors.kit.manifest import Limit
from connectors.kit.receiver import Incoming
from tests.contract.contract import Contract, Fixture, Poll, Rate, Webhooks
from tests.contract.samples import CODES
from tests.contract.system import System

SECRETS = ("whsec_c2hpcGJvYi10ZXN0LXNlY3JldC1vbmUtMDAwMQ==", "whsec_c2hpcGJvYi10ZXN0LXNlY3JldC10d28tMDAwMg==")


def sign(topic: str, delivery_id: str, body: bytes, secret: str, at: datetime) -> Incoming:
    """By the Standard Webhooks project's own library."""
    headers = {
        "content-type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(delivery_id, at, body.decode()),
        "x-webhook-topic": topic,
    }
    return Incoming("POST", "https://hub.example.com/hooks/shipbob", {}, headers, body)


ONE = "shipment:300000003"
NEEDS = ("id", "order_id", "status", "products[0].inventory_items[0].quantity", "products[0].inventory_items[0].id")
FIXTURES = (
    Fixture("order.shipped__one_parcel", "order.shipped", (ONE,), NEEDS),
    Fixture("order.shipped__no_tracking_yet", "order.shipped", (ONE,), ("status",)),
    Fixture("order.shipped__freight_two_numbers", "order.shipped", (ONE,), ("id",)),
    Fixture("order.shipped__two_lots", "order.shipped", (ONE,), ("products[0].inventory_items[1].quantity",)),
    Fixture("order.shipped__whole_order", "order.shipped", (ONE, ONE), ("id", "shipments[1].status")),
    Fixture("order.shipment.delivered__at_the_door", "order.shipment.delivered", (ONE,), ("order_id",)),
    Fixture("order.shipment.delivered__date_not_there_yet", "order.shipment.delivered", (ONE,)),
    Fixture("order.shipment.tracking.updated__out_for_delivery", "order.shipment.tracking.updated", (ONE,), ("id",)),
    Fixture("order.shipment.exception__out_of_stock", "order.shipment.exception", (ONE,), ("id",)),
    Fixture("order.shipment.on_hold__address", "order.shipment.on_hold", (ONE,), ("id",)),
    Fixture("order.shipment.cancelled__before_picking", "order.shipment.cancelled", (ONE,), ("id",)),
    Fixture("polled.order__partly_shipped", "polled.order", (ONE, ONE), ("id", "shipments[0].id")),
    Fixture("polled.order__no_shipment_yet", "polled.order", ("ignored",)),
    Fixture("polled.order__swept", "polled.order", ("ignored",)),
    Fixture("polled.stock__two_centres", "polled.stock", ("stock:8000001@11", "stock:8000001@12"), ("as_of", "item")),
    Fixture(
        "return.completed__three_conditions",
        "return.completed",
        ("return:500077",),
        ("id", "status", "completed_date", "inventory[0].sku", "inventory[0].action_taken[0].quantity_processed"),
    ),
    Fixture("return.updated__on_its_way", "return.updated", ("ignored",), ("id", "status")),
    Fixture(
        "polled.return__names_no_order", "polled.return", ("return:500077",), ("inventory[1].action_taken[0].action",)
    ),
    Fixture("return.created__any", "return.created", ("ignored",)),
)


def seen(system: System) -> Mapping[str, Any]:
    """Counts by our reference, so that a second order under it shows as 2; what was asked for and stopped as text."""
    orders = system.get("/_sim/effects")["orders"]
    return {
        "request": {reference: one["count"] for reference, one in orders.items()},
        "pieces": {reference: str(sorted(one["lines"].items())) for reference, one in orders.items()},
        "cancelled": {reference: one["cancelled"] for reference, one in orders.items()},
    }


def place_orders(system: System, times: Sequence[datetime]) -> Sequence[str]:
    return [str(system.post("/_sim/orders", {"updated_at": told(at)})["id"]) for at in times]


def told(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def pointer(system: System) -> Pointer:
    return Pointer("shipment", str(system.post("/_sim/orders", {})["id"]))


def ship(system: System, order: Order, reference: str) -> None:
    system.post("/_sim/ship", {"reference_id": reference})


def place_levels(system: System, times: Sequence[datetime]) -> Sequence[str]:
    """Every item lies in two centres. Stock has no times."""
    system.post("/_sim/empty", {})
    rows = [system.post("/_sim/stock", {"sku": f"WB-{n}", "on_hand": 5}) for n, _ in enumerate(times)]
    return [f"{row['inventory_id']}@{centre}" for row in rows for centre in row["locations"]]


def place_returns(system: System, times: Sequence[datetime]) -> Sequence[str]:
    items = [{"sku": "WB-TEE", "action": "Restock", "quantity": 1}]
    return [str(system.post("/_sim/returns", {"items": items, "completed_date": told(at)})["id"]) for at in times]


ACCOUNT: Mapping[str, Any] = {
    "settings": {"channel_id": "4001", "page_size": 3},
    "credentials": {"token": "pat-demo", "webhook_secret": SECRETS[0]},
    "simulator": {"allow_http": True, "stock": {"WB-TEE": 20, "WB-MUG": 20}},
    "codes": {**CODES, "location": {"main": "11", "west": "12"}},
}
SHIPMENTS = Poll("shipment", place_orders, 3)
NO_ORDERS = "ShipBob sells nothing: its deliveries hold no order of a channel"

WHOLE = Contract(
    **ACCOUNT,
    fixtures=FIXTURES,
    versions=(("order.shipped__one_parcel", "order.shipment.delivered__at_the_door"),),
    webhooks=Webhooks(sign, SECRETS),
    seen=seen,
    polls=(SHIPMENTS, Poll("stock", place_levels, 3), Poll("return", place_returns, 3)),
    fetch=pointer,
    ship=ship,
    rate=Rate(
        limit=Limit("tried", "window", burst=20, seconds=2.08),
        simulator={"limit": 20, "window": 2.0},
        call=lambda connector: connector.subscriptions(),
        operation="webhooks.list",
    ),
    settles=1.0,
    exempt={
        "handshake": "ShipBob sends no challenge",
        "token_expiry": "a personal access token does not expire by the clock",
        "daily_quota": "ShipBob publishes no daily quota",
        "batch": "no capability of a warehouse comes in batches",
        "queue": "ShipBob has no queue",
        "money": NO_ORDERS,
        "cursor": "stock is listed whole at any time: ShipBob tells no change of it; shipments: see `window`",
    },
)
# The shipments' list alone: its windows, ties and time zones.
WINDOW = Contract(
    **ACCOUNT,
    polls=(SHIPMENTS,),
    steps=("SalesChannel.acknowledge",),  # none that a warehouse plays
    exempt={"paging": "tried in the whole contract", "duplicates": "tried in the whole contract", "money": NO_ORDERS},
)
CONTRACTS = {"": WHOLE, "window": WINDOW}
