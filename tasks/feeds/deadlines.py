"""Deadlines that have passed: each kind has its consequence, once, and an owner who hears of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from app import cases
from app.bell import Ring, ring
from app.database import transaction
from app.orders import deadlines, fulfilling, holds, pickups, reconciling, returning
from app.orders.deadlines import Deadline


def run() -> str:
    """One transaction for each; one that fails holds none of the others up longer than this pass."""
    with transaction() as tx:
        late = deadlines.due(tx)
    passed = 0
    for deadline in late:
        with transaction() as tx:
            rings: list[Ring] = []
            if deadlines.take(tx, deadline):
                rings = PASSED[deadline.kind](tx, deadline)
                passed += 1
        ring(rings)
    return f"{passed} deadlines passed"


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


PASSED: Mapping[str, Callable[[Connection, Deadline], list[Ring]]] = {
    "hold": _hold,
    "answer": _answer,
    "pickup": _pickup,
    "return": _goods,
    "refund": _money,
    reconciling.KIND: _over,
}
