"""Shopify as a source: what changed, one object whole, products and prices, and the state of its webhooks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.canonical.money import parse
from connectors.canonical.product import Price, Product
from connectors.canonical.snapshot import Pointer
from connectors.kit.account import Connection
from connectors.kit.capabilities import Message
from connectors.kit.errors import Rejected
from connectors.kit.http import dump_json
from connectors.shopify import documents, pages
from connectors.shopify.client import Client, Row, accepted
from connectors.shopify.ids import gid, short
from connectors.shopify.mapping import FETCHED_ORDER, FETCHED_PRODUCT, LISTED_ORDER, graphql
from connectors.shopify.mapping.products import products as read_products
from connectors.shopify.mapping.values import Place
from connectors.shopify.stock import AT_ONCE, by_sku
from connectors.shopify.whole import whole_order


@dataclass(frozen=True)
class Source:
    """What one account tells when asked."""

    client: Client
    connection: Connection

    def fetch(self, pointer: Pointer) -> Message | None:
        """The order or product whole, as a message that the mapping reads; None when Shopify has it no more. A return is read with its
        order."""
        found = {"order": self._order, "product": self._product, "return": self._order_of_return}
        return found[pointer.kind](pointer.id)

    def _order_of_return(self, return_id: str) -> Message | None:
        node = self.client.ask(pages.ORDER_OF_RETURN, id=gid("Return", return_id))
        return None if node is None else self._order(short(node["order"]["id"]))

    def _order(self, order_id: str) -> Message | None:
        node = self.client.ask(documents.ORDER, id=gid("Order", order_id))
        if node is None:
            return None
        found = message(FETCHED_ORDER, "order", whole_order(self.client, node))
        # A return that was closed and taken up again leaves no trace: the order may look as it did, and is still told anew.
        asked = f":{self.connection.now().isoformat()}" if node["returns"]["nodes"] else ""
        return replace(found, delivery_id=found.delivery_id + asked)

    def _product(self, product_id: str) -> Message | None:
        node = self.client.ask(documents.PRODUCT, id=gid("Product", product_id))
        return None if node is None else message(FETCHED_PRODUCT, "product", self._with_variants(node))

    def _with_variants(self, node: Any) -> Row:
        self.client.whole(node["variants"], documents.PRODUCT_VARIANTS, node["id"], "variants")
        found: Row = node
        return found

    def changed(self, kind: str, since: datetime, until: datetime) -> Iterator[Message]:
        """Rows of orders (thin) or products changed in [since, until], each once, however rows shift between pages.

        Shopify compares whole seconds: the bounds are widened to them. A row that is changed while the list is walked
        leaves this window for the next one.
        """
        document, topic = LISTS[kind]
        size = int(self.connection.account.settings.get("page_size", 100 if kind == "order" else 10))
        seen: set[tuple[str, str]] = set()
        for row in self.client.changed(document, kind, query=between(since, until), first=size):
            place = (row["id"], row["updatedAt"])
            if place not in seen:
                seen.add(place)
                yield message(topic, kind, self._with_variants(row) if kind == "product" else row)

    # ---- products and prices

    def products(self, since: datetime | None) -> Iterator[Product]:
        """Variants of every product changed since then; all of them without a time."""
        currency = str(self.connection.account.settings.get("currency", ""))
        asked = between(since, None) if since else ""
        for row in self.client.changed(documents.CHANGED_PRODUCTS, "products", query=asked, first=10):
            yield from read_products(Place(graphql.product(dict(self._with_variants(row)))), currency)

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        """The shop's own prices in its own currency (setting `currency`). Raises Rejected without it."""
        currency = str(self.connection.account.settings.get("currency", ""))
        if not currency:
            raise Rejected("The shop's currency is not configured.", code="no_currency", field="settings.currency")
        ours = {self.connection.codes.theirs("sku", sku): sku for sku in skus}
        theirs = list(ours)
        for start in range(0, len(theirs), AT_ONCE):
            query = by_sku(theirs[start : start + AT_ONCE])
            for row in self.client.changed(documents.VARIANT_PRICES, "productVariants", query=query, first=100):
                if row["sku"] in ours:
                    yield _price(row, ours[row["sku"]], currency)

    # ---- webhooks

    def subscriptions(self) -> dict[str, bool]:
        """Topic -> there, at any address. Shopify removes a subscription after eight failures in a row."""
        there = self.subscribed_at()
        return {topic: topic in there for topic in sorted({*there, *TOPICS})}

    def subscribed_at(self) -> dict[str, frozenset[str]]:
        """Topic -> where to; the app's subscriptions of this shop, whoever made them."""
        there: dict[str, frozenset[str]] = {}
        for row in self.client.changed(documents.SUBSCRIPTIONS, "webhookSubscriptions", first=100):
            topic = topic_of(row["topic"])
            there[topic] = there.get(topic, frozenset()) | {row["uri"]}
        return there

    def subscribe(self, topics: Sequence[str], address: str) -> None:
        """Registers the topics at the address where they are not yet."""
        there = self.subscribed_at()
        for topic in topics:
            if address not in there.get(topic, ()):
                wanted = {"uri": address, "format": "JSON"}
                name = topic.upper().replace("/", "_")
                accepted(self.client.ask(documents.SUBSCRIBE, topic=name, subscription=wanted), f"the webhook {topic}")


SECOND = timedelta(seconds=1)
LISTS = {
    "order": (documents.CHANGED_ORDERS, LISTED_ORDER),
    "product": (documents.CHANGED_PRODUCTS, FETCHED_PRODUCT),
}
TOPICS = (
    "orders/create",
    "orders/updated",
    "orders/edited",
    "orders/cancelled",
    "refunds/create",
    "fulfillments/create",
    "fulfillments/update",
    "inventory_levels/update",
    "products/create",
    "products/update",
    "products/delete",
    "returns/request",
    "returns/approve",
    "returns/decline",
    "returns/cancel",
    "returns/close",
    "returns/reopen",
    "returns/update",
)


def topic_of(name: str) -> str:
    """ORDERS_CREATE as orders/create; of a topic that is not known here the last word is the event."""
    known = {topic.upper().replace("/", "_"): topic for topic in (*TOPICS, *OTHERS)}
    if name in known:
        return known[name]
    resource, _, event = name.lower().rpartition("_")
    return f"{resource}/{event}"


# Two-word events among the topics that this connector reads but does not ask for.
OTHERS = ("orders/partially_fulfilled", "orders/fulfilled", "orders/paid", "inventory_levels/connect")


def between(since: datetime, until: datetime | None) -> str:
    """A search for updated_at in whole seconds, both ends included."""
    first = since.astimezone(UTC).replace(microsecond=0)
    query = f"updated_at:>='{first:%Y-%m-%dT%H:%M:%SZ}'"
    if until is None:
        return query
    last = until.astimezone(UTC)
    last = last.replace(microsecond=0) + (SECOND if last.microsecond else timedelta())
    return f"{query} AND updated_at:<='{last:%Y-%m-%dT%H:%M:%SZ}'"


def message(topic: str, kind: str, node: Row) -> Message:
    """An object as a message; its delivery id is its id, version and content."""
    body = dump_json(node)
    content = hashlib.sha256(body).hexdigest()[:16]
    return Message(topic, f"{kind}:{short(node['id'])}:{node['updatedAt']}:{content}", body)


def _price(row: Row, sku: str, currency: str) -> Price:
    before = row["compareAtPrice"]
    return Price(sku, parse(str(row["price"]), currency), parse(str(before), currency) if before else None)
