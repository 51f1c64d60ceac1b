"""A till's day as one order: its sales added up article by article and tender by tender, to the cent. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import reduce
from operator import add
from typing import TypeVar

from connectors.canonical.gate import equation
from connectors.canonical.money import MoneyBag, zero
from connectors.canonical.order import Charge, Discount, Line, Order, Source, Tax, Totals
from connectors.canonical.payment import Payment, PaymentStatus
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
