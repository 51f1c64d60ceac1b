"""Exchange: what a customer wants instead of what came back, as an order of its own that replaces it. Pure.

Its goods are claimed, booked, sourced and sent like any order's. What came back pays for it as far as it goes, as a discount; what it
costs more is charged, and what it costs less is given back on the order that it replaces.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from typing import TYPE_CHECKING

from app.orders.capturing import part_of
from app.orders.worth import ZERO, unit, upto, whole
from connectors.canonical.gate import gross
from connectors.canonical.money import MoneyBag
from connectors.canonical.order import Discount, Line, Order, Tax, Totals
from connectors.canonical.payment import Payment, PaymentKind

if TYPE_CHECKING:
    from app.orders.return_requests import ReturnLine

CREDIT = "exchange"  # the discount's code


def value(order: Order, wanted: ReturnLine) -> Decimal:
    """What the pieces cost that are wanted instead, taxes in it."""
    return whole(order, _line(order, wanted))


def replacement(order: Order, number: str, exchange: tuple[ReturnLine, ...], back: Decimal, now: datetime) -> Order:
    """The order in which the goods of an exchange leave; `back` is what the customer is owed for what came back."""
    lines = tuple(replace(_line(order, one), id=f"{n}") for n, one in enumerate(exchange, 1))
    sold = sum((whole(order, line) for line in lines), ZERO)
    credit = min(sold, back)
    name = number.rpartition("-")[2]
    off = Discount(_bag(order, credit), CREDIT, f"Exchange of {number}", kind="exchange")
    discounts = [discount.amount for line in lines for discount in line.discounts]
    taxes = [tax.amount for line in lines for tax in line.taxes]
    zero = _bag(order, ZERO)
    totals = Totals(
        lines=sum((_bag(order, gross(line, order.money_role).amount) for line in lines), zero),
        discounts=sum((*discounts, off.amount), zero),
        shipping=zero,
        charges=zero,
        tax=sum(taxes, zero),
        total=_bag(order, sold - credit),
    )
    return Order(
        id=f"{order.id}-{name}",
        number=f"{order.number}-{name}",
        placed_at=now,
        updated_at=now,
        currency=order.currency,
        presentment_currency=order.presentment_currency,
        money_role=order.money_role,
        taxes_included=order.taxes_included,
        channel=order.channel,
        source=order.source,
        lines=lines,
        totals=totals,
        discounts=(off,) if credit else (),
        customer=order.customer,
        billing=order.billing,
        shipping=order.shipping or order.billing,
        payment_status="pending" if sold > credit else "paid",
        hold="payment" if sold > credit else "",
        replaces=order.id,
        note=f"Exchange of {number}",
    )


def paid(order: Order, payment: Payment) -> Order:
    """A replacement whose difference was charged: it may go."""
    return replace(order, payments=(payment,), payment_status="paid", hold="")


def charge(order: Order, number: str, amount: Decimal) -> Payment | None:
    """What is to be taken for the difference, again from the last tender that paid in the order that is replaced; None where none did."""
    took = [one for one in order.payments if one.kind in (PaymentKind.SALE, PaymentKind.CAPTURE)]
    if not took:
        return None
    kind = PaymentKind.SALE
    return replace(took[-1], id=number, kind=kind, amount=_bag(order, amount), parent_id=took[-1].id, at=None)


def _line(order: Order, wanted: ReturnLine) -> Line:
    """The line as it is sold anew."""
    line = next(line for line in order.lines if line.id == wanted.line_id)
    fresh = replace(
        line,
        quantity=wanted.quantity,
        current_quantity=wanted.quantity,
        fulfilled_quantity=None,
        sku=wanted.sku or line.sku,
        title=line.title if wanted.sku in ("", line.sku) else wanted.sku,
        requires_shipping=True,
        bundle_id="",
        location="",
        delivery_id="",
        discounts=(),
        gross=None,
    )
    if wanted.price is not None:
        return _priced(order, line, fresh, wanted.price)
    return _shared(order, line, fresh, wanted.quantity)


def _priced(order: Order, line: Line, fresh: Line, price: Decimal) -> Line:
    """At a price of its own, taxed at the rates of the line that it stands for."""
    each = price.quantize(unit(order), ROUND_HALF_UP)
    taxes = tuple(
        replace(tax, amount=_bag(order, _tax(order, line, tax, each * fresh.quantity)), base=None) for tax in line.taxes
    )
    return replace(fresh, unit_price=_bag(order, each), taxes=taxes)


def _tax(order: Order, line: Line, tax: Tax, gross: Decimal) -> Decimal:
    sold, of_it = whole(order, line), tax.amount.in_role(order.money_role).amount
    if tax.rate is None:
        share = of_it / (sold if order.taxes_included else sold - of_it) if sold != of_it else ZERO
    else:
        share = tax.rate / (1 + tax.rate) if order.taxes_included else tax.rate
    return (gross * share).quantize(unit(order), ROUND_HALF_UP)


def _shared(order: Order, line: Line, fresh: Line, pieces: Decimal) -> Line:
    """At the price that was paid for so many pieces, to the minor unit, whatever discounts stood on the line."""
    role, share = order.money_role, pieces / line.quantity if line.quantity else ZERO
    taxes = tuple(
        replace(one, amount=_bag(order, (one.amount.in_role(role).amount * share).quantize(unit(order))), base=None)
        for one in line.taxes
    )
    beside = ZERO if order.taxes_included else sum((one.amount.in_role(role).amount for one in taxes), ZERO)
    net = upto(order, line, pieces) - beside
    price = (net / pieces).quantize(unit(order), ROUND_UP)
    off = price * pieces - net  # what does not go into equal prices
    discounts = (Discount(_bag(order, off), title="Rounding"),) if off else ()
    return replace(fresh, unit_price=_bag(order, price), taxes=taxes, discounts=discounts)


def _bag(order: Order, amount: Decimal) -> MoneyBag:
    return part_of(order.totals.total, amount, order.money_role)
