"""An order is read to its end: what one answer does not hold is asked for until nothing is left."""

from __future__ import annotations

from typing import Any

from connectors.kit.errors import Rejected
from connectors.shopify import documents, pages
from connectors.shopify.client import OWNER, Client

Node = dict[str, Any]
LISTED = {"refunds": 50, "fulfillments": 50, "transactions": 100}  # as asked for in documents.ORDER
REFUND_PARTS = {
    "refundLineItems": documents.REFUND_LINES,
    "refundShippingLines": pages.REFUND_SHIPPING,
    "orderAdjustments": pages.REFUND_ADJUSTMENTS,
    "transactions": pages.REFUND_TRANSACTIONS,
}
ORDER_PARTS = {
    "lineItems": documents.ORDER_LINES,
    "shippingLines": pages.SHIPPING_LINES,
    "discountApplications": pages.DISCOUNTS,
    "returns": pages.RETURNS,
}
RETURN_PARTS = {"returnLineItems": pages.RETURN_LINES, "exchangeLineItems": pages.RETURN_EXCHANGES}


def whole_order(client: Client, node: Node) -> Node:
    """The answer to documents.ORDER with every further page fetched into it. Raises Rejected for what Shopify cannot list in full."""
    for name, document in ORDER_PARTS.items():
        client.whole(node[name], document, node["id"], name)
    full = [name for name, most in LISTED.items() if len(node[name]) >= most]
    listed = _listed(client, node["id"]) if full else {}
    if "transactions" in full:
        node["transactions"] = listed["transactions"]
    for name in ("refunds", "fulfillments"):
        known = {one["id"]: one for one in node[name]}
        rows = listed[name] if name in full else node[name]
        node[name] = [known.get(row["id"]) or _one(client, name, row["id"]) for row in rows]
    for one in node["refunds"]:
        _whole_refund(client, one)
    for one in node["fulfillments"]:
        _whole_fulfilment(client, one)
    node["returns"]["nodes"] = [_whole_return(client, row["id"]) for row in node["returns"]["nodes"]]
    return node


def whole_fulfilments(client: Client, order: str, told: list[Node], most: int) -> list[Node]:
    """The fulfilments of an order with all their lines; `most` is how many were asked for."""
    known = {one["id"]: one for one in told}
    rows = _listed(client, order)["fulfillments"] if len(told) >= most else told
    found = [known.get(row["id"]) or _one(client, "fulfillments", row["id"]) for row in rows]
    for one in found:
        _whole_fulfilment(client, one)
    return found


def _one(client: Client, name: str, part: str) -> Node:
    document = pages.ONE_REFUND if name == "refunds" else pages.ONE_FULFILMENT
    found: Node = client.ask(document, id=part)
    return found


def _whole_refund(client: Client, node: Node) -> None:
    for name, document in REFUND_PARTS.items():
        client.whole(node[name], document, node["id"], name)


def _whole_return(client: Client, part: str) -> Node:
    found: Node = client.ask(pages.ONE_RETURN, id=part)
    for name, document in RETURN_PARTS.items():
        client.whole(found[name], document, part, name)
    return found


def _whole_fulfilment(client: Client, node: Node) -> None:
    client.whole(node["fulfillmentLineItems"], documents.FULFILMENT_LINES, node["id"], "fulfillmentLineItems")


def _listed(client: Client, order: str) -> Node:
    """The ids of an order's refunds and fulfilments, and its transactions, as many as Shopify gives."""
    found: Node = client.ask(pages.LISTED, id=order)
    for name in LISTED:
        if len(found[name]) >= pages.MOST:
            raise Rejected(
                f"Shopify lists {pages.MOST} {name} of an order and this one may have more: it cannot be read in full.",
                code="too_many_parts",
                field=name,
                remedy="Compare the order in Shopify with the hub by hand.",
                owner=OWNER,
            )
    return found
