"""What is left of an authorisation is released at the channel, once nothing more will be taken of it."""

from __future__ import annotations

from sqlalchemy import Connection

from app.orders import money
from connectors.kit.capabilities import Voider
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Inner, Outer, Taking


def release_rest(taking: Taking, channel: Voider, work: Work) -> Writes:
    return channel.void(taking.order, taking.payment, key=work.key)


def note_released(taking: Taking, tx: Connection, work: Work) -> None:
    if work.result_of(release_rest):
        money.done(tx, work.subject, taking.payment.id, work.result_of(release_rest))


FLOW: Flow = Flow(
    "payment_released",
    on=None,
    document=Taking,
    version=1,
    steps=(
        Outer(release_rest, role="channel", plays=Voider),
        Inner(note_released, after=(release_rest,)),
    ),
)
