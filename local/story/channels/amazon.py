"""The Amazon seller of the play, heard by polls alone: what buyers are asked to buy, and what Amazon says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.amazon.mapping.refunds import stem
from local.story.catalogue import COUNTED, FORGOTTEN, SHELVED
from local.story.channels.channel import Channel, Spec
from local.story.desk import Desk
from local.story.facts import Parcel, Sold

Json = dict[str, Any]
KINDS = "plain tax_inside promotion gift business prime amazon".split()
TENDER = "amazon"  # whatever a buyer pays Amazon by
PLACE = "A1PA6795UKMFR9"  # the marketplace that it sells at
OWN = "AMAZON"  # it sends these itself: no warehouse of ours, and no word from us


def _opens(desk: Desk) -> None:
    known = desk.get("state").get("listings", {})
    for sku in SHELVED:
        if sku not in known:
            desk.post("listings", {"sku": sku})


def _sold(desk: Desk) -> tuple[Sold, ...]:
    return tuple(_one(order) for order in desk.get("orders"))


def _one(order: Json) -> Sold:
    """Amazon writes to its buyers itself, so none of them has an address here."""
    skus = {item["id"]: item["sku"] for item in order["items"]}
    ours, given = order["by"] != OWN, _given_back(order)
    pieces: Counter[str] = Counter()
    for item in order["items"] if ours else ():
        pieces[item["sku"]] += item["quantity"]
    return Sold(
        id=order["id"],
        name=order["id"],
        kind=order["kind"],
        worth=Decimal(order["total"]),
        currency=order["currency"],
        cancelled=order["status"] == "CANCELLED",
        called_off=order["cancelled_by"] == "MERCHANT",
        wanted=dict(pieces),
        email="",
        by_hub=frozenset(name for name, refund in zip(given, order["refunds"], strict=True) if refund["by"] == "us"),
        refunds={name: {TENDER: amount} for name, amount in given.items()},
        sent=tuple(_parcel(one, skus) for one in order["packages"]) if ours else _theirs(order),
        number=order["alias"],
        takes_number=ours,
    )


def _given_back(order: Json) -> dict[str, Decimal]:
    """Each refund under the name that the connector has for what it gave back, ours and the seller's own."""
    skus, found = {item["id"]: item["sku"] for item in order["items"]}, dict[str, Decimal]()
    for refund in order["refunds"]:
        by_sku: dict[str, Decimal] = {}
        for row in refund["rows"]:
            by_sku[skus[row["item"]]] = by_sku.get(skus[row["item"]], Decimal(0)) + Decimal(row["amount"])
        name = stem(order["id"], "", by_sku)
        found[f"{name}{sum(one.startswith(name) for one in found) + 1}"] = sum(by_sku.values(), Decimal(0))
    return found


def _parcel(package: Json, skus: Mapping[str, str]) -> Parcel:
    pieces: Counter[str] = Counter()
    for one in package["packageItems"]:
        pieces[skus[one["orderItemId"]]] += one["quantity"]
    return Parcel(package["packageReferenceId"], frozenset((package["trackingNumber"],)), dict(pieces))


def _theirs(order: Json) -> tuple[Parcel, ...]:
    """All that Amazon sent, which it tells once all of it has left and without a number."""
    if order["status"] != "SHIPPED":
        return ()
    return (Parcel(f"{order['id']}/amazon", frozenset(), {item["sku"]: item["quantity"] for item in order["items"]}),)


def _offered(desk: Desk) -> dict[str, int]:
    told = desk.get("effects")["stock"]
    return {sku: int(told[f"{sku}/DEFAULT"].split()[0]) for sku in COUNTED if f"{sku}/DEFAULT" in told}


def _priced(desk: Desk, sku: str) -> Decimal | None:
    told = desk.get("effects")["price"].get(f"{sku}/{PLACE}")
    return Decimal(told.split()[0]) if told else None


def _of(buyer: int) -> Spec:
    return {"kind": "plain", "lines": [{"sku": "WB-CAP", "quantity": 2}], "note": str(buyer)}


CHANNEL = Channel(
    system="amazon",
    account="amazon-main",
    orders=tuple({"kind": kind} for kind in KINDS * 4),
    to_call_off=({"kind": "plain", "lines": [{"sku": FORGOTTEN.sku, "quantity": 1}]},),
    to_cancel=tuple(_of(n) for n in range(3)),
    cancel=lambda desk, order: desk.post(f"orders/{order['id']}/cancel", {}),
    to_refund=tuple(_of(20 + n) for n in range(3)),
    refund=lambda desk, order: desk.post(f"orders/{order['id']}/refunds", {"quantities": {order["items"][0]["id"]: 1}}),
    to_bring=tuple(_of(10 + n) for n in range(2)),
    brought="WB-CAP",
    payments=lambda desk: {name: TENDER for order in desk.get("orders") for name in _given_back(order)},
    priced=_priced,
    absent={"changed": "Amazon's buyers cannot edit an order"},
    sold=_sold,
    offered=_offered,
    opens=_opens,
    # What was not done is made again after a quarter of an hour only (its manifest), as is the rest of a batch of counts after an
    # answer that was lost: the story has no such time.
    lost_answers=("commit_then_drop",),
    lost_at=("feeds.create", "orders.confirm"),
    codes={"carrier": (("UPS", "UPS"),)},
)
