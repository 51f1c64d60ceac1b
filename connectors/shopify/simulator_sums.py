"""Sums of the simulated shop in two currencies at once, each added up by itself as Shopify does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.canonical.money import minor_unit


@dataclass(frozen=True)
class Sum:
    """An amount in the shop's and in the customer's currency."""

    shop: Decimal
    seen: Decimal

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.shop + other.shop, self.seen + other.seen)

    def __sub__(self, other: Sum) -> Sum:
        return Sum(self.shop - other.shop, self.seen - other.seen)

    def __mul__(self, factor: int | Decimal) -> Sum:
        return Sum(self.shop * factor, self.seen * factor)

    def __bool__(self) -> bool:
        return bool(self.shop or self.seen)


NOTHING = Sum(Decimal(0), Decimal(0))


@dataclass(frozen=True)
class Currencies:
    """`rate`: how much of the shop's currency one of the customer's is."""

    shop: str
    seen: str
    rate: Decimal = Decimal(1)

    def of(self, amount: Decimal) -> Sum:
        """A price in the customer's currency, and what it is in the shop's, both in whole minor units."""
        return Sum(rounded(amount * self.rate, self.shop), rounded(amount, self.seen))

    def share(self, whole: Sum, part: Decimal) -> Sum:
        return Sum(rounded(whole.shop * part, self.shop), rounded(whole.seen * part, self.seen))

    def money(self, amount: Sum) -> dict[str, Any]:
        """{shop_money, presentment_money} as webhooks write it."""
        return {
            "shop_money": {"amount": written(amount.shop, self.shop), "currency_code": self.shop},
            "presentment_money": {"amount": written(amount.seen, self.seen), "currency_code": self.seen},
        }

    def both(self, name: str, amount: Sum) -> dict[str, Any]:
        """A sum in the shop's currency and its set, side by side."""
        return {name: written(amount.shop, self.shop), f"{name}_set": self.money(amount)}

    def spread(self, whole: Sum, weights: Sequence[Decimal]) -> list[Sum]:
        """A discount over lines by their worth; the last takes the rounding."""
        if not weights:
            return []
        worth = sum(weights) or Decimal(1)
        shares = [self.share(whole, weight / worth) for weight in weights[:-1]]
        return [*shares, whole - total(shares)]


def total(sums: Iterable[Sum]) -> Sum:
    return sum(sums, start=NOTHING)


def rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(minor_unit(currency), ROUND_HALF_UP)


def written(amount: Decimal, currency: str) -> str:
    return str(rounded(amount, currency))


def read(money: dict[str, Any]) -> Sum:
    return Sum(Decimal(money["shop_money"]["amount"]), Decimal(money["presentment_money"]["amount"]))
