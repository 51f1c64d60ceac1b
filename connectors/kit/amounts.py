"""Amounts of an order laid out for books: net of tax, in whole minor units, and summing to the total exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from connectors.canonical.money import MoneyBag, Role
from connectors.canonical.order import Discount, Tax

ZERO = Decimal(0)
HALVES = (ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_HALF_DOWN)


@dataclass(frozen=True, slots=True)
class Part:
    """One charge of an order, exact: `gross` before `discount`; each tax's amount; all in the order's currency
    and role.
    """

    gross: Decimal
    discount: Decimal
    taxes: tuple[Decimal, ...]

    @property
    def tax(self) -> Decimal:
        return sum(self.taxes, ZERO)


def part(
    gross: Decimal, discounts: Sequence[Discount], taxes: Sequence[Tax], role: Role, included: bool, scale: Decimal
) -> Part:
    """A charge with its discounts and taxes; where prices include tax, both stand net of it. `scale`: share
    that is still wanted.
    """
    off = sum((d.amount.in_role(role).amount for d in discounts), ZERO) * scale
    each = tuple(t.amount.in_role(role).amount * scale for t in taxes)
    plain = Part(gross, off, each)
    return net(plain) if included else plain


def net(plain: Part) -> Part:
    """Tax-inclusive amounts without their tax: the tax is that of the discounted price, so the discount bears
    its share of it.
    """
    paid = plain.gross - plain.discount
    if not plain.tax or not paid:
        return Part(plain.gross - plain.tax, plain.discount, plain.taxes)
    share = plain.tax * plain.discount / paid
    return Part(plain.gross - plain.tax - share, plain.discount - share, plain.taxes)


class Settler:
    """Rounds amounts one after the other so that their running sum is always the rounded exact sum.

    Whole minor units stay as they are. Hence the sum of what it gave is the exact sum, rounded once. `halves` says which
    way half a unit goes: sources differ, and each is right about its own total.
    """

    def __init__(self, unit: Decimal, halves: str = ROUND_HALF_EVEN) -> None:
        self._unit = unit
        self._halves = halves
        self.exact = ZERO
        self.given = ZERO

    def settle(self, amount: Decimal) -> Decimal:
        self.exact += amount
        given = self.exact.quantize(self._unit, self._halves) - self.given
        self.given += given
        return given


def in_role(bag: MoneyBag, role: Role) -> Decimal:
    return bag.in_role(role).amount
