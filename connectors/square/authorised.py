"""What was authorised at Square is completed, or cancelled, payment by payment, each whole: an order's payments must come to its total.

A payment keeps its id, so it is looked up by its state. Several that are approved for one order are paid together, under a key.
Source: ../shared/specs/square/api.json, CompletePayment, PayOrder and CancelPayment; payments and total:
https://developer.squareup.com/docs/payments-api/take-payments/card-payments/delayed-capture
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.canonical.money import minor_unit
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.kit.errors import Owner, Rejected
from connectors.kit.writes import ExternalId, Write
from connectors.square.client import Client, Row

OWNER: Owner = "finance"
HELD, TAKEN, GONE = "APPROVED", "COMPLETED", "CANCELED"


@dataclass(frozen=True)
class Authorised:
    client: Client
    order: Order
    payment: Payment
    key: str

    def capture(self) -> Write:
        """Raises Rejected for another sum than the payment's, and for one that is approved no more."""
        links = (("capture", self.payment.id),)
        return Write("capture", send=self._capture, find=lambda: self._id_if(TAKEN), links=links)

    def void(self) -> Write:
        """Raises Rejected for one that was taken."""
        links = (("void", self.payment.id),)
        return Write("void", send=self._void, find=lambda: self._id_if(GONE), links=links)

    def _void(self) -> ExternalId:
        paid = self._there()
        if paid["status"] == TAKEN:
            words = f"Square took the payment of {self.order.number} meanwhile."
            raise Rejected(words, code="captured", field="payment", remedy="Give the money back.", owner=OWNER)
        return str(paid["id"]) if paid["status"] == GONE else str(self.client.cancel_payment(str(paid["id"]))["id"])

    def _capture(self) -> ExternalId:
        paid = self._there()
        if paid["status"] == TAKEN:
            return str(paid["id"])
        self._takes_all(paid)
        approved = [row for row in self._beside() if row.get("status") == HELD]
        if len(approved) > 1:
            names = sorted(str(row["id"]) for row in approved)
            self.client.pay_order(self.order.id, names, _key(self.order.id, names))
        else:
            self.client.complete_payment(str(paid["id"]), paid.get("version_token"))
        return str(paid["id"])

    def _id_if(self, status: str) -> ExternalId | None:
        paid = self._there()
        return str(paid["id"]) if paid["status"] == status else None

    def _there(self) -> Row:
        found: Row | None = self.client.payment(self.payment.parent_id)
        if found is None:
            raise Rejected(f"Square has no payment of {self.order.number} by this id.", code="not_found", owner=OWNER)
        return found

    def _takes_all(self, paid: Row) -> None:
        unit = minor_unit(self.order.currency)
        wanted = int(self.payment.amount.in_role(self.order.money_role).amount / unit)
        if paid["status"] != HELD or int(paid["total_money"]["amount"]) != wanted:
            words = (
                f"Square completes a payment of {self.order.number} whole while it is approved: it is "
                f"{str(paid['status']).lower()} over {int(paid['total_money']['amount']) * unit}, not {wanted * unit}."
            )
            remedy = "Have the customer pay anew, or take it in Square."
            raise Rejected(words, code="whole_only", field="amount", remedy=remedy, owner=OWNER)

    def _beside(self) -> list[Row]:
        """The order's payments, as its tenders name them."""
        tenders = (self.client.order(self.order.id) or {}).get("tenders") or ()
        names = dict.fromkeys(str(one.get("payment_id") or one["id"]) for one in tenders)
        return [row for row in map(self.client.payment, names) if row is not None]


def _key(order_id: str, payments: Sequence[str]) -> str:
    """Of these payments: Square refuses others under the same key, even when it refused the first."""
    return hashlib.sha256(":".join((order_id, "pay", *payments)).encode()).hexdigest()[:40]
