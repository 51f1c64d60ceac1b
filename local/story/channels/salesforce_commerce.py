"""The Commerce Cloud site of the play: what it is asked to sell, and what it says of it. It sends no webhooks and gives no money back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from local.story.catalogue import COUNTED, FORGOTTEN, SHELVED
from local.story.channels.channel import Channel, Spec
from local.story.desk import Desk
from local.story.facts import Parcel, Sold

Json = dict[str, Any]
KINDS = (
    "plain net item_promotion item_promotion_net order_promotion order_promotion_net two_order_promotions shipping_promotion surcharge "
    "tax_items gift_certificate_used two_instruments guest paid untaxed"
).split()
LIST = "main"  # the inventory list that it sells from


def _opens(desk: Desk) -> None:
    known = desk.get("state").get("products", {})
    for sku in (*SHELVED, FORGOTTEN.sku):
        if sku not in known:
            desk.post("products", {"sku": sku})


def _sold(desk: Desk) -> tuple[Sold, ...]:
    tables = desk.get("state")
    off = tables.get("called_off", {})
    return tuple(_one(order, off) for order in tables.get("orders", {}).values())


def _one(order: Json, off: Mapping[str, Any]) -> Sold:
    items = {item["itemId"]: item for item in order["productItems"]}
    pieces: Counter[str] = Counter()
    for item in items.values():
        pieces[item["productId"]] += int(Decimal(item["quantity"]))
    return Sold(
        id=order["orderNo"],
        name=order["orderNo"],
        kind=order["kind"],
        worth=Decimal(order["orderTotal"]),
        currency=order["currency"],
        cancelled=order["status"] == "cancelled",
        called_off=order["orderNo"] in off,
        wanted=dict(pieces),
        email=order["customerInfo"]["email"],
        refunds={},
        sent=_sent(order, items),
        number=order.get("c_erpNumber", ""),
    )


def _sent(order: Json, items: Mapping[str, Json]) -> tuple[Parcel, ...]:
    """Its subscribers know an event by its id: the very same one told again is one; another under its id would be one more."""
    told = {json.dumps(json.loads(event), sort_keys=True) for event in order["events"]}
    return tuple(_parcel(json.loads(one)["fulfillmentEvent"], items) for one in sorted(told))


def _parcel(event: Json, items: Mapping[str, Json]) -> Parcel:
    pieces: Counter[str] = Counter()
    for line in event["lineItems"]:
        pieces[items[line["id"]]["productId"]] += int(line["quantity"])
    return Parcel(event["id"], frozenset((event["trackingNumber"],)), dict(pieces))


def _offered(desk: Desk) -> dict[str, int]:
    records = desk.get("state").get("stock", {})
    return {sku: int(Decimal(records[f"{sku}@{LIST}"]["allocation"])) for sku in COUNTED if f"{sku}@{LIST}" in records}


def _priced(desk: Desk, sku: str) -> Decimal | None:
    rows = desk.get("state").get("prices", {}).get(f"site-prices/{sku}", [])
    return Decimal(rows[-1]["amount"]) if rows else None


def _of(buyer: int, *skus: str) -> Spec:
    return {"kind": "plain", "buyer": buyer, "lines": [{"sku": sku, "quantity": 2} for sku in skus]}


CHANNEL = Channel(
    system="salesforce_commerce",
    account="salesforce-commerce-main",
    orders=tuple({"kind": kind, "buyer": 600 + number} for number, kind in enumerate((*KINDS, *KINDS[:9]))),
    to_call_off=(_of(690, "WB-MUG", FORGOTTEN.sku),),
    to_cancel=tuple(_of(650 + n, "WB-CAP", "WB-BAG") for n in range(3)),
    cancel=lambda desk, order: desk.post(f"orders/{order['orderNo']}/cancel", {}),
    sold=_sold,
    priced=_priced,
    absent={
        "changed": "an edit in the storefront is an order of its own there",
        "refunded there": "its API tells no refund",
        "refunded by the hub": "its API moves no money: the payment provider's route gives it back",
    },
    offered=_offered,
    opens=_opens,
)
