"""An order's sums in whole minor units: what its own totals say beyond lines and charges, and what is to be paid."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from connectors.canonical.money import MoneyBag, minor_unit
from connectors.canonical.order import Charge, ChargeKind, Discount, Line, ShippingLine, Tax, Totals
from connectors.kit.place import Place
from connectors.square.mapping.taxes import Frame
from connectors.square.mapping.values import Sums

Part = Line | Charge | ShippingLine


def rest_of_discounts(node: Place, lines: Sequence[Line], sums: Sums) -> tuple[Discount, ...]:
    """What total_discount_money says beyond the lines."""
    on_lines = sum(_minor(one.amount.shop.amount, sums) for each in lines for one in each.discounts)
    rest = sums.minor(node.at("total_discount_money")) - on_lines
    return (Discount(sums.bag(rest), title="Discount of the order"),) if rest else ()


def _minor(amount: Decimal, sums: Sums) -> int:
    return int(amount / minor_unit(sums.currency))


def rest_of_tax(
    node: Place, lines: Sequence[Line], charges: Sequence[Charge], freight: Sequence[ShippingLine], told: Frame
) -> tuple[Charge, ...]:
    """What total_tax_money says beyond lines and charges, on a fee of nothing: so every tax is somewhere once."""
    if not node.has("total_tax_money"):
        return ()
    parts: tuple[Part, ...] = (*lines, *charges, *freight)
    named = sum(_minor(tax.amount.shop.amount, told.sums) for one in parts for tax in one.taxes)
    rest = told.sums.minor(node.at("total_tax_money")) - named
    if not rest:
        return ()
    return (
        Charge(ChargeKind.FEE, "Tax of the order", told.sums.zero(), (Tax("Tax of the order", told.sums.bag(rest)),)),
    )


def _sum(
    lines: Sequence[Line],
    charges: Sequence[Charge],
    freight: Sequence[ShippingLine],
    off: Sequence[Discount],
    told: Frame,
) -> int:
    sums = told.sums
    made = sum(_minor(one.gross.shop.amount, sums) for one in lines if one.gross)
    made += sum(_minor(one.amount.shop.amount, sums) for one in charges) + sum(
        _minor(one.price.shop.amount, sums) for one in freight
    )
    made -= sum(_minor(one.amount.shop.amount, sums) for each in lines for one in each.discounts)
    made -= sum(_minor(one.amount.shop.amount, sums) for one in off)
    if not told.included:
        parts: tuple[Part, ...] = (*lines, *charges, *freight)
        made += sum(_minor(tax.amount.shop.amount, sums) for one in parts for tax in one.taxes)
    return made


def total_of(
    node: Place,
    lines: Sequence[Line],
    charges: Sequence[Charge],
    freight: Sequence[ShippingLine],
    off: Sequence[Discount],
    told: Frame,
) -> int:
    """Square's total. Where it leaves out the tip (the tenders hold it all the same), the tip is added: what was paid is the total."""
    sums = told.sums
    total, tip = sums.minor(node.at("total_money")), sums.minor(node.at("total_tip_money"))
    made = _sum(lines, charges, freight, off, told) + sums.minor(node.at("rounding_adjustment").at("amount_money"))
    return total + tip if tip and made == total + tip else total


def totals(
    node: Place,
    lines: Sequence[Line],
    charges: Sequence[Charge],
    freight: Sequence[ShippingLine],
    total: int,
    sums: Sums,
) -> Totals:
    due = node.at("net_amount_due_money")
    return Totals(
        lines=sum((one.gross for one in lines if one.gross), start=sums.zero()),
        discounts=sums.bag(sums.minor(node.at("total_discount_money"))),
        shipping=sum((one.price for one in freight), start=sums.zero()),
        charges=sum((one.amount for one in charges), start=sums.zero()),
        tax=sums.bag(sums.minor(node.at("total_tax_money"))),
        total=sums.bag(total),
        due=sums.bag(sums.minor(due)) if due.value else None,
    )


def rounding(node: Place, sums: Sums) -> MoneyBag | None:
    minor = sums.minor(node.at("rounding_adjustment").at("amount_money"))
    return sums.bag(minor) if minor else None
