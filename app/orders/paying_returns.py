"""Paying returns: which return a refund pays, whoever makes it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from app import cases
from app.orders import deadlines, return_requests
from app.orders.machines import RETURN
from app.orders.return_requests import CHANNELS, ReturnRow
from connectors.canonical.returns import Refund


def refunded(tx: Connection, subject: int, refund: Refund) -> str | None:
    """A refund of the channel's pays the oldest return whose pieces it names (or that it names itself); answers its number.

    What the hub gives back by its own word is paid when its own step says so (`paid`).
    """
    lines = {line.line_id for line in refund.lines}
    rows = return_requests.of(tx, subject)
    named = [row for row in rows if names(refund, row)]
    for row in named or rows:
        theirs = bool(named) or bool(lines & {line.line_id for line in row.lines})
        if _payable(row) and row.payer == "channel" and theirs:
            _pay(tx, row)
            return row.number
    return None


def names(refund: Refund, row: ReturnRow) -> bool:
    return bool(refund.return_id) and refund.return_id in (row.number, row.key.removeprefix(CHANNELS))


def paid(tx: Connection, subject: int, number: str) -> bool:
    """The hub has given back what this return gives back; False when there is no such return, or it was paid before."""
    row = next((row for row in return_requests.of(tx, subject) if row.number == number and _payable(row)), None)
    if row is not None:
        _pay(tx, row)
    return row is not None


def _payable(row: ReturnRow) -> bool:
    return row.state in ("received", "restocked", "quarantined", "scrapped", "exchanged") and bool(row.refunds)


def _pay(tx: Connection, row: ReturnRow) -> None:
    return_requests.save(tx, replace(row, state=RETURN.after(row.state, "refund")))
    deadlines.met(tx, row.subject_id, "refund", row.number)
    cases.leave(tx, f"return:{row.id}")
