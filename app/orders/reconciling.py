"""Reconciled: an order that is over is done with once all was booked, nobody has to look at it and its money is right."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, text

from app import cases
from app.bell import HUB
from app.journal import subjects
from app.orders import deadlines, money, repaying, states
from app.orders.standing import tallies
from app.orders.states import Move
from app.units import Seconds
from config.reader import config
from connectors.canonical.order import Order

RESTS = frozenset(
    ("shipped", "delivered", "returned", "cancelled", "unsettled")
)  # an order in these is over, as far as its document says
KIND = "reconcile"
DEFAULTS = {"after": 3600, "again": 86400, "late": 7 * 86400}
BUSY = text("""
SELECT (SELECT count(*) FROM steps WHERE subject_id = :subject AND state NOT IN ('done', 'skipped', 'cancelled')) AS steps,
    (SELECT count(*) FROM case_members WHERE subject_id = :subject AND closed_at IS NULL AND member <> :mine) AS cases,
    (SELECT count(*) FROM deadlines WHERE subject_id = :subject AND state = 'open' AND kind <> :kind) AS waits,
    (SELECT count(*) FROM fulfilments WHERE subject_id = :subject AND pending) AS follows
""")
SINCE = text("""
SELECT extract(epoch FROM now() - since) FROM order_states WHERE subject_id = :subject AND machine = 'order' AND part = '' AND state = ANY(:rests)
""")


def policy() -> dict[str, Seconds]:
    """Seconds at rest until an order is looked at, then again, and until somebody hears why it is not (settings.toml [reconcile])."""
    return {**DEFAULTS, **{name: Seconds(value) for name, value in config().settings.get("reconcile", {}).items()}}


def follow(tx: Connection, subject: int, moves: Iterable[Move]) -> None:
    """An order that is over is looked at later; one that goes on after all is not."""
    last = [move.after for move in moves if move.machine == "order"]
    if not last:
        return
    if last[-1] in RESTS:
        deadlines.set_(tx, subject, KIND, "", policy()["after"])
    else:
        deadlines.void(tx, subject, KIND, "")


def hear(tx: Connection, subject: int, old: Order | None, new: Order) -> None:
    """Money or goods that move after an order was reconciled are booked first: it is unsettled until then, and is looked at anew."""
    if old is None or (old.refunds, old.returns, old.payments) == (new.refunds, new.returns, new.payments):
        return
    if states.advance(tx, subject, "order", "", "unsettle", HUB):
        deadlines.set_(tx, subject, KIND, "", policy()["after"])


def look(tx: Connection, subject_id: int) -> str:
    """Its hour has come: reconciled, or why it is not (empty where it is over no more); then it is looked at again."""
    subject = subjects.lock_id(tx, subject_id)
    at_rest = tx.execute(SINCE, {"subject": subject.id, "rests": list(RESTS)}).scalar()
    if at_rest is None or not isinstance(subject.document, Order):
        return ""
    why = lacking(tx, subject.id, subject.document)
    if not why:
        states.advance(tx, subject.id, "order", "", "reconcile", HUB)
        cases.leave(tx, _member(subject.id))
        return "reconciled"
    deadlines.set_(tx, subject.id, KIND, "", policy()["again"])
    if at_rest > policy()["late"]:
        _case(tx, subject.id, subject.waybill, why)
    return why


def lacking(tx: Connection, subject: int, order: Order) -> str:
    """Why an order that is over is not done with; empty where it is. Money is judged only where the channel tells of it."""
    busy = tx.execute(BUSY, {"subject": subject, "mine": _member(subject), "kind": KIND}).one()
    if busy.steps or busy.follows:
        return "not all of it is booked and told yet"
    if busy.cases:
        return "somebody has to look at it"
    if busy.waits:
        return "something is still waited for"
    kept = sum((one.kept for one in tallies(order)), start=order.totals.total.in_role(order.money_role).amount * 0)
    if kept and repaying.above(order, money.of(tx, subject)) > 0 and not _came_back(order):
        return f"{repaying.above(order, money.of(tx, subject))} {order.currency} were taken beyond what is kept of it"
    return ""


def _came_back(order: Order) -> bool:
    """What a customer sent back is worth what its returns say, and waits for their own deadlines."""
    return bool(order.returns) or any(line.restock for refund in order.refunds for line in refund.lines)


def _member(subject: int) -> str:
    return f"reconcile:{subject}"


def _case(tx: Connection, subject: int, waybill: str, why: str) -> None:
    cases.open_case(
        tx,
        "money",
        "hub",
        "not_reconciled",
        f"{waybill} has been over for a while and is not reconciled: {why}.",
        member=_member(subject),
        subject=subject,
        role="erp",
        cause=waybill,
        remedy="See to what its page shows; it is looked at again by itself each day.",
    )
