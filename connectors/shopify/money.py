"""Money that is moved at Shopify by our word: an authorisation is captured, a refund is made.

orderCapture takes no key: a capture is recognised by its authorisation and amount, ids of other captures left out, and Shopify takes
no more than was authorised. refundCreate takes an idempotency key; our number stands in the refund's note, by which it is found.
Source: https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/orderCapture and .../refundCreate
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, Tender
from connectors.canonical.returns import Refund, RefundLine
from connectors.kit.account import Connection
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, Write
from connectors.shopify import documents, unlisted
from connectors.shopify.client import OWNER, Client, Row, accepted
from connectors.shopify.ids import gid, short

FAILED = ("FAILURE", "ERROR")


@dataclass(frozen=True)
class Purse:
    client: Client
    connection: Connection
    order: Order

    # ---- capture

    def capture(self, payment: Payment) -> Write:
        links = (("capture", payment.id),)
        return Write("capture", send=lambda: self._capture(payment), find=lambda: self._captured(payment), links=links)

    def _capture(self, payment: Payment) -> ExternalId:
        paid = seen(payment.amount)
        wanted = {
            "id": gid("Order", self.order.id),
            "parentTransactionId": gid("OrderTransaction", self._held(payment, paid.amount)),
            "amount": str(paid.amount),
            "currency": paid.currency,
        }
        made = accepted(self.client.ask(documents.CAPTURE, input=wanted), f"the capture for {self.order.number}")
        if made["transaction"]["status"] in FAILED:
            words = f"The payment provider declined to capture {paid} of {self.order.number}."
            raise Rejected(words, code="declined", remedy="Have the customer pay in another way.", owner="finance")
        return short(made["transaction"]["id"])

    def _held(self, payment: Payment, amount: Decimal) -> str:
        rows = () if unlisted.listed(payment.parent_id) else self._state(documents.TRANSACTIONS)["transactions"]
        return unlisted.held_by(payment, rows, amount)

    def _captured(self, payment: Payment) -> ExternalId | None:
        others = self.connection.known.others("capture", payment.id)
        rows, amount = self._state(documents.TRANSACTIONS)["transactions"], seen(payment.amount).amount
        parent = gid("OrderTransaction", unlisted.held_by(payment, rows, amount))
        for one in rows:
            mine = one["kind"] == "CAPTURE" and (one["parentTransaction"] or {}).get("id") == parent
            same = Decimal(one["amountSet"]["presentmentMoney"]["amount"]) == amount
            if mine and same and one["status"] not in FAILED and short(one["id"]) not in others:
                return short(one["id"])
        return None

    # ---- refund

    def give_back(self, refund: Refund, key: str) -> Write:
        links = (("refund", refund.id),)
        return Write("refund", send=lambda: self._refund(refund, key), find=lambda: self._refunded(refund), links=links)

    def _refund(self, refund: Refund, key: str) -> ExternalId:
        wanted = {
            "orderId": gid("Order", self.order.id),
            "currency": seen(refund.total).currency,
            "note": _note(refund),
            "refundLineItems": [self._line(one) for one in refund.lines],
            "transactions": [row for one in refund.payments if one.parent_id for row in self._transactions(one)],
            "refundMethods": [_credit(one) for one in refund.payments if not one.parent_id],
        }
        made = accepted(
            self.client.ask(documents.REFUND_ORDER, input=wanted, key=key), f"the refund of {self.order.number}"
        )
        return short(made["refund"]["id"])

    def _line(self, line: RefundLine) -> Row:
        told: dict[str, Any] = {"lineItemId": gid("LineItem", line.line_id), "quantity": int(line.quantity)}
        if not line.restock:
            return {**told, "restockType": "NO_RESTOCK"}
        return {**told, "restockType": "RETURN", "locationId": gid("Location", self._location(line.location))}

    def _location(self, ours: str) -> str:
        codes, settings = self.connection.codes, self.connection.account.settings
        return codes.theirs("location", ours) if ours else str(settings.get("location", ""))

    def _transactions(self, payment: Payment) -> list[Row]:
        told = {"orderId": gid("Order", self.order.id), "kind": "REFUND", "gateway": payment.gateway}
        rows = () if unlisted.listed(payment.parent_id) else self._state(documents.TRANSACTIONS)["transactions"]
        return [
            {**told, "parentId": gid("OrderTransaction", name), "amount": str(share)}
            for name, share in unlisted.took(payment, rows, seen(payment.amount).amount)
        ]

    def _refunded(self, refund: Refund) -> ExternalId | None:
        found = (one for one in self._state(documents.REFUNDS)["refunds"] if one["note"] == _note(refund))
        return next((short(one["id"]) for one in found), None)

    def _state(self, document: documents.Document) -> Row:
        state: Row | None = self.client.ask(document, id=gid("Order", self.order.id))
        if state is None:
            words = f"Shopify does not know the order {self.order.number}."
            raise Rejected(words, code="unknown_order", field="id", owner=OWNER)
        return state


def seen(bag: MoneyBag) -> Money:
    """Shopify moves money in the customer's currency."""
    return bag.presentment or bag.shop


def _note(refund: Refund) -> str:
    return f"{refund.note or 'Refund'} [{refund.id}]"


def _credit(payment: Payment) -> Row:
    """What goes back through no transaction is store credit on the account of the order's customer. Raises Rejected for anything else."""
    if payment.tender is not Tender.STORE_CREDIT:
        words = f"Shopify lists no transaction of {payment.gateway} that {payment.amount.shop} could go back through."
        raise Rejected(words, code="no_transaction", remedy="Refund it by hand in the shop.", owner="finance")
    paid = seen(payment.amount)
    return {"storeCreditRefund": {"amount": {"amount": str(paid.amount), "currencyCode": paid.currency}}}
