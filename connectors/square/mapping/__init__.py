"""What a Square delivery says, by topic: webhooks only point, what was fetched is read."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import simplejson

from connectors.canonical.snapshot import Ignored, Pointer, Reading, Snapshot
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from connectors.kit.place import Place
from connectors.square.mapping.order import money_of, order
from connectors.square.mapping.refunds import returned, without_order
from connectors.square.mapping.values import Sums, currency_of, order_version, version

Readings = tuple[Reading, ...]
Reader = Callable[[Account, Place], Readings]
# What the API answers, in topics of our own: no webhook has them.
FETCHED_ORDER, LISTED_ORDER, FETCHED_STOCK = "api/order", "api/orders", "api/stock"
LISTED_REFUND = "api/refunds"
COUNTED = "IN_STOCK"


def read(account: Account, message: Message) -> Readings:
    """The readings of one delivery, by webhook, poll or fetch. Pure. Raises Unreadable naming the field."""
    reader = TOPICS.get(message.topic)
    if reader is None:
        return (Ignored(f"Nothing here uses the topic {message.topic}."),)
    return reader(account, Place(_body(message.body)))


def _body(body: bytes) -> Any:
    try:
        found = simplejson.loads(body, use_decimal=True)
    except (ValueError, UnicodeDecodeError) as error:
        raise Unreadable("The body is not JSON.", field="") from error
    if not isinstance(found, dict):
        raise Unreadable("The body is not a JSON object.", field="")
    return found


# ---- webhooks: one subscription serves all sellers of an application


def _ours(reader: Reader) -> Reader:
    def read_ours(account: Account, node: Place) -> Readings:
        merchant = account.settings.get("merchant_id")
        if merchant and node.at("merchant_id").needed().text() != merchant:
            return (Ignored("It is about another seller of the same application."),)
        return reader(account, node)

    return read_ours


def _of_order(name: str) -> Reader:
    """order.created, order.updated and order.fulfillment.updated say id and version, no more."""

    def reader(account: Account, node: Place) -> Readings:
        told = node.at("data").at("object").at(name)
        found = told.at("order_id").needed().id()
        timed = told.at("updated_at").value or told.at("created_at").value
        return (Pointer("order", found, order_version(told) if timed else ""),)

    return reader


def _of_money(name: str) -> Reader:
    """A payment or refund changes its order without raising the order's version, so no version is told."""

    def reader(account: Account, node: Place) -> Readings:
        told = node.at("data").at("object").at(name)
        told.needed()
        found = told.at("order_id").id()
        return (Pointer("order", found),) if found else (Ignored(f"The {name} belongs to no order."),)

    return reader


def _counts(account: Account, node: Place) -> Readings:
    """Where to look, by article and location: the count says no SKU."""
    rows = node.at("data").at("object").at("inventory_counts").needed().items()
    found = tuple(_count(one) for one in rows if one.at("state").text() == COUNTED)
    return found or (Ignored("Only other states than IN_STOCK changed."),)


def _count(row: Place) -> Pointer:
    name = f"{row.at('catalog_object_id').needed().id()}@{row.at('location_id').needed().id()}"
    return Pointer("stock", name, version(row.at("calculated_at").instant()))


# ---- what was asked for


def _listed(account: Account, node: Place) -> Readings:
    return (Pointer("order", node.at("id").needed().id(), order_version(node)),)


def _refund_listed(account: Account, node: Place) -> Readings:
    node.at("id").needed()
    found = node.at("order_id").id()
    return (Pointer("order", found),) if found else (Ignored("The refund belongs to no order."),)


def _fetched(account: Account, body: Place) -> Readings:
    """A sale, and what came back with it: a return belongs to the order that it names."""
    node = body.at("order")
    node.at("id").needed()
    if node.at("state").text() == "DRAFT":
        return (Ignored("A draft is no order yet."),)
    sold = node.at("line_items").items() or not node.at("returns").items()
    sale: Readings = (Snapshot("order", node.at("id").id(), order_version(node), order(body, account)),) if sold else ()
    entries = node.at("returns").items()
    back = tuple(one for entry in entries for one in _returned(entry, body, bool(sold), len(entries) == 1))
    return (*sale, *back)


def _returned(entry: Place, body: Place, sold: bool, only: bool) -> Readings:
    node, money = body.at("order"), money_of(body)
    sums, source = Sums(_currency(entry, node)), entry.at("source_order_id").text()
    if source:
        return (Snapshot("refund", source, order_version(node), returned(entry, node, money, sums, only)),)
    reference = node.at("reference_id").text()
    if reference:
        return (Snapshot("refund", "", order_version(node), without_order(entry, node, money, sums), reference),)
    if sold:  # the sale is held (mapping/order.py): a person looks at it
        return (Ignored("What came back names no order."),)
    raise entry.at("source_order_id").fault(
        "is missing, and reference_id names no order either: nobody knows what came back"
    )


def _currency(entry: Place, node: Place) -> str:
    told = (entry.at("return_amounts").at("total_money"), node.at("return_amounts").at("total_money"))
    return currency_of(next((one for one in told if one.value), node.at("total_money").needed()))


def _stock(account: Account, node: Place) -> Readings:
    """A count with its article's SKU."""
    count, article = node.at("count"), node.at("variation").at("item_variation_data")
    name, place = count.at("catalog_object_id").needed().id(), count.at("location_id").needed().id()
    at = count.at("calculated_at").instant()
    sku = article.at("sku").text()
    if not sku:
        return (Ignored(f"Article {name} has no SKU."),)
    quantity: Decimal = count.at("quantity").needed().number()
    level = StockLevel(sku, place, available=quantity, on_hand=quantity, item_id=name, as_of=at)
    return (Snapshot("stock", f"{name}@{place}", version(at), level),)


TOPICS: dict[str, Reader] = {
    "order.created": _ours(_of_order("order_created")),
    "order.updated": _ours(_of_order("order_updated")),
    "order.fulfillment.updated": _ours(_of_order("order_fulfillment_updated")),
    "payment.created": _ours(_of_money("payment")),
    "payment.updated": _ours(_of_money("payment")),
    "refund.created": _ours(_of_money("refund")),
    "refund.updated": _ours(_of_money("refund")),
    "inventory.count.updated": _ours(_counts),
    FETCHED_ORDER: _fetched,
    LISTED_ORDER: _listed,
    LISTED_REFUND: _refund_listed,
    FETCHED_STOCK: _stock,
}
