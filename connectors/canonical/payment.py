"""A payment is one movement of money for an order through one tender; a settlement is what the processor paid out for many."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from connectors.canonical.money import Money, MoneyBag


class PaymentKind(StrEnum):
    AUTHORISATION = "authorisation"
    CAPTURE = "capture"
    SALE = "sale"
    VOID = "void"
    REFUND = "refund"


class PaymentStatus(StrEnum):
    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


class Tender(StrEnum):
    CARD = "card"
    GIFT_CARD = "gift_card"
    STORE_CREDIT = "store_credit"
    CASH = "cash"
    WALLET = "wallet"
    INVOICE = "invoice"
    MARKETPLACE = "marketplace"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Payment:
    """One transaction. `gateway` is the source's name of the method; `reference` the processor's number."""

    id: str
    kind: PaymentKind
    tender: Tender
    amount: MoneyBag
    status: PaymentStatus = PaymentStatus.SUCCESS
    gateway: str = ""
    reference: str = ""
    parent_id: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SettlementLine:
    """One row of a payout: `gross` - `fee` = `net`, signed as the merchant sees it."""

    id: str
    kind: str
    gross: Money
    fee: Money
    net: Money
    order_id: str = ""
    payment_id: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """A payout and its lines; the lines' net sums to `total` to the minor unit."""

    id: str
    total: Money
    paid_at: datetime | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    lines: tuple[SettlementLine, ...] = ()
