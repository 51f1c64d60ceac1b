"""Orders in Tryton's books: booked, amended, cancelled, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.kit.account import Connection
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, Write, Writes
from connectors.tryton import lines
from connectors.tryton.client import Client, Row
from connectors.tryton.customers import Buyer, Customers
from connectors.tryton.lines import SaleLine
from connectors.tryton.payments import Payments
from connectors.tryton.sales import BOOKED, Sales, reference

SHIPPED = ("sent", "partially shipped")


class Books(Payments):
    connection: Connection
    client: Client
    sales: Sales
    customers: Customers

    def book(self, order: Order, *, key: str) -> Writes:
        """Customer, addresses, and a sale that makes the channel's total, taken to processing. Returns its number."""
        kept = lines.left if lines.edited(order) else lines.sold  # edited before anyone booked it: as it stands
        sale = [line for line in kept(order, self._sku) if line.quantity]
        buyer = yield from self.customers.buyer(order)
        header = {**self.sales.header(order, buyer), "reference": reference(order)}
        number = yield self._create("sale", header, sale, links=(("order", order.id),))
        confirmed = yield self._confirm("confirmation", int(number))
        paid = self._noted(order.payments)
        if paid:
            yield self._received("payments", order, buyer.party, paid)
        return confirmed

    def amend(self, order: Order, *, key: str) -> Writes:
        """Quantities, prices and addresses by an amendment; lines that were added by a supplement, a sale of its own.

        Tryton adds no line to a sale in processing. What is already as it should be is not written.
        """
        sale = self.sales.of(order)
        wanted = lines.left(order, self._sku)
        buyer = yield from self.customers.buyer(order)
        ours = f"{reference(order)}+{key}"
        family = [sale, *(row for row in self._supplements(sale) if row["reference"] != ours)]
        kept = [row for row in self.sales.lines(family) if row["note"]]
        yield self._amendment(sale, key, buyer, order, _changes(kept, wanted, int(sale["id"])))
        for number, extra in enumerate(family[1:]):
            changes = _changes(kept, wanted, int(extra["id"]))
            name = f"supplement_amendment:{number}"
            yield Write("amendment", *self._amending(extra, f"{key}:{name}", changes))
        there = {str(row["note"]) for row in kept}
        new = [line for line in wanted if line.name not in there and line.quantity]
        if new:
            header = {**self.sales.header(order, buyer), "origin": f"sale.sale,{sale['id']}"}
            made = yield self._create("supplement", {**header, "reference": ours}, new)
            yield self._confirm("supplement_confirmation", int(made))
        return str(sale["number"])

    def cancel(self, order: Order, *, key: str) -> Writes:
        """The sale and all that was made out of it. Shipped is never undone: Rejected(code="shipped")."""
        sale = self.sales.of(order)
        if sale["shipment_state"] in SHIPPED:
            raise Rejected(f"Sale {sale['number']} has left the warehouse.", code="shipped", owner="logistics")
        for row in (*self.sales.made_from(sale), sale):  # in the order of their ids: a later attempt counts them alike
            yield self._withdrawal(int(row["id"]), key)
        return str(sale["number"] or sale["id"])

    def _withdrawal(self, sale: int, key: str) -> Write:
        return Write(
            "cancellation",
            send=lambda: self.sales.withdrawn(sale) or self.sales.withdraw(sale, key),
            find=lambda: self.sales.withdrawn(sale),
        )

    def _create(
        self, name: str, header: Mapping[str, Any], made: Sequence[SaleLine], links: tuple[tuple[str, str], ...] = ()
    ) -> Write:
        """A sale under its reference. Tryton refuses no second one, so it is looked for even when nothing failed."""
        wanted = str(header["reference"])

        def find() -> ExternalId | None:
            return self.sales.by_reference(wanted)

        return Write(name, send=lambda: find() or self.sales.create(header, made), find=find, links=links)

    def _confirm(self, name: str, sale: int) -> Write:
        return Write(name, send=lambda: self.sales.advance(sale), find=lambda: self.sales.booked(sale))

    def _supplements(self, sale: Row) -> list[Row]:
        prefix = f"{sale['reference']}+"
        return [row for row in self.sales.made_from(sale) if str(row["reference"]).startswith(prefix)]

    def _amendment(self, sale: Row, key: str, buyer: Buyer, order: Order, changes: list[dict[str, Any]]) -> Write:
        """Addresses always go along: they are part of what the order now says."""
        party = {
            "action": "party",
            "party": buyer.party,
            "invoice_party": buyer.party,
            "invoice_address": buyer.billing,
            "shipment_party": buyer.party,
            "shipment_address": buyer.shipping,
        }
        return Write("amendment", *self._amending(sale, key, [party, *changes], order.note))

    def _amending(self, sale: Row, key: str, changes: list[dict[str, Any]], note: str = "") -> tuple[Any, Any]:
        number = int(sale["id"])

        def find() -> str | None:
            row = self.sales.amendment(number, key)
            return str(row["id"]) if row and row["state"] == "validated" else None

        def send() -> str:
            if not changes:
                return find() or str(number)
            self._open(sale)
            if note:
                self.client.write("sale.sale", [number], {"comment": note})
            return self.sales.amend(number, key, changes)

        return send, find

    def _open(self, sale: Row) -> None:
        """An amendment wants a sale in processing; one that a person has cancelled is not opened again by us."""
        if sale["state"] == "cancelled":
            raise Rejected(f"Sale {sale['number']} is cancelled in Tryton.", code="state")
        if sale["state"] not in BOOKED:
            self.sales.advance(int(sale["id"]))

    def _sku(self, sku: str) -> str:
        return self.connection.codes.theirs("sku", sku)


def _changes(kept: Sequence[Row], wanted: Sequence[SaleLine], sale: int) -> list[dict[str, Any]]:
    """What an amendment of this sale must say: only lines that differ; a line that is gone has no quantity any more."""
    target = {line.name: (line.quantity, line.price) for line in wanted}
    found = []
    for row in (row for row in kept if row["sale"] == sale):
        quantity, price = target.get(str(row["note"]), (Decimal(0), row["unit_price"]))
        if (quantity, price) != (row["quantity"], row["unit_price"]):
            found.append(Sales.changed(row, quantity, price))
    return found
