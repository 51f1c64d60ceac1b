"""Salesforce Commerce plays the sales channel: it hears of bookings, shipments, stock, prices and cancellations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.canonical.order import Order
from connectors.canonical.product import Price, Product
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import Shipment
from connectors.canonical.snapshot import Pointer
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.capabilities import Message
from connectors.kit.errors import NotOffered, Rejected
from connectors.kit.writes import BatchWrite, ExternalId, Write, Writes
from connectors.salesforce_commerce.client import Client
from connectors.salesforce_commerce.instance import Instance
from connectors.salesforce_commerce.prices import Tags
from connectors.salesforce_commerce.refusals import OWNER
from connectors.salesforce_commerce.shipments import Confirmation
from connectors.salesforce_commerce.source import Source
from connectors.salesforce_commerce.stock import Shelf

GONE = ("shipped", "part_shipped")


@dataclass(frozen=True)
class SalesforceCommerce:
    """One site. See connectors/kit/capabilities.py for what each method promises."""

    connection: Connection
    client: Client
    instance: Instance

    # ---- SalesChannel

    def acknowledge(self, order: Order, *, number: str, key: str) -> Writes:
        """The ERP's number in the account's custom attribute where it names one, the confirmation where it wants it, and
        always the export status, by which Commerce Cloud settles the order's stock."""
        settings = self.connection.account.settings
        attribute = str(settings.get("number_attribute", ""))
        if attribute:
            yield self._number(order, attribute, number)
        if settings.get("confirm", False):
            yield self._status(order, "confirmation", "confirmation-status", "confirmationStatus", "confirmed")
        return (yield self._status(order, "export", "export-status", "exportStatus", "exported"))

    def confirm_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        """Events with their tracking, and the shipping status (see shipments.py)."""
        return (yield from Confirmation(self.client, self.connection, order, shipment).writes())

    def publish_stock(self, levels: Sequence[StockLevel], *, key: str) -> BatchWrite[StockLevel]:
        """Allocations of inventory records, each with its own verdict (see stock.py)."""
        return self._shelf.board.batch()

    # ---- PriceTaker

    def publish_prices(self, prices: Sequence[Price], *, key: str) -> BatchWrite[Price]:
        """Price books imported as files (see prices.py)."""
        return Tags(self.client, self.instance, self.connection).board.batch()

    # ---- SaleCanceller, Refunder

    def cancel_sale(self, order: Order, *, key: str) -> Writes:
        """Status cancelled: the goods are free again. Raises Rejected(code="shipped") once a piece has left."""
        return (yield self._status(order, "cancellation", "status", "status", "cancelled", not_left=True))

    def give_back(self, order: Order, refund: Refund, *, key: str) -> Writes:
        """Absent: there is no call that moves money back."""
        raise NotOffered("Commerce Cloud's Orders API gives no money back; the payment provider does.")

    # ---- the writes

    def _number(self, order: Order, attribute: str, number: str) -> Write:
        def send() -> ExternalId:
            self.client.set_custom(order.id, {attribute: number})
            return number

        def find() -> ExternalId | None:
            found = self.client.order(order.id)
            return number if found is not None and str(found.get(attribute, "")) == number else None

        return Write("erp_number", send, find)

    def _status(self, order: Order, name: str, which: str, field: str, value: str, not_left: bool = False) -> Write:
        """A status is set, not added."""

        def send() -> ExternalId:
            if not_left:
                self._nothing_left(order)
            self.client.set_status(order.id, which, value)
            return order.id

        def find() -> ExternalId | None:
            found = self.client.order(order.id)
            return order.id if found is not None and found.get(field) == value else None

        return Write(name, send, find)

    def _nothing_left(self, order: Order) -> None:
        found = self.client.order(order.id)
        if found is not None and found.get("shippingStatus") in GONE:
            words = f"Order {order.number} has left, at least in part: Commerce Cloud would cancel it all the same."
            raise Rejected(words, code="shipped", remedy="Take it back as a return.", owner=OWNER)

    # ---- StockKeeper, Fetcher, Poller, CatalogueSource

    def stock(self, skus: Sequence[str] = ()) -> Iterator[StockLevel]:
        return self._shelf.levels(skus)

    def fetch(self, pointer: Pointer) -> Message | None:
        return self._source.fetch(pointer)

    def changed(self, kind: str, since: datetime, until: datetime) -> Iterator[Message]:
        return self._source.changed(kind, since, until)

    def products(self, since: datetime | None = None) -> Iterator[Product]:
        return self._source.products(since)

    def code_of(self, product: Product) -> str:
        return product.sku

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        return self._source.prices(skus)

    @property
    def _shelf(self) -> Shelf:
        return Shelf(self.instance, self.connection)

    @property
    def _source(self) -> Source:
        return Source(self.client, self.connection)


def connect(connection: Connection) -> SalesforceCommerce:
    """The connector of an account."""
    return SalesforceCommerce(connection, Client(connection), Instance(connection))
