"""The BigCommerce store of the play: what it is asked to sell, and what it says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from local.story.catalogue import COUNTED, FORGOTTEN, SHELVED
from local.story.channels.channel import Channel, Spec
from local.story.desk import Desk
from local.story.facts import Delivery, Parcel, Sold

Json = dict[str, Any]
ACCOUNT = "bigcommerce-main"
KINDS = (
    "plain tax_included order_discount line_discount coupon tax_included_coupon shipping_coupon fee handling wrapped "
    "gift_certificate store_credit guest authorized two_addresses untaxed"
).split()
REFUNDED = 4  # all of it was given back, which hides that it was cancelled before
CANCELLED = 5  # connectors/bigcommerce/simulator_store.py: STATUSES
EDITED, LEFT = "edited", 1  # a kind of ours, and the pieces of WB-CAP that are left of it
MARK = "[wb-"
LOCATION = 1  # the store's place that the warehouse's stock is told for
# Some webhooks come twice, late, forged, with the secret of before the rotation, or never.
MAIL = {
    "duplicates": 0.08,
    "reordered": 0.08,
    "forged": 0.03,
    "old_share": 0.1,
    "never_sent": 0.05,
    "retry_factor": 0.02,
}


def _opens(desk: Desk) -> None:
    desk.put("webhooks", MAIL)
    known = {one["sku"] for one in desk.get("state").get("products", {}).values() if one}
    for sku in (*SHELVED, FORGOTTEN.sku):
        if sku not in known:
            desk.post("products", {"sku": sku})


def _sold(desk: Desk) -> tuple[Sold, ...]:
    off = desk.get("state").get("called_off", {})
    return tuple(_one(order, off) for order in desk.get("orders"))


def _one(order: Json, off: Mapping[str, Any]) -> Sold:
    """Amounts are in the currency that the shopper paid in. A refund leaves the order's own total as it was."""
    skus = {line["id"]: line["sku"] for line in order["lines"]}
    pieces: Counter[str] = Counter()
    for line in order["lines"]:
        pieces[line["sku"]] += line["quantity"]
    refunds = {str(one["id"]): _tenders(one) for one in order["refunds"]}
    return Sold(
        id=str(order["id"]),
        name=str(order["id"]),
        kind=order["kind"],
        worth=Decimal(order["total_inc_tax"]),
        currency=order["currency"],
        cancelled=order["status_id"] == CANCELLED or (order["status_id"] == REFUNDED and not order["shipments"]),
        called_off=str(order["id"]) in off,
        wanted=dict(pieces),
        email=order["email"],
        changed=any(line["sku"] == "WB-CAP" and line["quantity"] == LEFT for line in order["lines"])
        and order["kind"] == EDITED,
        by_hub=frozenset(
            name for name, one in zip(refunds, order["refunds"], strict=True) if refunds[name] and _ours(one)
        ),
        refunds={name: tenders for name, tenders in refunds.items() if tenders},
        sent=tuple(_parcel(one, skus) for one in order["shipments"]),
        number=str(order["metafields"].get("erp_number", "")),
    )


def _ours(refund: Json) -> bool:
    """The hub's key stands in the reason of what it gives back."""
    return any(MARK in str(item.get("reason") or "") for item in refund["items"])


def _tenders(refund: Json) -> dict[str, Decimal]:
    moved: dict[str, Decimal] = {}
    for one in refund["payments"]:
        if not one["is_declined"]:
            moved[one["provider_id"]] = moved.get(one["provider_id"], Decimal(0)) + Decimal(one["amount"])
    return moved


def _parcel(shipment: Json, skus: Mapping[int, str]) -> Parcel:
    pieces: Counter[str] = Counter()
    for item in shipment["items"]:
        pieces[skus[item["order_product_id"]]] += item["quantity"]
    return Parcel(str(shipment["id"]), frozenset(filter(None, (shipment["tracking_number"],))), dict(pieces))


def _offered(desk: Desk) -> dict[str, int]:
    levels = desk.get("state").get("stock", {}).values()
    return {
        one["sku"]: int(one["onhand"]) for one in levels if one["sku"] in COUNTED and int(one["location"]) == LOCATION
    }


def _deliveries(desk: Desk) -> Iterable[Delivery]:
    for row in desk.get("deliveries"):
        answers = [attempt for attempt in row["attempts"] if 200 <= attempt["status"] < 300]
        fresh = any('"duplicate":false' in attempt["answer"] for attempt in answers)
        yield Delivery(ACCOUNT, row["id"], bool(answers), fresh, row["forged"], row["state"] == "waiting")


def _payments(desk: Desk) -> dict[str, str]:
    refunds = (one for order in desk.get("orders") for one in order["refunds"])
    return {str(paid["id"]): paid["provider_id"] for one in refunds for paid in one["payments"]}


def _priced(desk: Desk, sku: str) -> Decimal | None:
    """A price that is not reduced is its own sale price."""
    told = desk.get("effects")["price"].get(sku)
    return Decimal(told.partition("/")[0]) if told else None


def _of(kind: str, buyer: int, *skus: str) -> Spec:
    lines = {"lines": [{"sku": sku, "quantity": 2} for sku in skus]} if skus else {}
    return {"kind": kind, "buyer": buyer, "customer_id": 0 if kind == "guest" else buyer, **lines}


CHANNEL = Channel(
    system="bigcommerce",
    account=ACCOUNT,
    orders=tuple(_of(kind, 500 + number) for number, kind in enumerate((*KINDS, "plain", "coupon"))),
    to_call_off=(_of("plain", 590, "WB-MUG", FORGOTTEN.sku),),
    to_cancel=tuple(_of("plain", 550 + n, "WB-CAP", "WB-BAG") for n in range(3)),
    cancel=lambda desk, order: desk.post(f"orders/{order['id']}/cancel", {}),
    to_refund=tuple(_of("plain", 560 + n, "WB-TEE", "WB-SOAP") for n in range(4)),
    refund=lambda desk, order: desk.post(f"orders/{order['id']}/refund", {"lines": {"WB-TEE": 1}}),
    to_change=tuple(_of(EDITED, 570 + n, "WB-CAP", "WB-MUG") for n in range(2)),
    change=lambda desk, order: desk.post(f"orders/{order['id']}/edit", {"lines": {"WB-CAP": LEFT}}),
    to_bring=tuple(_of("plain", 575 + n, "WB-TEE", "WB-SOAP") for n in range(2)),
    brought="WB-TEE",
    priced=_priced,
    sold=_sold,
    offered=_offered,
    opens=_opens,
    deliveries=_deliveries,
    payments=_payments,
    codes={"location": (("11", str(LOCATION)),)},
)
