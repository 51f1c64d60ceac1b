"""Inspecting: pieces in quarantine were looked at; they are sold again or scrapped."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from app.journal.actions import audit
from app.orders import disposing, return_requests
from app.orders.life import QUARANTINE, RESTOCK, SCRAP, ZERO
from app.orders.machines import RETURN
from app.orders.refused import Refused
from app.orders.return_requests import ReturnLine, ReturnRow
from connectors.canonical.order import Order


def dispose(
    tx: Connection,
    number: str,
    order: Order,
    line_id: str,
    disposition: str,
    who: str,
    pieces: Decimal | None = None,
    why: str = "",
    there: Decimal | None = None,
    at: datetime | None = None,
) -> ReturnRow:
    """Pieces in quarantine (None: all of the line) were looked at: they are sold again (restock) or gone (scrap).

    All of a line said twice is once. `there` is what whoever says it has seen in quarantine. Raises Refused for any others, and where
    that has changed. `at` is when that was, now unless said otherwise.
    """
    found = return_requests.locked(tx, number)
    mine = [one for one in found.lines if one.line_id == line_id and one.received]
    line = next((one for one in mine if one.disposition == QUARANTINE), None)
    if line is None and pieces is None and any(one.disposition == disposition for one in mine):
        return found
    if line is None or disposition not in (RESTOCK, SCRAP):
        raise Refused("not_in_quarantine", f"{number} has no pieces of line {line_id} in quarantine.")
    lies = line.received or ZERO
    if there is not None and there != lies:
        raise Refused(
            "changed",
            f"{number} has changed meanwhile: {lies.normalize():f} pieces of line {line_id} are in quarantine.",
        )
    many = lies if pieces is None else pieces
    if not ZERO < many <= lies:
        raise Refused("not_that_many", f"{number} has {lies.normalize():f} pieces of line {line_id} in quarantine.")
    gone, left = _parted(line, many, disposition)
    lines = tuple(part for one in found.lines for part in ((gone, *left) if one is line else (one,)))
    still = any(one.disposition == QUARANTINE and one.received for one in lines)
    state = found.state if still or found.state != "quarantined" else RETURN.after("quarantined", disposition)
    row = replace(found, state=state, lines=lines, pending=True)
    return_requests.save(tx, row)
    disposing.dispose(tx, row, order, gone, disposition, len(mine), at)
    told = {"return": number, "line": line_id, "disposition": disposition, "pieces": f"{many.normalize():f}"}
    was = {"disposition": QUARANTINE, "pieces": f"{lies.normalize():f}"}
    audit(tx, who, "dispose of returned goods", f"order:{number.partition('-')[0]}", why, was, told)
    return row


def _parted(line: ReturnLine, many: Decimal, disposition: str) -> tuple[ReturnLine, tuple[ReturnLine, ...]]:
    """(what leaves quarantine, what stays there)."""
    there = line.received or ZERO
    if many == there:
        return replace(line, disposition=disposition), ()
    stays = replace(line, quantity=max(ZERO, line.quantity - many), received=there - many)
    return replace(line, quantity=min(line.quantity, many), received=many, disposition=disposition), (stays,)
