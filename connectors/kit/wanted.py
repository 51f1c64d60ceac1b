"""What books are to hold of an order: of each line how many, and the sum that they must make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from connectors.canonical.gate import equation
from connectors.canonical.money import minor_unit
from connectors.canonical.order import Line, Order
from connectors.kit.amounts import ZERO


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of each line how many, the sum it must make, and how far the exact sum may be from that; in the order's currency and role."""

    quantities: Mapping[str, Decimal]
    stated: Decimal
    slack: Decimal


def placed(order: Order) -> Wanted:
    """The order as placed."""
    sum_ = equation(order).total
    return Wanted({line.id: line.quantity for line in order.lines}, sum_.amount, minor_unit(sum_.currency) / 2)


def amended(order: Order) -> tuple[Order, Mapping[str, Decimal], Wanted | None]:
    """The order as it stands: without what was removed, but with what was refunded (a credit of its own), of each line how many, and the sum;
    None where the channel states none to hold them against."""
    kept = {line.id: line.current_quantity + _refunded(order, line) for line in order.lines}
    quantities = {line.id: min(line.quantity, kept[line.id]) for line in order.lines}
    changed = [line for line in order.lines if quantities[line.id] != line.quantity]
    standing = replace(order, shipping_lines=tuple(line for line in order.shipping_lines if not line.removed))
    if order.current is not None:
        return standing, quantities, _as_it_stands(order, quantities, changed)
    return standing, quantities, None if changed else placed(order)


def _as_it_stands(order: Order, quantities: Mapping[str, Decimal], changed: Sequence[Line]) -> Wanted:
    """The current total before refunds. Each discount and tax of a changed line was rounded anew by the channel."""
    assert order.current is not None
    current = order.current.total.in_role(order.money_role)
    back = sum((refund.total.in_role(order.money_role).amount for refund in order.refunds), ZERO)
    rounded = 1 + sum(1 + len(line.discounts) + len(line.taxes) for line in changed)
    return Wanted(quantities, current.amount + back, rounded * minor_unit(current.currency) / 2)


def _refunded(order: Order, line: Line) -> Decimal:
    """How many of a line went back with money; a refund without money is a removal."""
    paid = (refund for refund in order.refunds if refund.total.in_role(order.money_role))
    return sum((one.quantity for refund in paid for one in refund.lines if one.line_id == line.id), ZERO)
