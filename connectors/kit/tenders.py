"""The tenders of a refund: through which the money went back, and how much through each."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.gate import captured
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentStatus
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
        remedy="Look in the channel which payment was refunded and book it by hand.",
        owner="finance",
    )


def too_many(words: str) -> Rejected:
    remedy = "Book what is left by hand in the ERP, then mark the step as done."
    sentence = f"{words}: more than {MOST} are not booked by themselves."
    return Rejected(sentence, code="too_many_tenders", field="payments", remedy=remedy, owner="finance")
