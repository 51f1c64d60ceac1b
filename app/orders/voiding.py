"""Voiding: pieces of a till's sale that are taken back at the till itself; once its day is booked they come back as a return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from app.orders import day_sales, eligibility, return_requests, returning, worth
from app.orders.life import RESTOCK
from app.orders.refused import Refused
from app.orders.return_requests import ReturnLine
from app.orders.standing import handed_over
from app.stock import counter
from connectors.canonical.money import MoneyBag
from connectors.canonical.order import Order
from connectors.canonical.returns import Refund

ZERO = Decimal(0)


def void(tx: Connection, subject: int, waybill: str, order: Order, told: Refund) -> Refund:
    """What a void is: a refund of pieces that never were in their day's booking, or (the day is booked) one that pays for a return.

    Their stock is back at the store. The subject is locked by the caller. Raises Refused for what was not sold there or has come back, and for
    another sum than was paid.
    """
    pieces: dict[str, Decimal] = {}
    for line in told.lines:
        pieces[line.line_id] = pieces.get(line.line_id, ZERO) + line.quantity
    priced = _priced(tx, subject, order, told, pieces)
    if day_sales.applies(order) and not day_sales.posted(tx, subject):
        counter.give_back(tx, order, priced)
        return replace(priced, reason=counter.VOID)
    return replace(priced, return_id=_returned(tx, subject, waybill, order, priced, pieces))


def _priced(tx: Connection, subject: int, order: Order, told: Refund, pieces: Mapping[str, Decimal]) -> Refund:
    """The refund with what each line was sold for. Raises Refused."""
    if order.cancelled_at is not None:
        raise Refused("voided", "The whole sale was voided already.")
    life, earlier, sold = handed_over(order), return_requests.of(tx, subject), {line.id: line for line in order.lines}
    amounts: dict[str, Decimal] = {}
    for name, many in pieces.items():
        if name not in sold or many <= 0 or not counter.at_the_counter(order, sold[name]):
            raise Refused("unknown_line", f"The sale has no line {name} that its customer carried home.")
        if many > eligibility.left_to_return(life, name, earlier):
            raise Refused("not_that_many", f"Line {name}: not so many were sold that did not come back.")
        back = sold[name].quantity - eligibility.left_to_return(life, name, earlier)
        amounts[name] = worth.paid_for(order, sold[name], back, many)
    moved = sum((one.amount.in_role(order.money_role).amount for one in told.payments), ZERO)
    if moved != sum(amounts.values(), ZERO):
        words = (
            f"The pieces were sold for {sum(amounts.values(), ZERO)}, and {moved} {worth.currency(order)} went back."
        )
        raise Refused("money_gate", words)
    return _as_refund(order, told, amounts, moved)


def _as_refund(order: Order, told: Refund, amounts: Mapping[str, Decimal], moved: Decimal) -> Refund:
    nothing, seen, lines = _bag(order, ZERO), set[str](), []
    for line in told.lines:
        amount = _bag(order, amounts[line.line_id]) if line.line_id not in seen else nothing
        seen.add(line.line_id)
        lines.append(replace(line, subtotal=amount, tax=nothing, restock=False))
    return replace(told, lines=tuple(lines), total=_bag(order, moved))


def _bag(order: Order, amount: Decimal) -> MoneyBag:
    total = order.totals.total.shop
    return MoneyBag(replace(total, amount=amount))


def _returned(
    tx: Connection, subject: int, waybill: str, order: Order, told: Refund, pieces: Mapping[str, Decimal]
) -> str:
    """The number of the return that the store has taken in over its counter. Raises Refused for one that may not come."""
    lines = [ReturnLine(name, many, told.note) for name, many in pieces.items()]
    at: datetime = told.at or order.placed_at
    row = returning.request(tx, subject, waybill, order, lines, key=f"void:{told.id}", now=at)
    if row.state == "declined":
        raise Refused("declined", row.refused)
    counted = {name: (many, RESTOCK) for name, many in pieces.items()}
    returning.receive(tx, row.number, order, counted, location=order.location, who=f"till {order.store}")
    return row.number
