"""The Amazon seller of the play, heard by polls alone: what buyers are asked to buy, and what Amazon says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from local.story.catalogue import COUNTED, SHELVED
from local.story.channels.channel import Channel, Spec
from local.story.desk import Desk
from local.story.facts import Parcel, Sold

Json = dict[str, Any]
KINDS = "plain tax_inside promotion gift business prime amazon".split()
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
    ours = order["by"] != OWN
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
        wanted=dict(pieces),
        email="",
        refunds={},
        sent=tuple(_parcel(one, skus) for one in order["packages"]) if ours else _theirs(order),
        number=order["alias"],
        takes_number=ours,
    )


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


def _of(buyer: int) -> Spec:
    return {"kind": "plain", "lines": [{"sku": "WB-CAP", "quantity": 2}], "note": str(buyer)}


CHANNEL = Channel(
    system="amazon",
    account="amazon-main",
    orders=tuple({"kind": kind} for kind in KINDS * 4),
    to_cancel=tuple(_of(n) for n in range(3)),
    cancel=lambda desk, order: desk.post(f"orders/{order['id']}/cancel", {}),
    sold=_sold,
    offered=_offered,
    opens=_opens,
    # What was not done is made again after a quarter of an hour only (its manifest), as is the rest of a batch of counts after an
    # answer that was lost: the story has no such time.
    lost_answers=("commit_then_drop",),
    lost_at=("feeds.create", "orders.confirm"),
    codes={"carrier": (("UPS", "UPS"),)},
)
