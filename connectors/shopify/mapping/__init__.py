"""What a Shopify delivery says, by topic: one table, one function for each kind of body.

An order's webhook with several tenders says what each took nowhere, and a refund of an order in two currencies not what
it was in the shop's: both are pointers, and the order is fetched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simplejson

from connectors.canonical.money import Role
from connectors.canonical.snapshot import Ignored, Pointer, Reading, Snapshot
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from connectors.kit.versions import version
from connectors.shopify.mapping import graphql
from connectors.shopify.mapping.order import books_of, order
from connectors.shopify.mapping.payments import needs_transactions
from connectors.shopify.mapping.products import products
from connectors.shopify.mapping.refunds import refund, refund_books, told_in_full
from connectors.shopify.mapping.shipments import shipment
from connectors.shopify.mapping.stock import level
from connectors.shopify.mapping.values import Place, order_version

Readings = tuple[Reading, ...]


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


def _order(account: Account, node: Place) -> Readings:
    """The order whole, or a pointer to it where the webhook leaves out what the money needs."""
    seen = order_version(
        node.at("updated_at").instant(),
        bool(node.at("cancelled_at").value),
        len(node.at("refunds").items()),
        len(node.at("fulfillments").items()),
    )
    listed = bool(account.settings.get("transactions", False))
    if not _told_in_full(node, listed):
        return (Pointer("order", node.at("id").needed().id(), seen),)
    found = order(node, _role(account), listed)
    return (Snapshot("order", found.id, seen, found),)


def _told_in_full(node: Place, listed: bool) -> bool:
    books = books_of(node)
    refunds = all(told_in_full(one, books) for one in node.at("refunds").items())
    return refunds and (node.has("transactions") or not (listed or needs_transactions(node)))


def _role(account: Account) -> Role:
    return Role(account.settings.get("money_role", Role.SHOP))


def _fetched_order(account: Account, node: Place) -> Readings:
    return _order(account, Place(graphql.order(node.value)))


def _listed_order(account: Account, node: Place) -> Readings:
    """A row of a poll: only which order changed, and to which version."""
    seen = order_version(
        node.at("updatedAt").instant(),
        bool(node.at("cancelledAt").value),
        len(node.at("refunds").items()),
        len(node.at("fulfillments").items()),
    )
    return (Pointer("order", node.at("id").needed().id(), seen),)


def _edited(account: Account, node: Place) -> Readings:
    """An edit tells its own lines only, so the order is fetched, whatever version is known. Older API versions send it
    without the wrapping."""
    edit = node.at("order_edit") if node.has("order_edit") or not node.has("order_id") else node
    return (Pointer("order", edit.at("order_id").needed().id()),)


def _refund(account: Account, node: Place) -> Readings:
    order_id = node.at("order_id").needed().id()
    at = node.at("processed_at").time() or node.at("created_at").time()
    books = refund_books(node)
    if not told_in_full(node, books):
        return (Pointer("order", order_id),)
    return (Snapshot("refund", order_id, version(at) if at else "", refund(node, books)),)


def _returned(account: Account, node: Place) -> Readings:
    """A return's webhook has no time, and all but the first two no lines: the order is fetched, its returns with it. An update names the
    return only."""
    order_id = node.at("order").at("id").id() or node.at("order_id").id()
    if order_id:
        return (Pointer("order", order_id),)
    named = node.at("id") if node.at("id").value is not None else node.at("admin_graphql_api_id")
    return (Pointer("return", named.needed().id()),)


def _shipment(account: Account, node: Place) -> Readings:
    found = shipment(node)
    at = found.updated_at or node.at("created_at").instant()
    return (Snapshot("shipment", node.at("order_id").needed().id(), version(at), found),)


def _stock(account: Account, node: Place) -> Readings:
    found = level(node)
    if found.as_of is None:
        raise node.at("updated_at").fault("is missing")
    return (Snapshot("stock", f"{found.item_id}@{found.location}", version(found.as_of), found),)


def _product(account: Account, node: Place) -> Readings:
    updated = version(node.at("updated_at").instant())
    found = products(node, str(account.settings.get("currency", "")))
    return tuple(Snapshot("product", one.id, updated, one) for one in found)


def _fetched_product(account: Account, node: Place) -> Readings:
    return _product(account, Place(graphql.product(node.value)))


def _deleted_product(account: Account, node: Place) -> Readings:
    """Only the id is told: the fetch finds nothing, which says that it is gone."""
    return (Pointer("product", node.at("id").needed().id()),)


FETCHED_ORDER, LISTED_ORDER, FETCHED_PRODUCT = "graphql/order", "graphql/orders", "graphql/product"

TOPICS: dict[str, Callable[[Account, Place], Readings]] = {
    **dict.fromkeys(
        (
            "orders/create",
            "orders/updated",
            "orders/paid",
            "orders/cancelled",
            "orders/fulfilled",
            "orders/partially_fulfilled",
        ),
        _order,
    ),
    "orders/edited": _edited,
    "refunds/create": _refund,
    **dict.fromkeys(
        (
            "returns/request",
            "returns/approve",
            "returns/decline",
            "returns/cancel",
            "returns/close",
            "returns/reopen",
            "returns/update",
        ),
        _returned,
    ),
    "fulfillments/create": _shipment,
    "fulfillments/update": _shipment,
    "inventory_levels/update": _stock,
    "inventory_levels/connect": _stock,
    "products/create": _product,
    "products/update": _product,
    "products/delete": _deleted_product,
    FETCHED_ORDER: _fetched_order,
    LISTED_ORDER: _listed_order,
    FETCHED_PRODUCT: _fetched_product,
}
