"""What follows once a return was received: its order says so, and what is wanted instead is placed as an order of its own."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from app.journal import runs, subjects
from app.journal.subjects import Subject
from app.orders import disposing, returning
from app.orders.return_requests import ReturnRow
from connectors.canonical.order import Order
from connectors.canonical.returns import Return
from tasks.reading import apply, exchanged, goods, laying


def follow(tx: Connection, cause: laying.Cause, subject: Subject, order: Order, row: ReturnRow) -> frozenset[str]:
    """The accounts that have steps to do by now."""
    setting = laying.Setting(cause, subject, subject.roles, subject.document_id, order)
    came = any(line.received for line in row.lines)
    wants = row.exchange and came and not row.replaced_by and not row.kept_by_channel
    replaced_by = exchanged.place(tx, setting, row) if wants else ""
    returning.followed(tx, row, replaced_by)
    goods.lay(tx, setting, row)
    new = replace(order, returns=(*_others(order, row), disposing.told(row)))
    apply.keep_changed(tx, cause, subject, order, new)
    mine = subjects.lock_waybill(tx, replaced_by) if replaced_by else None
    return frozenset(runs.ready_accounts(tx, subject.id) | (runs.ready_accounts(tx, mine.id) if mine else set()))


def _others(order: Order, row: ReturnRow) -> tuple[Return, ...]:
    return tuple(one for one in order.returns if one.id != row.number)
