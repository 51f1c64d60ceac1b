"""Sums of one order in its one currency, for sources that tell no second amount."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.money import Money, MoneyBag, minor_unit


@dataclass(frozen=True, slots=True)
class Sums:
    """Bags of one currency, in the role of the shop."""

    currency: str

    def bag(self, amount: Decimal) -> MoneyBag:
        """In whole minor units where it is such, else with its own decimals (prices without tax may have four)."""
        rounded = amount.quantize(minor_unit(self.currency))
        return MoneyBag(Money(rounded if rounded == amount else amount.normalize(), self.currency))

    def zero(self) -> MoneyBag:
        return self.bag(Decimal(0))

    def sum(self, bags: Iterable[MoneyBag]) -> MoneyBag:
        return sum(bags, start=self.zero())

    def rounded(self, amount: Decimal) -> Decimal:
        """In whole minor units, half up."""
        return Money(amount, self.currency).rounded().amount
