"""A return is goods coming back, and a refund is money going back; either may come without the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from connectors.canonical.money import MoneyBag
from connectors.canonical.payment import Payment


class ReturnStatus(StrEnum):
    REQUESTED = "requested"
    OPEN = "open"
    RECEIVED = "received"
    CLOSED = "closed"
    DECLINED = "declined"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ReturnLine:
    line_id: str
    quantity: Decimal
    reason: str = ""
    sku: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    id: str
    status: ReturnStatus
    lines: tuple[ReturnLine, ...]
    number: str = ""
    exchange_lines: tuple[ReturnLine, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Quantity refunded of an order line: `subtotal` after discounts; `tax` apart (inside `subtotal` where prices include it)."""

    line_id: str
    quantity: Decimal
    subtotal: MoneyBag
    tax: MoneyBag
    restock: bool = False
    location: str = ""
    sku: str = ""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Money refunded or kept beside the lines: shipping, a fee, a discrepancy. Positive goes to the customer."""

    kind: str
    amount: MoneyBag
    tax: MoneyBag | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund: what for (lines, adjustments) and through which tenders; `total` is what the tenders moved."""

    id: str
    total: MoneyBag
    lines: tuple[RefundLine, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    payments: tuple[Payment, ...] = ()
    return_id: str = ""
    note: str = ""
    at: datetime | None = None
    origin: str = ""
