"""The arithmetic of the simulated site: what items, adjustments, shipping and taxes come to, in either taxation.

`discounts` says what is taxed (a site preference): "price", then adjustments bear a tax of their own; or "adjusted", then items are
taxed on what is left of them after all adjustments, and adjustments bear none.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Json = dict[str, Any]
UNITS = {"JPY": Decimal(1), "KWD": Decimal("0.001")}
ZERO = Decimal(0)


@dataclass(frozen=True)
class Till:
    """One order's currency, taxation ("gross" or "net"), rate and preference."""

    currency: str
    taxation: str
    rate: Decimal
    discounts: str = "price"

    def rounded(self, amount: Decimal) -> Decimal:
        return amount.quantize(UNITS.get(self.currency, Decimal("0.01")), ROUND_HALF_UP)

    def tax_of(self, amount: Decimal) -> Decimal:
        """In it where the taxation is gross, else beside it."""
        share = self.rate / (1 + self.rate) if self.taxation == "gross" else self.rate
        return self.rounded(amount * share)

    def prices(self, amount: Decimal, tax: Decimal) -> Json:
        """gross, net and tax of an amount that stands as the taxation has it."""
        net = amount - tax if self.taxation == "gross" else amount
        return {"netPrice": str(net), "grossPrice": str(net + tax), "tax": str(tax), "basePrice": str(amount)}

    def adjustment(self, amount: Decimal, **told: Any) -> Json:
        tax = self.tax_of(amount) if self.discounts == "price" else ZERO
        return {**self.prices(amount, tax), **told}

    def item(self, amount: Decimal, unit: Decimal, adjustments: list[Json], after_order: Decimal | None = None) -> Json:
        """An item of so much altogether, its own adjustments and what is left of it after the order's."""
        own = sum((Decimal(one["basePrice"]) for one in adjustments), ZERO)
        left = amount + own
        basis = amount if self.discounts == "price" else (left if after_order is None else after_order)
        tax = self.tax_of(basis)
        adjusted = tax + sum((Decimal(one["tax"]) for one in adjustments), ZERO)
        told = {
            **self.prices(amount, tax),
            "basePrice": str(unit),
            "taxBasis": str(basis),
            "taxRate": str(self.rate),
            "adjustedTax": str(adjusted),
            "priceAfterItemDiscount": str(left),
        }
        if adjustments:
            told["priceAdjustments"] = adjustments
        return told if after_order is None else {**told, "priceAfterOrderDiscount": str(after_order)}

    def spread(self, whole: Decimal, over: list[Decimal]) -> list[Decimal]:
        """A sum laid on amounts by their size, in whole minor units; the last bears what is left."""
        base, given = sum(over, ZERO), ZERO
        shares: list[Decimal] = []
        for number, amount in enumerate(over):
            last = number == len(over) - 1
            share = whole - given if last else self.rounded(whole * amount / base) if base else ZERO
            shares.append(share)
            given += share
        return shares


def total(till: Till, order: Json) -> tuple[Decimal, Decimal]:
    """(orderTotal, taxTotal)."""
    items = [*order["productItems"], *order["shippingItems"], *order["giftCertificateItems"]]
    options = [one for item in order["productItems"] for one in item.get("optionItems", ())]
    own = "grossPrice" if till.taxation == "gross" else "netPrice"
    adjusted = [one for item in (*items, *options) for one in item.get("priceAdjustments", ())]
    amounts = [Decimal(one[own]) for one in (*items, *options, *adjusted, *order["orderPriceAdjustments"])]
    taxes = [Decimal(one.get("adjustedTax") or one["tax"]) for one in (*items, *options)]
    tax = sum((*taxes, *(Decimal(one["tax"]) for one in order["orderPriceAdjustments"])), ZERO)
    return sum(amounts, ZERO) + (ZERO if till.taxation == "gross" else tax), tax
