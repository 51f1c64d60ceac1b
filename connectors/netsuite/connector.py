"""NetSuite as the hub's ERP: it keeps orders, shipments, refunds, items and the quantities of its locations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.canonical.product import Price, Product
from connectors.canonical.returns import Refund, Return
from connectors.canonical.shipment import Shipment
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.capabilities import Booking, Delivered
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, Write, Writes
from connectors.netsuite import changes, ledger
from connectors.netsuite.bills import Bills
from connectors.netsuite.catalogue import Catalogue
from connectors.netsuite.client import Client
from connectors.netsuite.customers import Customers
from connectors.netsuite.goods import Goods
from connectors.netsuite.making import made, numbered, upserted
from connectors.netsuite.mapping import credit, fulfilment, names, parties, sales_order, tenders
from connectors.netsuite.mapping.policy import Policy, policy
from connectors.netsuite.purchases import Purchases
from connectors.netsuite.refunds import Refunds


class NetSuite:
    """Plays OrderKeeper, ReturnKeeper, PurchaseKeeper, PaymentKeeper, Ledger, StockKeeper and CatalogueSource for one account."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client = Client(connection)
        self._policy: Policy = policy(connection.account, connection.codes)
        self._customers = Customers(self._client, self._policy)
        self._catalogue = Catalogue(self._client, self._policy, connection)
        self._bills = Bills(self._client, self._policy)
        self._goods = Goods(self._client, self._policy)
        self._purchases = Purchases(self._client, self._policy)
        self._refunds = Refunds(self._client, self._policy)

    # ---- orders

    def book(self, order: Order, *, key: str) -> Writes:
        """Customer, sales order, and a deposit for each gift card used. Everything is mapped before the first
        is sent.
        """
        edited = any(line.current_quantity != line.quantity for line in order.lines)  # before anyone booked it
        body = (sales_order.amended if edited else sales_order.sales_order)(order, self._policy)
        deposits = tenders.deposits(order, self._policy)
        customer = yield from self._customer(order)
        found = yield self._order_write(order, {**body, "entity": {"id": customer}}, key)
        for index, deposit in enumerate(deposits):
            more = {"customer": {"id": customer}, "salesOrder": {"id": found}}
            yield upserted(self._client, numbered("customer_deposit", index), "customerDeposit", {**deposit, **more})
        return self._number(found)

    def _customer(self, order: Order) -> Writes:
        if self._policy.customer_match == "one":
            return self._policy.customer or self._policy_lacks("customer")
        name = parties.customer_name(order, self._policy)
        body = parties.customer(order, name, self._policy)
        return (
            yield Write(
                "customer",
                send=partial(self._customers.create_or_find, name, body),
                find=partial(self._customers.find, name, body),
                links=(("customer", name),),
            )
        )

    def _policy_lacks(self, setting: str) -> str:
        raise self._policy.lacking(setting, "the customer that every order is booked on")

    def _order_write(self, order: Order, body: Mapping[str, Any], key: str) -> Write:
        name = names.of_order(order)
        job_key = f"{key}-order" if self._policy.respond_async else ""
        return Write(
            "sales_order",
            send=partial(self._client.upsert, "salesOrder", name, body, replace=sales_order.SUBLISTS, job_key=job_key),
            find=partial(self._client.id_of, "salesOrder", name),
            poll=lambda job: self._client.job(job, "salesOrder"),
            links=(("order", order.id),),
        )

    def _number(self, order_id: str) -> str:
        """What people call the order: NetSuite's document number, else its internal id."""
        if self._policy.number != "tranId":
            return order_id
        record = self._client.get("salesOrder", order_id)
        return str((record or {}).get("tranId") or order_id)

    def amend(self, order: Order, *, key: str) -> Writes:
        """The sales order's lines, money, addresses and note as the order stands now."""
        body = sales_order.amended(order, self._policy)
        return (
            yield Write(
                "amendment",
                send=lambda: self._change(order, body),
                find=lambda: self._changed(order, body),
            )
        )

    def _change(self, order: Order, body: Mapping[str, Any]) -> ExternalId:
        record = self._booked(order)
        patch, replace = changes.towards(order, record, body, self._policy)
        return self._client.update("salesOrder", str(record["id"]), patch, replace=replace)

    def _changed(self, order: Order, body: Mapping[str, Any]) -> ExternalId | None:
        record = self._booked(order)
        return str(record["id"]) if changes.stands(record, body) else None

    def cancel(self, order: Order, *, key: str) -> Writes:
        """Close every line that has not shipped. Raises Rejected(code="shipped") where all of it has."""
        return (yield Write("cancellation", send=lambda: self._close(order), find=lambda: self._closed(order)))

    def _close(self, order: Order) -> ExternalId:
        record = self._booked(order)
        lines = changes.closing(record, self._policy)
        if not lines:
            return str(record["id"])
        return self._client.update("salesOrder", str(record["id"]), {"item": {"items": lines}})

    def _closed(self, order: Order) -> ExternalId | None:
        record = self._booked(order)
        return None if changes.closing(record, self._policy) else str(record["id"])

    def _booked(self, order: Order) -> dict[str, Any]:
        """The sales order with its lines. Raises Rejected(code="not_booked")."""
        record = self._client.get("salesOrder", self._ref(order), lines=True)
        if record is not None:
            return record
        raise Rejected(
            f"Order {order.number} is not in NetSuite.",
            code="not_booked",
            remedy="Retry the booking of the order first; look whether the sales order was deleted.",
            owner="finance",
        )

    def _ref(self, order: Order) -> str:
        return self._connection.known.id("order", order.id) or f"eid:{names.of_order(order)}"

    # ---- shipments

    def record_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        """One item fulfilment for each shipment, of the lines that left and no others; then its bill, where the hub bills."""
        name = names.of_shipment(order, shipment)
        make = partial(self._fulfil, order, shipment)
        links = (("shipment", shipment.id),)
        left = yield made(self._client, "fulfilment", "itemFulfillment", name, make, links)
        if self._policy.billing != "netsuite":
            yield from self._bills.of_shipment(order, shipment, str(self._booked(order)["id"]))
        return left

    def _fulfil(self, order: Order, shipment: Shipment) -> ExternalId:
        record = self._booked(order)
        body = fulfilment.fulfilment(order, shipment, record, self._policy)
        return self._client.transform("salesOrder", str(record["id"]), "itemFulfillment", body)

    # ---- refunds

    def record_refund(self, order: Order, refund: Refund, *, key: str) -> Writes:
        """Out of the deposits, or a credit memo and a customer refund for each tender. What moved no money yet is
        booked when it does.
        """
        if not credit.dues(order, refund):
            return ""
        return (yield from self._refunds.of(order, refund, self._booked(order)))

    # ---- goods that come back without money

    def record_return(self, order: Order, returned: Return, *, key: str) -> Writes:
        """A return authorization of no amount, an item receipt for each condition, and the authorization closed.

        Nothing where the account has no returns authorized (`returns`): its stock moves with credits only.
        """
        return (yield from self._goods.came_in(order, returned, self._booked(order)))

    def record_disposition(self, order: Order, returned: Return, *, key: str) -> Writes:
        return (yield from self._goods.looked_at(order, returned, self._booked(order), key))

    # ---- purchases that suppliers send to our customers

    def record_purchase(self, order: Order, *, supplier: str, reference: str, key: str) -> Writes:
        return (yield from self._purchases.buy(order, supplier, reference))

    def amend_purchase(self, order: Order, *, supplier: str, reference: str, key: str) -> Writes:
        return (yield from self._purchases.bring_down(order, reference))

    def cancel_purchase(self, order: Order, *, supplier: str, reference: str, key: str) -> Writes:
        return (yield from self._purchases.give_up(reference))

    def record_receipt(self, order: Order, shipment: Shipment, *, supplier: str, reference: str, key: str) -> Writes:
        return (yield from self._purchases.receive(order, shipment, reference))

    # ---- payments

    def record_payment(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """A deposit, where the account keeps deposits of its tender (`deposits`); what `book` has booked of it is found."""
        return (yield from self._bills.paid_later(order, payment, self._booked(order)))

    # ---- the books, listed

    def booked(self, since: datetime, until: datetime) -> Iterator[Booking]:
        """Sales orders by SuiteQL, with a margin for the time zone that NetSuite compares in."""
        return (ledger.booking(row, self._policy) for row in self._listed(ledger.ORDERS, since, until))

    def delivered(self, since: datetime, until: datetime) -> Iterator[Delivered]:
        """Item fulfilments, in the same way."""
        return (ledger.fulfilment(row, self._policy) for row in self._listed(ledger.FULFILMENTS, since, until))

    def delivery_reference(self, order: Order, shipment: Shipment) -> str:
        return names.of_shipment(order, shipment)

    def _listed(self, listed: str, since: datetime, until: datetime) -> list[dict[str, str]]:
        asked = ledger.query(listed, since, until, self._policy)
        return self._client.suiteql(asked, ledger.KEY, self._policy.page_size)

    def reference(self, order: Order) -> str:
        return names.of_order(order)

    # ---- items

    def stock(self, skus: Sequence[str] = ()) -> Iterator[StockLevel]:
        return self._catalogue.stock(skus)

    def products(self, since: datetime | None = None) -> Iterator[Product]:
        return self._catalogue.products(since)

    def code_of(self, product: Product) -> str:
        return product.id

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        return self._catalogue.prices(skus)


def connect(connection: Connection) -> NetSuite:
    """The account's connector, ready to act."""
    return NetSuite(connection)
