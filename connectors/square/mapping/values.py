"""Times, sums and versions as Square writes them: RFC 3339, whole minor units, a counter beside the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from connectors.canonical.money import Money, MoneyBag, minor_unit
from connectors.kit.place import Place


def version(at: datetime, counter: int = 0) -> str:
    """An instant as a version that compares as text. Square tells milliseconds, so the order's own counter fills the rest."""
    whole = at.astimezone(UTC)
    fine = whole.microsecond // 1000 * 1000 + counter % 1000 if counter else whole.microsecond
    return whole.replace(microsecond=fine).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def order_version(node: Place) -> str:
    """Told alike by an order, by its row in a list and by a webhook; orders made at a till may have no counter."""
    at = node.at("updated_at") if node.at("updated_at").value else node.at("created_at")
    return version(at.instant(), int(node.at("version").number(default=Decimal(0))))


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of one order, all in its currency: whole minor units at Square, exact decimals here."""

    currency: str

    def minor(self, money: Place) -> int:
        """The minor units of a Money object; 0 where it is absent. Raises Unreadable for another currency or a fraction."""
        amount, currency = money.at("amount"), money.at("currency")
        if amount.value is None:
            return 0
        told = amount.number()
        if told != int(told):
            raise amount.fault(f"is {told}, not whole minor units")
        if currency.value is not None and currency.text().upper() != self.currency:
            raise currency.fault(f"is {currency.text()}, not the order's {self.currency}")
        return int(told)

    def bag(self, minor: int) -> MoneyBag:
        return MoneyBag(Money(minor * minor_unit(self.currency), self.currency))

    def zero(self) -> MoneyBag:
        return self.bag(0)


def currency_of(money: Place) -> str:
    """ISO 4217 of a Money object. Raises Unreadable where it has none."""
    place = money.at("currency")
    code = place.needed().text().upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise place.fault(f"is {code!r}, not a currency (ISO 4217)")
    return code


def fraction(percentage: Place) -> Decimal | None:
    """A rate as a fraction: "7.25" is 0.0725."""
    return None if percentage.value in (None, "") else percentage.number() / 100
