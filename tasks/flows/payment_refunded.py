"""What the hub has decided to give back is given back at the channel; the ERP books it as any refund of the channel's."""

from __future__ import annotations

from sqlalchemy import Connection

from app.orders import money
from connectors.kit.capabilities import Refunder
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Inner, Outer, Refunded


def give_back(told: Refunded, channel: Refunder, work: Work) -> Writes:
    return channel.give_back(told.order, told.refund, key=work.key)


def note_given_back(told: Refunded, tx: Connection, work: Work) -> None:
    if work.result_of(give_back):
        money.done(tx, work.subject, told.refund.id, work.result_of(give_back))


FLOW: Flow = Flow(
    "payment_refunded",
    on=None,
    document=Refunded,
    version=1,
    steps=(
        Outer(give_back, role="channel", plays=Refunder),
        Inner(note_given_back, after=(give_back,)),
    ),
)
