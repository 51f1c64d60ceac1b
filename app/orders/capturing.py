"""Capture on shipment: what has left is taken from what the customer authorised, once for each shipment and never above it. Pure.

Moves that the hub has decided and that its document does not show yet count as taken: a channel tells of them when it likes. An
authorisation that can be taken once only waits for the last parcel, or is taken with the first for all that is still wanted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from app.orders.money import Move
from app.orders.standing import life_of
from app.orders.worth import ZERO, due
from app.stock.departed import left_of
from connectors.canonical.gate import captured
from connectors.canonical.money import Money, MoneyBag, Role, minor_unit
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Takes

USES = (PaymentKind.CAPTURE, PaymentKind.VOID)


@dataclass(frozen=True, slots=True)
class Share:
    """So much of an authorisation, in the order's money role."""

    authorisation: Payment
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Decision:
    """`lacking` left the house and no authorisation that still holds covers it; `unsplit` is covered by one that can only be taken whole,
    for more than is owed, at a channel where the hub does not give the rest back."""

    shares: tuple[Share, ...] = ()
    lacking: Decimal = ZERO
    unsplit: Decimal = ZERO


def decide(
    order: Order, moves: Sequence[Move], now: datetime, *, once: str = "last", gives_back: bool = False
) -> Decision:
    """What is to be taken now for what has left so far. Nothing of an order that nobody authorised anything for.

    `once`: with which parcel an authorisation is taken that its channel takes only once ("first", "last").
    """
    found = held(order)
    if not found:
        return Decision()
    hidden = unseen(moves, order.payments, order.money_role)
    taken = sum(captured(order).values(), ZERO) + sum((one.amount for one in hidden), ZERO)
    owed, at_last = due(order, left_of(order)) - taken, _at_last(order, once)
    shares: list[Share] = []
    unsplit = ZERO
    for one in found:
        holds = one.authorised_until is None or one.authorised_until > now
        left = room(order, one, moves) if holds else ZERO
        in_parts = one.takes is Takes.PARTS
        wanted = owed if in_parts else at_last - taken if at_last is not None else None
        share = min(owed if wanted is None else wanted, left)
        if wanted is not None and share > 0:
            if one.takes is Takes.WHOLE and share < left and not gives_back:
                unsplit += share
            else:
                share = left if one.takes is Takes.WHOLE else share
                shares.append(Share(one, share))
                taken += share
        owed -= max(ZERO, share)  # what waits for its last parcel is covered, too
    return Decision(tuple(shares), max(ZERO, owed), unsplit)


def _at_last(order: Order, once: str) -> Decimal | None:
    """What an authorisation that is taken only once has to pay for, together with all else that pays; None while it waits."""
    gone, wanted = left_of(order), still_wanted(order)
    if once == "first" and any(gone.values()):
        return due(order, wanted)
    return due(order, gone) if over(order) else None


def over(order: Order) -> bool:
    """Whether something has left, and nothing that is to be paid for is still to leave."""
    gone = left_of(order)
    return any(gone.values()) and due(order, gone) >= due(order, still_wanted(order))


def still_wanted(order: Order) -> dict[str, Decimal]:
    """Line id -> pieces that the customer still gets or has."""
    return {line.id: line.active for line in life_of(order).lines if line.active > 0}


def unseen(moves: Iterable[Move], payments: Sequence[Payment], role: Role) -> list[Move]:
    """Captures of ours that the document does not show: by their id, else (told before its answer came) by authorisation and amount.

    Where a channel turns the authorisation itself into what was taken, it shows once it is an authorisation no more.
    """
    ours = [move for move in moves if move.kind == "capture"]
    named = {move.moved_as for move in ours if move.moved_as}
    known = {one.id for one in payments if one.kind is not PaymentKind.AUTHORISATION}
    others = Counter(
        (one.parent_id, one.amount.in_role(role).amount)
        for one in payments
        if one.kind is PaymentKind.CAPTURE and one.status is not PaymentStatus.FAILURE and one.id not in named
    )
    hidden = []
    for move in ours:
        told = (move.parent, move.amount)
        if move.moved_as in known or move.parent in known:
            continue
        if not move.moved_as and others[told] > 0:
            others[told] -= 1
        else:
            hidden.append(move)
    return hidden


def held(order: Order) -> list[Payment]:
    """The authorisations of an order, in the order in which they were given."""
    return [
        one for one in order.payments if one.kind is PaymentKind.AUTHORISATION and one.status is PaymentStatus.SUCCESS
    ]


def room(order: Order, held: Payment, moves: Sequence[Move]) -> Decimal:
    """What may still be taken of an authorisation: pending uses of it count, those that failed do not. Nothing once its rest is released."""
    if any(move.kind == "void" and move.parent == held.id for move in moves):
        return ZERO
    role, hidden = order.money_role, unseen(moves, order.payments, order.money_role)
    used = [one for one in order.payments if one.kind in USES and one.status is not PaymentStatus.FAILURE]
    gone = [one.amount.in_role(role).amount for one in used if one.parent_id == held.id]
    gone += [move.amount for move in hidden if move.parent == held.id]
    if gone and held.takes is not Takes.PARTS:
        return ZERO
    return max(ZERO, held.amount.in_role(role).amount - sum(gone, ZERO))


def part_of(bag: MoneyBag, amount: Decimal, role: Role) -> MoneyBag:
    """So much of a sum, in both currencies where it has two: the other side in proportion, to its minor unit; all of it is all of both."""
    whole = bag.in_role(role).amount

    def share(money: Money) -> Money:
        if not whole:
            return replace(money, amount=amount)
        part = money.amount if amount == whole else (money.amount * amount / whole).quantize(minor_unit(money.currency))
        return replace(money, amount=part)

    shop = share(bag.shop) if role is not Role.SHOP else replace(bag.shop, amount=amount)
    if bag.presentment is None:
        return MoneyBag(shop)
    seen = share(bag.presentment) if role is Role.SHOP else replace(bag.presentment, amount=amount)
    return MoneyBag(shop, seen)


def payment(move: Move, order: Order) -> Payment:
    """What the channel is asked to take, as a payment: ours until it says its own number."""
    held = next(one for one in order.payments if one.id == move.parent)
    amount = part_of(held.amount, move.amount, order.money_role)
    return replace(
        held, id=move.number, kind=PaymentKind.CAPTURE, amount=amount, parent_id=held.id, at=None, authorised_until=None
    )
