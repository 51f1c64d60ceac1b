"""What pieces of an order come to, in its own money and to the minor unit, so that any split of all of them sums to the whole. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from connectors.canonical.gate import gross
from connectors.canonical.money import minor_unit
from connectors.canonical.order import Line, Order

ZERO = Decimal(0)


def currency(order: Order) -> str:
    """The currency that the order's books follow."""
    return order.totals.total.in_role(order.money_role).currency


def unit(order: Order) -> Decimal:
    """The least amount of it."""
    return minor_unit(currency(order))


def whole(order: Order, line: Line) -> Decimal:
    """What a line was sold for: less its discounts, with its taxes; in the order's money role."""
    role = order.money_role
    off = sum((discount.amount.in_role(role).amount for discount in line.discounts), ZERO)
    tax = ZERO if order.taxes_included else sum((one.amount.in_role(role).amount for one in line.taxes), ZERO)
    return gross(line, role).amount - off + tax


def upto(order: Order, line: Line, pieces: Decimal) -> Decimal:
    """What the first `pieces` of a line cost."""
    return _share(order, line, pieces).quantize(unit(order), ROUND_HALF_UP)


def _share(order: Order, line: Line, pieces: Decimal) -> Decimal:
    return whole(order, line) * pieces / line.quantity if line.quantity else ZERO


def paid_for(order: Order, line: Line, already: Decimal, more: Decimal) -> Decimal:
    """What `more` pieces of a line cost, after `already` were given back: to the minor unit, so that any split of all pieces sums to the line."""
    return upto(order, line, already + more) - upto(order, line, already)


def beside(order: Order) -> Decimal:
    """What the order's total holds beside its lines: shipping, charges, discounts that stand on no line, rounding. May be below nothing."""
    sold = sum((whole(order, line) for line in order.lines if not line.bundle_id), ZERO)
    return order.totals.total.in_role(order.money_role).amount - sold


def due(order: Order, left: Mapping[str, Decimal]) -> Decimal:
    """What is to be paid once so many pieces of each line have left: theirs, what is no goods, and with the first what stands beside the lines.

    Never below nothing. A bundle has left as far as its parts have. All that was ordered comes to the order's total.
    """
    if not any(left.values()):
        return ZERO
    lines = sum((_share(order, line, _left(order, line, left)) for line in order.lines if not line.bundle_id), ZERO)
    return max(ZERO, (lines + beside(order)).quantize(unit(order), ROUND_HALF_UP))


def _left(order: Order, line: Line, left: Mapping[str, Decimal]) -> Decimal:
    if not line.requires_shipping:
        return line.current_quantity
    parts = [part for part in order.lines if part.bundle_id == line.id and part.quantity and part.requires_shipping]
    if not parts or line.id in left:
        return min(left.get(line.id, ZERO), line.quantity)
    return line.quantity * min(min(left.get(part.id, ZERO), part.quantity) / part.quantity for part in parts)
