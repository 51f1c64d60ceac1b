"""Goods that came back: what no refund brings into the ERP is booked there, and where pieces in quarantine go in the end."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from app.journal import runs
from app.orders import bringing, disposing
from app.orders.return_requests import ReturnRow
from connectors.canonical.codec import dump, load
from connectors.canonical.returns import Refund, Return
from tasks.reading import booking, giving, laying

RECEIVED, DISPOSED = "return_received", "return_disposed"


def lay(tx: Connection, setting: laying.Setting, row: ReturnRow) -> None:
    """Called whenever somebody counted, or looked at what was in quarantine; each is told once."""
    told = next((one for one in setting.order.returns if one.id == row.number), None)
    if told is None:
        came = _of(row, bringing.without_money(row, _refund(tx, setting, row)))
        if came.lines:
            booking.lay(tx, setting, RECEIVED, row.number, dump(came))
        return
    for line_id in bringing.looked_at(row, told):
        moved = _of(row, frozenset((line_id,)))
        booking.lay(tx, setting, DISPOSED, f"{row.number}:{line_id}", dump(moved))


def _refund(tx: Connection, setting: laying.Setting, row: ReturnRow) -> Refund | None:
    child = runs.child_of(tx, setting.subject.id, giving.FLOW, row.number)
    found: Refund | None = load(Refund, child) if child is not None else None
    return found


def _of(row: ReturnRow, lines: frozenset[str]) -> Return:
    whole = disposing.told(row)
    return replace(whole, lines=tuple(line for line in whole.lines if line.line_id in lines))
