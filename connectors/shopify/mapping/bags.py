"""Sums are read in both roles: the shop's currency and the customer's."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.money import Money, MoneyBag, Role, minor_unit
from connectors.shopify.mapping.values import Place


@dataclass(frozen=True, slots=True)
class Books:
    """The two currencies of an order; the same one where customer and shop share it."""

    shop: str
    presentment: str

    @property
    def same(self) -> bool:
        return self.shop == self.presentment

    def zero(self) -> MoneyBag:
        return self.bag(Decimal(0), Decimal(0))

    def bag(self, shop: Decimal, presentment: Decimal | None) -> MoneyBag:
        """Amounts in whole minor units where they are such, so that "13.5" and "13.50" are one."""
        seen = (
            None
            if presentment is None
            else Money(even(presentment, self.presentment), self.presentment, Role.PRESENTMENT)
        )
        return MoneyBag(Money(even(shop, self.shop), self.shop), seen)

    def read(self, node: Place, name: str) -> MoneyBag | None:
        """`<name>_set` in both currencies, else `<name>` in the shop's; None where neither is told."""
        both = node.at(f"{name}_set")
        if both.value is not None:
            return self.pair(both)
        alone = node.at(name)
        if alone.value is None or alone.value == "":
            return None
        return self.bag(alone.number(), alone.number() if self.same else None)

    def pair(self, node: Place) -> MoneyBag:
        """{shop_money, presentment_money}. Raises Unreadable where a part is missing or in another currency."""
        shop = _amount(node.at("shop_money"), self.shop)
        seen = node.at("presentment_money")
        if seen.value is None:
            return self.bag(shop, shop if self.same else None)
        return self.bag(shop, _amount(seen, self.presentment))

    def needed(self, node: Place, name: str) -> MoneyBag:
        """As read(), but it must be told."""
        found = self.read(node, name)
        if found is None:
            raise node.at(name).fault("is missing")
        return found

    def sum(self, bags: list[MoneyBag]) -> MoneyBag:
        """The sum of bags (zero of none)."""
        return sum(bags, start=self.zero())


def _amount(node: Place, currency: str) -> Decimal:
    told = node.at("currency_code")
    if told.value is not None and told.text().upper() != currency:
        raise told.fault(f"is {told.text()}, not the order's {currency}")
    return node.at("amount").number()


def even(amount: Decimal, currency: str) -> Decimal:
    """The amount with exactly its currency's decimals, or all of its own where it has more (unit prices may)."""
    rounded = amount.quantize(minor_unit(currency))
    return rounded if rounded == amount else amount.normalize()


def times(bag: MoneyBag, factor: Decimal) -> MoneyBag:
    return MoneyBag(bag.shop * factor, None if bag.presentment is None else bag.presentment * factor)


def less(bag: MoneyBag, other: MoneyBag) -> MoneyBag:
    """bag - other, in each role that both state."""
    seen = None
    if bag.presentment is not None and other.presentment is not None:
        seen = bag.presentment - other.presentment
    return MoneyBag(bag.shop - other.shop, seen)


def nothing(bag: MoneyBag) -> bool:
    return not bag.shop and not bag.presentment
