"""What is left of an authorisation is released once nothing more will be taken of it: its order is cancelled, or all of it has left. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from app.orders.capturing import Share, held, over, room, still_wanted, unseen
from app.orders.capturing import payment as taken_of
from app.orders.money import Move
from app.orders.worth import ZERO, due
from app.stock.departed import left_of
from connectors.canonical.gate import captured
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind


def decide(order: Order, moves: Sequence[Move], now: datetime) -> tuple[Share, ...]:
    """What is to be released now. Nothing while something is still owed, and nothing of an authorisation whose capture does not show yet."""
    if not (over(order) or not still_wanted(order)):
        return ()
    hidden = unseen(moves, order.payments, order.money_role)
    taken = sum(captured(order).values(), ZERO) + sum((one.amount for one in hidden), ZERO)
    if due(order, left_of(order)) > taken:
        return ()
    busy = {one.parent for one in hidden}
    free = ((one, _rest(order, one, moves, now)) for one in held(order) if one.id not in busy)
    return tuple(Share(one, amount) for one, amount in free if amount > 0)


def _rest(order: Order, one: Payment, moves: Sequence[Move], now: datetime) -> Decimal:
    return ZERO if one.authorised_until is not None and one.authorised_until <= now else room(order, one, moves)


def payment(move: Move, order: Order) -> Payment:
    """What the channel is asked to release, as a payment: ours until it says its own number."""
    return replace(taken_of(move, order), kind=PaymentKind.VOID)
