"""Payments that came in, as Tryton's: receivable, in the journal of their tender and currency, drafts for whoever reconciles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus
from connectors.kit.account import Connection
from connectors.kit.errors import Rejected
from connectors.kit.writes import Write, Writes
from connectors.tryton.client import Client
from connectors.tryton.sales import Sales, reference

TAKEN = (PaymentKind.SALE, PaymentKind.CAPTURE)


class Payments:
    connection: Connection
    client: Client
    sales: Sales

    def record_payment(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """Empty where the account notes no payments."""
        if not self._noted((payment,)):
            return ""
        return (yield self._received("payment", order, int(self.sales.of(order)["party"]), (payment,)))

    def _noted(self, payments: Sequence[Payment]) -> tuple[Payment, ...]:
        """Those that the account puts in the books: all or none."""
        if self.connection.account.settings.get("payments", "none") != "all":
            return ()
        return tuple(one for one in payments if one.kind in TAKEN and one.status is PaymentStatus.SUCCESS)

    def _received(self, name: str, order: Order, party: int, payments: Sequence[Payment]) -> Write:
        """All in one transaction; those that are there already are left alone."""
        wanted = {f"{reference(order)}/{payment.id}": payment for payment in payments}

        def there() -> dict[str, str]:
            rows = self.client.rows("account.payment", [["reference", "in", list(wanted)]], "reference")
            return {str(row["reference"]): str(row["id"]) for row in rows}

        def find() -> str | None:
            known = there()
            return known[next(iter(wanted))] if known.keys() == wanted.keys() else None

        def send() -> str:
            known = there()
            new = [self._values(order, party, ref, one) for ref, one in wanted.items() if ref not in known]
            made = self.client.create("account.payment", *new) if new else []
            return known.get(next(iter(wanted))) or str(made[0])

        return Write(name, send=send, find=find)

    def _values(self, order: Order, party: int, wanted: str, payment: Payment) -> dict[str, Any]:
        amount = payment.amount.in_role(order.money_role)
        return {
            "reference": wanted,
            "kind": "receivable",
            "party": party,
            "journal": self._journal(payment.tender.value, amount.currency),
            "amount": abs(amount.amount),
            "date": date(*(payment.at or order.placed_at).timetuple()[:3]),
        }

    def _journal(self, tender: str, currency: str) -> int:
        name = str(dict(self.connection.account.settings.get("journals", {})).get(tender, tender))
        row = self.client.first("account.payment.journal", [["name", "=", name], ["currency.code", "=", currency]])
        if row is None:
            sentence = f"Tryton has no payment journal {name} in {currency}."
            raise Rejected(sentence, code="journal", remedy="Add the journal in Tryton.", owner="finance")
        return int(row["id"])
