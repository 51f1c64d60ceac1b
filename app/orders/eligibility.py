"""Eligibility: what of an order may come back, against what was sold, the paper that is shown for it and what came back, and why not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from app.orders.life import ZERO, Life
from app.orders.papers import Paper
from app.orders.return_requests import ReturnLine, ReturnRow
from app.orders.standing import handed_over
from app.stock.counter import carried
from app.units import Days
from connectors.canonical.order import Line, Order
from connectors.canonical.shipment import LEFT

VAIN = frozenset(("declined", "cancelled", "closed"))  # nothing of these returns is to come, or was counted by us


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is empty when the return is allowed."""

    code: str = ""
    sentence: str = ""


def eligible(
    order: Order,
    wanted: Sequence[ReturnLine],
    earlier: Sequence[ReturnRow],
    now: datetime,
    days: Days,
    paper: Paper | None = None,
) -> Verdict:
    """Against what was sold, what has left, what came back or is on its way, the paper shown, and the days since it was handed over."""
    life = handed_over(order)
    asked: dict[str, Decimal] = {}
    for line in wanted:
        if all(one.id != line.line_id for one in life.lines):
            return Verdict("unknown_line", f"The order has no line {line.line_id}.")
        asked[line.line_id] = asked.get(line.line_id, ZERO) + line.quantity
        if paper is not None and asked[line.line_id] > left_of_paper(paper, line.line_id, earlier):
            return Verdict("not_on_paper", _not_on(paper, line.line_id, earlier))
        if line.quantity <= 0 or asked[line.line_id] > left_to_return(life, line.line_id, earlier):
            return Verdict("not_that_many", f"Line {line.line_id}: not so many have left that did not come back.")
    return in_time(order, now, days, paper)


def in_time(order: Order, now: datetime, days: Days, paper: Paper | None = None) -> Verdict:
    """The days count from when what the paper is about was handed over; without one, from the last time that anything of the order was."""
    handed = [s.delivered_at or s.shipped_at for s in order.shipments if s.status in LEFT]
    handed += [order.placed_at] if carried(order) else []
    last = max((at for at in handed if at is not None), default=None)
    last = paper.handed_at if paper is not None and paper.handed_at is not None else last
    if last is not None and now > last + timedelta(days=days):
        return Verdict("too_late", f"Handed over on {last:%Y-%m-%d}: more than {days:.0f} days ago.")
    return Verdict()


@dataclass(frozen=True, slots=True)
class May:
    """A line, the pieces of it that have left, how many of these may come back as far as quantities go, and why no more may."""

    line: Line
    gone: Decimal
    pieces: Decimal
    why_not: str


def by_line(order: Order, earlier: Sequence[ReturnRow]) -> list[May]:
    """What of an order may come back without any paper, each line."""
    life = handed_over(order)
    return [_may(line, life.line(line.id).shipped, left_to_return(life, line.id, earlier)) for line in order.lines]


def _may(line: Line, gone: Decimal, left: Decimal) -> May:
    many = max(ZERO, left)
    if not gone:
        return May(line, gone, many, "Nothing of it has left.")
    back = "" if many == gone else f"{_plain(gone - many)} came back or are on their way."
    return May(line, gone, many, back)


def returnable(order: Order, earlier: Sequence[ReturnRow], paper: Paper) -> dict[str, Decimal]:
    """Line id -> pieces of the paper that may come back as far as quantities go: each line that the paper holds."""
    life = handed_over(order)
    left = {
        line: min(left_of_paper(paper, line, earlier), left_to_return(life, line, earlier)) for line in paper.pieces
    }
    return {line: max(ZERO, many) for line, many in left.items() if paper.pieces[line]}


def left_of_paper(paper: Paper, line_id: str, earlier: Sequence[ReturnRow]) -> Decimal:
    """Pieces that the paper holds, less those that came back or were told to come with it."""
    lines = [one for row in earlier if row.state not in VAIN for one in row.lines]
    mine = (one for one in lines if one.line_id == line_id and one.paper == paper.name)
    back = sum((one.quantity if one.received is None else one.received for one in mine), ZERO)
    return paper.pieces.get(line_id, ZERO) - back


def _not_on(paper: Paper, line_id: str, earlier: Sequence[ReturnRow]) -> str:
    sku = next((line.sku for line in paper.order.lines if line.id == line_id), "")
    named = f"line {line_id}" + (f" ({sku})" if sku else "")
    held, left = paper.pieces.get(line_id, ZERO), left_of_paper(paper, line_id, earlier)
    if not held:
        return f"{paper.kind.capitalize()} {paper.number} holds nothing of {named}."
    gone = "" if left == held else f", of which {_plain(held - left)} came back or are on their way"
    return f"{paper.kind.capitalize()} {paper.number} holds {_plain(held)} of {named}{gone}."


def _plain(many: Decimal) -> str:
    return f"{many.normalize():f}"


def left_to_return(life: Life, line_id: str, earlier: Sequence[ReturnRow]) -> Decimal:
    """Pieces that have left, less those that came back or were told to come. What we counted and what the channel told are the same pieces."""
    line = life.line(line_id)
    coming, counted = ZERO, ZERO
    for row in earlier:
        for one in row.lines if row.state not in VAIN else ():
            if one.line_id == line_id:
                coming += one.quantity if one.received is None else ZERO
                counted += one.received or ZERO
    return line.shipped - max(line.received, counted) - coming
