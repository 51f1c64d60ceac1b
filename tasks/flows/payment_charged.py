"""What an exchange costs more than what came back is charged at the channel, in the way the order was paid before."""

from __future__ import annotations

from sqlalchemy import Connection

from app.orders import money
from connectors.kit.capabilities import Charger
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Inner, Outer, Taking


def charge_difference(taking: Taking, channel: Charger, work: Work) -> Writes:
    return channel.charge(taking.order, taking.payment, key=work.key)


def note_charged(taking: Taking, tx: Connection, work: Work) -> None:
    if work.result_of(charge_difference):
        money.done(tx, work.subject, taking.payment.id, work.result_of(charge_difference))


FLOW: Flow = Flow(
    "payment_charged",
    on=None,
    document=Taking,
    version=1,
    steps=(
        Outer(charge_difference, role="channel", plays=Charger),
        Inner(note_charged, after=(charge_difference,)),
    ),
)
