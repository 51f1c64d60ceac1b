"""What has left of an order, line by line, and what of it was paid back since. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from connectors.canonical.order import Line, Order, Source
from connectors.canonical.returns import Refund, RefundLine
from connectors.canonical.shipment import GONE, Shipment

ZERO = Decimal(0)


def shipped_by_us(order: Order) -> tuple[Line, ...]:
    """The lines that leave a place of ours in a parcel: what a customer carried home at a till does not, nor what the channel sends itself."""
    if order.source is Source.POS and order.shipping is None:
        return ()
    return tuple(line for line in order.lines if line.ours_to_ship)


def pieces_of(order: Order, shipments: Iterable[Shipment]) -> dict[str, Decimal]:
    """Line id -> pieces in these shipments."""
    return by_line(order, [(one.line_id, one.sku, one.quantity) for s in shipments for one in s.lines])


def left_of(order: Order) -> dict[str, Decimal]:
    """Line id -> pieces that have left the house or were handed over; what only waits for its customer has not."""
    return pieces_of(order, (s for s in order.shipments if s.status in GONE))


def paid_back(order: Order, line: Line, sent: Decimal) -> Decimal:
    """Pieces that a refund took off a line after they had left: no fewer are still to leave for them. `sent` are those that have left.

    The channel's word counts. Where it says nothing, money is paid back for what had left by then first, and pieces that no
    money was paid for had not left.
    """
    back = ZERO
    for refund in order.refunds:
        for one in refund.lines:
            if one.line_id == line.id:
                back += _had_left(order, refund, one, sent - back)
    return max(ZERO, min(back, sent, line.quantity - line.current_quantity))


def sold(order: Order) -> dict[str, Decimal]:
    """Line id -> pieces that the customer has had or still gets: what a refund took off after it had left was sold all the same."""
    sent = left_of(order) if order.refunds else {}
    return {line.id: line.current_quantity + paid_back(order, line, sent.get(line.id, ZERO)) for line in order.lines}


def never_left(order: Order, line: Line, sent: Decimal) -> Decimal:
    """Pieces that refunds took off a line and that had not left."""
    named = sum((one.quantity for refund in order.refunds for one in refund.lines if one.line_id == line.id), ZERO)
    return max(ZERO, named - paid_back(order, line, sent))


def _had_left(order: Order, refund: Refund, one: RefundLine, sent: Decimal) -> Decimal:
    """Of a refund's line; `sent` are those that no earlier refund was for."""
    if one.left is not None:
        return min(one.left, one.quantity)
    if refund.return_id:
        return one.quantity
    return max(ZERO, min(one.quantity, sent - _later(order, refund, one.line_id))) if refund.payments else ZERO


def _later(order: Order, refund: Refund, line_id: str) -> Decimal:
    """Pieces of a line that left after a refund."""
    if refund.at is None:
        return ZERO
    later = (s for s in order.shipments if s.status in GONE and s.shipped_at is not None and s.shipped_at > refund.at)
    return pieces_of(order, later).get(line_id, ZERO)


def by_line(order: Order, pieces: list[tuple[str, str, Decimal]]) -> dict[str, Decimal]:
    """Quantities by line; where only the SKU is known, lines of that SKU are filled in turn and the last takes what is over."""
    filled: dict[str, Decimal] = {}
    for line_id, sku, quantity in pieces:
        mine = [line for line in order.lines if (line.id == line_id if line_id else line.sku == sku)]
        left = quantity
        for line in mine[:-1]:
            taken = min(left, max(ZERO, line.quantity - filled.get(line.id, ZERO)))
            filled[line.id] = filled.get(line.id, ZERO) + taken
            left -= taken
        for line in mine[-1:]:
            filled[line.id] = filled.get(line.id, ZERO) + left
    return filled
