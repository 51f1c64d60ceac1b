"""What a customer authorised is taken at the channel, for goods that have left."""

from __future__ import annotations

from sqlalchemy import Connection

from app.orders import money
from connectors.kit.capabilities import Capturer
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Inner, Outer, Taking


def capture_payment(taking: Taking, channel: Capturer, work: Work) -> Writes:
    return channel.capture(taking.order, taking.payment, key=work.key)


def note_captured(taking: Taking, tx: Connection, work: Work) -> None:
    if work.result_of(capture_payment):
        money.done(tx, work.subject, taking.payment.id, work.result_of(capture_payment))


FLOW: Flow = Flow(
    "payment_captured",
    on=None,
    document=Taking,
    version=1,
    steps=(
        Outer(capture_payment, role="channel", plays=Capturer),
        Inner(note_captured, after=(capture_payment,)),
    ),
)
