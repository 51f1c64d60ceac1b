"""Returns that the channel keeps: what it asks for, allows, declines or ends is so here too, and the hub expects the goods.

The channel decides (its own rules and staff), pays, and lays out what goes out instead; the hub counts what comes and sorts it (returning.receive).
"""

from __future__ import annotations

from collections.abc import Iterable

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app.journal import events
from app.orders import deadlines, return_requests, returning
from app.orders.machines import RETURN
from app.orders.return_requests import ALIVE, CHANNELS, MAKE, ReturnLine, ReturnRow
from connectors.canonical.order import Order
from connectors.canonical.returns import Return, ReturnStatus
from connectors.canonical.returns import ReturnLine as Told

TOLD = {
    ReturnStatus.REQUESTED: "requested",
    ReturnStatus.OPEN: "authorised",
    ReturnStatus.RECEIVED: "authorised",
    ReturnStatus.CLOSED: "closed",
    ReturnStatus.DECLINED: "declined",
    ReturnStatus.CANCELLED: "cancelled",
}
DECLINED = "The channel declined it."
MOVE = text("""
UPDATE return_requests SET state = :state, lines = :lines, exchange = :exchange, refused = :refused, updated_at = now() WHERE id = :id
""")


def hear(tx: Connection, subject: int, waybill: str, old: Order | None, new: Order) -> None:
    """Follows every return of the order's channel that is told otherwise than before. The caller has the subject locked."""
    before = {one.id: one for one in old.returns} if old is not None else {}
    told = [one for one in new.returns if one.origin == new.channel and before.get(one.id) != one]
    if not told:
        return
    known = {row.key: row for row in return_requests.of(tx, subject)}
    for one in told:
        row = known.get(f"{CHANNELS}{one.id}")
        if row is None:
            _make(tx, subject, waybill, one)
        elif row.state in (*ALIVE, "closed"):
            _move(tx, row, one)


def _make(tx: Connection, subject: int, waybill: str, told: Return) -> None:
    state = TOLD[told.status]
    row = {"subject": subject, "waybill": waybill, "state": state, "lines": _lines(_of_lines(told)), "gift": False}
    more = {"exchange": _lines(told.exchange_lines), "refused": _refused(state), "key": f"{CHANNELS}{told.id}"}
    number = str(tx.execute(MAKE, {**row, **more}).scalar_one())
    _await(tx, subject, number, state)


def _move(tx: Connection, row: ReturnRow, told: Return) -> None:
    """As far as a way leads there: what we have received is not taken back by what the channel says."""
    state = TOLD[told.status]
    way = RETURN.path(row.state, state)
    if way is None or (row.state == "closed" and any(line.received is not None for line in row.lines)):
        return
    values = {"id": row.id, "state": state, "refused": _refused(state)}
    tx.execute(MOVE, {**values, "lines": _lines(_of_lines(told)), "exchange": _lines(told.exchange_lines)})
    if state != row.state:
        _await(tx, row.subject_id, row.number, state)


def _await(tx: Connection, subject: int, number: str, state: str) -> None:
    """Goods are waited for from the day on which they were allowed to come."""
    if state == "authorised":
        deadlines.set_(tx, subject, "return", number, returning.policy()["comes_within"])
        events.again(tx, subject, return_requests.UNMATCHED)
    else:
        deadlines.void(tx, subject, "return", number)


def _refused(state: str) -> str:
    return DECLINED if state == "declined" else ""


def _of_lines(told: Return) -> list[Told]:
    return [one for one in told.lines if one.line_id]


def _lines(told: Iterable[Told]) -> Jsonb:
    """What belongs to no line of the order is in its document only; an exchange names its line once it was processed."""
    lines = (ReturnLine(one.line_id, one.quantity, one.reason, sku=one.sku) for one in told)
    return Jsonb([return_requests.written(line) for line in lines])
