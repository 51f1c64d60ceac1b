"""BigCommerce plays the sales channel: it hears of bookings, shipments, stock, prices, cancellations, captures and refunds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.bigcommerce.authorised import Authorised
from connectors.bigcommerce.client import Client
from connectors.bigcommerce.giving_back import GivingBack
from connectors.bigcommerce.mapping.values import CANCELLED
from connectors.bigcommerce.prices import Tags
from connectors.bigcommerce.refusals import OWNER
from connectors.bigcommerce.shipments import Confirmation
from connectors.bigcommerce.source import Source
from connectors.bigcommerce.stock import Shelf
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.canonical.product import Price, Product
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import Shipment
from connectors.canonical.snapshot import Pointer
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.capabilities import Message
from connectors.kit.errors import Rejected
from connectors.kit.writes import BatchWrite, ExternalId, Write, Writes


@dataclass(frozen=True)
class BigCommerce:
    """One store. See connectors/kit/capabilities.py for what each method promises."""

    connection: Connection
    client: Client

    # ---- SalesChannel

    def acknowledge(self, order: Order, *, number: str, key: str) -> Writes:
        """The ERP's number as a metafield of the order, and the order's status where the account names one."""
        noted: ExternalId = yield Write(
            "erp_number",
            send=lambda: self._set_number(order, number),
            find=lambda: self._number_as_set(order, number),
        )
        status = self.connection.account.settings.get("acknowledged_status")
        if status is not None:
            yield self._status("status", order, int(status))
        return noted

    def confirm_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        """Shipments with their tracking (see shipments.py); BigCommerce sets the order's status by itself."""
        return (yield from Confirmation(self.client, self.connection, order, shipment).writes())

    def publish_stock(self, levels: Sequence[StockLevel], *, key: str) -> BatchWrite[StockLevel]:
        """Quantities in whole pieces, each with its own verdict (see stock.py)."""
        return Shelf(self.client, self.connection).board.batch()

    # ---- SaleCanceller, Capturer, Voider, Refunder, PriceTaker

    def cancel_sale(self, order: Order, *, key: str) -> Writes:
        """Status 5. Raises Rejected(code="shipped") once a piece has left."""
        return (yield self._status("cancellation", order, CANCELLED, self._nothing_left))

    def capture(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """All that was authorised, in a while (see authorised.py). Raises Rejected for any other sum."""
        return (yield Authorised(self.client, order, payment).capture())

    def void(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """All that was authorised is let go, in a while (see authorised.py)."""
        return (yield Authorised(self.client, order, payment).void())

    def give_back(self, order: Order, refund: Refund, *, key: str) -> Writes:
        """A quote, then the refund (see giving_back.py)."""
        return (yield GivingBack(self.client, self.connection, order, refund, key).write())

    def publish_prices(self, prices: Sequence[Price], *, key: str) -> BatchWrite[Price]:
        """In the account's price list, else in the catalogue (see prices.py)."""
        return Tags(self.client, self.connection).board.batch()

    # ---- the writes

    def _metafield(self) -> tuple[str, str]:
        settings = self.connection.account.settings
        return str(settings.get("metafield_namespace", "waybill")), str(settings.get("metafield_key", "erp_number"))

    def _set_number(self, order: Order, number: str) -> ExternalId:
        namespace, name = self._metafield()
        known = next((str(row["id"]) for row in self.client.metafields(order.id, namespace, name)), None)
        body = {"permission_set": "read", "namespace": namespace, "key": name, "value": number}
        return str(self.client.set_metafield(order.id, known, body)["id"])

    def _number_as_set(self, order: Order, number: str) -> ExternalId | None:
        rows = self.client.metafields(order.id, *self._metafield())
        return next((str(row["id"]) for row in rows if row["value"] == number), None)

    def _status(self, name: str, order: Order, status: int, before: object = None) -> Write:
        def send() -> ExternalId:
            if callable(before):
                before(order)
            return str(self.client.change_order(order.id, {"status_id": status})["id"])

        def find() -> ExternalId | None:
            found = self.client.order(order.id)
            return order.id if found is not None and found["status_id"] == status else None

        return Write(name, send, find)

    def _nothing_left(self, order: Order) -> None:
        found = self.client.order(order.id)
        if found is not None and int(found.get("items_shipped") or 0):
            words = f"Order {order.number} has left, at least in part: BigCommerce would cancel it all the same."
            raise Rejected(words, code="shipped", remedy="Take it back as a return.", owner=OWNER)

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
        return Tags(self.client, self.connection).prices(skus)

    @property
    def _source(self) -> Source:
        return Source(self.client, self.connection)


def connect(connection: Connection) -> BigCommerce:
    """The connector of an account."""
    return BigCommerce(connection, Client(connection))
