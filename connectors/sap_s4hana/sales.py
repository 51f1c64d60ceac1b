"""Where an order stands in SAP, and how it is made to be what it should."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeGuard

from connectors.canonical.order import Order
from connectors.kit import names
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, one_of
from connectors.sap_s4hana.mapping import changes, items
from connectors.sap_s4hana.mapping.asks import ORDER, Ask, Standing
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.mapping.sales_order import Document, differs
from connectors.sap_s4hana.odata import Row, etag, rows
from connectors.sap_s4hana.orders import Orders


class Sales:
    def __init__(self, orders: Orders, policy: Policy) -> None:
        self._orders = orders
        self._policy = policy

    # ---- where it stands

    def named(self, order: Order) -> list[Row]:
        """The sales orders that bear our name, with their items; SAP refuses no second one."""
        name = names.of_order(order)
        return [one for one in self._orders.named(name) if one.get("PurchaseOrderByCustomer") == name]

    def booked(self, order: Order, known: str | None) -> Row:
        """The sales order with its items. Raises Rejected(code="not_booked") where it is not there."""
        record = self.found(order, known)
        if record is not None:
            return record
        raise Rejected(
            f"Order {order.number} is not in SAP.",
            code="not_booked",
            remedy="Retry the booking of the order first; look whether the sales order was deleted.",
            owner="finance",
        )

    def found(self, order: Order, known: str | None) -> Row | None:
        record = self._orders.get(known) if is_number(known) else None
        return record or next(iter(self.named(order)), None)

    def standing(self, order: Order, known: str | None) -> Standing:
        """All of an order that a change may touch."""
        return self._orders.standing(str(self.booked(order, known)["SalesOrder"]))

    # ---- making it

    def create_or_complete(self, document: Document, customer: str) -> ExternalId:
        """The order's number once it stands with its total. Where SAP's pricing makes another total than the channel's,
        the order is given up again and refused with the difference.
        """
        found = self.named(document.order)
        if not found:
            made = self._orders.create(document.body(customer, self._policy))
            found = self.named(document.order) or [self._read(str(made["SalesOrder"]))]
        self._checked(document, found[0])
        return one_of([str(one["SalesOrder"]) for one in found]) or str(found[0]["SalesOrder"])

    def _read(self, number: str) -> Row:
        return self._orders.get(number) or {"SalesOrder": number}

    def _checked(self, document: Document, record: Row) -> None:
        made = items.total(rows(record.get("to_Item")))
        if made != document.stated:
            self._give_up(document.order, record)
            raise differs(document.order, document.stated, made)

    def _give_up(self, order: Order, record: Row) -> None:
        """Deleted; where the service deletes none, rejected and then called otherwise, so that the next try finds none."""
        number = str(record["SalesOrder"])
        if not self._orders.delete(number, etag(record)):
            self._reject_open(number, rows(record.get("to_Item")))
            told = {"PurchaseOrderByCustomer": items.given_up_name(names.of_order(order), number)}
            self._orders.ask(Ask("PATCH", ORDER, {"SalesOrder": number}, told))

    def complete(self, document: Document) -> ExternalId | None:
        """The number of the order where it is there with its total."""
        found = [one for one in self.named(document.order) if items.total(rows(one.get("to_Item"))) == document.stated]
        return one_of([str(one["SalesOrder"]) for one in found])

    # ---- changing it

    def amend(self, document: Document, known: str | None) -> ExternalId:
        """SAP takes one change at a time: each sets a state, so what a broken chain left out is asked the next time."""
        there = self.standing(document.order, known)
        self.chain(changes.towards(there, document, self._policy))
        made = items.total(self.standing(document.order, there.number).items)
        if made != document.stated:
            raise differs(document.order, document.stated, made)
        return there.number

    def amended(self, document: Document, known: str | None) -> ExternalId | None:
        there = self.standing(document.order, known)
        stands = items.total(there.items) == document.stated
        return there.number if stands and not changes.towards(there, document, self._policy) else None

    def chain(self, asked: Sequence[Ask]) -> None:
        """The first is held to the state that was read, where it has an ETag. It gives the whole order a new one, so the
        rest go without: each sets a state of its own.
        """
        for n, ask in enumerate(asked):
            self._orders.ask(replace(ask, etag="*") if n else ask)

    # ---- giving it up

    def reject(self, order: Order, known: str | None) -> ExternalId:
        """Every item that is not delivered gets the reason of rejection. Raises Rejected(code="shipped") where all left."""
        record = self.booked(order, known)
        number, told = str(record["SalesOrder"]), rows(record.get("to_Item"))
        if _all_left(told):
            raise _shipped(order)
        self._reject_open(number, told)
        return number

    def _reject_open(self, number: str, told: Sequence[Row]) -> None:
        open_ = [one for one in told if not items.rejected(one) and not items.delivered(one)]
        self.chain([items.rejection(number, one, self._policy) for one in open_])

    def rejected(self, order: Order, known: str | None) -> ExternalId | None:
        record = self.found(order, known)
        if record is None or _all_left(rows(record.get("to_Item"))):
            return None
        done = all(items.rejected(one) or items.delivered(one) for one in rows(record.get("to_Item")))
        return str(record["SalesOrder"]) if done else None


def is_number(known: str | None) -> TypeGuard[str]:
    """Document numbers are of digits, so that no id can lead elsewhere."""
    return known is not None and known.isdigit() and len(known) <= 10


def _all_left(told: Sequence[Row]) -> bool:
    return bool(told) and all(items.delivered(one) for one in told)


def _shipped(order: Order) -> Rejected:
    return Rejected(
        f"Order {order.number} is delivered completely in SAP: it cannot be rejected any more.",
        code="shipped",
        remedy="Let the customer return it and refund it then.",
        owner="customer service",
    )
