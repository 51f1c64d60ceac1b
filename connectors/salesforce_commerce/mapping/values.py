"""Sums, versions and words as Commerce Cloud writes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from connectors.canonical.money import Money, MoneyBag, minor_unit
from connectors.kit.place import Place

BASES = {"gross": "grossPrice", "net": "netPrice"}


@dataclass(frozen=True, slots=True)
class Sums:
    """How the sums of one order are read: its currency, and whether they stand with tax (`gross`) or without."""

    currency: str
    gross: bool

    def bag(self, amount: Decimal) -> MoneyBag:
        """In whole minor units where it is such, else with its own decimals."""
        rounded = amount.quantize(minor_unit(self.currency))
        return MoneyBag(Money(rounded if rounded == amount else amount.normalize(), self.currency))

    def zero(self) -> MoneyBag:
        return self.bag(Decimal(0))

    def sum(self, bags: Iterable[MoneyBag]) -> MoneyBag:
        return sum(bags, start=self.zero())

    def told(self, node: Place) -> Decimal:
        """What an item or adjustment comes to before its own adjustments, by the order's taxation.

        Shopper APIs say `price` (`amount` for a certificate) by the same rule. Raises Unreadable naming basePrice, the one
        that every item has.
        """
        for name in (BASES["gross" if self.gross else "net"], "price", "amount"):
            if node.at(name).value is not None:
                return node.at(name).number()
        return node.at("basePrice").needed().number() * node.at("quantity").number(default=Decimal(1))


def sums_of(order: Place) -> Sums:
    """Raises Unreadable where the currency or the taxation is missing or none."""
    place = order.at("currency")
    code = place.needed().text().upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise place.fault(f"is {code!r}, not a currency (ISO 4217)")
    return Sums(code, order.at("taxation").needed().one_of({"gross": True, "net": False}))


def amount(node: Place, name: str) -> Decimal:
    """A sum that a payload may leave out: then it is nothing."""
    return node.at(name).number(default=Decimal(0))


def version(at: datetime) -> str:
    """An instant as a version: UTC, microseconds, so that text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def customs(node: Place) -> tuple[tuple[str, str], ...]:
    """Custom attributes (c_...): text, numbers and flags, or lists of them. Others are left out."""
    if not isinstance(node.value, dict):
        return ()
    told = ((name, words(node.at(name).value)) for name in node.value if name.startswith("c_"))
    return tuple((name, value) for name, value in told if value)


def words(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | Decimal):
        return str(value).strip()
    if isinstance(value, list):
        return ", ".join(found for found in map(words, value) if found)
    return ""
