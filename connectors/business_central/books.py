"""Orders in the books of Business Central: booked, changed, cancelled, shipped; each once."""

from __future__ import annotations

from functools import partial

from connectors.business_central.client import Ask, Client, Row, text
from connectors.business_central.customers import Customers
from connectors.business_central.mapping import leaving, parties, sales_order, tenders
from connectors.business_central.mapping.policy import Policy
from connectors.business_central.sales import Sales, total
from connectors.canonical.money import minor_unit
from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.kit import names
from connectors.kit.account import Connection
from connectors.kit.errors import Rejected, Transient
from connectors.kit.writes import ExternalId, Write, Writes, noted

POSTED = "posted"


class Books:
    connection: Connection
    client: Client
    policy: Policy
    customers: Customers
    sales: Sales

    def book(self, order: Order, *, key: str) -> Writes:
        """Customer, sales order, and the payments that are to be noted. Everything is mapped before the first is sent."""
        edited = any(line.current_quantity != line.quantity for line in order.lines)  # before anyone booked it
        document = (sales_order.amended if edited else sales_order.placed)(order, self.policy)
        payments = tenders.payments(order, self.policy)
        customer = yield from self._customer(order)
        found = yield Write(
            "sales_order",
            send=lambda: self.sales.create_or_complete(order, document, customer),
            find=lambda: self.sales.complete(order, document),
            links=(("order", order.id),),
        )
        for index, (_, body) in enumerate(payments):
            journal = self.policy.wanted("payment_journal", "the journal for payments")
            path = f"customerPaymentJournals({journal})/customerPayments"
            yield self.journal_write(numbered("payment", index), path, body(customer))
        return self._number(order, found)

    def _customer(self, order: Order) -> Writes:
        if self.policy.customer_match == "one":
            return self.policy.wanted("customer", "the customer that every order is booked on")
        body = parties.customer(order, self.policy)
        return (
            yield Write(
                "customer",
                send=partial(self.customers.create_or_find, body),
                find=partial(self.customers.find, body),
                links=(("customer", parties.identity(order, self.policy)),),
            )
        )

    def _number(self, order: Order, found: ExternalId) -> str:
        """What people call the order."""
        record = self.client.get(f"salesOrders({found})")
        if record is not None:
            return str(record["number"])
        posted = self.sales.invoices(order)
        return str(posted[0]["orderNumber"]) if posted else found

    def journal_write(self, name: str, path: str, body: dict[str, object]) -> Write:
        """A line of a journal under our own document number, looked for before it is made."""
        wanted = str(body["externalDocumentNumber"])

        def find() -> ExternalId | None:
            rows = self.client.rows(path, f"externalDocumentNumber eq {text(wanted)}")
            return str(rows[0]["id"]) if rows else None

        return Write(name, send=lambda: find() or str(self.client.create(path, body)["id"]), find=find)

    # ---- changes

    def amend(self, order: Order, *, key: str) -> Writes:
        """The sales order's lines, money, addresses and note as the order stands now, in one transaction."""
        document = sales_order.amended(order, self.policy)
        known = self._known(order)
        return (
            yield Write(
                "amendment",
                send=lambda: self.sales.amend(order, document, known),
                find=lambda: self.sales.amended(order, document, known),
            )
        )

    def cancel(self, order: Order, *, key: str) -> Writes:
        """Delete the sales order: API v2.0 has no other way. What was posted stays. Raises Rejected(code="shipped")."""
        return (yield Write("cancellation", send=lambda: self._delete(order), find=lambda: self._deleted(order)))

    def _delete(self, order: Order) -> ExternalId:
        record = self.sales.open(order, self._known(order))
        if record is not None:
            self.client.remove(f"salesOrders({record['id']})", str(record["@odata.etag"]))
            return names.of_order(order)
        if self.sales.shipped_whole(order):
            raise Rejected(
                "The order is shipped and invoiced completely: Business Central cannot cancel it any more.",
                code="shipped",
                remedy="Let the customer return it and refund it then.",
                owner="customer service",
            )
        return names.of_order(order)

    def _deleted(self, order: Order) -> ExternalId | None:
        gone = self.sales.open(order, self._known(order)) is None and not self.sales.shipped_whole(order)
        return names.of_order(order) if gone else None

    def _known(self, order: Order) -> str | None:
        return self.connection.known.id("order", order.id)

    # ---- shipments

    def record_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        """What left is set to be shipped and invoiced, under the shipment's own name; then it is posted.

        Business Central has one posting for both (shipAndInvoice): the invoice of a shipment is made with it.
        """
        name = names.of_shipment(order, shipment)
        before = yield Write(
            "shipment_lines",
            send=lambda: self._set(order, shipment, name),
            find=lambda: self._is_set(order, shipment, name),
        )
        posted = yield Write(
            "shipment",
            send=lambda: self._post(order, name, before),
            find=lambda: self._posted(order, name, before),
            links=(("shipment", shipment.id),),
        )
        number = self.sales.invoice_of(name)
        if number:
            yield noted("invoice_number", number, ("invoice", f"{shipment.origin}-{shipment.id}"))
        return posted

    def _set(self, order: Order, shipment: Shipment, name: str) -> ExternalId:
        """How many pieces of the order had left before: by that a posting is known that no list shows yet."""
        if self._shipment(name) is not None:
            return POSTED
        record = self.sales.booked(order, self._known(order))
        asked = self._leaving(order, shipment, name, record)
        if asked:
            self.sales.set_leaving(asked)
        return f"{leaving.left(record):f}"

    def _is_set(self, order: Order, shipment: Shipment, name: str) -> ExternalId | None:
        if self._shipment(name) is not None:
            return POSTED
        record = self.sales.booked(order, self._known(order))
        return None if self._leaving(order, shipment, name, record) else f"{leaving.left(record):f}"

    def _leaving(self, order: Order, shipment: Shipment, name: str, record: Row) -> list[Ask]:
        currency = order.totals.total.in_role(order.money_role).currency
        known = not self.policy.reckons
        to = leaving.Leaving(
            order=order,
            shipment=shipment,
            name=name,
            day=self.policy.day(shipment.shipped_at) if shipment.shipped_at else "",
            place=self.policy.place(shipment.location),
            invoiced=total(self.sales.invoices(order)) if known else None,
            unit=minor_unit(currency),
            rounding=lambda left: self.sales.rounding(leaving.PARTS, left, minor_unit(currency)),
        )
        return leaving.leaving(record, to)

    def _post(self, order: Order, name: str, before: str) -> ExternalId:
        """The posting takes what is set, so it is made only while as many pieces have left as before."""
        found = self._posted(order, name, before)
        if found is not None:
            return found
        record = self.sales.booked(order, self._known(order))
        if record.get("externalDocumentNumber") != name:
            raise Transient("The sales order is being shipped under another name.", code="renamed")
        self.client.act(f"salesOrders({record['id']})", "shipAndInvoice")
        found = self._shipment(name)
        if found is None:
            raise _not_seen()
        return found

    def _posted(self, order: Order, name: str, before: str) -> ExternalId | None:
        """The shipment's SystemId; None while nothing was posted. Raises Transient while a posting cannot be seen."""
        found = self._shipment(name)
        if found is None:
            record = self.sales.open(order, self._known(order))
            if record is None or f"{leaving.left(record):f}" != before:
                raise _not_seen()
        return found

    def _shipment(self, name: str) -> ExternalId | None:
        rows = self.client.rows("salesShipments", f"externalDocumentNumber eq {text(name)}")
        return str(rows[0]["id"]) if rows else None


def numbered(name: str, index: int) -> str:
    return f"{name}_{index + 1}" if index else name


def _not_seen() -> Transient:
    return Transient("The shipment was posted and cannot be seen yet.", code="not_seen_yet")
