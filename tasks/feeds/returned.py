"""What follows once a return was received: what is wanted instead is placed as an order."""

from __future__ import annotations

from app.bell import ring
from app.database import transaction
from app.journal import runs, subjects
from app.journal.nourish import feed_accounts
from app.orders import returning
from app.orders.returning import ReturnRow
from connectors.canonical.order import Order
from tasks.reading import exchanged, laying


def run() -> str:
    """One transaction for each."""
    with transaction() as tx:
        waiting = returning.pending(tx)
    for row in waiting:
        _follow(row)
    return f"{len(waiting)} returns followed"


def _follow(known: ReturnRow) -> None:
    with transaction() as tx:
        subject = subjects.lock_id(tx, known.subject_id)
        row = next(one for one in returning.of(tx, subject.id) if one.id == known.id)
        if not row.pending or not isinstance(subject.document, Order):
            return
        cause = laying.Cause(None, None, 0, subject.account)
        setting = laying.Setting(cause, subject, subject.roles, subject.document_id, subject.document)
        came = any(line.received for line in row.lines)
        replaced_by = exchanged.place(tx, setting, row) if row.exchange and came else ""
        returning.followed(tx, row, replaced_by)
        mine = subjects.lock_waybill(tx, replaced_by) if replaced_by else None
        ready = runs.ready_accounts(tx, mine.id) if mine is not None else set()
        rings = feed_accounts(tx, runs.ready_accounts(tx, subject.id) | ready)
    ring(rings)
