"""Money given back of what was paid before anything was billed: out of the deposits, so that no credit is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.returns import Refund
from connectors.kit.amounts import ZERO
from connectors.netsuite.mapping import credit, lines
from connectors.netsuite.mapping.credit import Due
from connectors.netsuite.mapping.policy import Policy


@dataclass(frozen=True, slots=True)
class Held:
    """A deposit: through which tender it came, and what was not given back of it, in the order's currency."""

    id: str
    gateway: str
    left: Decimal


Shares = Sequence[Sequence[tuple[str, Decimal]]]  # for each due: (deposit, amount)


def unbilled(order: Order, refund: Refund, record: Mapping[str, Any], policy: Policy) -> bool:
    """Whether a refund is of pieces that neither left nor were billed: all of them, or those that its lines name."""
    rows = lines.booked(record, policy)
    if not any(row.gone for row in rows):
        return True
    if refund.return_id or refund.adjustments or not refund.lines:
        return False
    matched = lines.match(order, rows, policy)
    wanted: dict[int, Decimal] = {}
    for line in refund.lines:
        row = matched.get(line.line_id)
        if row is None:
            return False
        wanted[row.number] = wanted.get(row.number, ZERO) + line.quantity
    return all(row.quantity - row.gone >= wanted.get(row.number, ZERO) for row in rows)


def shared(dues: Sequence[Due], held: Sequence[Held]) -> Shares | None:
    """What each deposit gives to each due, of the same tender only; None where they do not cover it."""
    left = {one.id: one.left for one in held}
    shares = []
    for due in dues:
        open_, share = due.amount, []
        for one in held:
            part = min(open_, left[one.id]) if one.gateway == due.gateway else ZERO
            if part > 0:
                share.append((one.id, part))
                left[one.id] -= part
                open_ -= part
        if open_:
            return None
        shares.append(share)
    return shares


def body(
    order: Order, refund: Refund, due: Due, share: Sequence[tuple[str, Decimal]], customer: str, policy: Policy
) -> dict[str, Any]:
    """The customer refund through one tender, out of these deposits (NetSuite help, article_0830082954)."""
    rows = [{"doc": {"id": deposit}, "apply": True, "amount": amount} for deposit, amount in share]
    return {**credit.payout(order, refund, due, customer, policy), "deposit": {"items": rows}}
