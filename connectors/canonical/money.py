"""Money is an exact decimal amount in one currency, seen in one role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum

# ISO 4217 minor units that are not two.
MINOR_UNITS = {
    **dict.fromkeys(("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF").split(), 0),
    **dict.fromkeys(("BHD IQD JOD KWD LYD OMR TND").split(), 3),
    **dict.fromkeys(("CLF UYW").split(), 4),
}


class Role(StrEnum):
    """Whose currency it is: the shop's books, or what the customer saw and paid."""

    SHOP = "shop"
    PRESENTMENT = "presentment"


class CurrencyMismatch(ValueError):
    """Two amounts of different currency or role were added, subtracted or compared."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in major units (`Decimal("12.30")`, never a float), its ISO 4217 currency and its role."""

    amount: Decimal
    currency: str
    role: Role = Role.SHOP

    def __post_init__(self) -> None:
        given: object = self.amount  # callers are typed, parsed JSON is not
        if not isinstance(given, Decimal) or not given.is_finite():
            raise TypeError(f"an amount is a finite Decimal, not {given!r}")
        if len(self.currency) != 3 or not self.currency.isascii() or not self.currency.isupper():
            raise ValueError(f"a currency is three capital letters (ISO 4217), not {self.currency!r}")

    def _same(self, other: Money) -> None:
        if (self.currency, self.role) != (other.currency, other.role):
            raise CurrencyMismatch(f"{self.currency} ({self.role}) and {other.currency} ({other.role}) do not mix")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency, self.role)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency, self.role)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency, self.role)

    def __mul__(self, factor: Decimal | int) -> Money:
        return Money(self.amount * factor, self.currency, self.role)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __bool__(self) -> bool:
        return self.amount != 0

    def rounded(self, rounding: str = ROUND_HALF_UP) -> Money:
        """The same amount in whole minor units of its currency (half up unless told otherwise)."""
        return Money(self.amount.quantize(minor_unit(self.currency), rounding), self.currency, self.role)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 EUR, 1 JPY, 0.001 KWD."""
    return Decimal(1).scaleb(-MINOR_UNITS.get(currency, 2))


def zero(currency: str, role: Role = Role.SHOP) -> Money:
    return Money(Decimal(0), currency, role)


def total(amounts: Iterable[Money], currency: str, role: Role = Role.SHOP) -> Money:
    """The sum of amounts of one currency and role (zero of it when there are none). Raises CurrencyMismatch."""
    return sum(amounts, start=zero(currency, role))


def parse(text: object, currency: str, role: Role = Role.SHOP) -> Money:
    """Money from a vendor's string, int or Decimal. A float is refused: it has lost the cent already."""
    if isinstance(text, bool) or not isinstance(text, str | int | Decimal):
        raise ValueError(f"not an amount: {text!r}")
    try:
        amount = Decimal(str(text).strip())
    except InvalidOperation:
        raise ValueError(f"not an amount: {text!r}") from None
    if not amount.is_finite():
        raise ValueError(f"not an amount: {text!r}")
    return Money(amount, currency.upper(), role)


@dataclass(frozen=True, slots=True)
class MoneyBag:
    """One sum in both roles: in the shop's currency, and in the customer's where the source states it."""

    shop: Money
    presentment: Money | None = None

    def in_role(self, role: Role) -> Money:
        """The sum in a role. Raises CurrencyMismatch where the presentment amount is not stated."""
        if role is Role.SHOP:
            return self.shop
        if self.presentment is None:
            raise CurrencyMismatch(f"{self.shop} has no stated presentment amount")
        return self.presentment

    def __add__(self, other: MoneyBag) -> MoneyBag:
        seen = None
        if self.presentment is not None and other.presentment is not None:
            seen = self.presentment + other.presentment
        return MoneyBag(self.shop + other.shop, seen)
