"""Collecting: goods that left are taken from what their customer authorised, where the account's policy says that the hub does it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Connection

from app import cases
from app.orders import capturing, money, worth
from app.orders.difference import Difference
from connectors.canonical.codec import dump
from tasks.reading import laying, moving

FLOW = "payment_captured"


def lay(tx: Connection, setting: laying.Setting, difference: Difference) -> None:
    """A run for each authorisation that a shipment, or what ended the waiting for more of them, takes from. Told again it takes nothing more."""
    subject, order = setting.subject, setting.order
    policy = money.policy(subject.account)
    if policy.get("capture") != "shipment":
        return
    once, gives_back = str(policy["once"]), money.refunds(subject.account)
    decided = capturing.decide(order, money.of(tx, subject.id), datetime.now(UTC), once=once, gives_back=gives_back)
    for share in decided.shares:
        told = {"kind": "capture", "cause": difference.key, "parent": share.authorisation.id, "amount": share.amount}
        number = money.ask(
            tx, subject.id, subject.waybill, tender=share.authorisation.gateway, currency=worth.currency(order), **told
        )
        if number is not None:
            move = next(one for one in money.of(tx, subject.id) if one.number == number)
            moving.lay(tx, setting, FLOW, number, dump(capturing.payment(move, order)))
    _tell(tx, setting, "capture", decided.lacking)
    _tell(tx, setting, "capture_whole", decided.unsplit)


def _tell(tx: Connection, setting: laying.Setting, what: str, amount: Decimal) -> None:
    """A case for what cannot be taken; it ends by itself once nothing of it is left."""
    code, words, remedy = TELLS[what]
    subject = setting.subject
    if not amount:
        cases.leave(tx, f"{what}:{subject.id}")
        return
    cases.open_case(
        tx,
        "money",
        subject.account,
        code,
        f"{amount} {worth.currency(setting.order)} of what has left of {setting.order.number} {words}",
        member=f"{what}:{subject.id}",
        subject=subject.id,
        role="channel",
        owner=cases.owner_of(code, "channel"),
        cause=subject.waybill,
        remedy=f"{remedy} The case ends by itself once nothing is lacking.",
    )


TELLS = {
    "capture": (
        "capture_lacking",
        "is covered by no authorisation that still holds.",
        "Have the customer authorise again in the channel, or send an invoice.",
    ),
    "capture_whole": (
        "capture_whole",
        "is authorised together with what was cancelled, and the channel takes only the whole.",
        "Take it in the channel and give the rest back there, or let the hub do both (refund in money.toml).",
    ),
}
