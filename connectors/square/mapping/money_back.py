"""The money of refunds: PaymentRefunds as payments, which of them belong to which order, and what an exchange pays with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Tender
from connectors.kit.place import Place
from connectors.square.mapping.payments import gateway_of, tender_of
from connectors.square.mapping.values import Sums

EXCHANGE = "exchange"
# PaymentRefund.status, and RefundStatus of an order's own list.
STATES = {
    "pending": PaymentStatus.PENDING,
    "completed": PaymentStatus.SUCCESS,
    "approved": PaymentStatus.SUCCESS,
    "rejected": PaymentStatus.FAILURE,
    "failed": PaymentStatus.FAILURE,
}


@dataclass(frozen=True, slots=True)
class Money:
    """What was fetched beside an order: its refunds and the payments that they give back, by id."""

    refunds: tuple[Place, ...]
    payments: Mapping[str, Place]
    variations: Mapping[str, Place]


def exchange_credit(order: Place, refunds: Sequence[Place], sums: Sums) -> Payment | None:
    """What an exchange brought back pays for what it took along, as far as no money left the till."""
    owed = sum((sums.minor(one.at("return_amounts").at("total_money")) for one in order.at("returns").items()), 0)
    name = order.at("id").text()
    out = sum(
        (
            sums.minor(one.at("amount_money"))
            for one in rows_of(order, refunds)
            if one.at("status").one_of(STATES) is not PaymentStatus.FAILURE
        ),
        0,
    )
    credit = owed - out
    if credit <= 0 or not order.at("line_items").items():
        return None
    at = order.at("created_at").time()
    return Payment(
        f"{name}-{EXCHANGE}", PaymentKind.SALE, Tender.STORE_CREDIT, sums.bag(credit), gateway=EXCHANGE, at=at
    )


def rows_of(order: Place, refunds: Sequence[Place]) -> list[Place]:
    """The refunds that an order lists, or that name it."""
    name = order.at("id").text()
    listed = {one.at("id").text() for one in order.at("refunds").items()}
    return [one for one in refunds if one.at("order_id").text() == name or one.at("id").text() in listed]


def sold_by(row: Place, money: Money) -> str:
    return money.payments.get(row.at("payment_id").text(), Place(None)).at("order_id").text()


def went(paid: Payment) -> bool:
    return paid.status is not PaymentStatus.FAILURE


def status_of(payments: Sequence[Payment]) -> PaymentStatus:
    """Pending while some money has not moved; failed where none will."""
    states = {one.status for one in payments}
    if PaymentStatus.PENDING in states:
        return PaymentStatus.PENDING
    return PaymentStatus.FAILURE if states == {PaymentStatus.FAILURE} else PaymentStatus.SUCCESS


def payment_of(row: Place, money: Money, sums: Sums) -> Payment:
    name = row.at("payment_id").text() or row.at("tender_id").text()
    paid = money.payments.get(name, Place(None))
    destination = Place({"source_type": row.at("destination_type").text()})
    known = paid if paid.value else destination
    return Payment(
        id=row.at("id").needed().id(),
        kind=PaymentKind.REFUND,
        tender=tender_of(known),
        amount=sums.bag(sums.minor(row.at("amount_money").needed())),
        status=row.at("status").one_of(STATES),
        gateway=gateway_of(known).lower(),
        parent_id=name,
        at=row.at("created_at").time(),
    )


def exchanged(name: str, minor: int, at: datetime | None, sums: Sums) -> Payment:
    return Payment(
        f"{name}-{EXCHANGE}-back", PaymentKind.REFUND, Tender.STORE_CREDIT, sums.bag(minor), gateway=EXCHANGE, at=at
    )
