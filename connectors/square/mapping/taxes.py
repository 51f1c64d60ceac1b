"""Taxes, discounts and service charges are listed once in an order, and applied to lines by reference.

Square says what each applied one comes to; what a payload does not break down is the rest of the sum that it does state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.canonical.order import Discount, Tax
from connectors.kit.place import Place
from connectors.square.mapping.values import Sums, fraction

INCLUSIVE = "INCLUSIVE"
Named = Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class Frame:
    """How an order is read. `included`: every tax is inside the prices. `mixed`: some are, some are not; then all stand beside them."""

    sums: Sums
    taxes: Named
    discounts: Named
    charges: Named
    variations: Named
    included: bool
    mixed: bool


@dataclass(frozen=True, slots=True)
class Taxed:
    """The taxes of one line or charge; `inside` is the part that its price holds, in minor units."""

    taxes: tuple[Tax, ...]
    inside: int
    beside: int


def frame(
    node: Place, sums: Sums, variations: Named, names: tuple[str, str, str] = ("taxes", "discounts", "service_charges")
) -> Frame:
    """`names` of the three lists: a return names its own (return_taxes ...)."""
    taxes, discounts, charges = (_by_uid(node.at(name).items()) for name in names)
    kinds = {one.at("type").text() == INCLUSIVE for one in taxes.values()}
    return Frame(sums, taxes, discounts, charges, variations, included=kinds == {True}, mixed=len(kinds) == 2)


def _by_uid(rows: tuple[Place, ...]) -> Named:
    return {row.at("uid").text(): row for row in rows}


def taxed(node: Place, told: Frame) -> Taxed:
    """Of anything that has applied_taxes and total_tax_money."""
    found: list[Tax] = []
    inside = beside = 0
    for applied in node.at("applied_taxes").items():
        row = _named(applied, "tax_uid", told.taxes)
        minor = told.sums.minor(applied.at("applied_money"))
        if row.at("type").text() == INCLUSIVE:
            inside += minor
        else:
            beside += minor
        found.append(_tax(row, minor, told))
    rest = told.sums.minor(node.at("total_tax_money")) - inside - beside if node.has("total_tax_money") else 0
    if rest:
        found.append(Tax("Tax", told.sums.bag(rest)))
    return Taxed(tuple(found), inside + (rest if told.included else 0), beside + (0 if told.included else rest))


def _tax(row: Place, minor: int, told: Frame) -> Tax:
    return Tax(
        row.at("name").text() or "Tax",
        told.sums.bag(minor),
        fraction(row.at("percentage")),
        row.at("catalog_object_id").text(),
    )


def _named(applied: Place, reference: str, rows: Named) -> Place:
    place = applied.at(reference)
    found = rows.get(place.needed().text())
    if found is None:
        raise place.fault("names nothing that the order lists")
    return found


def discounts(node: Place, told: Frame) -> tuple[Discount, ...]:
    """What was taken off a line, and the rest of total_discount_money that nothing names."""
    found: list[Discount] = []
    named = 0
    for applied in node.at("applied_discounts").items():
        minor = told.sums.minor(applied.at("applied_money"))
        named += minor
        if minor:
            found.append(_discount(_named(applied, "discount_uid", told.discounts), minor, told))
    rest = told.sums.minor(node.at("total_discount_money")) - named if node.has("total_discount_money") else 0
    return (*found, *((Discount(told.sums.bag(rest), title="Discount"),) if rest else ()))


def _discount(row: Place, minor: int, told: Frame) -> Discount:
    catalogued = row.at("catalog_object_id").text()
    return Discount(
        told.sums.bag(minor),
        catalogued,
        row.at("name").text(),
        row.at("type").text(),
        row.at("pricing_rule_id").text() or catalogued,
        fraction(row.at("percentage")),
    )
