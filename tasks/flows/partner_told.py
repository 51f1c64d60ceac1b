"""A partner is told what became of an order, at the address that it named: the same event, under the same id, until it is taken."""

from __future__ import annotations

from connectors.kit.capabilities import EventSink, PartnerEvent
from connectors.kit.http import dump_json
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Outer, Skip, Told


def tell_partner(told: Told, partner: EventSink, work: Work) -> Writes:
    address = work.listener(told.listener)
    if address is None:
        raise Skip("the subscription was withdrawn or switched off")
    url, secrets = address
    body = dump_json({"type": told.event, "timestamp": told.at, "data": told.data})
    return partner.tell(PartnerEvent(told.id, told.event, url, body, secrets), key=work.key)


FLOW: Flow = Flow(
    "partner_told",
    on=None,
    document=Told,
    version=1,
    steps=(Outer(tell_partner, role="partner", plays=EventSink, ordered=False),),
)
