"""The money of an order and of its refunds, tender by tender, as lines of journals that a person posts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.business_central.mapping.policy import Policy
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Tender
from connectors.canonical.returns import Refund
from connectors.kit import names
from connectors.kit.amounts import in_role
from connectors.kit.tenders import MOST, Due, gateway, too_many


def money_back(order: Order, refund: Refund, due: Due, customer: str, policy: Policy) -> dict[str, Any]:
    """A journal line: the customer is debited, the tender's account credited. A person applies and posts it."""
    body = {
        "externalDocumentNumber": names.of_tender(order, refund, due.gateway),
        "accountType": "Customer",
        "accountId": customer,
        "postingDate": policy.day(refund.at) if refund.at else "",
        "amount": due.amount,
        "description": f"Refund {order.number} {due.gateway}"[:100],
        **balance(policy.codes.theirs("payment_method", due.gateway)),
    }
    return {name: value for name, value in body.items() if value not in ("", None)}


def balance(account: str) -> dict[str, str]:
    """The other side of a journal line: "bank:CODE" is a bank account, anything else the number of a G/L account."""
    kind, _, code = account.rpartition(":")
    return {
        "balanceAccountType": "Bank Account" if kind.casefold() == "bank" else "G/L Account",
        "balancingAccountNumber": code,
    }


TAKEN = (PaymentKind.SALE, PaymentKind.CAPTURE)


def payments(order: Order, policy: Policy) -> tuple[tuple[Payment, Callable[[str], dict[str, Any]]], ...]:
    """The payments of an order to put in the payment journal: none, those by gift card, or all; each with its body for a
    customer.
    """
    if policy.payments == "none":
        return ()
    paid = [
        one
        for one in order.payments
        if one.kind in TAKEN
        and one.status is PaymentStatus.SUCCESS
        and (policy.payments == "all" or one.tender is Tender.GIFT_CARD)
    ]
    if len(paid) > MOST:
        raise too_many(f"Order {order.number} was paid with {len(paid)} tenders")
    return tuple((one, _paid(order, one, policy)) for one in paid)


def _paid(order: Order, payment: Payment, policy: Policy) -> Callable[[str], dict[str, Any]]:
    """A customer payment: its amount is negative (the customer is credited). The journal's own balancing account is
    where the money lies, so the tender stands in its comment.
    """
    at = payment.at or order.placed_at
    body = {
        "externalDocumentNumber": names.of_payment(order, payment),
        "postingDate": policy.day(at),
        "amount": -in_role(payment.amount, order.money_role),
        "description": f"{order.number} {gateway(payment)}"[:100],
        "comment": payment.reference[:250],
    }
    return lambda customer: {"customerId": customer, **{name: value for name, value in body.items() if value != ""}}
