"""Asking each outsider over HTTP what it holds, in the words that the judge shares with all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from connectors.kit import names
from local.story.catalogue import COUNTED, ERP_CODES, SHIPS_FROM
from local.story.channels import CHANNELS
from local.story.desk import Desk
from local.story.facts import Asked, Books, Delivery, Outside, Parcel, Sold
from local.story.judge import CHANNEL, WAREHOUSE

Json = dict[str, Any]
Sellers = Mapping[str, tuple[Sold, ...]]  # account -> what it sold
LEFT = "Completed"
ORIGINS = (WAREHOUSE, CHANNEL, *(one.account for one in CHANNELS))  # who tells of a shipment


# ---- the shop


def sold(tables: Mapping[str, Any]) -> tuple[Sold, ...]:
    """Its orders. Amounts are in the shop's currency, in which the books are kept."""
    return tuple(_sold(order) for order in tables.get("orders", {}).values())


def _sold(order: Json) -> Sold:
    refunds = {str(one["id"]): _tenders(one) for one in order["refunds"]}
    back = sum((amount for tenders in refunds.values() for amount in tenders.values()), Decimal(0))
    fields = order.get("_metafields") or {}
    return Sold(
        id=str(order["id"]),
        name=order["name"],
        kind=order.get("_kind", ""),
        worth=Decimal(order["current_total_price_set"]["shop_money"]["amount"]) + back,
        currency=order["currency"],
        cancelled=bool(order["cancelled_at"]),
        called_off=bool(order.get("_called_off")),
        changed=order.get("_kind") == "edited after booking"
        and any(one["sku"] == "WB-SOAP" for one in order["line_items"]),
        wanted=_wanted(order),
        email=order["email"] or "",
        refunds={number: tenders for number, tenders in refunds.items() if tenders},
        sent=tuple(_sent(one) for one in order["fulfillments"] if one["status"] == "success"),
        number=next((str(field["value"]) for field in fields.values()), ""),
    )


def _tenders(refund: Json) -> dict[str, Decimal]:
    """Tender -> what it gave back; none where no money moved."""
    moved: dict[str, Decimal] = {}
    for one in refund["transactions"]:
        if one["status"] == "success":
            moved[one["gateway"]] = moved.get(one["gateway"], Decimal(0)) + Decimal(one["_set"]["shop_money"]["amount"])
    return moved


def _wanted(order: Json) -> dict[str, int]:
    """What was to be shipped: nothing of what is carried home from the store."""
    pieces: Counter[str] = Counter()
    for one in order.get("_fulfillment_orders", ()):
        by_id = {line["id"]: line["sku"] for line in order["line_items"]}
        for item in one["line_items"]:
            pieces[by_id[item["line_item_id"]]] += item["total"]
    return {sku: count for sku, count in pieces.items() if count}


def _sent(one: Json) -> Parcel:
    pieces: Counter[str] = Counter()
    for line in one["line_items"]:
        pieces[line["sku"]] += line["quantity"]
    return Parcel(str(one["id"]), frozenset(one["tracking_numbers"]), dict(pieces))


def offered(tables: Mapping[str, Any]) -> dict[str, int]:
    """SKU -> available pieces of what is counted, as the shop shows them where orders ship from."""
    levels = [
        one for one in tables.get("levels", {}).values() if one["sku"] in COUNTED and one["location_id"] == SHIPS_FROM
    ]
    return {one["sku"]: one["quantities"]["available"] for one in levels}


def asks(tables: Mapping[str, Any]) -> dict[str, Decimal]:
    """SKU -> what the shop asks for a piece."""
    variants = (variant for one in tables.get("products", {}).values() for variant in one["variants"])
    return {variant["sku"]: Decimal(variant["price"]) for variant in variants}


# ---- the ERP


def netsuite(effects: Mapping[str, Any]) -> Books:
    """Its own count and arithmetic, under the external ids that it was given."""
    ours = {theirs: ours for ours, theirs in ERP_CODES["netsuite-main"]["payment_method"]}
    refunds: dict[tuple[str, str], dict[str, Decimal]] = {}
    for name, amount in effects["refunded"].items():
        memo, option = name.rsplit("/", 1)
        order, refund = memo.rsplit("-r-", 1)
        refunds.setdefault((order, refund), {})[ours.get(option, option)] = Decimal(amount)
    return Books(
        orders=effects["sales_order"],
        totals={name: Decimal(amount) for name, amount in effects["sales_order_total"].items()},
        cancelled=frozenset(effects["cancelled"]),
        fulfilments={_shipment(name): count for name, count in effects["fulfilment"].items()},
        refunds=refunds,
    )


def _shipment(name: str) -> tuple[str, str]:
    """(order, shipment id) of "shopify-main-1-s-shipbob-main-7"."""
    order, _, rest = name.partition("-s-")
    origin = next((one for one in ORIGINS if rest.startswith(f"{one}-")), "")
    return order, rest.removeprefix(f"{origin}-")


def business_central(effects: Mapping[str, Any], desks: Mapping[str, Desk]) -> Books:
    """Its own count and arithmetic; what was posted of an order bears its name, a refund's journal lines each tender's."""
    return _marked(effects, sellers(desks), asked(desks["shipbob"].get("state")))


