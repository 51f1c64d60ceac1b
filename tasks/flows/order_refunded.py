"""A refund made in the channel is booked in the ERP, once for each tender, and told to the customer."""

from __future__ import annotations

from app.orders import day_sales, summing
from app.orders.difference import Kind
from connectors.kit.capabilities import Notifier, OrderKeeper
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Outer, Refunded, Skip


def record_refund(told: Refunded, erp: OrderKeeper, work: Work) -> Writes:
    if not told.refund.payments:
        raise Skip("no money moved: pieces were only taken off the order, and the booking is amended")
    if day_sales.applies(told.order):
        if work.left_out(told.order, told.refund.id):
            raise Skip("it was voided before its till's day was booked: the booking holds the rest only")
        booked = work.booked_day(told.order)
        return erp.record_refund(booked, summing.in_day(booked, told.order, told.refund), key=work.key)
    if not work.linked("order"):
        raise Skip("the order was cancelled before it was booked: there is nothing to credit")
    return erp.record_refund(told.order, told.refund, key=work.key)


def notify_refund(told: Refunded, notifier: Notifier, work: Work) -> Writes:
    if not told.refund.payments:
        raise Skip("no money moved: pieces were only taken off the order")
    if not told.order.email:
        raise Skip("the order has no e-mail address")
    return notifier.notify(told.order, None, occasion="refunded", key=work.key)


FLOW: Flow = Flow(
    "order_refunded",
    on=Kind.REFUNDED,
    document=Refunded,
    version=1,
    steps=(
        Outer(record_refund, role="erp", plays=OrderKeeper),
        Outer(notify_refund, role="notify", plays=Notifier, after=(record_refund,), ordered=False),
    ),
)
