"""Eligibility: what of an order may come back, and why not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from app.orders.life import ZERO, Life
from app.orders.return_requests import ReturnLine, ReturnRow
from app.orders.standing import handed_over
from app.stock.counter import carried
from app.units import Days
from connectors.canonical.order import Order
from connectors.canonical.shipment import LEFT


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is empty when the return is allowed."""

    code: str = ""
    sentence: str = ""


def eligible(
    order: Order, wanted: Sequence[ReturnLine], earlier: Sequence[ReturnRow], now: datetime, days: Days
) -> Verdict:
    """Against what was sold, what has left, what came back or is on its way, and the days since it was handed over."""
    life = handed_over(order)
    asked: dict[str, Decimal] = {}
    for line in wanted:
        if all(one.id != line.line_id for one in life.lines):
            return Verdict("unknown_line", f"The order has no line {line.line_id}.")
        asked[line.line_id] = asked.get(line.line_id, ZERO) + line.quantity
        if line.quantity <= 0 or asked[line.line_id] > left_to_return(life, line.line_id, earlier):
            return Verdict("not_that_many", f"Line {line.line_id}: not so many have left that did not come back.")
    handed = [s.delivered_at or s.shipped_at for s in order.shipments if s.status in LEFT]
    handed += [order.placed_at] if carried(order) else []
    last = max((at for at in handed if at is not None), default=None)
    if last is not None and now > last + timedelta(days=days):
        return Verdict("too_late", f"Handed over on {last:%Y-%m-%d}: more than {days:.0f} days ago.")
    return Verdict()


def left_to_return(life: Life, line_id: str, earlier: Sequence[ReturnRow]) -> Decimal:
    """Pieces that have left, less those that came back or were told to come. What we counted and what the channel told are the same pieces."""
    line = life.line(line_id)
    coming, counted = ZERO, ZERO
    for row in earlier:
        for one in row.lines if row.state not in ("declined", "cancelled", "closed") else ():
            if one.line_id == line_id:
                coming += one.quantity if one.received is None else ZERO
                counted += one.received or ZERO
    return line.shipped - max(line.received, counted) - coming
