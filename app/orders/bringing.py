"""Bringing: which of the goods that came back the ERP learns of by a refund, and which it has to be told of by themselves. Pure."""

from __future__ import annotations

from app.orders.disposing import CONDITIONS
from app.orders.life import QUARANTINE, RESTOCK, SCRAP
from app.orders.return_requests import ReturnRow
from connectors.canonical.returns import Refund, Return


def without_money(row: ReturnRow, refund: Refund | None) -> frozenset[str]:
    """The lines of a received return that no refund brings: all where nothing is given back, else what the hub's own does not put on the shelf.

    `refund` is the hub's, where it is laid out already. One that the channel makes says itself what of it goes back on the shelf. What
    is scrapped at once and given money for was never stock again.
    """
    came = [line for line in row.lines if line.received]
    if not row.refunds:
        return frozenset(line.line_id for line in came)
    if row.payer != "hub":
        return frozenset()
    if refund is not None:
        brought = {line.line_id for line in refund.lines if line.restock}
    else:
        brought = {line.line_id for line in came if line.disposition == RESTOCK}
    return frozenset(line.line_id for line in came if line.disposition != SCRAP and line.line_id not in brought)


def looked_at(row: ReturnRow, told: Return) -> list[str]:
    """The lines that were in quarantine when the order was last told of the return, and are not any more."""
    now = {line.line_id: line.disposition for line in row.lines if line.received}
    was = [line.line_id for line in told.lines if line.condition == CONDITIONS[QUARANTINE]]
    return [line_id for line_id in was if now.get(line_id, QUARANTINE) != QUARANTINE]
