"""What a BigCommerce delivery says, by scope: webhooks only point, what was fetched is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simplejson

from connectors.bigcommerce.mapping.order import order
from connectors.bigcommerce.mapping.products import products
from connectors.bigcommerce.mapping.values import INCOMPLETE, PENDING, order_version
from connectors.canonical.snapshot import Ignored, Pointer, Reading, Snapshot
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from connectors.kit.place import Place
from connectors.kit.versions import version

Readings = tuple[Reading, ...]
Reader = Callable[[Account, Place], Readings]
# Scopes of what the API answers, in words of our own: no webhook has them.
FETCHED_ORDER, LISTED_ORDER, FETCHED_PRODUCT = "api/order", "api/orders", "api/product"
# "Shopper reached the payment page" and "started the checkout": no order yet (GET /order_statuses).
UNFINISHED = (INCOMPLETE, PENDING)


def read(account: Account, message: Message) -> Readings:
    """The readings of one delivery, by webhook, poll or fetch. Pure. Raises Unreadable naming the field."""
    reader = SCOPES.get(message.topic)
    if reader is None:
        return (Ignored(f"Nothing here uses the scope {message.topic}."),)
    return reader(account, Place(_body(message.body)))


def _body(body: bytes) -> Any:
    try:
        found = simplejson.loads(body, use_decimal=True)
    except (ValueError, UnicodeDecodeError) as error:
        raise Unreadable("The body is not JSON.", field="") from error
    if not isinstance(found, dict):
        raise Unreadable("The body is not a JSON object.", field="")
    return found


# ---- webhooks


def _of_order(*path: str) -> Reader:
    """A pointer to the order that the data names. The event's own time is no version of the order: it is fetched."""

    def reader(account: Account, node: Place) -> Readings:
        _our_store(account, node)
        return (Pointer("order", _first(node.at("data"), path).id()),)

    return reader


def _of_product(*path: str) -> Reader:
    def reader(account: Account, node: Place) -> Readings:
        _our_store(account, node)
        place = node.at("data")
        for name in path:
            place = place.at(name)
        return (Pointer("product", place.needed().id()),)

    return reader


def _counted(account: Account, node: Place) -> Readings:
    _our_store(account, node)
    return (Ignored("A count of the channel names no location, and the channel owns no stock: it is told, not asked."),)


def _first(node: Place, names: tuple[str, ...]) -> Place:
    return next((node.at(name) for name in names if node.at(name).value is not None), node.at(names[0])).needed()


def _our_store(account: Account, node: Place) -> None:
    """An app has one secret for all stores, so a signature does not say whose delivery it is. Raises Unreadable."""
    ours, told = str(account.settings.get("store_hash", "")), node.at("producer").needed()
    if ours and told.text() != f"stores/{ours}":
        raise told.fault(f"is {told.text()!r}, another store than this account's")


# ---- what was fetched or listed


def _order(account: Account, node: Place) -> Readings:
    header = node.at("order")
    name, seen = header.at("id").needed().id(), order_version(header)
    if _unfinished(account, header):
        return (Ignored(f"The checkout of order {name} was not completed ({header.at('status').text()})."),)
    return (Snapshot("order", name, seen, order(node, _unit(account))),)


def _unfinished(account: Account, header: Place) -> bool:
    wanted = account.settings.get("unfinished", UNFINISHED)
    return int(header.at("status_id").needed().number()) in [int(one) for one in wanted]


def _listed_order(account: Account, node: Place) -> Readings:
    """A row of a list: which order changed, and to which version."""
    if _unfinished(account, node):
        return (Ignored("A checkout that was not completed."),)
    return (Pointer("order", node.at("id").needed().id(), order_version(node)),)


def _product(account: Account, node: Place) -> Readings:
    updated = version(node.at("date_modified").instant())
    found = products(node, str(account.settings.get("currency", "")), _unit(account))
    return tuple(Snapshot("product", one.id, updated, one) for one in found)


def _unit(account: Account) -> str:
    return str(account.settings.get("weight_unit", "")).lower()


SCOPES: dict[str, Reader] = {
    **dict.fromkeys(
        (
            "store/order/created",
            "store/order/updated",
            "store/order/archived",
            "store/order/statusUpdated",
            "store/order/refund/created",
        ),
        _of_order("id"),
    ),
    **dict.fromkeys(("store/order/transaction/created", "store/order/transaction/updated"), _of_order("order_id")),
    **dict.fromkeys(
        ("store/shipment/created", "store/shipment/updated", "store/shipment/deleted"),
        _of_order("orderId", "order_id"),
    ),
    **dict.fromkeys(("store/product/created", "store/product/updated", "store/product/deleted"), _of_product("id")),
    **dict.fromkeys(("store/sku/created", "store/sku/updated"), _of_product("sku", "product_id")),
    **dict.fromkeys(
        (
            "store/product/inventory/updated",
            "store/product/inventory/order/updated",
            "store/sku/inventory/updated",
            "store/sku/inventory/order/updated",
        ),
        _counted,
    ),
    FETCHED_ORDER: _order,
    LISTED_ORDER: _listed_order,
    FETCHED_PRODUCT: _product,
}
