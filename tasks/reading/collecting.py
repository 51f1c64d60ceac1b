"""Collecting: goods that left are taken from what their customer authorised, where the account's policy says that the hub does it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection

from app import cases
from app.orders import capturing, money, worth
from app.orders.difference import Difference
from connectors.canonical.codec import dump
from tasks.reading import laying, moving

FLOW = "payment_captured"


def lay(tx: Connection, setting: laying.Setting, difference: Difference) -> None:
    """A run for each authorisation that a shipment takes from. Told again, a shipment takes nothing more."""
    subject, order = setting.subject, setting.order
    if money.policy(subject.account).get("capture") != "shipment":
        return
    decided = capturing.decide(order, money.of(tx, subject.id), datetime.now(UTC))
    for share in decided.shares:
        told = {"kind": "capture", "cause": difference.key, "parent": share.authorisation.id, "amount": share.amount}
        number = money.ask(
            tx, subject.id, subject.waybill, tender=share.authorisation.gateway, currency=worth.currency(order), **told
        )
        if number is not None:
            move = next(one for one in money.of(tx, subject.id) if one.number == number)
            moving.lay(tx, setting, FLOW, number, dump(capturing.payment(move, order)))
    if decided.lacking:
        _case(tx, setting, f"{decided.lacking} {worth.currency(order)}")
    else:
        cases.leave(tx, f"capture:{subject.id}")


def _case(tx: Connection, setting: laying.Setting, lacking: str) -> None:
    words = f"{lacking} of what has left of {setting.order.number} is covered by no authorisation that still holds."
    cases.open_case(
        tx,
        "money",
        setting.subject.account,
        "capture_lacking",
        words,
        member=f"capture:{setting.subject.id}",
        subject=setting.subject.id,
        role="channel",
        owner=cases.owner_of("capture_lacking", "channel"),
        cause=setting.subject.waybill,
        remedy="Have the customer authorise again in the channel, or send an invoice. The case ends by itself once nothing is lacking.",
    )
