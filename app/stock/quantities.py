"""Quantities as they are shown: 40, not 40.0000, for a column's scale is no part of what was counted."""

from __future__ import annotations

from decimal import Decimal


def plain(quantity: Decimal) -> Decimal:
    whole = quantity == quantity.to_integral_value()
    return quantity.quantize(Decimal(1)) if whole else quantity.normalize()
