"""What was authorised is captured or released at BigCommerce order by order and whole: the call names no sum, and the work is done a while later.

Either is known by its transaction, which names the one that authorised it; where the store lists no transactions, by the order's
payment status. Asked twice it is made once: what is pending or made is not asked for again.
Source: ../shared/specs/bigcommerce/orders.v3.yml, captureOrderPayment, voidOrderPayment, getOrderTransactions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectors.bigcommerce.client import Client, Row
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.kit.errors import Owner, Rejected
from connectors.kit.writes import ExternalId, Job, Write

OWNER: Owner = "finance"
AGAIN = 3.0  # seconds until a payment that is pending is looked at again
DONE = {"capture": ("captured", "paid", "partially refunded", "refunded"), "void": ("void", "voided")}


@dataclass(frozen=True)
class Authorised:
    client: Client
    order: Order
    payment: Payment

    def capture(self) -> Write:
        """Raises Rejected for another sum than what was authorised, and where the provider declines."""
        self._whole()
        return self._write("capture", self.client.capture)

    def void(self) -> Write:
        """Raises Rejected where the provider declines, and for what was taken meanwhile."""
        return self._write("void", self.client.void)

    def _write(self, what: str, ask: Callable[[str], None]) -> Write:
        def send() -> ExternalId | Job:
            known = self._state(what)
            if known is None:
                ask(self.order.id)
                known = self._state(what)
            return known or Job(self.payment.parent_id, AGAIN)

        def find() -> ExternalId | None:
            known = self._state(what)
            return known if isinstance(known, str) else None

        return Write(what, send, find, lambda job: self._polled(what), links=((what, self.payment.id),))

    def _whole(self) -> None:
        held = next((one for one in self.order.payments if one.id == self.payment.parent_id), None)
        if held is None or held.amount != self.payment.amount:
            told = held.amount.shop if held else "what nobody authorised"
            words = f"BigCommerce takes {told} for {self.order.number}, or nothing: not {self.payment.amount.shop}."
            raise Rejected(
                words, code="whole_only", field="amount", remedy="Take it in the control panel.", owner=OWNER
            )

    def _polled(self, what: str) -> ExternalId | Job:
        known = self._state(what)
        if known is None:
            words = f"The payment provider did not {what} what was authorised for {self.order.number}."
            remedy = "Look at the order's payment in the control panel, and have the customer pay in another way."
            raise Rejected(words, code="declined", remedy=remedy, owner=OWNER)
        return known

    def _state(self, what: str) -> ExternalId | Job | None:
        """The id of what was done, a Job while it is being done, None where nobody asked for it or it was declined."""
        rows = self.client.transactions(self.order.id)
        done = next((str(row["id"]) for row in rows if self._is(what, row)), None)
        if done is not None:
            return done
        status = str((self.client.order(self.order.id) or {}).get("payment_status") or "").lower()
        if status == f"{what} pending":
            return Job(self.payment.parent_id, AGAIN)
        listed = any(str(row["id"]) == self.payment.parent_id for row in rows)
        return self.payment.parent_id if status in DONE[what] and not listed else None

    def _is(self, what: str, row: Row) -> bool:
        of = str(row.get("reference_transaction_id") or "")
        return row.get("event") == what and of == self.payment.parent_id and row.get("status", "ok") != "error"
