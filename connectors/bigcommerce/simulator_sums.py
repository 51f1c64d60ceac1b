"""The simulated store's arithmetic: what an order's lines, discounts, costs and taxes come to, as BigCommerce states it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.canonical.money import minor_unit

Json = dict[str, Any]
RATE = Decimal("0.19")


def four(amount: Decimal) -> str:
    """v2 tells sums as text with four decimals."""
    return str(amount.quantize(Decimal("0.0001"), ROUND_HALF_UP))


class Purse:
    """Sums of one order: `inclusive` where the store's prices hold their tax."""

    def __init__(self, currency: str, inclusive: bool, rate: Decimal = RATE) -> None:
        self.unit, self.inclusive, self.rate = minor_unit(currency), inclusive, rate

    def round(self, amount: Decimal) -> Decimal:
        return amount.quantize(self.unit, ROUND_HALF_UP)

    def both(self, amount: Decimal) -> tuple[Decimal, Decimal]:
        """(without tax, with tax) of what the store entered; the one that it did not enter is an estimate."""
        if self.inclusive:
            return amount / (1 + self.rate), amount
        return amount, amount * (1 + self.rate)

    def tax(self, amount: Decimal) -> Decimal:
        """The tax on a sum after discounts, or in it."""
        return self.round(amount * self.rate / (1 + self.rate) if self.inclusive else amount * self.rate)

    def costs(self, name: str, amount: Decimal) -> Json:
        without, whole = self.both(amount)
        return {
            f"base_{name}": four(amount),
            f"{name}_ex_tax": four(without),
            f"{name}_inc_tax": four(whole),
            f"{name}_tax": four(self.tax(amount)),
        }

    def spread(self, off: Decimal, sums: Sequence[Decimal]) -> list[Decimal]:
        """A discount over lines in proportion; the last bears what rounding leaves."""
        whole = sum(sums, Decimal(0))
        parts = [self.round(off * one / whole) if whole else Decimal(0) for one in sums]
        if parts:
            parts[-1] += off - sum(parts, Decimal(0))
        return parts


def totals(order: Mapping[str, Any]) -> Json:
    """The header's sums out of an order's parts (`sums`: goods, off, costs, fees; `purse`)."""
    purse = Purse(order["currency"], order["inclusive"], Decimal(order["rate"]))
    goods = sum((Decimal(one["sum"]) for one in order["lines"]), Decimal(0))
    costs = {name: Decimal(order[name]) for name in ("shipping", "handling")}
    wrapping = sum((Decimal(one["wrapping"]) for one in order["lines"]), Decimal(0))
    fees = sum((Decimal(one["amount"]) for one in order["fees"]), Decimal(0))
    off = Decimal(order["discount"]) + Decimal(order["coupon"])
    tax = sum((Decimal(row["line_amount"]) for row in order["taxes"]), Decimal(0))
    tax += sum((purse.tax(Decimal(one["amount"])) for one in order["fees"]), Decimal(0))
    total = goods + sum(costs.values()) + wrapping + fees - off + (Decimal(0) if purse.inclusive else tax)
    without, whole = purse.both(goods)
    goods_tax = sum((Decimal(r["line_amount"]) for r in order["taxes"] if r["line_item_type"] == "item"), Decimal(0))
    return {
        "subtotal_ex_tax": four(without),
        "subtotal_inc_tax": four(whole),
        "subtotal_tax": four(goods_tax),
        **purse.costs("shipping_cost", costs["shipping"]),
        **purse.costs("handling_cost", costs["handling"]),
        **purse.costs("wrapping_cost", wrapping),
        "total_ex_tax": four(total - tax),
        "total_inc_tax": four(total),
        "total_tax": four(tax),
        "discount_amount": four(Decimal(order["discount"])),
        "coupon_discount": four(Decimal(order["coupon"])),
    }
