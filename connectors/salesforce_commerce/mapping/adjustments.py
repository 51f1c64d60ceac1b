"""Price adjustments: what promotions, coupons and staff took off, or rarely put on."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from connectors.canonical.order import Charge, ChargeKind, Discount
from connectors.kit.place import Place
from connectors.salesforce_commerce.mapping.values import Sums


def discount(node: Place, sums: Sums, off: Decimal | None = None) -> Discount:
    """`off` where only a share of it is meant; positive."""
    return Discount(
        amount=sums.bag(-sums.told(node) if off is None else off),
        code=node.at("couponCode").text(),
        title=node.at("itemText").text() or node.at("promotionId").text() or node.at("reasonCode").text(),
        kind=node.at("appliedDiscount").at("type").text(),
        id=node.at("promotionId").text() or node.at("priceAdjustmentId").text(),
    )


def discounts(item: Place, sums: Sums) -> tuple[Discount, ...]:
    """What was taken off an item."""
    return tuple(discount(one, sums) for one in item.at("priceAdjustments").items() if sums.told(one) < 0)


def surcharges(adjustments: Iterable[Place], sums: Sums, line: str = "") -> tuple[Charge, ...]:
    """Adjustments that staff or code put on: fees. Their tax is part of what the item's or order's taxes say."""
    return tuple(
        Charge(
            ChargeKind.FEE,
            node.at("itemText").text() or node.at("promotionId").text() or "Surcharge",
            sums.bag(sums.told(node)),
            line_id=line,
            id=node.at("priceAdjustmentId").text(),
            code=node.at("reasonCode").text() or "adjustment",
        )
        for node in adjustments
        if sums.told(node) > 0
    )


def taxed(adjustments: Iterable[Place]) -> Decimal:
    """The tax of adjustments, signed as they are: below nothing for what was taken off."""
    return sum((node.at("tax").number(default=Decimal(0)) for node in adjustments), Decimal(0))
