"""Giving back: what a cancellation leaves paid for nothing is decided with it, and what was decided is laid out as a run."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection

from app.journal import runs
from app.orders import money, paying_returns, repaying, return_requests, worth
from app.orders.difference import changed
from app.orders.life import RESTOCK, ZERO
from app.orders.standing import life_of
from connectors.canonical.codec import dump, load
from connectors.canonical.order import Order
from connectors.canonical.returns import Refund, Return
from tasks.reading import laying, moving

FLOW = "payment_refunded"


def decide(tx: Connection, setting: laying.Setting, old: Order | None) -> None:
    """Where the account's refunds are the hub's to make: what the order became cheaper by just now, and was taken before, goes back."""
    subject, new = setting.subject, setting.order
    if old is None or not money.refunds(subject.account):
        return
    cause = _cancelled(subject.waybill, old, new)
    if not cause and old.cancelled_at is None and changed(old, new) & PRICED:
        edits = f"{subject.waybill}-E"
        cause = f"{edits}{money.causes(tx, subject.id, edits) + 1}"
    if not cause:
        return
    moves = money.of(tx, subject.id)
    life = repaying.less(life_of(new), repaying.promised(new, moves))
    shares, _ = repaying.shares(life, repaying.cancelled(old, new, moves))
    for tender, amount in shares:
        told = {"kind": "refund", "cause": cause, "tender": tender, "amount": amount, "currency": worth.currency(new)}
        money.ask(tx, subject.id, subject.waybill, **told)


PRICED = frozenset(("lines", "shipping"))  # the facets of an order that its price hangs on


def decide_rest(tx: Connection, subject: int, waybill: str, order: Order, took: money.Move) -> None:
    """What had to be taken beyond what is owed, since its authorisation could only be taken whole, goes back the same way."""
    if not money.refunds(order.channel):
        return
    moves = money.of(tx, subject)
    life = repaying.less(life_of(order), repaying.promised(order, moves))
    held = next((one.refundable for one in life.tenders if one.name == took.tender), ZERO)
    amount = min(took.amount, held, repaying.above(order, moves))
    if amount > 0:
        told = {
            "kind": "refund",
            "cause": f"{waybill}-X-{took.number.rpartition('-')[2]}",
            "tender": took.tender,
            "amount": amount,
        }
        money.ask(tx, subject, waybill, currency=worth.currency(order), **told)


def _cancelled(waybill: str, old: Order, new: Order) -> str:
    """The name of a cancellation: of the whole, or of the pieces that a refund without money took off; empty where there is none."""
    if old.cancelled_at is None and new.cancelled_at is not None:
        return f"{waybill}-C"
    known = {refund.id for refund in old.refunds}
    gone = [refund.id for refund in new.refunds if refund.id not in known and not refund.payments]
    return f"{waybill}-C-{gone[0]}" if gone else ""


def lay(tx: Connection, setting: laying.Setting, cause: str) -> None:
    """The run that makes a decided refund, once."""
    moves = [move for move in money.of(tx, setting.subject.id) if move.kind == "refund" and move.cause == cause]
    moving.lay(tx, setting, FLOW, cause, dump(_refund(tx, setting, cause, moves)))


def _refund(tx: Connection, setting: laying.Setting, cause: str, moves: Sequence[money.Move]) -> Refund:
    row = next((row for row in return_requests.of(tx, setting.subject.id) if row.number == cause), None)
    child = runs.child_of(tx, setting.subject.id, "return_received", cause)
    came: Return | None = load(Return, child) if child is not None else None
    booked = {line.line_id for line in came.lines} if came is not None else set()  # they came in apart from the money
    lines: list[tuple[str, Decimal, bool, str]] = []
    for one in row.lines if row is not None else ():
        restock = one.disposition == RESTOCK and one.line_id not in booked
        lines.append((one.line_id, one.received or ZERO, restock, row.location if row else ""))
    return repaying.refund(setting.order, moves, lines, note=f"{cause}")


def given(tx: Connection, subject: int, cause: str) -> None:
    """A refund of ours was made: the return it pays is paid."""
    paying_returns.paid(tx, subject, cause)
