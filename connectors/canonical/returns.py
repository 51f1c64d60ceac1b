"""A return is goods coming back, and a refund is money going back; either may come without the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from connectors.canonical.money import MoneyBag
from connectors.canonical.payment import Payment, PaymentStatus
from connectors.canonical.shipment import Tracking


class ReturnStatus(StrEnum):
    REQUESTED = "requested"
    OPEN = "open"
    RECEIVED = "received"
    CLOSED = "closed"
    DECLINED = "declined"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """How many of an order line come back, and why. `received_quantity` is None until somebody counted.

    `condition` is the receiver's own word for what arrived (sellable, damaged, quarantined).
    """

    line_id: str
    quantity: Decimal
    reason: str = ""
    sku: str = ""
    received_quantity: Decimal | None = None
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    """Goods on their way back to `location`; `origin` is the account that told of it by itself, stamped by the hub.

    `clues` are what else names the order that they left with: its number in the shop, the tracking number of the way out.
    """

    id: str
    status: ReturnStatus
    lines: tuple[ReturnLine, ...]
    number: str = ""
    exchange_lines: tuple[ReturnLine, ...] = ()
    at: datetime | None = None
    trackings: tuple[Tracking, ...] = ()
    location: str = ""
    origin: str = ""
    clues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Quantity refunded of an order line; `subtotal` after discounts; `tax` apart, or in it if prices include tax.

    `left` is how many of them had left the house before, None where nobody says so.
    """

    line_id: str
    quantity: Decimal
    subtotal: MoneyBag
    tax: MoneyBag
    restock: bool = False
    location: str = ""
    sku: str = ""
    left: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Money refunded or kept beside the lines: shipping, a fee, a discrepancy. Positive goes to the customer."""

    kind: str
    amount: MoneyBag
    tax: MoneyBag | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund: what for (lines, adjustments) and through which tenders; `total` is what the tenders moved.

    `status` pending: promised, no money has moved yet. `number` is what people call it by (a credit memo's), `reason`
    the source's code, `note` free text.
    """

    id: str
    total: MoneyBag
    lines: tuple[RefundLine, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    payments: tuple[Payment, ...] = ()
    return_id: str = ""
    note: str = ""
    at: datetime | None = None
    origin: str = ""
    number: str = ""
    reason: str = ""
    status: PaymentStatus = PaymentStatus.SUCCESS
