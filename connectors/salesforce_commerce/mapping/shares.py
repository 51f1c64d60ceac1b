"""The order's own price adjustments, laid on its lines as Commerce Cloud prorated them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from connectors.canonical.money import minor_unit
from connectors.canonical.order import Discount
from connectors.kit.amounts import Settler
from connectors.kit.place import Place
from connectors.salesforce_commerce.mapping.adjustments import discount, taxed
from connectors.salesforce_commerce.mapping.values import Sums

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Shares:
    """`off` and `tax` by product item: its share of what the order's adjustments took off, and of their tax (signed).

    Where the items do not tell shares that make the whole, `order` holds the discounts, and no line has any.
    """

    off: dict[str, Decimal] = field(default_factory=dict)
    tax: dict[str, Decimal] = field(default_factory=dict)
    order: tuple[Discount, ...] = ()
    source: tuple[Place, ...] = ()

    def on(self, item: str, sums: Sums) -> tuple[Discount, ...]:
        """One for each adjustment where there is one, else one that names them all."""
        off = self.off.get(item, ZERO)
        if not off:
            return ()
        if len(self.source) == 1:
            return (discount(self.source[0], sums, off),)
        named = [discount(one, sums) for one in self.source]
        return (
            Discount(
                sums.bag(off),
                code=_joined(one.code for one in named),
                title=_joined(one.title for one in named),
                kind="order",
                id=_joined(one.id for one in named),
            ),
        )


def _joined(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(name for name in names if name))


def shares(order: Place, sums: Sums) -> Shares:
    """What each item says it cost before the order's adjustments, less what it says it cost after them."""
    source = tuple(one for one in order.at("orderPriceAdjustments").items() if sums.told(one) < 0)
    whole = -sum((sums.told(one) for one in source), ZERO)
    if not whole:
        return Shares()
    off = {item.at("itemId").text(): _share(item) for item in order.at("productItems").items()}
    if sum(off.values(), ZERO) != whole:
        return Shares(order=tuple(discount(one, sums) for one in source))
    settler, tax = Settler(minor_unit(sums.currency)), taxed(source)
    return Shares(off, {item: settler.settle(tax * part / whole) for item, part in off.items()}, (), source)


def _share(item: Place) -> Decimal:
    before, after = item.at("priceAfterItemDiscount"), item.at("priceAfterOrderDiscount")
    return ZERO if before.value is None or after.value is None else before.number() - after.number()
