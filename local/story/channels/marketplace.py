"""The marketplace of the play: what it sold by its own notebook, and what its server was told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from local.story.catalogue import RUG, RUSH
from local.story.channels.channel import Channel
from local.story.desk import Desk
from local.story.facts import Parcel, Sold, Tenders

Json = dict[str, Any]
WAREHOUSED = (RUG.sku, RUSH.sku)  # what the warehouse sends; the rest comes from a store or from the supplier
PICKED_UP = "pickup"


def _sold(desk: Desk) -> tuple[Sold, ...]:
    tables = desk.get("state")
    events = list(tables.get("seen", {}).values())
    return tuple(_one(order, events) for order in tables.get("orders", {}).values())


def _one(order: Json, events: list[Json]) -> Sold:
    pieces: Counter[str] = Counter()
    for line in order["lines"] if not _fetched(order) else ():
        if line["sku"] in WAREHOUSED:
            pieces[line["sku"]] += int(line["quantity"])
    mine = [event["data"]["shipment"] for event in events if _about(event, order)]
    return Sold(
        id=order["id"],
        name=order["number"],
        kind=kind(order),
        worth=Decimal(order["totals"]["total"]["shop"]["amount"]),
        currency=order["currency"],
        cancelled=False,
        wanted=dict(pieces),
        email=order["shipping"]["email"],
        refunds={refund["id"]: _tenders(refund) for refund in order.get("refunds", ())},
        sent=tuple(_parcel(one) for one in mine),
        number="",
        takes_number=False,  # it asks for what became of an order
    )


def kind(order: Json) -> str:
    return str(order["id"]).rpartition("-")[0].lower()


def _fetched(order: Json) -> bool:
    return any(one["kind"] == PICKED_UP for one in order.get("deliveries", ()))


def _about(event: Json, order: Json) -> bool:
    return bool(event["type"] == "order.shipped" and event["data"]["id"] == order["id"])


def _parcel(shipment: Json) -> Parcel:
    pieces: Counter[str] = Counter()
    for line in shipment["lines"]:
        pieces[line["sku"]] += int(Decimal(line["quantity"]))
    numbers = frozenset(str(one["number"]) for one in shipment["trackings"])
    return Parcel(str(shipment["id"]), numbers, dict(pieces))


def _tenders(refund: Json) -> Tenders:
    found: dict[str, Decimal] = {}
    for paid in refund["payments"]:
        amount = Decimal(paid["amount"]["shop"]["amount"])
        found[paid["gateway"]] = found.get(paid["gateway"], Decimal(0)) + amount
    return found


def _payments(desk: Desk) -> Mapping[str, str]:
    """Each payment of a refund, and the tender that it went through."""
    orders = desk.get("state").get("orders", {}).values()
    given = [paid for order in orders for refund in order.get("refunds", ()) for paid in refund["payments"]]
    return {str(paid["id"]): str(paid["gateway"]) for paid in given}


def _nothing_told(desk: Desk) -> Mapping[str, int]:
    return {}  # it asks what there is


CHANNEL = Channel(
    system="marketplace",
    account="marketplace-main",
    orders=(),  # local/story/life/scenes.py
    sold=_sold,
    offered=_nothing_told,
    payments=_payments,
    absent={"cancelled by the hub": "a partner is asked to, and tells its cancellation by our API"},
)
