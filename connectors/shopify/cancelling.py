"""A whole order is cancelled at Shopify: a job that is polled, and the order itself shows what came of it.

orderCancel takes no key: an order is cancelled once, and is found cancelled by its `cancelledAt`. It would also cancel what has left in part, so
that is looked at first. No money goes back; Shopify lets go what was only authorised in any case.
Source: https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/orderCancel
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.canonical.order import CancelReason, Order
from connectors.kit.account import Connection
from connectors.kit.errors import Ambiguous, Rejected
from connectors.kit.writes import ExternalId, Job, Write
from connectors.shopify import documents
from connectors.shopify.client import OWNER, Client, Row, refused
from connectors.shopify.ids import gid

AGAIN = 1.0  # seconds until a job is looked at again
REASONS = {
    CancelReason.CUSTOMER.value: "CUSTOMER",
    CancelReason.INVENTORY.value: "INVENTORY",
    CancelReason.DECLINED.value: "DECLINED",
    CancelReason.FRAUD.value: "FRAUD",
}
NOT_LEFT = ("CANCELLED", "ERROR", "FAILURE")  # a fulfilment of these brought nothing away


@dataclass(frozen=True)
class Cancellation:
    client: Client
    connection: Connection
    order: Order

    def write(self) -> Write:
        return Write("cancellation", send=self._send, find=self._find, poll=self._ended)

    def _send(self) -> ExternalId | Job:
        there = self._there()
        if there["cancelledAt"]:
            return self.order.id
        if any(one["status"] not in NOT_LEFT for one in there["fulfillments"]):
            words = f"Order {self.order.number} has left, at least in part: what has left is not cancelled."
            raise Rejected(words, code="shipped", remedy="Take it back as a return.", owner=OWNER)
        reason = self.order.cancel_reason
        answer = self.client.ask(
            documents.CANCEL,
            order=there["id"],
            reason=REASONS.get(reason, "OTHER"),
            notify=bool(self.connection.account.settings.get("notify_customer", False)),
            note=f"Cancelled by word of the integration hub: {reason or 'other'}",
        )
        for error in answer["orderCancelUserErrors"]:
            if error["code"] == "INTERNAL_ERROR":
                raise Ambiguous("Shopify failed inside while it was to cancel the order.", code="internal_error")
            raise refused(error, f"to cancel {self.order.number}")
        return Job(str(answer["job"]["id"]), AGAIN)

    def _ended(self, job: str) -> ExternalId | Job:
        """The order's own word counts; the job's only says whether to wait for it."""
        found = self._find()
        if found is not None:
            return found
        running = self.client.ask(documents.JOB, id=job)
        if running is not None and not running["done"]:
            return Job(job, AGAIN)
        found = self._find()  # it may have ended between the two looks
        if found is None:
            words = f"Shopify has ended the job that was to cancel {self.order.number}, and the order is not cancelled."
            remedy = "Look at the order there: a return under way or a pending payment keeps it from being cancelled."
            raise Rejected(words, code="not_cancelled", remedy=remedy, owner=OWNER)
        return found

    def _find(self) -> ExternalId | None:
        return self.order.id if self._there()["cancelledAt"] else None

    def _there(self) -> Row:
        found: Row | None = self.client.ask(documents.STANDING, id=gid("Order", self.order.id))
        if found is None:
            words = f"Shopify does not know the order {self.order.number}."
            raise Rejected(words, code="unknown_order", field="id", owner=OWNER)
        return found
