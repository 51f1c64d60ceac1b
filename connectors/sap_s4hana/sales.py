"""Where an order stands in SAP, and how it is made to be what it should."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeGuard

from connectors.canonical.order import Order
from connectors.kit import names
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, one_of
from connectors.sap_s4hana.client import ORDERS, Client
from connectors.sap_s4hana.mapping import changes
from connectors.sap_s4hana.mapping.changes import Ask, Standing, keyed_order
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.mapping.sales_order import Document, differs
from connectors.sap_s4hana.odata import Row, etag, rows, text


class Sales:
    def __init__(self, client: Client, policy: Policy) -> None:
        self._client = client
        self._policy = policy

    # ---- where it stands

    def named(self, order: Order) -> list[Row]:
        """The sales orders that bear our name, with their items; SAP refuses no second one."""
        where = f"PurchaseOrderByCustomer eq {text(names.of_order(order))}"
        found = self._client.rows(ORDERS, "A_SalesOrder", where, expand="to_Item", order="SalesOrder")
        return [one for one in found if one.get("PurchaseOrderByCustomer") == names.of_order(order)]

    def booked(self, order: Order, known: str | None) -> Row:
        """The sales order with its items. Raises Rejected(code="not_booked") where it is not there."""
        record = self._client.get(ORDERS, keyed_order(known), expand="to_Item") if is_number(known) else None
        record = record or next(iter(self.named(order)), None)
        if record is not None:
            return record
        raise Rejected(
            f"Order {order.number} is not in SAP.",
            code="not_booked",
            remedy="Retry the booking of the order first; look whether the sales order was deleted.",
            owner="finance",
        )

    def standing(self, order: Order, known: str | None) -> Standing:
        """All of an order that a change may touch: three calls, as the contract expands one level."""
        number = str(self.booked(order, known)["SalesOrder"])
        header = self._client.get(ORDERS, keyed_order(number), expand="to_PricingElement,to_Text")
        where = f"SalesOrder eq {text(number)}"
        items = self._client.rows(
            ORDERS, "A_SalesOrderItem", where, expand="to_PricingElement", order="SalesOrder,SalesOrderItem"
        )
        addresses = self._client.rows(ORDERS, "A_SalesOrderPartnerAddress", where)
        return Standing(header or {"SalesOrder": number}, tuple(items), tuple(addresses))

    # ---- making it

    def create_or_complete(self, document: Document, customer: str) -> ExternalId:
        """The order's number once it stands with its total. Where SAP's pricing makes another total than the channel's,
        the order is deleted again and refused with the difference.
        """
        found = self.named(document.order)
        if not found:
            made = self._client.create(ORDERS, "A_SalesOrder", document.body(customer, self._policy))
            found = self.named(document.order) or [self._read(str(made["SalesOrder"]))]
        record = found[0]
        self._checked(document, record)
        return one_of([str(one["SalesOrder"]) for one in found]) or str(record["SalesOrder"])

    def _read(self, number: str) -> Row:
        return self._client.get(ORDERS, keyed_order(number), expand="to_Item") or {"SalesOrder": number}

    def _checked(self, document: Document, record: Row) -> None:
        made = changes.total(rows(record.get("to_Item")))
        if made != document.stated:
            self._client.remove(ORDERS, keyed_order(str(record["SalesOrder"])), etag(record))
            raise differs(document.order, document.stated, made)

    def complete(self, document: Document) -> ExternalId | None:
        """The number of the order where it is there with its total."""
        found = [
            one for one in self.named(document.order) if changes.total(rows(one.get("to_Item"))) == document.stated
        ]
        return one_of([str(one["SalesOrder"]) for one in found])

    # ---- changing it

    def amend(self, document: Document, known: str | None) -> ExternalId:
        """SAP takes one change at a time: each sets a state, so what a broken chain left out is asked the next time."""
        there = self.standing(document.order, known)
        self.chain(changes.towards(there, document, self._policy))
        made = changes.total(self.standing(document.order, there.number).items)
        if made != document.stated:
            raise differs(document.order, document.stated, made)
        return there.number

    def amended(self, document: Document, known: str | None) -> ExternalId | None:
        there = self.standing(document.order, known)
        stands = changes.total(there.items) == document.stated
        return there.number if stands and not changes.towards(there, document, self._policy) else None

    def chain(self, asked: Sequence[Ask]) -> None:
        """The first is held to the state that was read, where it has an ETag. It gives the whole order a new one, so the
        rest go without: each sets a state of its own.
        """
        for n, ask in enumerate(asked):
            self._ask(replace(ask, etag="*") if n else ask)

    def _ask(self, ask: Ask) -> None:
        if ask.method == "POST":
            self._client.create(ORDERS, ask.path, ask.body or {})
        elif ask.method == "PATCH":
            self._client.change(ORDERS, ask.path, ask.body or {}, ask.etag)
        else:
            self._client.remove(ORDERS, ask.path, ask.etag)

    # ---- giving it up

    def reject(self, order: Order, known: str | None) -> ExternalId:
        """Every item that is not delivered gets the reason of rejection. Raises Rejected(code="shipped") where all left."""
        record = self.booked(order, known)
        number, items = str(record["SalesOrder"]), rows(record.get("to_Item"))
        if _all_left(items):
            raise _shipped(order)
        open_ = [one for one in items if not changes.rejected(one) and not changes.delivered(one)]
        self.chain([changes.rejection(number, one, self._policy) for one in open_])
        return number

    def rejected(self, order: Order, known: str | None) -> ExternalId | None:
        found = self._client.get(ORDERS, keyed_order(known), expand="to_Item") if is_number(known) else None
        record = found or next(iter(self.named(order)), None)
        if record is None or _all_left(rows(record.get("to_Item"))):
            return None
        done = all(changes.rejected(one) or changes.delivered(one) for one in rows(record.get("to_Item")))
        return str(record["SalesOrder"]) if done else None


def is_number(known: str | None) -> TypeGuard[str]:
    """Document numbers are of digits, so that no id can lead elsewhere."""
    return known is not None and known.isdigit() and len(known) <= 10


def _all_left(items: Sequence[Row]) -> bool:
    return bool(items) and all(changes.delivered(one) for one in items)


def _shipped(order: Order) -> Rejected:
    return Rejected(
        f"Order {order.number} is delivered completely in SAP: it cannot be rejected any more.",
        code="shipped",
        remedy="Let the customer return it and refund it then.",
        owner="support",
    )
