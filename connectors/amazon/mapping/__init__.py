"""What a delivery of Amazon says, by notification type: those of orders point, what was fetched or listed is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simplejson

from connectors.amazon.mapping.order import order, shipped_pieces
from connectors.amazon.mapping.refunds import refunds, reversed_sums
from connectors.amazon.mapping.v0 import renewed, status_of
from connectors.amazon.mapping.values import CANCELLED, PENDING, ZERO, rank, version
from connectors.canonical.snapshot import Ignored, Pointer, Reading, Snapshot
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from connectors.kit.place import Place

Readings = tuple[Reading, ...]
Reader = Callable[[Account, Place], Readings]
# Topics of what the API answers, in words of our own: no notification has them.
ORDER, ORDER_V0, LISTED_V0 = "orders/2026-01-01/order", "orders/v0/order", "orders/v0/orders"
POSTED, REFUNDED = "finances/v0/event", "finances/v0/order"


def read(account: Account, message: Message) -> Readings:
    """The readings of one delivery, by queue, poll or fetch. Pure. Raises Unreadable naming the field."""
    reader = TOPICS.get(message.topic)
    if reader is None:
        return (Ignored(f"Nothing here uses the notification type {message.topic}."),)
    return reader(account, Place(_body(message.body)))


def _body(body: bytes) -> Any:
    try:
        found = simplejson.loads(body, use_decimal=True)
    except (ValueError, UnicodeDecodeError) as error:
        raise Unreadable("The body is not JSON.", field="") from error
    if not isinstance(found, dict):
        raise Unreadable("The body is not a JSON object.", field="")
    return found


# ---- notifications


def _order_changed(account: Account, node: Place) -> Readings:
    """A pointer to the order. The notification's summary is not read: it comes late and out of order, the order does not."""
    told = _either(_either(node, "Payload"), "OrderChangeNotification")
    seller, ours = _either(told, "SellerId").needed(), str(account.settings.get("seller_id", ""))
    if ours and seller.text() != ours:
        raise seller.fault(f"is {seller.text()!r}, another seller than this account's")
    return (Pointer("order", _either(told, "AmazonOrderId").needed().id()),)


def _either(node: Place, name: str) -> Place:
    """A member whose name begins with a capital or not."""
    small = name[0].lower() + name[1:]
    return node.at(small) if node.has(small) else node.at(name)


def _ignored(reason: str) -> Reader:
    return lambda account, node: (Ignored(reason),)


# ---- what was fetched or listed


def _order(account: Account, node: Place) -> Readings:
    header = node.at("order")
    name, changed = header.at("orderId").needed().id(), header.at("lastUpdatedTime").instant()
    status = header.at("fulfillment").at("fulfillmentStatus").needed().text()
    why = _none_of_ours(header, status)
    if why:
        return (Ignored(f"Order {name} {why}."),)
    seen = version(changed, rank(status, shipped_pieces(header)))
    return (Snapshot("order", name, seen, order(header, _currency(account, header))),)


def _none_of_ours(header: Place, status: str) -> str:
    """Why an order is not (yet) to be kept; empty where it is."""
    channel = header.at("salesChannel").at("channelName").needed().text()
    if channel != "AMAZON":
        return f"was not sold at Amazon ({channel}): its own channel tells of it"
    return f"waits until Amazon has the buyer's money ({status.lower()})" if status in PENDING else ""


def _currency(account: Account, header: Place) -> str:
    """Only where a cancelled order states no sum."""
    marketplace, settings = header.at("salesChannel").at("marketplaceId").text(), account.settings
    named = settings.get("currencies", {}).get(marketplace, settings.get("currency", ""))
    return str(named) if header.at("fulfillment").at("fulfillmentStatus").text() == CANCELLED else ""


def _order_v0(account: Account, node: Place) -> Readings:
    """Read as an order of 2026-01-01 would be, once it is written as one."""
    return _order(account, Place({"order": renewed(node)}))


def _listed_v0(account: Account, node: Place) -> Readings:
    """A row of a list: which order changed, and to which version."""
    name, status = node.at("AmazonOrderId").needed().id(), status_of(node.at("OrderStatus"))
    changed = node.at("LastUpdateDate").instant()
    if status in PENDING:
        return (Ignored(f"Order {name} waits until Amazon has the buyer's money ({status.lower()})."),)
    shipped = int(node.at("NumberOfItemsShipped").number(ZERO))
    return (Pointer("order", name, version(changed, rank(status, shipped))),)


def _posted(account: Account, node: Place) -> Readings:
    """An event of a list: of which order something was given back, and when."""
    at = version(node.at("PostedDate").instant())
    return (Pointer("refund", node.at("AmazonOrderId").needed().id(), at),)


def _refunded(account: Account, node: Place) -> Readings:
    """An order with all its events of refunds: each by itself, as the order's own snapshots tell none."""
    header = Place({"order": renewed(node)}).at("order") if node.has("items") else node.at("order")
    name, events = header.at("orderId").needed().id(), node.at("events").needed()
    why = _none_of_ours(header, header.at("fulfillment").at("fulfillmentStatus").needed().text())
    if why:
        return (Ignored(f"Order {name} {why}."),)
    sold = order(header, _currency(account, header))
    found: list[Reading] = [
        Snapshot("refund", name, version(one.at) if one.at else "", one) for one in refunds(events, sold)
    ]
    found += [
        Ignored(f"Of order {name} {-one} {sold.currency} were taken back from the buyer again: settle it by hand.")
        for one in reversed_sums(events, sold)
    ]
    return tuple(found) or (Ignored(f"Of order {name} no money went back to the buyer."),)


TOPICS: dict[str, Reader] = {
    "ORDER_CHANGE": _order_changed,
    "FEED_PROCESSING_FINISHED": _ignored("The step that sent a feed looks at it by itself."),
    "LISTINGS_ITEM_MFN_QUANTITY_CHANGE": _ignored("The channel owns no stock: it is told, not asked."),
    ORDER: _order,
    ORDER_V0: _order_v0,
    LISTED_V0: _listed_v0,
    POSTED: _posted,
    REFUNDED: _refunded,
}
