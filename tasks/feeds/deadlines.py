"""Deadlines that have passed: each kind has its consequence, once, and an owner who hears of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from app import cases
from app.bell import Ring, ring
from app.database import transaction
from app.orders import cancelling, deadlines, fulfilling, holds, pickups, reconciling, returning
from app.orders.deadlines import Deadline
from tasks.feeds.each import each
from tasks.reading import cancelled


def run() -> str:
    """One transaction for each."""
    with transaction() as tx:
        late = deadlines.due(tx)
    return f"{each(late, _pass)} deadlines passed"


def _pass(deadline: Deadline) -> bool:
    with transaction() as tx:
        taken = deadlines.take(tx, deadline)
        rings = PASSED[deadline.kind](tx, deadline) if taken else []
    ring(rings)
    return taken


def _hold(tx: Connection, deadline: Deadline) -> list[Ring]:
    """A hold that nobody lifted in time: its owner has a case; the order stays held."""
    hold = holds.one(tx, int(deadline.part))
    if hold is not None and hold.open:
        cases.open_case(
            tx,
            "hold",
            "hub",
            "hold_overdue",
            f"An order has been held ({hold.reason}) longer than its deadline.",
            member=f"hold:{hold.id}",
            subject=deadline.subject_id,
            owner=hold.owner,
            remedy="Release it on the order's page, or cancel the order in its channel.",
            cause=f"{hold.reason}|{hold.owner}",
        )
    return []


def _answer(tx: Connection, deadline: Deadline) -> list[Ring]:
    return fulfilling.time_out(tx, deadline.part)


def _pickup(tx: Connection, deadline: Deadline) -> list[Ring]:
    return pickups.no_show(tx, deadline.part)


def _goods(tx: Connection, deadline: Deadline) -> list[Ring]:
    returning.overdue(tx, deadline.part, "goods")
    return []


def _money(tx: Connection, deadline: Deadline) -> list[Ring]:
    returning.overdue(tx, deadline.part, "money")
    return []


def _over(tx: Connection, deadline: Deadline) -> list[Ring]:
    reconciling.look(tx, deadline.subject_id)
    return []


def _cancel(tx: Connection, deadline: Deadline) -> list[Ring]:
    return cancelled.lay(tx, deadline.subject_id, deadline.part)


PASSED: Mapping[str, Callable[[Connection, Deadline], list[Ring]]] = {
    "hold": _hold,
    "answer": _answer,
    "pickup": _pickup,
    "return": _goods,
    "refund": _money,
    reconciling.KIND: _over,
    cancelling.KIND: _cancel,
}
