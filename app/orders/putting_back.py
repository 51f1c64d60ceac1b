"""A pickup that was put back: its channel still sells the pieces, and somebody is asked to have it cancel or refund them, until it did."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection, text

from app import cases
from app.orders import covering, fulfilments, money, repaying
from app.orders.capturing import still_wanted
from app.orders.fulfilments import Fulfilment
from app.orders.standing import life_of
from app.orders.worth import due
from connectors.canonical.delivery import DeliveryKind
from connectors.canonical.order import Order

CHANNEL = text("SELECT account FROM subjects WHERE id = :subject")
WAITING = text("SELECT member FROM case_members WHERE member = ANY(:members) AND closed_at IS NULL")


def ask(tx: Connection, one: Fulfilment) -> None:
    pieces = ", ".join(f"{want.quantity.normalize():f} x {want.sku}" for want in one.wants)
    cases.open_case(
        tx,
        "pickup",
        tx.execute(CHANNEL, {"subject": one.subject_id}).scalar_one(),
        "put_back",
        f"Nobody fetched {one.number}, and it lies on its shelf again: {pieces} are still sold and claimed.",
        member=_member(one),
        subject=one.subject_id,
        role="channel",
        cause=one.number,
        remedy="Cancel or refund these pieces in the channel; the case ends by itself once it tells of that, or once they are sourced again.",
    )


def look(tx: Connection, subject: int, order: Order) -> None:
    """The channel has told something, or somebody was asked anew: it is over for what is not to leave any more, or is paid back."""
    if all(one.kind is not DeliveryKind.PICKUP for one in order.deliveries):
        return  # most orders: they cost nothing here
    asked = fulfilments.of(tx, subject)
    known = {_member(one): one for one in asked if one.state == "cancelled"}
    waiting = tx.execute(WAITING, {"members": sorted(known)}).scalars().all() if known else ()
    for member in sorted(waiting):
        if order.cancelled_at is not None or _over(tx, subject, order, asked, known[member]):
            cases.leave(tx, member)


def _over(tx: Connection, subject: int, order: Order, asked: Sequence[Fulfilment], one: Fulfilment) -> bool:
    """Nothing of it is still to leave without being asked of anybody, or no more is kept than the rest of the order is worth."""
    free, life = covering.unasked(order, asked), life_of(order)
    left = {want.line_id: min(free.get(want.line_id, Decimal(0)), life.line(want.line_id).open) for want in one.wants}
    if not any(many > 0 for many in left.values()):
        return True
    wanted = still_wanted(order)
    rest = {line: many - left.get(line, Decimal(0)) for line, many in wanted.items()}
    worth = due(order, wanted) - due(order, rest)
    return bool(order.refunds) and repaying.above(order, money.of(tx, subject)) + worth <= 0


def _member(one: Fulfilment) -> str:
    return f"put_back:{one.number}"
