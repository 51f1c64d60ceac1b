"""Sums and words as Commerce Cloud writes them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.kit.place import Place
from connectors.kit.sums import Sums as Plain

BASES = {"gross": "grossPrice", "net": "netPrice"}


@dataclass(frozen=True, slots=True)
class Sums(Plain):
    """How the sums of one order are read: in its currency, with tax (`gross`) or without."""

    gross: bool

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
    taxation = order.at("taxation").needed()
    return Sums(order.at("currency").currency(), taxation.one_of({"gross": True, "net": False}))


def amount(node: Place, name: str) -> Decimal:
    """A sum that a payload may leave out: then it is nothing."""
    return node.at(name).number(default=Decimal(0))


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
