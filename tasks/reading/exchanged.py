"""An exchange: what is wanted instead is placed as an order of its own; what it costs more is charged first, and it is held until then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Connection

from app import cases
from app.journal import subjects
from app.journal.subjects import Subject
from app.orders import exchanging, holds, money, return_requests, returning, worth
from app.orders.return_requests import ReturnRow
from connectors.canonical.codec import dump
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.kit.capabilities import Charger
from tasks.reading import apply, laying, moving, offering

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
    if more > 0 and not _charge(tx, setting, row, more):
        _by_hand(tx, setting, row, mine, f"{more} {worth.currency(order)}")
    return mine.waybill


def _charge(tx: Connection, setting: laying.Setting, row: ReturnRow, more: Decimal) -> bool:
    """Asked for in the way in which the order was paid. False where it was not paid yet, and where the channel charges nobody by our word."""
    order, subject = setting.order, setting.subject
    payment = exchanging.charge(order, row.number, more)
    if payment is None:
        return False
    told = {"kind": "charge", "cause": row.number, "tender": payment.gateway, "amount": more}
    number = money.ask(tx, subject.id, subject.waybill, currency=worth.currency(order), **told)
    if number is not None:
        moving.lay(tx, setting, CHARGED, number, dump(replace(payment, id=number)))
    return not offering.lacking(setting.roles.get("channel"), "channel", Charger)


def _by_hand(tx: Connection, setting: laying.Setting, row: ReturnRow, mine: Subject, sum_: str) -> None:
    """Somebody has the customer pay: the new order is held until its hold is released, and so is the case."""
    channel = setting.roles.get("channel") or setting.subject.account
    instead = offering.alternative(channel, Charger) or "Have the customer pay it in the channel."
    for hold in (one for one in holds.of(tx, mine.id) if one.open):
        cases.open_case(
            tx,
            "money",
            channel,
            "to_be_charged",
            f"{sum_} are to be paid for exchange {row.number} before {mine.waybill} goes, and {channel} cannot be told to charge them.",
            member=f"hold:{hold.id}",
            subject=mine.id,
            role="channel",
            remedy=f"{instead} Once it is paid, release the hold on the page of {mine.waybill}.",
            cause=row.number,
        )


def charged(tx: Connection, cause: laying.Cause, subject: int, number: str, payment: Payment) -> None:
    """The difference was paid: the order that waits for it may go."""
    row = next((one for one in return_requests.of(tx, subject) if one.number == number and one.replaced_by), None)
    mine = subjects.lock_waybill(tx, row.replaced_by) if row is not None else None
    if mine is not None and isinstance(mine.document, Order):
        apply.keep_changed(tx, cause, mine, mine.document, exchanging.paid(mine.document, payment))
