"""What follows once a return was received: its order says so, and what is wanted instead is placed as an order of its own."""

from __future__ import annotations

from dataclasses import replace

from app.bell import ring
from app.database import transaction
from app.journal import runs, subjects
from app.journal.nourish import feed_accounts
from app.orders import disposing, return_requests, returning
from app.orders.return_requests import ReturnRow
from connectors.canonical.order import Order
from connectors.canonical.returns import Return
from tasks.feeds.each import each
from tasks.reading import apply, exchanged, goods, laying


def run() -> str:
    """One transaction for each."""
    with transaction() as tx:
        waiting = return_requests.pending(tx)
    each(waiting, _follow)
    return f"{len(waiting)} returns followed"


def _follow(known: ReturnRow) -> None:
    with transaction() as tx:
        subject = subjects.lock_id(tx, known.subject_id)
        row = next(one for one in return_requests.of(tx, subject.id) if one.id == known.id)
        if not row.pending or not isinstance(subject.document, Order):
            return
        cause = laying.Cause(None, None, 0, subject.account)
        setting = laying.Setting(cause, subject, subject.roles, subject.document_id, subject.document)
        came = any(line.received for line in row.lines)
        wants = row.exchange and came and not row.replaced_by and not row.kept_by_channel
        replaced_by = exchanged.place(tx, setting, row) if wants else ""
        returning.followed(tx, row, replaced_by)
        goods.lay(tx, setting, row)
        new = replace(setting.order, returns=(*_others(setting.order, row), disposing.told(row)))
        apply.keep_changed(tx, cause, subject, setting.order, new)
        mine = subjects.lock_waybill(tx, replaced_by) if replaced_by else None
        ready = runs.ready_accounts(tx, mine.id) if mine is not None else set()
        rings = feed_accounts(tx, runs.ready_accounts(tx, subject.id) | ready)
    ring(rings)


def _others(order: Order, row: ReturnRow) -> tuple[Return, ...]:
    return tuple(one for one in order.returns if one.id != row.number)
