"""Allotting: a line is allocated once all of it that is to be sent was taken on, and picked once that is off the shelf, as its locations tell."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app.orders import states
from app.orders.machines import LINE
from app.orders.shipping import to_ship
from app.orders.states import Move
from connectors.canonical.codec import decode
from connectors.canonical.order import Order

# What has left is picked until its parcel stands in the document, which moves the line on.
PICKED = frozenset(("picked", "packed", "ready", "no_show", "shipped", "collected"))
TAKEN = PICKED | {"accepted"}
BEFORE = frozenset(
    ("open", "allocated", "picked")
)  # what has begun to leave, or goes out as something else, is ahead of these
ASKED = text("SELECT state, lines FROM fulfilments WHERE subject_id = :subject AND state = ANY(:states)")
BODY = text("SELECT d.body FROM subjects s JOIN documents d ON d.id = s.document_id WHERE s.id = :subject")


def follow(tx: Connection, subject: int, account: str) -> None:
    """Moves the lines of a sourced order to what its requests say, also back. Without rules there are none: lines are open until they leave."""
    body = tx.execute(BODY, {"subject": subject}).scalar()
    order = decode(body) if body is not None else None
    if not isinstance(order, Order) or order.cancelled_at is not None:
        return
    asked = tx.execute(ASKED, {"subject": subject, "states": list(TAKEN)}).all()
    known = states.known(tx, subject)
    moves = []
    for line, many in to_ship(order).items():
        before, after = known.get(("line", line), "open"), _stands(asked, line, many)
        if before in BEFORE and before != after:
            moves.append(Move("line", line, before, LINE.path(before, after) or (), after))
    states.keep(tx, subject, moves, account, None)


def _stands(asked: Any, line: str, many: Decimal) -> str:
    for after, among in (("picked", PICKED), ("allocated", TAKEN)):
        if sum(_pieces(row.lines, line) for row in asked if row.state in among) >= many:
            return after
    return "open"


def _pieces(lines: Any, line: str) -> Decimal:
    return sum((Decimal(one["quantity"]) for one in lines if one["line_id"] == line), Decimal(0))
