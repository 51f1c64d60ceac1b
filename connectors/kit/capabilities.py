"""Capabilities are what a system can do for the hub, in canonical words: sell, keep orders, list them, fulfil, keep stock, notify.

Every write is a generator of Writes (connectors/kit/writes.py) under a stable `key`; what a vendor's published API cannot do is
`absent` in the manifest, and the engine skips the step without calling it. Reads are plain methods or iterators.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from connectors.canonical.money import Money
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.canonical.product import Price, Product
from connectors.canonical.returns import Refund, Return
from connectors.canonical.shipment import Shipment
from connectors.canonical.snapshot import Pointer
from connectors.canonical.stock import StockLevel
from connectors.kit.writes import BatchWrite, Writes


@dataclass(frozen=True, slots=True)
class Message:
    """A delivery as it came, by whatever door: raw body, the headers that matter, the topic in the vendor's words.

    `delivery_id` recognises the same delivery when it comes again; for a polled item it is object id + version + content hash.
    """

    topic: str
    delivery_id: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    receipt: str = ""  # queue-fed sources: what to acknowledge with once committed


@dataclass(frozen=True, slots=True)
class Booking:
    """An order as the books list it. `reference` is the business identity that the record bears, empty where it bears none.

    `total` is in major units and the order's own currency as the ERP adds it up; None where its list does not say.
    """

    id: str
    reference: str
    total: Money | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """A shipment as the books list it. `reference` is the business identity that the record bears, `booking` the id there of its order."""

    id: str
    reference: str
    booking: str
    at: datetime | None = None


@runtime_checkable
class SalesChannel(Protocol):
    """Where customers buy."""

    def acknowledge(self, order: Order, *, number: str, key: str) -> Writes:
        """Tell the channel that the order is booked in the ERP under `number` (a metafield, tag or export status)."""

    def confirm_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        """Report what left, with its trackings, against the channel's own order lines."""

    def publish_stock(self, levels: Sequence[StockLevel], *, key: str) -> BatchWrite[StockLevel]:
        """Set sellable quantities, several SKUs in one call; each is accepted or refused by itself."""


@runtime_checkable
class SaleCanceller(Protocol):
    """A channel that can be told to give up an order: its customer does not want it, or it cannot be delivered."""

    def cancel_sale(self, order: Order, *, key: str) -> Writes:
        """Cancel the whole order in the channel; no money is moved. `order.cancel_reason` is a CancelReason, for channels that keep one.
        Cancelled already is cancelled. Raises Rejected(code="shipped") when it is too late."""


