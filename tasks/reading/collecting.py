"""Collecting: goods that left are taken from what their customer authorised, where the account's policy says that the hub does it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection

from app import cases
from app.accounts import entries
from app.bell import HUB
from app.journal import runs
from app.journal.runs import NewRun, NewStep
from app.orders import capturing, money, worth
from app.orders.difference import Difference
from connectors.canonical.codec import dump
from tasks.flows.book import FLOWS
from tasks.reading import laying

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
            _lay(tx, setting, number)
    if decided.lacking:
        _case(tx, setting, f"{decided.lacking} {worth.currency(order)}")
    else:
        cases.leave(tx, f"capture:{subject.id}")


def _lay(tx: Connection, setting: laying.Setting, number: str) -> None:
    move = next(one for one in money.of(tx, setting.subject.id) if one.number == number)
    channel, flow = setting.roles.get("channel"), FLOWS[FLOW]
    skip = "" if channel else "no account plays the role channel for this order"
    if channel and "Capturer" not in entries.manifest(channel).offers:
        skip = f"not offered: {channel} has no capture that the hub could ask for"
    taken, noted = (laying.key(setting.subject, FLOW, number, step.name, channel or HUB) for step in flow.steps)
    steps = (
        NewStep("capture_payment", "channel", channel or HUB, "outer", taken, skip=skip),
        NewStep("note_captured", "hub", HUB, "inner", noted, after=("capture_payment",), ordered=False, skip=skip),
    )
    run = NewRun(
        subject=setting.subject.id,
        event=setting.cause.id,
        event_at=setting.cause.at,
        flow=FLOW,
        version=flow.version,
        difference=number,
        document=setting.document,
        channel=setting.subject.account,
        lane=setting.cause.lane,
        steps=steps,
        child=dump(capturing.payment(move, setting.order)),
    )
    runs.lay(tx, run)


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
