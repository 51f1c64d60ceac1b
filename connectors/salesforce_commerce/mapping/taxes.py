"""Taxes of an order: one for each item as it stands after adjustments, and what is left over so that they make its taxTotal."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from connectors.canonical.money import minor_unit
from connectors.canonical.order import Charge, ChargeKind, Tax
from connectors.kit.place import Place
from connectors.salesforce_commerce.mapping.adjustments import taxed
from connectors.salesforce_commerce.mapping.values import Sums


def item_tax(item: Place) -> Decimal:
    """adjustedTax, or else the tax with that of the item's own adjustments."""
    told = item.at("adjustedTax")
    if told.value is not None:
        return told.number()
    return item.at("tax").number(default=Decimal(0)) + taxed(item.at("priceAdjustments").items())


def item_taxes(item: Place, sums: Sums, less: Decimal = Decimal(0)) -> tuple[Tax, ...]:
    """The parts (state, county) where they make the whole, else the whole. `less` is its share of the order's adjustments'."""
    whole = item_tax(item) + less
    parts = [(row, row.at("value").number(default=Decimal(0))) for row in item.at("taxItems").items()]
    if parts and abs(sum((value for _, value in parts), Decimal(0)) - whole) < minor_unit(sums.currency):
        made = [Tax(row.at("id").text(), sums.bag(value), row.at("rate").number()) for row, value in parts]
        return tuple(tax for tax in made if tax.amount.shop)
    if not whole:
        return ()
    rate = item.at("taxRate")
    title = item.at("taxClassId").text() or "Tax"
    return (
        Tax(title, sums.bag(whole), None if rate.value is None else rate.number(), code=item.at("taxClassId").text()),
    )


def rest_of_tax(order: Place, found: Iterable[Tax], sums: Sums) -> tuple[Charge, ...]:
    """What taxTotal says beyond all items, on a fee of nothing: so every tax is somewhere once."""
    if order.at("taxTotal").value is None:
        return ()
    named = sum((tax.amount.shop.amount for tax in found), Decimal(0))
    beyond = order.at("taxTotal").number() - named
    if not beyond:
        return ()
    return (
        Charge(
            ChargeKind.FEE, "Tax of the order", sums.zero(), (Tax("Tax of the order", sums.bag(beyond)),), code="tax"
        ),
    )
