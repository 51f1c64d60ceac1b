"""Taxes of an order as /taxes?details=true lists them: each once, at what it was reckoned on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from connectors.canonical.order import Tax
from connectors.kit.place import Place
from connectors.kit.sums import Sums

Taxes = tuple[Tax, ...]


@dataclass
class TaxRows:
    """`lines`, `wrapping` by order product, `shipping` by order address; `rest` are those of nothing in particular."""

    lines: dict[str, list[Tax]] = field(default_factory=lambda: defaultdict(list))
    wrapping: dict[str, list[Tax]] = field(default_factory=lambda: defaultdict(list))
    shipping: dict[str, list[Tax]] = field(default_factory=lambda: defaultdict(list))
    handling: list[Tax] = field(default_factory=list)
    rest: list[Tax] = field(default_factory=list)


def tax_rows(rows: tuple[Place, ...], sums: Sums) -> TaxRows:
    """Rows of nothing are left out. Without details a row says no line_item_type: it goes to the rest."""
    found = TaxRows()
    for row in rows:
        tax = _tax(row, sums)
        if tax.amount.shop:
            _place_of(row, found).append(tax)
    return found


def _place_of(row: Place, found: TaxRows) -> list[Tax]:
    product, address = row.at("order_product_id").text(), row.at("order_address_id").text()
    places = {
        "item": lambda: found.lines[product] if product else found.rest,
        "gift-wrapping": lambda: found.wrapping[product],
        "shipping": lambda: found.shipping[address],
        "handling": lambda: found.handling,
    }
    return places.get(row.at("line_item_type").text(), lambda: found.rest)()


def _tax(row: Place, sums: Sums) -> Tax:
    rate = row.at("rate")
    return Tax(
        title=row.at("name").text(),
        amount=sums.bag(row.at("line_amount").needed().number()),
        rate=None if rate.value is None else (rate.number() / 100).normalize(),
        code=row.at("class").text(),
    )


def added(taxes: Taxes | list[Tax]) -> Decimal:
    return sum((tax.amount.shop.amount for tax in taxes), Decimal(0))
