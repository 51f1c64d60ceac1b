"""SAP S/4HANA as the hub's ERP: it keeps orders, deliveries, returns and credit memo requests, tells materials, prices and stock."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from connectors.canonical.money import Money
from connectors.canonical.order import Order
from connectors.canonical.product import Price, Product
from connectors.canonical.returns import Refund, Return
from connectors.canonical.shipment import Shipment
from connectors.canonical.stock import StockLevel
from connectors.kit import names
from connectors.kit.account import Connection
from connectors.kit.capabilities import Booking, Delivered
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, Write, Writes
from connectors.sap_s4hana.arrivals import Arrivals
from connectors.sap_s4hana.catalogue import Catalogue
from connectors.sap_s4hana.client import Client
from connectors.sap_s4hana.credits import Credits
from connectors.sap_s4hana.customers import Customers
from connectors.sap_s4hana.deliveries import Deliveries
from connectors.sap_s4hana.mapping import items, parties, sales_order
from connectors.sap_s4hana.mapping.policy import policy
from connectors.sap_s4hana.mapping.sales_order import Document
from connectors.sap_s4hana.odata import rows
from connectors.sap_s4hana.orders import orders
from connectors.sap_s4hana.sales import Sales


class SapS4Hana:
    """Plays OrderKeeper, ReturnKeeper, Ledger, StockKeeper and CatalogueSource for one account."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.client = Client(connection)
        self.policy = policy(connection.account, connection.codes)
        self.customers = Customers(self.client)
        self.orders = orders(connection, self.client)
        self.sales = Sales(self.orders, self.policy)
        self.deliveries = Deliveries(self.client, self.policy, self.sales)
        self.arrivals = Arrivals(self.client, self.policy)
        self.credits = Credits(self.client, self.policy, self.arrivals)
        self.catalogue = Catalogue(self.client, self.policy, connection)

    # ---- orders

    def book(self, order: Order, *, key: str) -> Writes:
        """Customer, partners of its addresses (V4), sales order. Everything is mapped before the first is sent."""
        edited = any(line.current_quantity != line.quantity for line in order.lines)  # before anyone booked it
        document = (sales_order.amended if edited else sales_order.placed)(order, self.policy)
        customer = yield from self._customer(order)
        document = yield from self._placed(document)
        return (
            yield Write(
                "sales_order",
                send=lambda: self.sales.create_or_complete(document, customer),
                find=lambda: self.sales.complete(document),
                links=(("order", order.id),),
            )
        )

    def _customer(self, order: Order) -> Writes:
        """The customer number under the account's rule; every order on one partner needs no look-up."""
        if self.policy.customer_match == "one":
            return self.policy.wanted("customer", "the customer that every order is booked on")
        body = parties.business_partner(order, self.policy)
        return (
            yield Write(
                "customer",
                send=partial(self.customers.create_or_find, body),
                find=partial(self.customers.find, body),
                links=(("customer", parties.identity(order, self.policy)),),
            )
        )

    def _placed(self, document: Document) -> Generator[Write, ExternalId, Document]:
        """The document with the partners of its addresses, where it has none of its own; one that is both is made once."""
        if not self.policy.partner_addresses:
            return document
        made: dict[str, ExternalId] = {}
        found: dict[str, ExternalId] = {}
        for function, body in parties.places(document.order, self.policy).items():
            mark, ships = body["SearchTerm1"], function == self.policy.ship_to_function
            if mark not in made:
                send, find = partial(self.customers.create_or_find, body), partial(self.customers.find, body)
                made[mark] = yield Write("ship_to" if ships else "bill_to", send=send, find=find)
            found[function] = made[mark]
        return replace(document, places=found)

    def amend(self, order: Order, *, key: str) -> Writes:
        """The items, conditions, addresses and note as the order stands now. Raises Rejected(code="shipped")."""
        known = self._known(order)
        document = yield from self._placed(sales_order.amended(order, self.policy))
        return (
            yield Write(
                "amendment",
                send=lambda: self.sales.amend(document, known),
                find=lambda: self.sales.amended(document, known),
            )
        )

    def cancel(self, order: Order, *, key: str) -> Writes:
        """Reject every item that is not delivered; the order stays in SAP. Raises Rejected(code="shipped")."""
        known = self._known(order)
        return (
            yield Write(
                "rejection",
                send=lambda: self.sales.reject(order, known),
                find=lambda: self.sales.rejected(order, known),
            )
        )

    def _known(self, order: Order) -> str | None:
        return self.connection.known.id("order", order.id)

    # ---- what leaves and comes back

    def record_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        """An outbound delivery, picked and its goods issue posted. SAP's own billing run makes the invoice of it."""
        return (yield from self.deliveries.record(order, shipment, self._known(order)))

    def record_refund(self, order: Order, refund: Refund, *, key: str) -> Writes:
        """A customer return for what goes back into stock, received there; a credit memo request for each tender."""
        known = self._known(order)
        left = self.deliveries.left(order, known) if any(line.restock for line in refund.lines) else {}
        return (yield from self.credits.record(order, refund, self._customer_of(order), left))

    def record_return(self, order: Order, returned: Return, *, key: str) -> Writes:
        """A customer return, of a type that is not billed, for what came back without money, and its goods receipt."""
        return (yield from self.credits.goods_back(order, returned, self._customer_of(order)))

    def record_disposition(self, order: Order, returned: Return, *, key: str) -> Writes:
        """Transfer postings out of quarantine, or a scrapping. Raises NotOffered where receipts are posted in SAP by others."""
        today = self.policy.day(self.connection.now())
        return (yield from self.arrivals.dispose(order, returned, key, today))

    def _customer_of(self, order: Order) -> str:
        """Whom the order was booked on; of one that never was (cancelled before), whom it would be booked on."""
        try:
            return str(self.sales.booked(order, self._known(order))["SoldToParty"])
        except Rejected:
            if self.policy.customer_match == "one":
                return self.policy.wanted("customer", "the customer that every order is booked on")
            found = self.customers.find(parties.business_partner(order, self.policy))
            if found is None:
                raise
            return found

    # ---- the books

    def booked(self, since: datetime, until: datetime) -> Iterator[Booking]:
        """Sales orders by the day they were made on, walked by number; without what was given up before it was booked."""
        for row in self.orders.made_between(self.policy.day(since), self.policy.day(until)):
            if items.is_given_up(row):
                continue
            total = Money(items.ordered(rows(row.get("to_Item"))), str(row["TransactionCurrency"]))
            number, reference = str(row["SalesOrder"]), str(row.get("PurchaseOrderByCustomer") or "")
            yield Booking(number, reference, total)

    def reference(self, order: Order) -> str:
        return names.of_order(order)

    def delivered(self, since: datetime, until: datetime) -> Iterator[Delivered]:
        """Outbound deliveries by the day they were made on, walked by number; each of one order, as we make them."""
        return self.deliveries.made_between(self.policy.day(since), self.policy.day(until))

    def delivery_reference(self, order: Order, shipment: Shipment) -> str:
        return names.of_shipment(order, shipment)

    # ---- products, prices, stock

    def products(self, since: datetime | None = None) -> Iterator[Product]:
        return self.catalogue.products(since)

    def code_of(self, product: Product) -> str:
        return product.id

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        return self.catalogue.prices(skus)

    def stock(self, skus: Sequence[str] = ()) -> Iterator[StockLevel]:
        return self.catalogue.stock(skus)


def connect(connection: Connection) -> SapS4Hana:
    """The account's connector, ready to act."""
    return SapS4Hana(connection)
