"""The money gate: an order's parts must make its total to the minor unit, or nothing is booked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.money import Money, MoneyBag, Role, minor_unit, total, zero
from connectors.canonical.order import ChargeKind, Discount, Line, Order, Tax
from connectors.canonical.payment import PaymentKind, PaymentStatus


@dataclass(frozen=True, slots=True)
class Equation:
    """lines + shipping + fees + tips + duties + tax not included - discounts + rounding = total; in one currency."""

    lines: Money
    shipping: Money
    fees: Money
    tips: Money
    duties: Money
    tax_not_included: Money
    discounts: Money
    rounding: Money
    total: Money

    @property
    def sum(self) -> Money:
        added = self.lines + self.shipping + self.fees + self.tips + self.duties + self.tax_not_included
        return added - self.discounts + self.rounding

    @property
    def difference(self) -> Money:
        return self.total - self.sum

    @property
    def holds(self) -> bool:
        """Equal in whole minor units: a source may carry more decimals than its currency has.

        Half a unit holds, whichever way the source rounded it.
        """
        return abs(self.difference.amount) <= minor_unit(self.total.currency) / 2


def equation(order: Order, role: Role | None = None) -> Equation:
    """The money equation of an order as placed. Raises CurrencyMismatch where a part is in another currency."""
    seen = role or order.money_role
    currency = order.totals.total.in_role(seen).currency

    def summed(bags: Iterable[MoneyBag]) -> Money:
        return total((bag.in_role(seen) for bag in bags), currency, seen)

    def charged(kind: ChargeKind) -> Money:
        return summed(charge.amount for charge in order.charges if charge.kind is kind)

    sold = (gross(line, seen) for line in order.lines if not line.bundle_id)
    return Equation(
        lines=total(sold, currency, seen),
        shipping=summed(line.price for line in order.shipping_lines),
        fees=charged(ChargeKind.FEE),
        tips=charged(ChargeKind.TIP),
        duties=charged(ChargeKind.DUTY),
        tax_not_included=zero(currency, seen) if order.taxes_included else summed(t.amount for t in taxes(order)),
        discounts=summed(discount.amount for discount in discounts(order)),
        rounding=order.rounding.in_role(seen) if order.rounding else zero(currency, seen),
        total=order.totals.total.in_role(seen),
    )


def gross(line: Line, role: Role) -> Money:
    """A line's sum before discounts: the source's own where it states one, since it may have rounded line by line."""
    return line.gross.in_role(role) if line.gross is not None else line.unit_price.in_role(role) * line.quantity


def taxes(order: Order) -> tuple[Tax, ...]:
    """Every tax of the order once: on lines that are no bundle's part, on shipping and on charges."""
    lines = tuple(tax for line in order.lines if not line.bundle_id for tax in line.taxes)
    shipping = tuple(tax for line in order.shipping_lines for tax in line.taxes)
    return lines + shipping + tuple(tax for charge in order.charges for tax in charge.taxes)


def discounts(order: Order) -> tuple[Discount, ...]:
    """Every discount of the order once: those on lines, on shipping, and those that are allocated nowhere."""
    lines = tuple(d for line in order.lines if not line.bundle_id for d in line.discounts)
    shipping = tuple(d for line in order.shipping_lines for d in line.discounts)
    return lines + shipping + order.discounts


# change handed back at the till was never taken: the note was
TAKEN = {PaymentKind.SALE: 1, PaymentKind.CAPTURE: 1, PaymentKind.CHANGE: -1}


def captured(order: Order, role: Role | None = None) -> dict[str, Decimal]:
    """What each tender (gateway) has taken so far: successful sales and captures less change, refunds not counted."""
    seen = role or order.money_role
    taken: dict[str, Decimal] = {}
    for payment in order.payments:
        if payment.kind in TAKEN and payment.status is PaymentStatus.SUCCESS:
            moved = payment.amount.in_role(seen).amount * TAKEN[payment.kind]
            taken[payment.gateway] = taken.get(payment.gateway, Decimal(0)) + moved
    return taken
