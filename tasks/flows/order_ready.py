"""An order that is set out to be fetched is told to its customer, with what to bring."""

from __future__ import annotations

from connectors.kit.capabilities import Notifier
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Outer, Shipped, Skip


def notify_ready(told: Shipped, notifier: Notifier, work: Work) -> Writes:
    if not told.order.email:
        raise Skip("the order has no e-mail address")
    return notifier.notify(told.order, told.shipment, occasion="ready_for_pickup", key=work.key)


FLOW: Flow = Flow(
    "order_ready",
    on=None,
    document=Shipped,
    version=1,
    steps=(Outer(notify_ready, role="notify", plays=Notifier, ordered=False),),
)
