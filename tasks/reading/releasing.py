"""Releasing: what is left of an authorisation that nobody needs any more is let go, where the account's policy says that the hub does it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection

from app.orders import money, releasing, worth
from connectors.canonical.codec import dump
from tasks.reading import laying, moving

FLOW = "payment_released"


def lay(tx: Connection, setting: laying.Setting) -> None:
    """A run for each authorisation, once."""
    subject, order = setting.subject, setting.order
    if money.policy(subject.account).get("rest") != "hub":
        return
    for share in releasing.decide(order, money.of(tx, subject.id), datetime.now(UTC)):
        told = {"kind": "void", "cause": "rest", "parent": share.authorisation.id, "amount": share.amount}
        number = money.ask(
            tx, subject.id, subject.waybill, tender=share.authorisation.gateway, currency=worth.currency(order), **told
        )
        if number is not None:
            move = next(one for one in money.of(tx, subject.id) if one.number == number)
            moving.lay(tx, setting, FLOW, number, dump(releasing.payment(move, order)))
