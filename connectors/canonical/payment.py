"""A payment is one movement of money for an order through one tender; a settlement is what was paid out for many."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from connectors.canonical.money import Money, MoneyBag


class PaymentKind(StrEnum):
    """What moved, always positive. `CHANGE` is cash handed back at the till, `CHARGEBACK` what a bank took back."""

    AUTHORISATION = "authorisation"
    CAPTURE = "capture"
    SALE = "sale"
    VOID = "void"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    CHANGE = "change"


class PaymentStatus(StrEnum):
    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


class Takes(StrEnum):
    """How an authorisation may be captured: in `PARTS`, `ONCE` (any amount up to it, the rest is released), or only as a `WHOLE`, once."""

    PARTS = "parts"
    ONCE = "once"
    WHOLE = "whole"


class Tender(StrEnum):
    """Through what the money moves. `BANK`: transfer or debit; `PAY_LATER`: a lender pays us; `POINTS`: a reward."""

    CARD = "card"
    GIFT_CARD = "gift_card"
    STORE_CREDIT = "store_credit"
    CASH = "cash"
    WALLET = "wallet"
    INVOICE = "invoice"
    MARKETPLACE = "marketplace"
    OTHER = "other"
    BANK = "bank"
    PAY_LATER = "pay_later"
    POINTS = "points"


@dataclass(frozen=True, slots=True)
class Payment:
    """One transaction. `gateway` is the source's name of the method; `reference` the processor's number.

    A capture after `authorised_until` is refused; `takes` says how an authorisation may be captured.
    Of a card only what support searches for: brand and last four digits.
    `origin` is the account that told of it by itself (stamped by the hub), empty where the order did.
    `summed`: made of the order's totals, where its source lists no transactions.
    """

    id: str
    kind: PaymentKind
    tender: Tender
    amount: MoneyBag
    status: PaymentStatus = PaymentStatus.SUCCESS
    gateway: str = ""
    reference: str = ""
    parent_id: str = ""
    at: datetime | None = None
    card_brand: str = ""
    card_last4: str = ""
    authorisation_code: str = ""
    authorised_until: datetime | None = None
    origin: str = ""
    takes: Takes = Takes.PARTS
    summed: bool = False


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
    """A payout and its lines; the lines' net sums to `total` to the minor unit.

    `status` is the source's own word (paid, in transit, failed); `reference` what the bank statement shows.
    """

    id: str
    total: Money
    paid_at: datetime | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    lines: tuple[SettlementLine, ...] = ()
    status: str = ""
    reference: str = ""
