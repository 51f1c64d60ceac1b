"""Money that the hub gives back at a channel: for what came back or was cancelled, to each tender, never above what it took.

Decided once under the order's lock as moves of one cause; what is decided and not shown on the document yet is promised, and not given twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from app.orders.capturing import part_of, still_wanted
from app.orders.life import Life, spread
from app.orders.money import Move
from app.orders.standing import life_of
from app.orders.worth import ZERO, due, upto, whole
from app.stock.departed import paid_back
from connectors.canonical.money import MoneyBag
from connectors.canonical.order import Line, Order
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Tender
from connectors.canonical.returns import Adjustment, Refund, RefundLine

TOOK = (PaymentKind.SALE, PaymentKind.CAPTURE)


def promised(order: Order, moves: Sequence[Move]) -> dict[str, Decimal]:
    """Tender -> what is decided to go back and not on the document yet: a refund there is known by its id, or by what it moved.

    What a refund on the document has asked for and its provider has not moved yet is promised, too.
    """
    causes: dict[str, list[Move]] = {}
    for move in moves:
        if move.kind == "refund":
            causes.setdefault(move.cause, []).append(move)
    named = {move.moved_as for move in moves if move.moved_as}
    others = [_moved(order, refund) for refund in order.refunds if refund.id not in named]
    found = _on_its_way(order)
    for mine in causes.values():
        shares = {move.tender: move.amount for move in mine}
        if any(refund.id == mine[0].moved_as for refund in order.refunds):
            continue
        if not mine[0].moved_as and shares in others:
            others.remove(shares)
            continue
        for tender, amount in shares.items():
            found[tender] = found.get(tender, ZERO) + amount
    return found


def _on_its_way(order: Order) -> dict[str, Decimal]:
    """Tender -> what refunds on the document are still to move."""
    found: dict[str, Decimal] = {}
    for one in (one for refund in order.refunds for one in refund.payments):
        if one.status is PaymentStatus.PENDING:
            found[one.gateway] = found.get(one.gateway, ZERO) + one.amount.in_role(order.money_role).amount
    return found


def _moved(order: Order, refund: Refund) -> dict[str, Decimal]:
    moved: dict[str, Decimal] = {}
    for one in refund.payments:
        moved[one.gateway] = moved.get(one.gateway, ZERO) + one.amount.in_role(order.money_role).amount
    return moved


def less(life: Life, gone: Mapping[str, Decimal]) -> Life:
    """The life once these sums have gone back; what a tender did not take (store credit) is taken off the others, the last first."""
    rest = ZERO
    for tender, amount in gone.items():
        known = next((one for one in life.tenders if one.name == tender), None)
        room = max(ZERO, known.refundable) if known is not None else ZERO
        if known is not None:
            life = life.with_tender(replace(known, refunded=known.refunded + min(amount, room)))
        rest += amount - min(amount, room)
    for tender, amount in spread(life, rest)[0]:
        known = life.tender(tender)
        life = life.with_tender(replace(known, refunded=known.refunded + amount))
    return life


def shares(life: Life, amount: Decimal, credit: str = "") -> tuple[list[tuple[str, Decimal]], Decimal]:
    """To each tender what it gets back, and what nobody took; all of it as store credit where `credit` names that."""
    parts, above = spread(life, amount)
    given = sum((share for _, share in parts), ZERO)
    return ([(credit, given)] if credit and given else parts), above


def cancelled(old: Order, new: Order, moves: Sequence[Move]) -> Decimal:
    """What is to go back for what an order became cheaper by between two of its states (pieces cancelled, a price or delivery edited): as far as it
    was taken and not given back.

    With the last piece goes what stands beside the lines (the delivery).
    """
    worth = due(old, still_wanted(old)) - due(new, still_wanted(new))
    return max(ZERO, min(worth, _held(new, moves) - due(new, _kept(new))))


def _kept(order: Order) -> dict[str, Decimal]:
    """Line id -> pieces that the customer still gets or has and owes the price of: what came back is paid back by its return, and what was
    paid back after it had left is owed no more."""
    life, kept = life_of(order), {}
    for line in order.lines:
        mine = life.line(line.id)
        kept[line.id] = mine.active - max(mine.received, paid_back(order, line, mine.shipped))
    return {line: many for line, many in kept.items() if many > 0}


def above(order: Order, moves: Sequence[Move]) -> Decimal:
    """What was taken, and is not promised back, beyond the price of what the customer still gets or has; below nothing where it is less."""
    return _held(order, moves) - due(order, still_wanted(order))


def _held(order: Order, moves: Sequence[Move]) -> Decimal:
    return sum((one.refundable for one in less(life_of(order), promised(order, moves)).tenders), ZERO)


# ---- as the channel is asked for it


def refund(
    order: Order, moves: Sequence[Move], lines: Sequence[tuple[str, Decimal, bool, str]] = (), note: str = ""
) -> Refund:
    """The moves of one cause as one refund, for `lines` of (line id, pieces, restock, location). `id` is the cause: ours."""
    total = sum((move.amount for move in moves), ZERO)
    bag = _bag(order, total)
    named = {line.id: line for line in order.lines}
    told = tuple(_line(order, named[name], pieces, restock, at) for name, pieces, restock, at in lines if pieces > 0)
    payments = tuple(payment for move in moves for payment in _payments(order, move))
    beside = () if told else (Adjustment("cancellation", bag),)
    return Refund(
        moves[0].cause, bag, told, beside, payments, return_id=moves[0].cause if told else "", note=note, origin="hub"
    )


def _bag(order: Order, amount: Decimal) -> MoneyBag:
    return part_of(order.totals.total, amount, order.money_role)


def _line(order: Order, line: Line, pieces: Decimal, restock: bool, location: str) -> RefundLine:
    role = order.money_role
    price = upto(order, line, pieces)
    sold = whole(order, line)
    tax = sum((one.amount.in_role(role).amount for one in line.taxes), ZERO)
    of_it = (price * tax / sold).quantize(price) if sold else ZERO
    net = price if order.taxes_included else price - of_it
    return RefundLine(line.id, pieces, _bag(order, net), _bag(order, of_it), restock, location, line.sku, left=pieces)


def _payments(order: Order, move: Move) -> Iterator[Payment]:
    """A tender's share as the transactions that it goes back through: the newest first, none above what it still holds."""
    left = move.amount
    took = [
        one
        for one in order.payments
        if one.kind in TOOK and one.status is PaymentStatus.SUCCESS and one.gateway == move.tender
    ]
    free = _spare(order, move.tender)
    for paid in reversed(took):
        back = sum(
            (one.amount.in_role(order.money_role).amount for one in _back(order) if one.parent_id == paid.id), ZERO
        )
        room = max(ZERO, paid.amount.in_role(order.money_role).amount - back)
        taken_off = min(free, room)
        free -= taken_off
        share = min(left, room - taken_off)
        if share > 0:
            left -= share
            number = f"{move.number}-{paid.id}"
            yield replace(
                paid,
                id=number,
                kind=PaymentKind.REFUND,
                amount=part_of(paid.amount, share, order.money_role),
                parent_id=paid.id,
                at=None,
            )
    if left > 0:  # store credit, or a tender whose transactions the channel does not list
        yield Payment(move.number, PaymentKind.REFUND, _tender(move.tender), _bag(order, left), gateway=move.tender)


def _back(order: Order) -> list[Payment]:
    """Every refund's payment once, wherever the source tells of it."""
    found = {one.id: one for one in order.payments if one.kind is PaymentKind.REFUND}
    found |= {one.id: one for refund in order.refunds for one in refund.payments}
    return [one for one in found.values() if one.status is not PaymentStatus.FAILURE]


def _spare(order: Order, tender: str) -> Decimal:
    """What went back through a tender by no transaction that is named: it is taken off the newest."""
    ids = {one.id for one in order.payments}
    unnamed = (one for one in _back(order) if one.gateway == tender and one.parent_id not in ids)
    return sum((one.amount.in_role(order.money_role).amount for one in unnamed), ZERO)


def _tender(name: str) -> Tender:
    return Tender(name) if name in {one.value for one in Tender} else Tender.OTHER
