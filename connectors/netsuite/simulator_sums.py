"""The simulator's own arithmetic: what NetSuite makes of what it was sent, worked out apart from our mapping."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")


def number(value: Any) -> Decimal:
    return Decimal(str(value)) if value not in (None, "") else Decimal(0)


def line_amount(line: Mapping[str, Any]) -> Decimal:
    """The amount where it was given, else quantity times rate in cents; a discount's rate is its amount."""
    if line.get("amount") is not None:
        return number(line["amount"])
    quantity = number(line.get("quantity", 1))
    return (quantity * number(line.get("rate"))).quantize(CENT, ROUND_HALF_UP)


def sums(record: Mapping[str, Any]) -> dict[str, Decimal]:
    """Subtotal, discount, shipping, tax, gift certificates and total of a transaction."""
    subtotal = sum((line_amount(line) for line in record.get("lines", ())), Decimal(0))
    tax = sum((number(row.get("taxAmount")) for row in record.get("taxDetails", ())), Decimal(0))
    cards = sum((number(row.get("authCodeApplied")) for row in record.get("giftCertRedemption", ())), Decimal(0))
    discount, shipping = number(record.get("discountRate")), number(record.get("shippingCost"))
    total = subtotal + discount + shipping + (tax if record.get("taxDetailsOverride") else Decimal(0)) - cards
    return {
        "subtotal": subtotal,
        "discountTotal": discount,
        "shippingCost": shipping,
        "taxTotal": tax,
        "giftCertApplied": cards,
        "total": total,
    }


def told(value: Any) -> Any:
    """A value for the memory: amounts as text, so that a restart changes none."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {name: told(inner) for name, inner in value.items()}
    return [told(inner) for inner in value] if isinstance(value, list) else value
