"""A till's void of pieces: applied to its sale, or kept until the sale is known; one that cannot be is somebody's to look at."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from app import cases
from app.journal.subjects import Subject
from app.orders import voiding
from app.orders.merge import with_refund
from app.orders.refused import Refused
from connectors.canonical.order import Order
from connectors.canonical.returns import Refund


def applied(tx: Connection, subject: Subject, order: Order, told: Refund) -> Order:
    """The sale after the void; as it is where it was told before. Raises Refused."""
    if told.id in {one.id for one in order.refunds}:
        return order
    made = voiding.void(tx, subject.id, subject.waybill, order, told)
    return with_refund(order, replace(made, origin=subject.account))


def kept(tx: Connection, subject: Subject, order: Order, told: Refund) -> Order:
    """The same where nobody waits for an answer: what cannot be is a case, and the sale stays as it is."""
    try:
        with tx.begin_nested():
            return applied(tx, subject, order, told)
    except Refused as refused:
        wrong(tx, subject, told, refused)
        return order


def wrong(tx: Connection, subject: Subject, told: Refund, refused: Refused) -> None:
    cases.open_case(
        tx,
        "till",
        subject.account,
        "void_refused",
        f"Void {told.id} of sale {subject.external_id} changed nothing: {refused.sentence}",
        member=f"void:{subject.id}:{told.id}",
        subject=subject.id,
        role="channel",
        remedy="Look at the receipt: have the till tell another void, or take the pieces back as a return.",
        cause=told.id,
    )
