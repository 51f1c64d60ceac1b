"""BigCommerce as a source: what changed, one object whole, and the state of its webhooks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.bigcommerce.client import Client, Row
from connectors.bigcommerce.mapping import FETCHED_ORDER, FETCHED_PRODUCT, LISTED_ORDER
from connectors.bigcommerce.mapping.products import products as read_products
from connectors.bigcommerce.mapping.values import instant
from connectors.canonical.product import Product
from connectors.canonical.snapshot import Pointer
from connectors.kit.account import Connection
from connectors.kit.capabilities import Message
from connectors.kit.errors import NotOffered, Transient
from connectors.kit.http import dump_json
from connectors.kit.place import Place

READS = 3  # of an order that changes while it is read
# No refund can be there yet: payment_status.
UNPAID = ("", "pending", "authorized", "capture pending", "declined", "held for review", "void", "void pending")


@dataclass(frozen=True)
class Source:
    """What one store tells when asked."""

    client: Client
    connection: Connection

    def fetch(self, pointer: Pointer) -> Message | None:
        """The order or product whole, as a message that the mapping reads; None when BigCommerce has it no more."""
        if pointer.kind == "order":
            return self._order(pointer.id)
        if pointer.kind == "product":
            node = self.client.product(pointer.id)
            return None if node is None else message(FETCHED_PRODUCT, "product", node, node)
        raise NotOffered(f"BigCommerce tells no {pointer.kind} thinly, so there is nothing to fetch.")

    def _order(self, order_id: str) -> Message | None:
        """An order lies in seven places: what was changed while they were read is read again."""
        header = self.client.order(order_id)
        for _ in range(READS):
            if header is None:
                return None
            body = {"order": header, **self._children(header)}
            again = self.client.order(order_id)
            if again is None or again["date_modified"] == header["date_modified"]:
                return message(FETCHED_ORDER, "order", header, body)
            header = again
        raise Transient(f"Order {order_id} changes faster than it can be read.", code="order_moves")

    def _children(self, header: Row) -> dict[str, Any]:
        """Only what can be there is asked for: every call is taken from the quota."""
        name = str(header["id"])
        products = self.client.order_rows(name, "products")
        refunded = any(int(one.get("quantity_refunded") or 0) for one in products)
        paid = str(header.get("payment_status") or "").lower() not in UNPAID
        return {
            "products": products,
            "taxes": self.client.order_rows(name, "taxes", details="true") if _some(header, "total_tax") else [],
            "coupons": self.client.order_rows(name, "coupons") if _some(header, "coupon_discount") else [],
            "shipments": self.client.order_rows(name, "shipments") if _some(header, "items_shipped") else [],
            "transactions": self.client.transactions(name),
            "refunds": self.client.refunds(name) if paid or refunded else [],
        }

    def changed(self, kind: str, since: datetime, until: datetime) -> Iterator[Message]:
        """Rows of orders (thin) or products changed in [since, until]. A row that is changed while the list is walked
        leaves this window for the next one."""
        if kind == "order":
            rows = self.client.orders_changed(since)
            return (
                message(LISTED_ORDER, kind, row, row) for row in rows if _second(since) <= instant(_date(row)) <= until
            )
        rows = self.client.products_changed(since)
        return (
            message(FETCHED_PRODUCT, kind, row, row) for row in rows if _second(since) <= instant(_date(row)) <= until
        )

    def products(self, since: datetime | None) -> Iterator[Product]:
        """Variants of every product changed since then; all of them without a time."""
        settings = self.connection.account.settings
        currency, unit = str(settings.get("currency", "")), str(settings.get("weight_unit", "")).lower()
        for row in self.client.products_changed(since):
            yield from read_products(Place(row), currency, unit)

    # ---- webhooks

    def subscriptions(self) -> dict[str, bool]:
        """Scope -> is there a hook, and is it active. BigCommerce deactivates one that failed for 48 hours or had
        nothing to tell for 90 days."""
        alive: dict[str, bool] = {}
        for row in self.client.hooks():
            alive[row["scope"]] = alive.get(row["scope"], False) or bool(row["is_active"])
        return alive

    def subscribed_at(self) -> dict[str, frozenset[str]]:
        """Scope -> destinations of its active hooks."""
        there: dict[str, frozenset[str]] = {}
        for row in self.client.hooks():
            if row["is_active"]:
                there[row["scope"]] = there.get(row["scope"], frozenset()) | {str(row["destination"])}
        return there

    def subscribe(self, topics: Sequence[str], address: str) -> None:
        """Makes the hooks that are missing at the address, and wakes those that were deactivated."""
        there: Mapping[tuple[str, str], Row] = {(row["scope"], row["destination"]): row for row in self.client.hooks()}
        for scope in topics:
            known = there.get((scope, address))
            if known is None:
                self.client.create_hook(scope, address)
            elif not known["is_active"]:
                self.client.wake_hook(str(known["id"]))


def _some(header: Row, name: str) -> bool:
    return bool(Decimal(str(header.get(name) or 0)))


def _date(row: Row) -> Place:
    return Place(row).at("date_modified")


def _second(moment: datetime) -> datetime:
    """BigCommerce tells whole seconds, so a bound begins with its second."""
    return moment.replace(microsecond=0)


def message(topic: str, kind: str, node: Row, body: Any) -> Message:
    """An object as a message; its delivery id is its id, version and content."""
    raw = dump_json(body)
    content = hashlib.sha256(raw).hexdigest()[:16]
    return Message(topic, f"{kind}:{node['id']}:{node['date_modified']}:{content}", raw)
