"""What the hub has moved at a channel is noted on its order, whether or not the channel ever tells of it."""

from __future__ import annotations

from dataclasses import replace

from app.bell import ring
from app.database import transaction
from app.journal import runs, subjects
from app.journal.nourish import feed_accounts
from app.orders import capturing, money
from app.orders.money import Move
from connectors.canonical.order import Order
from tasks.reading import apply, laying


def run() -> str:
    """One transaction for each."""
    with transaction() as tx:
        waiting = money.pending(tx)
    for move in waiting:
        _note(move)
    return f"{len(waiting)} moves noted"


def _note(move: Move) -> None:
    with transaction() as tx:
        subject = subjects.lock_id(tx, move.subject_id)
        order = subject.document
        if isinstance(order, Order) and move.moved_as not in {one.id for one in order.payments}:
            made = replace(capturing.payment(move, order), id=move.moved_as)
            cause = laying.Cause(None, None, 0, subject.account)
            apply.keep_changed(tx, cause, subject, order, replace(order, payments=(*order.payments, made)))
        money.noted(tx, move.id)
        rings = feed_accounts(tx, runs.ready_accounts(tx, subject.id))
    ring(rings)
