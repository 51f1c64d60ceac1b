"""What was authorised is captured at BigCommerce order by order and whole: the call names no sum, and the work is done a while later.

A capture is known by its transaction, which names the one that authorised it; where the store lists no transactions, by the order's
payment status. Asked twice it is made once: an order whose capture is pending or made is not asked again.
Source: ../shared/specs/bigcommerce/orders.v3.yml, captureOrderPayment and getOrderTransactions.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.bigcommerce.client import Client, Row
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, Job, Write

OWNER = "finance"
AGAIN = 3.0  # seconds until a payment that is pending is looked at again
PENDING = "capture pending"
TAKEN = ("captured", "paid", "partially refunded", "refunded")


@dataclass(frozen=True)
class Authorised:
    client: Client
    order: Order
    payment: Payment

    def capture(self) -> Write:
        """Raises Rejected for another sum than what was authorised, and where the provider declines."""
        links = (("capture", self.payment.id),)
        return Write("capture", send=self._capture, find=self._captured, poll=self._poll, links=links)

    def _capture(self) -> ExternalId | Job:
        self._whole()
        known = self._state()
        if known is None:
            self.client.capture(self.order.id)
            known = self._state()
        return known or Job(self.payment.parent_id, AGAIN)

    def _whole(self) -> None:
        held = next((one for one in self.order.payments if one.id == self.payment.parent_id), None)
        if held is None or held.amount != self.payment.amount:
            told = held.amount.shop if held else "what nobody authorised"
            words = f"BigCommerce takes {told} for {self.order.number}, or nothing: not {self.payment.amount.shop}."
            raise Rejected(
                words, code="whole_only", field="amount", remedy="Take it in the control panel.", owner=OWNER
            )

    def _poll(self, job: str) -> ExternalId | Job:
        known = self._state()
        if known is None:
            words = f"The payment provider did not take what was authorised for {self.order.number}."
            remedy = "Look at the order's payment in the control panel, and have the customer pay in another way."
            raise Rejected(words, code="declined", remedy=remedy, owner=OWNER)
        return known

    def _captured(self) -> ExternalId | None:
        known = self._state()
        return known if isinstance(known, str) else None

    def _state(self) -> ExternalId | Job | None:
        """The id of what was taken, a Job while it is being taken, None where nobody asked for it or it was declined."""
        rows = self.client.transactions(self.order.id)
        taken = next((str(row["id"]) for row in rows if self._takes(row)), None)
        if taken is not None:
            return taken
        status = str((self.client.order(self.order.id) or {}).get("payment_status") or "").lower()
        if status == PENDING:
            return Job(self.payment.parent_id, AGAIN)
        listed = any(str(row["id"]) == self.payment.parent_id for row in rows)
        return self.payment.parent_id if status in TAKEN and not listed else None

    def _takes(self, row: Row) -> bool:
        of = str(row.get("reference_transaction_id") or "")
        return row.get("event") == "capture" and of == self.payment.parent_id and row.get("status", "ok") != "error"
