"""What an order was paid with, as NetSuite books it: deposits of its customer, or its own gift certificates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Tender
from connectors.kit.amounts import ZERO
from connectors.kit.errors import Rejected
from connectors.netsuite.mapping import names
from connectors.netsuite.mapping.policy import Policy

MOST = 6  # deposits of an order and payouts of a refund: as many as the manifest names writes


def taken(order: Order) -> tuple[Payment, ...]:
    """The payments that brought money in."""
    kinds = (PaymentKind.SALE, PaymentKind.CAPTURE)
    return tuple(one for one in order.payments if one.kind in kinds and one.status is PaymentStatus.SUCCESS)


def gift_cards(order: Order) -> tuple[Payment, ...]:
    """The gift cards that paid for the order: tenders, which never change its total."""
    return tuple(payment for payment in taken(order) if payment.tender is Tender.GIFT_CARD)


def certificates(order: Order, policy: Policy) -> dict[str, Any]:
    """NetSuite's own gift certificates, where the account sells those: known by the payment's reference."""
    used = gift_cards(order) if policy.gift_cards == "redemption" else ()
    rows = [{"authCode": {"id": one.reference}, "authCodeApplied": _amount(order, one)} for one in used]
    return {"giftCertRedemption": {"items": rows}} if rows else {}


def _amount(order: Order, payment: Payment) -> Any:
    return payment.amount.in_role(order.money_role).amount


def gateway(payment: Payment) -> str:
    """The name under which a tender has its cross reference."""
    return payment.gateway or payment.tender.value


def for_cash(order: Order, policy: Policy) -> Payment | None:
    """The payment through whose tender an order is sold for cash: all of it was taken through that one. Else None."""
    paid = taken(order)
    if policy.billing != "cash_sale" or len({gateway(one) for one in paid}) != 1:
        return None
    price = (order.current or order.totals).total.in_role(order.money_role).amount
    whole = sum((one.amount.in_role(order.money_role).amount for one in paid), ZERO)
    return paid[0] if whole >= price else None


def deposited(order: Order, policy: Policy) -> tuple[Payment, ...]:
    """The payments that are booked as deposits with an order: gift cards (tenders that the books must know), all, or
    none. What is sold for cash needs no deposit: the cash sale takes the money.
    """
    if policy.deposits == "none" or for_cash(order, policy):
        return ()
    cards = gift_cards(order)
    booked = cards if policy.gift_cards == "deposit" else ()
    return tuple(one for one in taken(order) if one in booked or (policy.deposits == "all" and one not in cards))


def deposits(order: Order, policy: Policy) -> tuple[dict[str, Any], ...]:
    """The bodies of an order's deposits."""
    paid = deposited(order, policy)
    if len(paid) > MOST:
        raise too_many(f"Order {order.number} was paid with {len(paid)} tenders")
    return tuple(deposit(order, one, policy) for one in paid)


def kept(order: Order, payment: Payment, policy: Policy) -> bool:
    """Whether a payment that came by itself is booked as a deposit. What is sold for cash is taken by the cash sale."""
    known = any(one.id == payment.id for one in order.payments)
    whole = order if known else replace(order, payments=(*order.payments, payment))
    return any(one.id == payment.id for one in deposited(whole, policy))


def deposit(order: Order, payment: Payment, policy: Policy) -> dict[str, Any]:
    money = payment.amount.in_role(order.money_role)
    body = {
        "externalId": names.of_deposit(order, payment),
        "currency": policy.currency(money.currency),
        "tranDate": policy.day(payment.at or order.placed_at),
        "payment": money.amount,
        "paymentOption": {"id": policy.codes.theirs("payment_method", gateway(payment))},
        "memo": f"{order.number} {payment.reference}".strip(),
    }
    return {name: value for name, value in body.items() if value not in ("", None)}


def too_many(words: str) -> Rejected:
    remedy = "Book what is left by hand in NetSuite, then mark the step as done."
    return Rejected(
        f"{words}: more than {MOST} are not booked by themselves.",
        code="too_many_tenders",
        field="payments",
        remedy=remedy,
        owner="finance",
    )
