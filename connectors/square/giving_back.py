"""Money is given back payment by payment, each under a key that Square honours, and with our key in its reason.

Square moves (or, for cash and external payments, records) it; it may stay pending for days, and then the refund's webhook tells the end.
Source: ../shared/specs/square/api.json, RefundPayment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.money import minor_unit
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus
from connectors.canonical.returns import Refund
from connectors.kit.account import Connection
from connectors.kit.errors import Owner, Rejected
from connectors.kit.writes import ExternalId, Write, Writes
from connectors.square.client import Client, Row

OWNER: Owner = "finance"
NAMES = ("refund", "refund_2", "refund_3", "refund_4", "refund_5")
LOST = ("REJECTED", "FAILED")
Part = tuple[str, int]  # a payment's id and minor units


@dataclass(frozen=True)
class GivingBack:
    client: Client
    connection: Connection
    order: Order
    refund: Refund
    key: str

    def writes(self) -> Writes:
        """One refund for each payment. Returns the id of the first."""
        parts = list(self._parts())
        if not parts or len(parts) > len(NAMES):
            words = f"The refund names {len(parts)} payments of order {self.order.number}."
            raise Rejected(
                words, code="no_payment", field="payments", remedy="Say through which payment it goes.", owner=OWNER
            )
        done: list[ExternalId] = []
        for name, part in zip(NAMES, parts, strict=False):
            done.append((yield self._write(name, part, first=not done)))
        return done[0]

    def _write(self, name: str, part: Part, first: bool) -> Write:
        links = (("refund", self.refund.id),) if first else ()
        return Write(name, lambda: self._send(part), lambda: self._find(part), links=links)

    # ---- through which payments

    def _parts(self) -> Iterator[Part]:
        """As the refund says; else over the payments that took money, the first first."""
        told = [(one.parent_id, self._minor(one)) for one in self.refund.payments if one.parent_id]
        if told:
            self._sums_up(told)
            yield from told
            return
        left = self.refund.total.in_role(self.order.money_role).amount / self._unit
        for paid in self.order.payments:
            share = min(int(left), self._minor(paid) - self._back(paid)) if _took(paid) else 0
            if share > 0:
                left -= share
                yield paid.id, share
        if left:
            words = f"Order {self.order.number} was paid with less than is to be given back."
            raise Rejected(words, code="above_captured", field="total", owner=OWNER)

    def _sums_up(self, told: list[Part]) -> None:
        wanted = self.refund.total.in_role(self.order.money_role).amount / self._unit
        if sum(minor for _, minor in told) != wanted:
            words = "The refund's payments do not make its total."
            raise Rejected(words, code="total_differs", field="payments", remedy="Decide the refund anew.", owner=OWNER)

    @property
    def _unit(self) -> Decimal:
        return minor_unit(self.order.currency)

    def _minor(self, payment: Payment) -> int:
        return int(payment.amount.in_role(self.order.money_role).amount / self._unit)

    def _back(self, paid: Payment) -> int:
        """Minor units of a payment that went back already."""
        rows = (one for refund in self.order.refunds for one in refund.payments)
        return sum(
            self._minor(one) for one in rows if one.parent_id == paid.id and one.status is not PaymentStatus.FAILURE
        )

    # ---- the write

    def _reason(self) -> str:
        return f"{self.refund.note or 'Refund'} [{self.key}]"[-192:]

    def _send(self, part: Part) -> ExternalId:
        payment, minor = part
        asked = {
            "idempotency_key": hashlib.sha256(f"{self.key}:{payment}".encode()).hexdigest()[:40],
            "payment_id": payment,
            "amount_money": {"amount": minor, "currency": self.order.currency},
            "reason": self._reason(),
        }
        return self._lives(self.client.give_back(asked))

    def _lives(self, made: Row) -> ExternalId:
        if made.get("status") in LOST:
            words = f"Square could not give the money back ({str(made['status']).lower()})."
            raise Rejected(words, code="declined", remedy="Refund through another tender.", owner=OWNER)
        return self._name(made)

    def _name(self, made: Row) -> ExternalId:
        """As the order's snapshot will call it: by the return order that Square made for it, else by itself (mapping/refunds.py)."""
        own = str(made.get("order_id") or "")
        return own if own and own != self.order.id else str(made["id"])

    def _find(self, part: Part) -> ExternalId | None:
        """The payment's refund whose reason bears our key; a list of refunds may be seconds late, the payment's own ids are not."""
        paid = self.client.payment(part[0])
        for name in (paid or {}).get("refund_ids") or ():
            row = self.client.refund(str(name))
            if row and f"[{self.key}]" in str(row.get("reason") or "") and row.get("status") not in LOST:
                return self._name(row)
        return None


def _took(paid: Payment) -> bool:
    return (
        paid.kind in (PaymentKind.SALE, PaymentKind.CAPTURE)
        and paid.status is PaymentStatus.SUCCESS
        and paid.gateway != "exchange"
    )
