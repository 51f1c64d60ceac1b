"""Amazon plays the sales channel: it hears of bookings, shipments, stock, prices, cancellations and refunds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.amazon.cancelling import Standing
from connectors.amazon.client import Client
from connectors.amazon.giving_back import GivingBack
from connectors.amazon.prices import Tags
from connectors.amazon.queue import Queue
from connectors.amazon.shipments import Confirmation
from connectors.amazon.source import Source
from connectors.amazon.stock import Shelf
from connectors.canonical.order import Order
from connectors.canonical.product import Price
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import Shipment
from connectors.canonical.snapshot import Pointer
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.capabilities import Message
from connectors.kit.writes import BatchWrite, Writes


@dataclass(frozen=True)
class Amazon:
    """One seller. See connectors/kit/capabilities.py for what each method promises."""

    connection: Connection
    client: Client

    # ---- SalesChannel, SaleCanceller, Refunder, PriceTaker

    def acknowledge(self, order: Order, *, number: str, key: str) -> Writes:
        """The ERP's number as the order's seller order id, by feed. Raises NotOffered for what Amazon fulfils."""
        return (yield Standing(self.client, self.connection, order).acknowledge(number))

    def confirm_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        """Packages with their tracking (see shipments.py); Amazon sets the order's status by itself."""
        return (yield from Confirmation(self.client, self.connection, order, shipment).writes())

    def publish_stock(self, levels: Sequence[StockLevel], *, key: str) -> BatchWrite[StockLevel]:
        """Quantities in whole pieces, each with its own verdict (see listings.py)."""
        return Shelf(self.client, self.connection).board.batch()

    def cancel_sale(self, order: Order, *, key: str) -> Writes:
        """The whole order, by feed. Raises Rejected(code="shipped") once a piece has left."""
        return (yield Standing(self.client, self.connection, order).cancel())

    def give_back(self, order: Order, refund: Refund, *, key: str) -> Writes:
        """By feed (see giving_back.py)."""
        return (yield GivingBack(self.client, self.connection, order, refund).write())

    def publish_prices(self, prices: Sequence[Price], *, key: str) -> BatchWrite[Price]:
        """In every marketplace of the price's currency (see prices.py)."""
        return Tags(self.client, self.connection).board.batch()

    # ---- Fetcher, Poller, QueueFed, Subscriber

    def fetch(self, pointer: Pointer) -> Message | None:
        return self._source.fetch(pointer)

    def changed(self, kind: str, since: datetime, until: datetime) -> Iterator[Message]:
        return self._source.changed(kind, since, until)

    def receive(self, limit: int) -> Sequence[Message]:
        return Queue(self.connection).receive(limit)

    def settle(self, receipts: Iterable[str]) -> None:
        Queue(self.connection).settle(receipts)

    def subscriptions(self) -> dict[str, bool]:
        return self._source.subscriptions()

    def subscribe(self, topics: Sequence[str], address: str) -> None:
        self._source.subscribe(topics, address)

    @property
    def _source(self) -> Source:
        return Source(self.client, self.connection)


def connect(connection: Connection) -> Amazon:
    """The connector of an account."""
    return Amazon(connection, Client(connection))
