"""Money that the hub moves: decided refunds become runs, and what was moved is noted on its order, whether or not the channel tells of it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from app.bell import ring
from app.database import transaction
from app.journal import runs, subjects
from app.journal.nourish import feed_accounts
from app.journal.subjects import Subject
from app.orders import money, return_requests
from app.orders.merge import with_refund
from app.orders.money import Move
from connectors.canonical.codec import load
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind, Takes
from connectors.canonical.returns import Refund
from tasks.feeds.each import each
from tasks.reading import apply, collecting, exchanged, giving, laying, releasing


def run() -> str:
    """One transaction for each."""
    with transaction() as tx:
        to_give, waiting = money.to_give(tx), money.pending(tx)
    each(to_give, lambda one: _give(*one))
    each(waiting, _note)
    return f"{len(to_give)} refunds begun, {len(waiting)} moves noted"


def _give(subject_id: int, cause: str) -> None:
    with transaction() as tx:
        subject = subjects.lock_id(tx, subject_id)
        if isinstance(subject.document, Order):
            setting = laying.Setting(_cause(subject), subject, subject.roles, subject.document_id, subject.document)
            giving.lay(tx, setting, cause)
        rings = feed_accounts(tx, runs.ready_accounts(tx, subject.id))
    ring(rings)


def _note(move: Move) -> None:
    with transaction() as tx:
        subject = subjects.lock_id(tx, move.subject_id)
        if not money.noted(tx, move.id):  # a beat job's turn may have gone to another while this one stood still
            return
        order = subject.document
        if isinstance(order, Order):
            apply.keep_changed(tx, _cause(subject), subject, order, _noted(tx, subject, order, move))
        if move.kind == "refund":
            giving.given(tx, subject.id, move.cause)
        if move.kind == "capture":
            _after_capture(tx, move)
        if move.kind == "charge":
            exchanged.charged(tx, _cause(subject), subject.id, move.cause, _made(tx, subject, move))
        rings = feed_accounts(tx, _accounts(tx, subject, move))
    ring(rings)


def _after_capture(tx: Connection, move: Move) -> None:
    """What was taken too much goes back; what is left of the authorisation is released."""
    child = runs.child_of(tx, move.subject_id, collecting.FLOW, move.number)
    subject = subjects.lock_id(tx, move.subject_id)
    if not isinstance(subject.document, Order):
        return
    if load(Payment, child).takes is Takes.WHOLE:
        giving.decide_rest(tx, subject.id, subject.waybill, subject.document, move)
    releasing.lay(tx, laying.Setting(_cause(subject), subject, subject.roles, subject.document_id, subject.document))


def _accounts(tx: Connection, subject: Subject, move: Move) -> set[str]:
    """Where steps are ready now: of the order, and of one that a charge has freed."""
    freed = [
        row.replaced_by
        for row in return_requests.of(tx, subject.id)
        if move.kind == "charge" and row.number == move.cause
    ]
    mine = [subjects.lock_waybill(tx, waybill) for waybill in freed if waybill]
    return runs.ready_accounts(tx, subject.id).union(
        *(runs.ready_accounts(tx, one.id) for one in mine if one is not None)
    )


def _cause(subject: Subject) -> laying.Cause:
    return laying.Cause(None, None, 0, subject.account)


def _noted(tx: Connection, subject: Subject, order: Order, move: Move) -> Order:
    """The order with what was moved; as it is, where its channel has told of it already."""
    if move.kind == "refund":
        child = runs.child_of(tx, subject.id, giving.FLOW, move.cause)
        if child is None or move.moved_as in {one.id for one in order.refunds}:
            return order
        return with_refund(order, replace(load(Refund, child), id=move.moved_as, origin=subject.account))
    made = _made(tx, subject, move)
    if move.moved_as == move.parent:  # the authorisation itself became what was taken, or is none any more
        turned = replace(made, kind=made.kind if made.kind is PaymentKind.VOID else PaymentKind.SALE, parent_id="")
        held = {one.id for one in order.payments if one.kind is PaymentKind.AUTHORISATION}
        return replace(
            order, payments=tuple(turned if one.id in held and one.id == turned.id else one for one in order.payments)
        )
    if move.moved_as in {one.id for one in order.payments}:
        return order
    return replace(order, payments=(*order.payments, made))


def _made(tx: Connection, subject: Subject, move: Move) -> Payment:
    """The transaction under the channel's id, as it was asked for."""
    child = runs.child_of(tx, subject.id, FLOWS_OF[move.kind], move.number)
    made: Payment = load(Payment, child)
    return replace(made, id=move.moved_as)


FLOWS_OF = {"capture": collecting.FLOW, "charge": exchanged.CHARGED, "void": releasing.FLOW}