def sap_s4hana(effects: Mapping[str, Any], desks: Mapping[str, Desk]) -> Books:
    """Its own count and arithmetic. Only a delivery whose goods issue is posted has left; a refund's requests are each tender's."""
    told = {**effects, "fulfilment": effects["goods_issue"]}
    return _marked(told, sellers(desks), asked(desks["shipbob"].get("state")))


def sellers(desks: Mapping[str, Desk]) -> Sellers:
    """What every channel that is played says it sold."""
    beside = {one.account: one.sold(desks[one.system]) for one in CHANNELS if one.system in desks}
    return {CHANNEL: sold(desks["shopify"].get("state")), **beside}


def _marked(effects: Mapping[str, Any], sales: Sellers, warehouse: Iterable[Asked]) -> Books:
    """Of books that name an order in capitals or by a mark, and what comes of it by a mark: whose, is found by making the marks
    of all that the channels and the warehouse know.
    """
    each = [(channel, one) for channel, orders in sales.items() for one in orders]
    known = {names.order_name(channel, one.id): f"{channel}-{one.id}" for channel, one in each}
    shipments = {
        names.shipment_mark(origin, number): number
        for origin, number in (
            *((channel, parcel.id) for channel, one in each for parcel in one.sent),
            *((WAREHOUSE, parcel.id) for one in warehouse for parcel in one.parcels),
        )
    }
    tenders = {
        names.tender_mark(refund, tender): (refund, tender)
        for _, one in each
        for refund, moved in one.refunds.items()
        for tender in moved
    }

    def order(name: str) -> str:
        return known.get(name.partition("/")[0], name.partition("/")[0].lower())

    refunds: dict[tuple[str, str], dict[str, Decimal]] = {}
    for name, amount in effects["refunded"].items():
        mark = name.partition("/")[2]
        refund, tender = tenders.get(mark, (mark, mark))
        refunds.setdefault((order(name), refund), {})[tender] = Decimal(amount)
    return Books(
        orders={order(name): count for name, count in effects["sales_order"].items()},
        totals={order(name): Decimal(amount) for name, amount in effects["sales_order_total"].items()},
        cancelled=frozenset(order(name) for name in effects["cancelled"]),
        fulfilments={
            (order(name), shipments.get(name.partition("/")[2], name)): count
            for name, count in effects["fulfilment"].items()
        },
        refunds=refunds,
    )


# ---- the warehouse


def asked(tables: Mapping[str, Any]) -> tuple[Asked, ...]:
    return tuple(_asked(order) for order in tables.get("orders", {}).values())


def _asked(order: Json) -> Asked:
    gone = tuple(_parcel(one) for one in order["shipments"] if one["status"] == LEFT)
    pieces = {one["reference_id"]: int(one["quantity"]) for one in order["products"]}
    street = str(order["recipient"]["address"]["address1"])
    return Asked(order["reference_id"], order["order_number"], order["status"] == "Cancelled", gone, pieces, street)


def _parcel(shipment: Json) -> Parcel:
    tracking = shipment.get("tracking") or {}
    pieces: Counter[str] = Counter()
    for product in shipment["products"]:
        pieces[product["reference_id"]] += sum(item["quantity"] for item in product["inventory_items"])
    return Parcel(str(shipment["id"]), frozenset(filter(None, (tracking.get("tracking_number"),))), dict(pieces))


def shelf(tables: Mapping[str, Any]) -> dict[str, int]:
    """SKU -> pieces that are free, over all centres."""
    rows = tables.get("inventory", {}).values()
    return {
        row["sku"]: sum(
            place["on_hand"] - place["committed"] - place["awaiting"] for place in row["locations"].values()
        )
        for row in rows
    }


# ---- who sent what


def shop_deliveries(rows: Iterable[Json]) -> Iterable[Delivery]:
    for row in rows:
        answers = [attempt for attempt in row["attempts"] if 200 <= attempt["status"] < 300]
        fresh = any('"duplicate":false' in attempt["answer"] for attempt in answers)
        yield Delivery(CHANNEL, row["id"], bool(answers), fresh, row["forged"], row["state"] == "waiting")


def warehouse_deliveries(attempts: Iterable[Json]) -> Iterable[Delivery]:
    for row in attempts:
        yield Delivery(WAREHOUSE, row["id"], 200 <= row["status"] < 300, False, False, False)


def outside(desks: Mapping[str, Desk], books: Books) -> Outside:
    """All that the web shop, the warehouse and the ERP hold now."""
    shop, warehouse = desks["shopify"].get("state"), desks["shipbob"].get("state")
    told = desks["shopify"].get("deliveries")
    return Outside(
        sold=sold(shop),
        books=books,
        asked=asked(warehouse),
        mails=desks["mail"].get("effects")["mails"],
        deliveries=(
            *shop_deliveries(told if isinstance(told, list) else told["deliveries"]),
            *warehouse_deliveries(desks["shipbob"].get("deliveries")["attempts"]),
        ),
        shelf=shelf(warehouse),
        offered=offered(shop),
    )