@runtime_checkable
class Capturer(Protocol):
    """A channel at which what a customer authorised can be taken when goods leave."""

    def capture(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """Take `payment.amount` of the authorisation `payment.parent_id`, once; `payment.id` is our own number of it. Returns the channel's id
        of the transaction. Raises Rejected for more than is left of the authorisation, and for one that has run out."""


@runtime_checkable
class Voider(Protocol):
    """A channel at which what is left of an authorisation can be released."""

    def void(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """Release the authorisation `payment.parent_id`, or what was not taken of it (`payment.amount`), once. Released already is released.
        Returns the channel's id of it. Raises NotOffered where the channel releases none that was taken of, Rejected for one that was taken."""


@runtime_checkable
class Charger(Protocol):
    """A channel at which a customer can be charged once more for an order."""

    def charge(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """Take `payment.amount` again in the way of the transaction `payment.parent_id`, once; `payment.id` is our own number of it. Returns the
        channel's id of the transaction. Raises Rejected where it is declined."""


@runtime_checkable
class Refunder(Protocol):
    """A channel that gives money back when we say so."""

    def give_back(self, order: Order, refund: Refund, *, key: str) -> Writes:
        """Make the refund in the channel, through its tenders, once. Raises Rejected where the channel would give
        back another sum than `refund.total`."""


@runtime_checkable
class PriceTaker(Protocol):
    """A channel that takes prices from us."""

    def publish_prices(self, prices: Sequence[Price], *, key: str) -> BatchWrite[Price]:
        """Set prices, several SKUs in one call; each is accepted or refused by itself."""


@runtime_checkable
class OrderKeeper(Protocol):
    """The ERP: the books of record for orders."""

    def book(self, order: Order, *, key: str) -> Writes:
        """Create-or-find the customer and the sales order. Returns the order's number at the ERP."""

    def amend(self, order: Order, *, key: str) -> Writes:
        """Bring the booked order to this state (lines, quantities, addresses, note)."""

    def cancel(self, order: Order, *, key: str) -> Writes:
        """Cancel the booked order. Done already is done."""

    def record_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        """Book the shipment of these lines, once for each shipment. Where it is billed with it, links ("invoice", "<origin>-<id>" of the
        shipment) with the number that stands on the invoice: returns are found by it."""

    def record_refund(self, order: Order, refund: Refund, *, key: str) -> Writes:
        """Book the credit and the money back for each tender, once for each refund."""


@runtime_checkable
class ReturnKeeper(Protocol):
    """Books that hold goods coming back apart from the money: what no refund brings (an even exchange, a gift's return, pieces in quarantine)."""

    def record_return(self, order: Order, returned: Return, *, key: str) -> Writes:
        """Book that the `received_quantity` of these lines came in at `returned.location`, each in its `condition` (sellable, quarantined,
        scrapped), once for each return. No money moves and nothing is credited. Links ("return_receipt", returned.id)."""

    def record_disposition(self, order: Order, returned: Return, *, key: str) -> Writes:
        """Pieces that `record_return` booked as quarantined were looked at: the lines' `condition` is where they go, sellable or scrapped."""


@runtime_checkable
class PurchaseKeeper(Protocol):
    """Books that hold what is bought of suppliers who send it to our customers (drop-ship)."""

    def record_purchase(self, order: Order, *, supplier: str, reference: str, key: str) -> Writes:
        """Book the purchase order `reference` to `supplier` (our account's name, cross reference "supplier") for the current quantities of these
        lines at their `unit_cost`, once. Sends nothing to the supplier. Links ("purchase", order.id)."""

    def amend_purchase(self, order: Order, *, supplier: str, reference: str, key: str) -> Writes:
        """Bring the booked purchase order to these lines: the supplier sends no more than them."""

    def cancel_purchase(self, order: Order, *, supplier: str, reference: str, key: str) -> Writes:
        """Give it up: refused, or withdrawn. Done already is done. Raises Rejected(code="received") once something of it was."""

    def record_receipt(self, order: Order, shipment: Shipment, *, supplier: str, reference: str, key: str) -> Writes:
        """Book that the supplier has sent these pieces of the purchase order, once for each shipment; that they left for the customer is
        `record_shipment`'s."""


@runtime_checkable
class PaymentKeeper(Protocol):
    """Books that hold payments received apart from orders."""

    def record_payment(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """Book `payment.amount` as received for the booked order, once for each payment. What `book` has booked of it is found, not
        booked again; where the account keeps no books of this tender nothing is written, and the answer is empty."""


@runtime_checkable
class Ledger(Protocol):
    """Books that can be listed, to be held against the hub's own: an outsider's word on what was booked."""

    def booked(self, since: datetime, until: datetime) -> Iterator[Booking]:
        """Every order record made in [since, until], whoever made it, each once; some from outside may come along.

        Records that an earlier one gave rise to (supplements, returns) are not orders and are left out.
        """

    def reference(self, order: Order) -> str:
        """The business identity under which `book` books this order. Asks nobody."""


@runtime_checkable
class ShipmentLedger(Protocol):
    """Books whose shipments can be listed, as `Ledger` lists the orders."""

    def delivered(self, since: datetime, until: datetime) -> Iterator[Delivered]:
        """Every shipment record made in [since, until], whoever made it, each once; some from outside may come along."""

    def delivery_reference(self, order: Order, shipment: Shipment) -> str:
        """The business identity under which `record_shipment` books this shipment. Asks nobody."""


@runtime_checkable
class StockKeeper(Protocol):
    """Who owns the quantities."""

    def stock(self, skus: Sequence[str] = ()) -> Iterator[StockLevel]:
        """Levels by location in our SKUs and locations (all when none are named)."""


@runtime_checkable
class Fulfiller(Protocol):
    """The warehouse."""

    def request(self, order: Order, *, key: str, reference: str) -> Writes:
        """Ask for what is to be shipped of this order; `reference` is what comes back in its webhooks."""

    def cancel_request(self, order: Order, *, key: str, reference: str) -> Writes:
        """Stop it. Raises Rejected(code="shipped") when it is too late."""


@runtime_checkable
class RestCanceller(Protocol):
    """A warehouse, or a supplier, that can be told to stop the rest of what it was asked for, of which a part may have left."""

    def cancel_rest(self, order: Order, *, key: str, reference: str) -> Writes:
        """Stop what has not left of the request `reference`: done once just these pieces (the order's lines) will not leave any more. Raises
        Rejected(code="shipped") where some of them have left, or may."""


@runtime_checkable
class Supplier(Protocol):
    """Who sells us goods and sends them to our customer. What he answers and sends comes back under our purchase order's number: a snapshot of kind
    "acknowledgement" (a pending Shipment of the pieces that he will send, none where he refuses), and shipments."""

    def purchase(self, order: Order, *, key: str, reference: str) -> Writes:
        """Order these pieces, to be sent to the order's customer; `reference` is the purchase order's number."""

    def withdraw(self, order: Order, *, key: str, reference: str) -> Writes:
        """Cancel the purchase order. Raises Rejected(code="shipped") when it is too late."""


@runtime_checkable
class Notifier(Protocol):
    """Who writes to the customer."""

    def notify(self, order: Order, shipment: Shipment | None, *, occasion: str, key: str) -> Writes:
        """Send the customer word of `occasion` ("shipped", "refunded", "cancelled", "ready_for_pickup")."""


@dataclass(frozen=True, slots=True)
class PartnerEvent:
    """Something that a partner is told at an address of its own. `id` is the same at every try and replay: it is recognised by it.

    `body` is JSON, the same at every try; it is signed under every one of `secrets` (two during a rotation).
    """

    id: str
    type: str
    url: str
    body: bytes
    secrets: tuple[str, ...] = field(repr=False)


@runtime_checkable
class EventSink(Protocol):
    """A partner that is told of events as they happen (Standard Webhooks)."""

    def tell(self, event: PartnerEvent, *, key: str) -> Writes:
        """Deliver the event. Raises Rejected(code="gone") where the address wants no more of them, and Rejected(code="forbidden_address")
        where it is none that may be called."""


@runtime_checkable
class Fetcher(Protocol):
    """A source that can be asked for one object: thin webhooks, and deliveries that never came."""

    def fetch(self, pointer: Pointer) -> Message | None:
        """The object's full document as a message that the connector's `read` understands; None when it is not there (any more, or yet)."""


@runtime_checkable
class Poller(Protocol):
    """A source that lists what changed."""

    def changed(self, kind: str, since: datetime, until: datetime) -> Iterator[Message]:
        """Everything of `kind` that changed in [since, until], ties included, across pages, in any order."""


@runtime_checkable
class QueueFed(Protocol):
    """A source that puts deliveries in a queue (SQS)."""

    def receive(self, limit: int) -> Sequence[Message]:
        """Up to `limit` messages, invisible to others for a while."""

    def settle(self, receipts: Iterable[str]) -> None:
        """Delete them: called after they are committed."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as a server lists it: `modified` is the server's own clock in whole seconds since 1970."""

    name: str
    size: int
    modified: int


@runtime_checkable
class FileSource(Protocol):
    """A folder at a server in which files are laid for us, and answers by us."""

    def files(self) -> Sequence[RemoteFile]:
        """The files that wait in the folder, by name; none that is still being written under a hidden or partial name."""

    def read_file(self, name: str) -> bytes:
        """A whole file. Raises Rejected(code="gone") where it is no longer there, Rejected(code="too_large")."""

    def put_report(self, name: str, body: bytes, *, key: str) -> Writes:
        """Lays a report about the file `name` beside it, whole or not at all; the same report twice is one state."""

    def archive(self, name: str, content: str, *, key: str) -> Writes:
        """Moves a file out of the folder, once. Moved already is moved. Where another file lies under its name by now (its SHA-256 is not
        `content`) nothing is moved: nobody has read that one yet. An empty `content` is any."""


@runtime_checkable
class Subscriber(Protocol):
    """A source whose webhook subscriptions can be looked at and mended."""

    def subscriptions(self) -> dict[str, bool]:
        """Topic -> is it there and alive."""

    def subscribe(self, topics: Sequence[str], address: str) -> None:
        """Register what is missing."""


@runtime_checkable
class SubscribedAt(Subscriber, Protocol):
    """A Subscriber that also tells where each subscription sends to: one that sends to another address than ours is off for us."""

    def subscribed_at(self) -> Mapping[str, frozenset[str]]:
        """Topic -> the addresses that get it."""


@runtime_checkable
class CatalogueSource(Protocol):
    """A source of products and prices."""

    def products(self, since: datetime | None = None) -> Iterator[Product]:
        """All that is sold there, or what changed from an instant on (ties included), across pages. One without a cross reference bears
        the source's own name as its SKU, and none where that name is another's SKU there."""

    def code_of(self, product: Product) -> str:
        """What the source calls a product in orders and lists: the other side of the cross reference "sku". Asks nobody."""

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        """Every price of these SKUs that holds now or later, in our SKUs; nothing of one that has none."""


CAPABILITIES: dict[str, type[Any]] = {
    "SalesChannel": SalesChannel,
    "SaleCanceller": SaleCanceller,
    "Capturer": Capturer,
    "Voider": Voider,
    "Charger": Charger,
    "Refunder": Refunder,
    "PriceTaker": PriceTaker,
    "OrderKeeper": OrderKeeper,
    "ReturnKeeper": ReturnKeeper,
    "PurchaseKeeper": PurchaseKeeper,
    "PaymentKeeper": PaymentKeeper,
    "Ledger": Ledger,
    "ShipmentLedger": ShipmentLedger,
    "StockKeeper": StockKeeper,
    "Fulfiller": Fulfiller,
    "RestCanceller": RestCanceller,
    "Supplier": Supplier,
    "Notifier": Notifier,
    "EventSink": EventSink,
    "Fetcher": Fetcher,
    "Poller": Poller,
    "QueueFed": QueueFed,
    "FileSource": FileSource,
    "Subscriber": Subscriber,
    "CatalogueSource": CatalogueSource,
}
