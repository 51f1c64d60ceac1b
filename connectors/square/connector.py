"""Square plays the sales channel: tills and a shop, told of bookings, shipments, stock, prices, cancellations, captures and refunds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.canonical.product import Price, Product
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import Shipment
from connectors.canonical.snapshot import Pointer
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.articles import code_of
from connectors.kit.capabilities import Message
from connectors.kit.errors import NotOffered, Rejected
from connectors.kit.place import Place
from connectors.kit.writes import BatchWrite, ExternalId, Write, Writes
from connectors.square.authorised import Authorised
from connectors.square.catalogue import Catalogue
from connectors.square.client import Client, Row
from connectors.square.fulfilments import Confirmation, open_fulfilments
from connectors.square.giving_back import GivingBack
from connectors.square.mapping.fulfilments import uid
from connectors.square.prices import Tags
from connectors.square.refusals import OWNER
from connectors.square.source import Source
from connectors.square.stock import Shelf

NUMBER = "waybill_erp_number"  # of an order's metadata


@dataclass(frozen=True)
class Square:
    """One seller. See connectors/kit/capabilities.py for what each method promises."""

    connection: Connection
    client: Client

    # ---- SalesChannel

    def acknowledge(self, order: Order, *, number: str, key: str) -> Writes:
        """The ERP's number in the order's metadata; what was proposed to be fulfilled is accepted (RESERVED). A completed order takes nothing."""
        return (
            yield Write("erp_number", lambda: self._accept(order, number, key), lambda: self._accepted(order, number))
        )

    def confirm_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        """The fulfilment moves on, with its tracking (see fulfilments.py)."""
        return (yield from Confirmation(self.client, self.connection, order, shipment).writes())

    def publish_stock(self, levels: Sequence[StockLevel], *, key: str) -> BatchWrite[StockLevel]:
        """Physical counts, each with its own verdict (see stock.py)."""
        return Shelf(self.client, self.connection).board.batch()

    # ---- SaleCanceller, Capturer, Voider, Refunder, PriceTaker

    def cancel_sale(self, order: Order, *, key: str) -> Writes:
        """Open fulfilments are cancelled, and the order with them where nobody paid. Raises Rejected(code="shipped") once a piece has left."""
        return (yield Write("cancellation", lambda: self._cancel(order, key), lambda: self._is_cancelled(order)))

    def capture(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """All of a payment that is approved (see authorised.py). Raises Rejected for any other sum."""
        return (yield Authorised(self.client, order, payment, key).capture())

    def void(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """A payment that is approved is cancelled."""
        return (yield Authorised(self.client, order, payment, key).void())

    def give_back(self, order: Order, refund: Refund, *, key: str) -> Writes:
        """Payment by payment (see giving_back.py)."""
        return (yield from GivingBack(self.client, self.connection, order, refund, key).writes())

    def publish_prices(self, prices: Sequence[Price], *, key: str) -> BatchWrite[Price]:
        """In the catalogue (see prices.py)."""
        return Tags(self.client, self.connection).board.batch()

    # ---- the writes on an order

    def _order(self, order: Order) -> Row:
        found: Row | None = self.client.order(order.id)
        if found is None:
            raise Rejected(f"Square has no order {order.number}.", code="not_found", owner=OWNER)
        return found

    def _changed(self, node: Row, change: dict[str, Any], key: str) -> ExternalId:
        """Under the version that was read: the key is that version's too, for what moved meanwhile is another request."""
        whole = {"location_id": node["location_id"], "version": node["version"], **change}
        own = hashlib.sha256(f"{key}:{node['version']}".encode()).hexdigest()[:40]
        return str(self.client.update_order(str(node["id"]), whole, own)["id"])

    def _accept(self, order: Order, number: str, key: str) -> ExternalId:
        node = self._order(order)
        if node.get("state") != "OPEN" or "version" not in node:
            raise NotOffered("Square takes no change of an order that is completed, or that was made at a till.")
        accepted = [
            {"uid": uid(one), "state": "RESERVED"}
            for one in open_fulfilments(node)
            if one.at("state").text() == "PROPOSED"
        ]
        noted = {"metadata": {**(node.get("metadata") or {}), NUMBER: number}}
        return self._changed(node, {**noted, **({"fulfillments": accepted} if accepted else {})}, key)

    def _accepted(self, order: Order, number: str) -> ExternalId | None:
        found = self.client.order(order.id)
        return order.id if found and (found.get("metadata") or {}).get(NUMBER) == number else None

    def _cancel(self, order: Order, key: str) -> ExternalId:
        node = self._order(order)
        if self._stopped(node):
            return order.id
        states = {one.at("state").text() for one in Place(node).at("fulfillments").items()}
        if "COMPLETED" in states or node.get("state") == "COMPLETED":
            words = f"Order {order.number} has left, or was handed over at the till."
            raise Rejected(words, code="shipped", remedy="Take it back as a return.", owner=OWNER)
        if "version" not in node:
            raise NotOffered("Square changes no order that was made without its API.")
        stopped = [{"uid": uid(one), "state": "CANCELED"} for one in open_fulfilments(node)]
        ended = {} if node.get("tenders") else {"state": "CANCELED"}
        if not stopped and not ended:
            words = (
                f"Order {order.number} is paid, and has nothing that could be stopped: Square cancels no paid order."
            )
            raise Rejected(words, code="paid", remedy="Give the money back instead.", owner=OWNER)
        return self._changed(node, {**({"fulfillments": stopped} if stopped else {}), **ended}, key)

    def _is_cancelled(self, order: Order) -> ExternalId | None:
        node = self.client.order(order.id)
        return order.id if node is not None and self._stopped(node) else None

    @staticmethod
    def _stopped(node: Row) -> bool:
        states = {one.at("state").text() for one in Place(node).at("fulfillments").items()}
        return node.get("state") == "CANCELED" or (bool(states) and states <= {"CANCELED", "FAILED"})

    # ---- CatalogueSource, StockKeeper, Fetcher, Poller, Subscriber

    def products(self, since: datetime | None = None) -> Iterator[Product]:
        return Catalogue(self.client, self.connection).products(since)

    def code_of(self, product: Product) -> str:
        return code_of(self.connection.codes, product.sku)

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        return Catalogue(self.client, self.connection).prices(skus)

    def stock(self, skus: Sequence[str] = ()) -> Iterator[StockLevel]:
        return Shelf(self.client, self.connection).levels(skus)

    def fetch(self, pointer: Pointer) -> Message | None:
        return self._source.fetch(pointer)

    def changed(self, kind: str, since: datetime, until: datetime) -> Iterator[Message]:
        return self._source.changed(kind, since, until)

    def subscriptions(self) -> dict[str, bool]:
        return self._source.subscriptions()

    def subscribed_at(self) -> Mapping[str, frozenset[str]]:
        return self._source.subscribed_at()

    def subscribe(self, topics: Sequence[str], address: str) -> None:
        self._source.subscribe(topics, address)

    @property
    def _source(self) -> Source:
        return Source(self.client, self.connection)


def connect(connection: Connection) -> Square:
    """The connector of an account."""
    return Square(connection, Client(connection))
