"""Sums, versions and statuses as Amazon writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from connectors.canonical.money import Money, MoneyBag
from connectors.kit.place import Place

PENDING = ("PENDING", "PENDING_AVAILABILITY")  # Amazon has not yet taken the buyer's money
CANCELLED, UNFULFILLABLE = "CANCELLED", "UNFULFILLABLE"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of one order: all in its one currency."""

    currency: str

    def bag(self, amount: Decimal) -> MoneyBag:
        return MoneyBag(Money(amount, self.currency))

    def of(self, place: Place) -> Decimal:
        """The amount of a {amount, currencyCode}; nothing where it is absent. Raises Unreadable for another currency."""
        if place.value is None:
            return ZERO
        code = place.at("currencyCode").needed()
        if code.text().upper() != self.currency:
            raise code.fault(f"is {code.text()!r} in an order of {self.currency}")
        return place.at("amount").number()

    def total(self, bags: list[MoneyBag]) -> MoneyBag:
        return sum(bags, start=self.bag(ZERO))


def currency_of(place: Place) -> str:
    """Raises Unreadable where it is missing or none (ISO 4217)."""
    code = place.needed().text().upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise place.fault(f"is {code!r}, not a currency (ISO 4217)")
    return code


def version(at: datetime, rank: int = 0) -> str:
    """An instant as a version: UTC, microseconds, so that text order is time order. Amazon tells whole seconds, and much
    can happen in one: what never goes back (`rank`) fills the microseconds."""
    told = at.astimezone(UTC)
    return (told.replace(microsecond=rank) if told.microsecond == 0 else told).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def rank(status: str, shipped: int) -> int:
    """Cancelled comes after all, and of two counts of what left the greater."""
    return 500_000 * (status == CANCELLED) + min(shipped, 499_999)
