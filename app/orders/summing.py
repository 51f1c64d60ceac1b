"""A till's day as one order: its sales added up article by article and tender by tender, to the cent. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from functools import reduce
from operator import add
from typing import TypeVar

from app.stock.counter import VOID
from connectors.canonical.gate import equation
from connectors.canonical.money import MoneyBag, minor_unit, zero
from connectors.canonical.order import Charge, Discount, Line, Order, Source, Tax, Totals
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus
from connectors.canonical.returns import Refund, RefundLine

T = TypeVar("T")


def summary(name: str, sales: Sequence[Order]) -> Order:
    """One order of all sales, of one currency and kind of prices, whose total and tenders are the sums of theirs."""
    last = max(sales, key=lambda sale: sale.placed_at)
    sums = [sale.totals for sale in sales]
    made = Order(
        id=name,
        number=name,
        placed_at=last.placed_at,
        updated_at=last.placed_at,
        currency=last.currency,
        taxes_included=last.taxes_included,
        channel=last.channel,
        source=Source.OTHER,
        store=last.store,
        location=last.location,
        lines=tuple(_line(f"{n}", group) for n, group in enumerate(_groups(_lines(sales), _article), 1)),
        shipping_lines=tuple(one for sale in sales for one in sale.shipping_lines),
        charges=tuple(_charge(group) for group in _groups((c for s in sales for c in s.charges), _charged)),
        discounts=_discounts([one for sale in sales for one in sale.discounts]),
        payments=tuple(
            _payment(f"{name}-{n}", group)
            for n, group in enumerate(_groups((p for s in sales for p in s.payments), _tender), 1)
        ),
        totals=Totals(*(_sum(getattr(one, part) for one in sums) for part in PARTS)),
        payment_status="paid",
        note=f"{len(sales)} sales of {name}",
    )
    rounded = equation(made).difference  # what each till rounded away, together
    return replace(made, rounding=MoneyBag(rounded)) if rounded else made


PARTS = ("lines", "discounts", "shipping", "charges", "tax", "total")


def left(sale: Order) -> tuple[Order, tuple[str, ...]]:
    """A sale without what was voided of it, and by which refunds; without lines where that is all. A void that gave back in another way than the sale
    was paid in stays a refund of its own."""
    voids: list[Refund] = []
    payments: tuple[Payment, ...] | None = sale.payments
    for one in (refund for refund in sale.refunds if refund.reason == VOID):
        less = _less(payments or (), one.payments)
        if less is not None:
            payments = less
            voids.append(one)
    gone: dict[str, Decimal] = {}
    for line in (line for one in voids for line in one.lines):
        gone[line.line_id] = gone.get(line.line_id, Decimal(0)) + line.quantity
    lines = tuple(_shrunk(line, gone.get(line.id, Decimal(0))) for line in sale.lines)
    total = sale.totals.total.shop
    for one in voids:
        total -= one.total.shop
    kept = tuple(line for line in lines if line.quantity)
    if not kept and total:
        return sale, ()
    sums = replace(sale.totals, total=MoneyBag(total))
    return replace(sale, lines=kept, payments=payments or (), totals=sums), tuple(one.id for one in voids)


def _less(payments: Sequence[Payment], back: Sequence[Payment]) -> tuple[Payment, ...] | None:
    """What the tenders took less what went back through them; None where one did not take as much."""
    found = list(payments)
    for one in back:
        amount = one.amount.shop
        for n, paid in reversed(list(enumerate(found))):
            if paid.gateway == one.gateway and paid.kind in TOOK and paid.status is PaymentStatus.SUCCESS:
                taken = min(amount, paid.amount.shop)
                found[n] = replace(paid, amount=MoneyBag(paid.amount.shop - taken))
                amount -= taken
        if amount:
            return None
    return tuple(one for one in found if one.amount.shop or one.kind not in TOOK)


TOOK = (PaymentKind.SALE, PaymentKind.CAPTURE)


def _shrunk(line: Line, gone: Decimal) -> Line:
    """So many pieces less of a line; its discounts and taxes in proportion, to the minor unit."""
    if not gone:
        return line
    left = line.quantity - gone

    def share(bag: MoneyBag) -> MoneyBag:
        part = bag.shop.amount * left / line.quantity
        return MoneyBag(replace(bag.shop, amount=part.quantize(minor_unit(bag.shop.currency), ROUND_HALF_UP)))

    return replace(
        line,
        quantity=left,
        current_quantity=left,
        gross=share(line.gross) if line.gross is not None else None,
        discounts=tuple(replace(one, amount=share(one.amount)) for one in line.discounts),
        taxes=tuple(replace(one, amount=share(one.amount)) for one in line.taxes),
    )


def in_day(booked: Order, sale: Order, refund: Refund) -> Refund:
    """A refund of one sale as one of its day's booking: its lines are those of the booking that hold the sale's articles."""
    places = {_article(line): line.id for line in booked.lines}
    mine = {line.id: line for line in sale.lines}
    lines = tuple(_moved(one, mine, places) for one in refund.lines)
    return replace(refund, lines=tuple(one for one in lines if one is not None))


def _moved(one: RefundLine, mine: dict[str, Line], places: dict[Hashable, str]) -> RefundLine | None:
    line = mine.get(one.line_id)
    name = places.get(_article(line)) if line is not None else None
    return replace(one, line_id=name) if name is not None else None


def _groups(found: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """Those that are alike, in the order in which they first come."""
    groups: dict[Hashable, list[T]] = {}
    for one in found:
        groups.setdefault(key(one), []).append(one)
    return list(groups.values())


def _lines(sales: Sequence[Order]) -> Iterable[Line]:
    return (line for sale in sales for line in sale.lines if not line.bundle_id)


def _article(line: Line) -> Hashable:
    taxes = tuple((tax.title, tax.rate, tax.code) for tax in line.taxes)
    return line.sku, line.unit_price, line.kind, line.tax_code, line.gross is None, taxes


def _line(name: str, group: list[Line]) -> Line:
    """Taxes and discounts are the sums of what each sale had; so is what the till rounded by itself."""
    first = group[0]
    taxes = tuple(_tax([line.taxes[n] for line in group]) for n in range(len(first.taxes)))
    sold = sum((line.quantity for line in group), Decimal(0))
    return replace(
        first,
        id=name,
        quantity=sold,
        current_quantity=sold,
        requires_shipping=False,
        fulfilled_quantity=None,
        discounts=_discounts([one for line in group for one in line.discounts]),
        taxes=taxes,
        gross=_sum(line.gross for line in group if line.gross is not None) if first.gross is not None else None,
        properties=(),
        gift_message="",
    )


def _tax(group: list[Tax]) -> Tax:
    return replace(group[0], amount=_sum(tax.amount for tax in group), base=None)


def _discounts(found: list[Discount]) -> tuple[Discount, ...]:
    """One for each code."""
    groups = _groups(found, lambda one: (one.code, one.title))
    return tuple(replace(group[0], amount=_sum(one.amount for one in group), rate=None) for group in groups)


def _charged(charge: Charge) -> Hashable:
    return charge.kind, charge.title, charge.code, tuple((tax.title, tax.rate, tax.code) for tax in charge.taxes)


def _charge(group: list[Charge]) -> Charge:
    taxes = tuple(_tax([one.taxes[n] for one in group]) for n in range(len(group[0].taxes)))
    return replace(group[0], amount=_sum(one.amount for one in group), taxes=taxes, line_id="", id="")


def _tender(payment: Payment) -> Hashable:
    return payment.gateway, payment.tender, payment.kind, payment.status is PaymentStatus.SUCCESS


def _payment(name: str, group: list[Payment]) -> Payment:
    return replace(
        group[0],
        id=name,
        amount=_sum(one.amount for one in group),
        reference="",
        parent_id="",
        card_brand="",
        card_last4="",
        authorisation_code="",
    )


def _sum(bags: Iterable[MoneyBag]) -> MoneyBag:
    """In the shop's currency, in which the day is booked."""
    found = [MoneyBag(bag.shop) for bag in bags]
    return reduce(add, found) if found else MoneyBag(zero("XXX"))
