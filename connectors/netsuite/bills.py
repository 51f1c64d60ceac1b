"""What left an order is billed, and the deposits taken for the order pay the bill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.canonical.shipment import Shipment
from connectors.kit.writes import ExternalId, Writes, noted
from connectors.netsuite.client import WORDS, Client
from connectors.netsuite.errors import gone
from connectors.netsuite.making import made, numbered
from connectors.netsuite.mapping import billing, names, tenders
from connectors.netsuite.mapping.policy import Policy

REPLACED = ("taxDetails",)  # a transform brings the order's along; the bill's own take their place
USED_UP = "C"  # a deposit's status "Fully Applied"


class Bills:
    """The bills of one account's orders, where the hub makes them (`billing`)."""

    def __init__(self, client: Client, policy: Policy) -> None:
        self._client = client
        self._policy = policy

    def of_shipment(self, order: Order, shipment: Shipment, sales_order: ExternalId) -> Writes:
        """The bill of all that has left and is not billed, in this shipment's name, paid from the order's deposits."""
        name, cash = names.of_bill(order, shipment), tenders.for_cash(order, self._policy)
        kind, write = ("cashSale", "cash_sale") if cash else ("invoice", "invoice")
        waits = billing.due(self._order(sales_order), self._policy)  # before the look-up: it may be under way
        if not waits and self._client.id_of(kind, name) is None:
            return ""
        header = self._header(name, shipment, cash)
        make, check = partial(self._make, kind, header, sales_order), partial(self._check, kind, sales_order)
        found = yield made(self._client, write, kind, name, make, check=check)
        if not cash:
            yield from self._pay(order, shipment, found, tenders.deposited(order, self._policy))
        number = str(self._read(kind, found).get("tranId") or found)
        yield noted("invoice_number", number, ("invoice", f"{shipment.origin}-{shipment.id}"))
        return found

    def paid_later(self, order: Order, payment: Payment, record: Mapping[str, Any]) -> Writes:
        """A payment that came by itself: a deposit, applied at once to the bills that are open by then."""
        if not tenders.kept(order, payment, self._policy):
            return ""
        body = {**tenders.deposit(order, payment, self._policy), "customer": {"id": str(record["entity"]["id"])}}
        if open_order(record):
            body["salesOrder"] = {"id": str(record["id"])}
        name, links = str(body["externalId"]), (("payment", payment.id),)
        make = partial(self._insert, name, body)
        found = yield made(self._client, "customer_deposit", "customerDeposit", name, make, links)
        if self._policy.billing != "netsuite":
            for index, shipment in enumerate(order.shipments):
                bill = self._client.id_of("invoice", names.of_bill(order, shipment))
                if bill is not None:
                    yield from self._pay(order, shipment, bill, (payment,), index)
        return found

    def _insert(self, name: str, body: Mapping[str, Any]) -> ExternalId:
        return str(self._client.upsert("customerDeposit", name, body))

    def _header(self, name: str, shipment: Shipment, cash: Payment | None) -> dict[str, Any]:
        header: dict[str, Any] = {"externalId": name}
        if shipment.shipped_at:
            header["tranDate"] = self._policy.day(shipment.shipped_at)
        if cash:
            header["paymentOption"] = {"id": self._policy.codes.theirs("payment_method", tenders.gateway(cash))}
        return header

    def _make(self, kind: str, header: Mapping[str, Any], sales_order: ExternalId) -> ExternalId:
        record = self._order(sales_order)
        bill = billing.bill(record, billing.due(record, self._policy), self._policy)
        return self._client.transform("salesOrder", sales_order, kind, {**header, **bill.body}, replace=REPLACED)

    def _check(self, kind: str, sales_order: ExternalId, found: ExternalId) -> None:
        billing.check(self._order(sales_order), self._read(kind, found), self._policy)

    def _pay(
        self, order: Order, shipment: Shipment, invoice: ExternalId, payments: Sequence[Payment], first: int = 0
    ) -> Writes:
        """Applies the order's deposits one after the other, each as far as it goes, until nothing is owed.

        NetSuite itself takes the lesser of what is left of the deposit and what is owed.
        """
        for index, payment in enumerate(payments, first):
            if not self._owed(invoice):
                return ""
            deposit = self._client.get("customerDeposit", f"eid:{names.of_deposit(order, payment)}")
            if deposit is None or used_up(deposit):
                continue
            name = names.of_application(order, payment, shipment)
            make = partial(self._apply, name, str(deposit["id"]), invoice, payment, order)
            yield made(self._client, numbered("deposit_application", index), "depositApplication", name, make)
        return ""

    def _owed(self, invoice: ExternalId) -> Decimal:
        return Decimal(str(self._read("invoice", invoice).get("amountRemaining") or 0))

    def _apply(self, name: str, deposit: ExternalId, invoice: ExternalId, payment: Payment, order: Order) -> ExternalId:
        body = {
            "externalId": name,
            "memo": f"{order.number} {payment.reference}".strip(),
            "apply": {"items": [{"doc": {"id": invoice}, "apply": True}]},
        }
        return self._client.transform("customerDeposit", deposit, "depositApplication", body)

    def _order(self, ref: ExternalId) -> dict[str, Any]:
        return self._read("salesOrder", ref)

    def _read(self, record: str, ref: ExternalId) -> dict[str, Any]:
        found = self._client.get(record, ref, lines=True)
        if found is None:
            raise gone(WORDS.get(record, record), ref)
        return found


def open_order(record: Mapping[str, Any]) -> bool:
    """Whether something of a sales order is still to come: a deposit may then be kept for it."""
    status = record.get("status") or {}
    return str(status.get("id", "") if isinstance(status, Mapping) else status) not in ("C", "G", "H")


def used_up(deposit: Mapping[str, Any]) -> bool:
    """Whether nothing is left of a deposit."""
    status = deposit.get("status") or {}
    return str(status.get("id", "") if isinstance(status, Mapping) else status) == USED_UP
