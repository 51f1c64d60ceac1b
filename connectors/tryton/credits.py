"""What goes back to the customer: goods and money off the books by a return, the money itself by tender."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentStatus
from connectors.canonical.returns import Refund
from connectors.kit.account import Connection
from connectors.kit.writes import Write, Writes
from connectors.tryton import lines
from connectors.tryton.client import Client, Row
from connectors.tryton.payments import Payments
from connectors.tryton.sales import Sales, reference

BACK = "stock.shipment.out.return"
ONWARD = {"draft": "receive", "received": "do"}


class Credits(Payments):
    connection: Connection
    client: Client
    sales: Sales

    def record_refund(self, order: Order, refund: Refund, *, key: str) -> Writes:
        """A return (a sale with negative lines: its invoice is the credit note), then the money for each tender.

        A cancelled sale has nothing left to credit: only the money is noted. Returns the return's or the sale's number.
        """
        sale = self.sales.of(order)
        wanted = f"{reference(order)}/{refund.id}"
        number = str(sale["number"] or sale["id"])
        if self._credits(sale, wanted):
            number = yield from self._credit(order, refund, sale, wanted)
        payments = [one for one in refund.payments if one.status is not PaymentStatus.FAILURE]
        if payments:
            yield self._money(order, refund, sale, wanted, payments)
        return number

    def _credits(self, sale: Row, wanted: str) -> bool:
        """True unless the sale is cancelled (or amended to nothing); true also once the return has been made."""
        return (bool(sale["total_amount"]) and sale["state"] != "cancelled") or bool(self.sales.by_reference(wanted))

    def _credit(self, order: Order, refund: Refund, sale: Row, wanted: str) -> Writes:
        parts = lines.credited(order, refund, self._back(sale, refund), self._code)
        parts = tuple(line for line in parts if line.quantity)
        if not parts:
            return str(sale["number"])
        made = yield Write(
            "credit",
            send=lambda: (
                self.sales.by_reference(wanted) or self.sales.create(self._header(order, sale, refund, wanted), parts)
            ),
            find=lambda: self.sales.by_reference(wanted),
            links=(("refund", refund.id),),
        )
        credit = int(made)
        number = yield Write(
            "credit_confirmation", send=lambda: self.sales.advance(credit), find=lambda: self.sales.booked(credit)
        )
        if any(line.quantity < 0 for line in parts):
            yield Write("restock", send=lambda: self._restock(credit), find=lambda: self._restocked(credit))
        return number

    def _header(self, order: Order, sale: Row, refund: Refund, wanted: str) -> dict[str, Any]:
        """As the sale that it returns."""
        names = (
            "party",
            "invoice_party",
            "shipment_party",
            "invoice_address",
            "shipment_address",
            "currency",
            "warehouse",
        )
        row = self.client.rows("sale.sale", [["id", "=", sale["id"]]], *names)[0]
        kept = {name: row[name] for name in names}
        return {
            **kept,
            "reference": wanted,
            "origin": f"sale.sale,{sale['id']}",
            "sale_date": date(*(refund.at or order.updated_at).timetuple()[:3]),
            "invoice_method": "order",
            "shipment_method": "order",
            "description": f"{order.channel} {order.number}: refund",
            "comment": refund.note,
        }

    def _back(self, sale: Row, refund: Refund) -> dict[str, Decimal]:
        """How many of each refunded line go back to the shelf: those to be restocked, no more than had left it."""
        rows = {str(row["note"]): row for row in self.sales.lines([sale, *self.sales.made_from(sale)]) if row["note"]}
        found: dict[str, Decimal] = {}
        for line in refund.lines:
            if line.restock and line.line_id in rows:
                origin = f"sale.line,{rows[line.line_id]['id']}"
                moves = self.client.rows("stock.move", [["origin", "=", origin], ["state", "=", "done"]], "quantity")
                left = sum((Decimal(move["quantity"]) for move in moves), Decimal(0))
                found[line.line_id] = min(line.quantity, left)
        return found

    def _restock(self, credit: int) -> str:
        """Receive what came back and put it on the shelf."""
        for state, button in ONWARD.items():
            ready = [number for number, found in self._returns(credit).items() if found == state]
            if ready:
                self.client.press(BACK, button, ready)
        return str(credit)

    def _restocked(self, credit: int) -> str | None:
        return str(credit) if all(state == "done" for state in self._returns(credit).values()) else None

    def _returns(self, credit: int) -> dict[int, str]:
        row = self.client.rows("sale.sale", [["id", "=", credit]], "shipment_returns")[0]
        rows = self.client.rows(BACK, [["id", "in", list(row["shipment_returns"])]], "state")
        return {int(found["id"]): str(found["state"]) for found in rows}

    def _money(self, order: Order, refund: Refund, sale: Row, wanted: str, payments: list[Payment]) -> Write:
        """All tenders in one transaction, as drafts for whoever pays in Tryton."""
        references = [f"{wanted}/{payment.id}" for payment in payments]

        def find() -> str | None:
            rows = self.client.rows("account.payment", [["reference", "in", references]], "reference")
            there = {str(row["reference"]) for row in rows}
            return str(rows[0]["id"]) if there.issuperset(references) else None

        def send() -> str:
            values = [self._payment(order, refund, sale, f"{wanted}/{payment.id}", payment) for payment in payments]
            return find() or str(self.client.create("account.payment", *values)[0])

        return Write("money_back", send=send, find=find)

    def _payment(self, order: Order, refund: Refund, sale: Row, wanted: str, payment: Payment) -> dict[str, Any]:
        amount = payment.amount.in_role(order.money_role)
        return {
            "reference": wanted,
            "kind": "payable",
            "party": sale["party"],
            "journal": self._journal(payment.tender.value, amount.currency),
            "amount": abs(amount.amount),
            "date": date(*(payment.at or refund.at or order.updated_at).timetuple()[:3]),
        }

    def _code(self, sku: str) -> str:
        return self.connection.codes.theirs("sku", sku)
