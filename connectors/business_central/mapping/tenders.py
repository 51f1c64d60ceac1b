"""The money of an order and of its refunds, tender by tender, as lines of journals that a person posts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.business_central.mapping import names
from connectors.business_central.mapping.policy import Policy
from connectors.canonical.gate import captured
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Tender
from connectors.canonical.returns import Refund
from connectors.kit.amounts import ZERO, in_role
from connectors.kit.errors import Rejected

MOST = 6  # tenders of a refund or order: as many as the manifest names writes


@dataclass(frozen=True, slots=True)
class Due:
    """What goes back through one tender."""

    gateway: str
    amount: Decimal


def dues(order: Order, refund: Refund) -> tuple[Due, ...]:
    """What each tender has moved. A transaction that is not done yet waits: it comes again when it is."""
    role = order.money_role
    if refund.status is not PaymentStatus.SUCCESS:
        return ()
    if not refund.payments:
        amount = in_role(refund.total, role)
        return (Due(_only_tender(order), amount),) if amount else ()
    sums: dict[str, Decimal] = {}
    for one in refund.payments:
        if one.status is PaymentStatus.SUCCESS:
            sums[gateway(one)] = sums.get(gateway(one), ZERO) + in_role(one.amount, role)
    found = tuple(Due(name, amount) for name, amount in sorted(sums.items()) if amount)
    if len(found) > MOST:
        raise too_many(f"A refund of {order.number} went to {len(found)} tenders")
    return found


def gateway(payment: Payment) -> str:
    """The name under which a tender has its cross reference."""
    return payment.gateway or payment.tender.value


def _only_tender(order: Order) -> str:
    taken = tuple(captured(order))
    if len(taken) == 1 and taken[0]:
        return taken[0]
    raise Rejected(
        f"A refund of {order.number} does not say to which tender it went.",
        code="tender_unknown",
        field="payments",
        remedy="Look in the channel which payment was refunded and book the journal line by hand.",
        owner="finance",
    )


def too_many(words: str) -> Rejected:
    remedy = "Book what is left by hand in Business Central, then mark the step as done."
    sentence = f"{words}: more than {MOST} are not booked by themselves."
    return Rejected(sentence, code="too_many_tenders", field="payments", remedy=remedy, owner="finance")


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
