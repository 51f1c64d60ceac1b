"""Shopify plays the sales channel: it hears of bookings, shipments and stock, and is asked what changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.canonical.product import Price, Product
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import Shipment
from connectors.canonical.snapshot import Pointer
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.capabilities import Message
from connectors.kit.pieces import pieces_of
from connectors.kit.writes import BatchWrite, ExternalId, Write, Writes
from connectors.shopify import documents
from connectors.shopify.cancelling import Cancellation
from connectors.shopify.client import Client, accepted
from connectors.shopify.ids import gid, short
from connectors.shopify.money import Purse
from connectors.shopify.prices import Tags
from connectors.shopify.releases import Release
from connectors.shopify.shipments import Confirmation
from connectors.shopify.source import Source
from connectors.shopify.stock import Shelf


@dataclass(frozen=True)
class Shopify:
    """One account. See connectors/kit/capabilities.py for what each method promises."""

    connection: Connection
    client: Client

    # ---- SalesChannel

    def acknowledge(self, order: Order, *, number: str, key: str) -> Writes:
        """The ERP's number as a metafield of the order; setting it twice is one state."""
        return (
            yield Write(
                "erp_number",
                send=lambda: self._set_number(order, number),
                find=lambda: self._number_as_set(order, number),
            )
        )

    def confirm_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        """A fulfilment with its tracking (see shipments.py)."""
        pieces = pieces_of(order, shipment)
        return (yield from Confirmation(self.client, self.connection, order, shipment, pieces).writes())

    def publish_stock(self, levels: Sequence[StockLevel], *, key: str) -> BatchWrite[StockLevel]:
        """Available quantities in whole pieces, each with its own verdict (see stock.py)."""
        return Shelf(self.client, self.connection).board.batch()

    # ---- PriceTaker

    def publish_prices(self, prices: Sequence[Price], *, key: str) -> BatchWrite[Price]:
        """Prices of variants or of a price list, each with its own verdict (see prices.py)."""
        return Tags(self.client, self.connection).board.batch()

    # ---- SaleCanceller, Capturer, Voider, Refunder

    def cancel_sale(self, order: Order, *, key: str) -> Writes:
        """A job (see cancelling.py). Raises Rejected(code="shipped") once a piece has left."""
        return (yield Cancellation(self.client, self.connection, order).write())

    def capture(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """A part of an authorisation (see money.py). Raises Rejected for a second capture where the authorisation can be captured once only."""
        return (yield Purse(self.client, self.connection, order).capture(payment))

    def void(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """An authorisation that nothing was taken of (see releases.py)."""
        return (yield Release(self.client, order, payment).write())

    def give_back(self, order: Order, refund: Refund, *, key: str) -> Writes:
        """Through the transactions that the refund names; what names none goes out as store credit."""
        return (yield Purse(self.client, self.connection, order).give_back(refund, key))

    def _metafield(self) -> tuple[str, str]:
        settings = self.connection.account.settings
        return str(settings.get("metafield_namespace", "waybill")), str(settings.get("metafield_key", "erp_number"))

    def _set_number(self, order: Order, number: str) -> ExternalId:
        namespace, name = self._metafield()
        wanted = {
            "ownerId": gid("Order", order.id),
            "namespace": namespace,
            "key": name,
            "type": "single_line_text_field",
            "value": number,
        }
        answer = accepted(
            self.client.ask(documents.SET_METAFIELD, metafields=[wanted]), f"the ERP's number of {order.number}"
        )
        return short(answer["metafields"][0]["id"])

    def _number_as_set(self, order: Order, number: str) -> ExternalId | None:
        namespace, name = self._metafield()
        answer = self.client.ask(documents.METAFIELD, id=gid("Order", order.id), namespace=namespace, key=name)
        found = (answer or {}).get("metafield")
        return short(found["id"]) if found and found["value"] == number else None

    # ---- StockKeeper, Fetcher, Poller, Subscriber, CatalogueSource

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

    def products(self, since: datetime | None = None) -> Iterator[Product]:
        return self._source.products(since)

    def code_of(self, product: Product) -> str:
        return product.sku

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        return self._source.prices(skus)

    @property
    def _source(self) -> Source:
        return Source(self.client, self.connection)


def connect(connection: Connection) -> Shopify:
    """The connector of an account."""
    return Shopify(connection, Client(connection))
