"""Order products as lines: what was sold, with its discounts, taxes and choices."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from connectors.bigcommerce.mapping.taxes import TaxRows
from connectors.bigcommerce.mapping.values import amount
from connectors.canonical.money import Money
from connectors.canonical.order import Discount, Line
from connectors.canonical.product import ProductKind
from connectors.kit.place import Place
from connectors.kit.sums import Sums

KINDS = {
    "physical": ProductKind.GOODS,
    "digital": ProductKind.DIGITAL,
    "giftcertificate": ProductKind.GIFT_CARD,
}
GRAMS = {"g": "1", "kg": "1000", "lb": "453.59237", "lbs": "453.59237", "oz": "28.349523125"}


@dataclass(frozen=True, slots=True)
class Frame:
    """How an order is read. `basis` is "inc" or "ex": with or without tax; `books` the store's own currency;
    `unit` that of weights."""

    sums: Sums
    basis: str
    books: str = ""
    unit: str = ""

    def needed(self, node: Place, name: str) -> Decimal:
        """`<name>_inc_tax` or `<name>_ex_tax`."""
        return node.at(f"{name}_{self.basis}_tax").needed().number()

    def told(self, node: Place, name: str) -> Decimal:
        return amount(node, f"{name}_{self.basis}_tax")


def line(item: Place, frame: Frame, taxes: TaxRows, back: Counter[str], delivery: str, pickup: bool) -> Line:
    """`back`: pieces refunded by line; what is picked up needs no shipping."""
    name, kind = item.at("id").needed().id(), item.at("type").one_of(KINDS)
    quantity = item.at("quantity").needed().number()
    return Line(
        id=name,
        sku=item.at("sku").text(),
        title=item.at("name").text(),
        quantity=quantity,
        current_quantity=quantity - back[name],
        unit_price=frame.sums.bag(frame.needed(item, "price")),
        gross=frame.sums.bag(frame.needed(item, "total")),
        kind=kind,
        product_id=_number(item, "product_id"),
        variant_id=_number(item, "variant_id"),
        barcode=item.at("upc").text(),
        discounts=tuple(_discounts(item, frame.sums)),
        taxes=tuple(taxes.lines[name]),
        requires_shipping=kind is ProductKind.GOODS and not pickup,
        taxable=bool(taxes.lines[name]),
        properties=_properties(item),
        fulfilled_quantity=item.at("quantity_shipped").number(default=Decimal(0)),
        delivery_id=delivery,
        gift_message=item.at("wrapping_message").text(),
        options=_options(item),
        weight_grams=_grams(item, frame.unit),
        unit_cost=_cost(item, frame),
    )


def _number(item: Place, name: str) -> str:
    """Custom products have no id of the catalogue: 0 or null."""
    found = item.at(name).text()
    return "" if found == "0" else found


def _discounts(item: Place, sums: Sums) -> list[Discount]:
    rows = ((row, amount(row, "amount")) for row in item.at("applied_discounts").items())
    return [
        Discount(
            sums.bag(off), row.at("code").text(), row.at("name").text(), row.at("target").text(), row.at("id").text()
        )
        for row, off in rows
        if off
    ]


def _options(item: Place) -> tuple[tuple[str, str], ...]:
    return tuple(
        (row.at("display_name").text(), row.at("display_value").text()) for row in item.at("product_options").items()
    )


def _properties(item: Place) -> tuple[tuple[str, str], ...]:
    """A picked product of a list is a line of its own, which names the line it was picked for."""
    parent = item.at("parent_order_product_id").text()
    fields = tuple((row.at("name").text(), row.at("value").text()) for row in item.at("configurable_fields").items())
    return (*((("bundle", parent),) if parent else ()), *fields)


def _grams(item: Place, unit: str) -> Decimal | None:
    """The order states no unit: it is the store's (setting `weight_unit`)."""
    weight = amount(item, "weight")
    return weight * Decimal(GRAMS[unit]) if unit and weight else None


def _cost(item: Place, frame: Frame) -> Money | None:
    """What one piece costs us; only where the order is in the store's own currency, in which costs are kept."""
    cost = amount(item, "base_cost_price")
    same = not frame.books or frame.books == frame.sums.currency
    return frame.sums.bag(cost).shop if cost and same else None
