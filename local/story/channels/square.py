"""The Square seller of the play: tills and a shop, and what it says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from local.story.catalogue import COUNTED, FORGOTTEN, SHELVED
from local.story.channels.channel import Channel, Spec
from local.story.desk import Desk
from local.story.facts import Delivery, Parcel, Sold

Json = dict[str, Any]
ACCOUNT = "square-main"
LOCATION = "LOC1"  # the store that the warehouse's stock is told for
OURS = "waybill-"  # before our entries in a fulfilment's metadata (connectors/square/mapping/fulfilments.py)
MARK = "wb-"  # the hub's key in the reason of a refund
GIVEN = ("PENDING", "COMPLETED")
MOVED = "Neue Str. 12"  # what is paid is not edited at Square; where it goes is
# Sold at the till and carried home, or ordered in the shop and shipped.
TILL = "till tax_included untaxed line_discount percent service_charge spread_charge tip cash cash_rounded gift_card split voucher offline".split()
SHIPPED = "plain order_discount freight authorized".split()
MAIL = {
    "duplicates": 0.08,
    "reordered": 0.08,
    "forged": 0.03,
    "old_share": 0.1,
    "never_sent": 0.05,
    "retry_factor": 0.02,
}


def _opens(desk: Desk) -> None:
    desk.put("habits", MAIL)
    known = {one["item_variation_data"]["sku"] for one in desk.get("state").get("articles", {}).values()}
    for sku in (*SHELVED, FORGOTTEN.sku):
        if sku not in known:
            desk.post("articles", {"sku": sku, "price": 1200})


def _sold(desk: Desk) -> tuple[Sold, ...]:
    """A return is an order of its own there, and a refund of the sale that it names here."""
    tables = desk.get("state")
    skus = {one["id"]: one["item_variation_data"]["sku"] for one in tables.get("articles", {}).values()}
    orders = list(tables.get("orders", {}).values())
    sales = _sales(orders)
    back = _back(sales, tables)
    rows = tables.get("refunds", {}).values()
    ours = frozenset(_whose(one, sales)[1] for one in rows if MARK in str(one.get("reason")))
    off = frozenset(tables.get("called_off", {}))
    sold = (_one(order, skus, back.get(order["id"], {}), ours) for order in orders if order.get("line_items"))
    return tuple(replace(one, called_off=one.id in off) for one in sold)


def _sales(orders: Iterable[Json]) -> dict[str, str]:
    """Return -> the sale that it names."""
    return {
        order["id"]: entry["source_order_id"]
        for order in orders
        for entry in order.get("returns", ())
        if entry.get("source_order_id")
    }


def _back(sales: Mapping[str, str], tables: Mapping[str, Any]) -> dict[str, dict[str, dict[str, Decimal]]]:
    """Sale -> refund -> tender -> amount."""
    found: dict[str, dict[str, dict[str, Decimal]]] = {}
    for one in tables.get("refunds", {}).values():
        if one["status"] in GIVEN and one["order_id"]:
            sale, name = _whose(one, sales)
            tenders = found.setdefault(sale, {}).setdefault(name, {})
            tender = _tender(tables["payments"][one["payment_id"]])
            tenders[tender] = tenders.get(tender, Decimal(0)) + _euros(one["amount_money"])
    return found


def _whose(refund: Json, sales: Mapping[str, str]) -> tuple[str, str]:
    """The sale, and what the refund is called: by its return, else by its own id."""
    told = refund["order_id"]
    return (sales[told], told) if told in sales else (told, refund["id"])


def _tender(payment: Json) -> str:
    """The name under which the books know a payment."""
    brand = payment.get("card_details", {}).get("card", {}).get("card_brand", "")
    if brand == "SQUARE_GIFT_CARD":
        return "square_gift_card"
    source = str(payment["source_type"]).lower()
    return f"{source}:{payment['external_details']['type'].lower()}" if source == "external" else source


def _euros(money: Json) -> Decimal:
    return Decimal(money["amount"]) / 100


def _one(order: Json, skus: Mapping[str, str], refunds: Mapping[str, dict[str, Decimal]], ours: frozenset[str]) -> Sold:
    lines = [(skus[line["catalog_object_id"]], int(Decimal(line["quantity"]))) for line in order["line_items"]]
    fulfilments = order.get("fulfillments", [])
    pieces: Counter[str] = Counter()
    for sku, count in lines if fulfilments else ():
        pieces[sku] += count
    recipient = fulfilments[0]["shipment_details"]["recipient"] if fulfilments else {}
    moved = recipient.get("address", {}).get("address_line_1") == MOVED
    return Sold(
        id=order["id"],
        name=order["id"],
        kind="till" if not fulfilments else "shipped",
        worth=_euros(order["total_money"]),
        currency=order["total_money"]["currency"],
        cancelled=_given_up(order, fulfilments),
        changed=moved,
        street=MOVED if moved else "",
        wanted=dict(pieces),
        email=recipient.get("email_address", ""),
        refunds=refunds,
        by_hub=ours & refunds.keys(),
        sent=tuple(_parcels(fulfilments, [sku for sku, _ in lines])),
        number=order.get("metadata", {}).get("waybill_erp_number", ""),
        takes_number="version" in order,  # what was rung up at a till is closed: it takes no word any more
    )


def _given_up(order: Json, fulfilments: list[Json]) -> bool:
    """Square cancels no paid order: its fulfilments are, and the money goes back."""
    return order["state"] == "CANCELED" or (
        bool(fulfilments) and all(one["state"] == "CANCELED" for one in fulfilments)
    )


def _parcels(fulfilments: Iterable[Json], skus: list[str]) -> Iterable[Parcel]:
    """Each of our entries: "position:pieces,... numbers"."""
    for row in fulfilments:
        for name, entry in row.get("metadata", {}).items():
            if name.startswith(OURS):
                told, *numbers = str(entry).split(" ")
                pieces: Counter[str] = Counter()
                for one in told.split(","):
                    position, _, count = one.partition(":")
                    pieces[skus[int(position)]] += int(Decimal(count))
                yield Parcel(name, frozenset(numbers), dict(pieces))


def _offered(desk: Desk) -> dict[str, int]:
    tables = desk.get("state")
    skus = {one["id"]: one["item_variation_data"]["sku"] for one in tables.get("articles", {}).values()}
    counts = [one for one in tables.get("counts", {}).values() if one["location_id"] == LOCATION]
    told = {skus[one["catalog_object_id"]]: int(Decimal(one["quantity"])) for one in counts}
    return {sku: told[sku] for sku in COUNTED if sku in told}


def _deliveries(desk: Desk) -> Iterable[Delivery]:
    """An event is known by its id and its type; a forgery bears those of the delivery that it apes."""
    for row in desk.get("deliveries"):
        answers = [attempt for attempt in row["attempts"] if 200 <= attempt["status"] < 300]
        fresh = any('"duplicate":false' in attempt["answer"] for attempt in answers)
        name = f"{row['id']}:{row['topic']}{' forged' if row['forged'] else ''}"
        yield Delivery(ACCOUNT, name, bool(answers), fresh, row["forged"], row["state"] == "waiting")


def _payments(desk: Desk) -> dict[str, str]:
    tables = desk.get("state")
    return {
        name: _tender(tables["payments"][one["payment_id"]])
        for name, one in tables.get("refunds", {}).items()
        if one.get("payment_id")
    }


def _take_back(desk: Desk, order: Mapping[str, Any]) -> None:
    """A piece comes back to a till, and its money goes back."""
    desk.post(f"orders/{order['id']}/returns", {"lines": {"line-1": 1}})
    desk.post("refunds/settlement", {"state": "COMPLETED"})


def _give_up(desk: Desk, order: Mapping[str, Any]) -> None:
    """Staff stop what was to be sent."""
    desk.post(f"orders/{order['id']}/moves", {"fulfillment_state": "CANCELED"})


def _move(desk: Desk, order: Mapping[str, Any]) -> None:
    """Its buyer has moved, and staff correct where it goes."""
    desk.post(f"orders/{order['id']}/moves", {"address": {"address_line_1": MOVED}})


def _priced(desk: Desk, sku: str) -> Decimal | None:
    rows = [one["item_variation_data"] for one in desk.get("state").get("articles", {}).values()]
    return next((_euros(row["price_money"]) for row in rows if row["sku"] == sku), None)


def _of(kind: str, buyer: int) -> Spec:
    return {"kind": kind, "buyer": buyer}


CHANNEL = Channel(
    system="square",
    account=ACCOUNT,
    orders=tuple(_of(kind, 700 + number) for number, kind in enumerate((*TILL, *SHIPPED * 3, "plain", "freight"))),
    to_refund=(*(_of("plain", 760 + n) for n in range(2)), *(_of("split", 765 + n) for n in range(2))),
    refund=_take_back,
    to_call_off=({**_of("plain", 790), "lines": [{"sku": sku, "quantity": "1"} for sku in ("WB-MUG", FORGOTTEN.sku)]},),
    to_change=tuple(_of("plain", 780 + n) for n in range(2)),
    change=_move,
    to_cancel=tuple(_of("plain", 770 + n) for n in range(3)),
    cancel=_give_up,
    to_bring=tuple(_of("plain", 775 + n) for n in range(2)),
    brought="WB-TEE",
    priced=_priced,
    sold=_sold,
    offered=_offered,
    opens=_opens,
    deliveries=_deliveries,
    payments=_payments,
    codes={"location": (("11", LOCATION),)},
)
