"""An exchange: what is wanted instead is placed as an order of its own; what it costs more is charged first, and it is held until then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Connection

from app.journal import subjects
from app.orders import exchanging, money, return_requests, returning, worth
from app.orders.return_requests import ReturnRow
from connectors.canonical.codec import dump
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from tasks.reading import apply, laying, moving

CHARGED = "payment_charged"


def place(tx: Connection, setting: laying.Setting, row: ReturnRow) -> str:
    """The order in which the goods leave; answers its waybill. Placed again it is the same order.

    The channel knows nothing of it: it is not acknowledged there, nor are its shipments.
    """
    order, subject = setting.order, setting.subject
    earlier = [one for one in return_requests.of(tx, subject.id) if one.id < row.id]
    back = returning.owed(order, row.lines, earlier)
    wanted = exchanging.replacement(order, row.number, row.exchange, back, datetime.now(UTC))
    mine = subjects.lock(tx, "order", subject.account, wanted.id)
    roles = {role: who for role, who in setting.roles.items() if role != "channel"}
    apply.keep_placed(tx, setting.cause, replace(mine, roles=roles), wanted)
    more = wanted.totals.total.in_role(order.money_role).amount
    if more > 0:
        _charge(tx, setting, row, more)
    return mine.waybill


def _charge(tx: Connection, setting: laying.Setting, row: ReturnRow, more: Decimal) -> None:
    """Asked for in the way in which the order was paid; where it was not paid yet somebody has to see to it: the new order stays held."""
    order, subject = setting.order, setting.subject
    payment = exchanging.charge(order, row.number, more)
    if payment is None:
        return
    told = {"kind": "charge", "cause": row.number, "tender": payment.gateway, "amount": more}
    number = money.ask(tx, subject.id, subject.waybill, currency=worth.currency(order), **told)
    if number is not None:
        moving.lay(tx, setting, CHARGED, number, dump(replace(payment, id=number)))


def charged(tx: Connection, cause: laying.Cause, subject: int, number: str, payment: Payment) -> None:
    """The difference was paid: the order that waits for it may go."""
    row = next((one for one in return_requests.of(tx, subject) if one.number == number and one.replaced_by), None)
    mine = subjects.lock_waybill(tx, row.replaced_by) if row is not None else None
    if mine is not None and isinstance(mine.document, Order):
        apply.keep_changed(tx, cause, mine, mine.document, exchanging.paid(mine.document, payment))
