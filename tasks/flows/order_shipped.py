"""A shipment, whoever made it, is booked in the ERP, confirmed in the channel with its trackings, and told to the customer."""

from __future__ import annotations

from sqlalchemy import Connection

from app.orders.difference import Kind
from app.stock import reservations
from connectors.kit.capabilities import Notifier, OrderKeeper, SalesChannel
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Inner, Outer, Shipped, Skip


def commit_stock(told: Shipped, tx: Connection, work: Work) -> None:
    reservations.ship(tx, work.subject, told.shipment)


def record_shipment(told: Shipped, erp: OrderKeeper, work: Work) -> Writes:
    return erp.record_shipment(told.order, told.shipment, key=work.key)


def confirm_shipment(told: Shipped, channel: SalesChannel, work: Work) -> Writes:
    if told.shipment.origin == told.order.channel:
        raise Skip("the channel itself told us of this shipment")
    return channel.confirm_shipment(told.order, told.shipment, key=work.key)


def notify_customer(told: Shipped, notifier: Notifier, work: Work) -> Writes:
    if not told.order.email:
        raise Skip("the order has no e-mail address")
    return notifier.notify(told.order, told.shipment, occasion="shipped", key=work.key)


FLOW: Flow = Flow(
    "order_shipped",
    on=Kind.SHIPPED,
    document=Shipped,
    version=1,
    steps=(
        Inner(commit_stock),
        Outer(record_shipment, role="erp", plays=OrderKeeper),
        Outer(confirm_shipment, role="channel", plays=SalesChannel),
        Outer(notify_customer, role="notify", plays=Notifier, after=(confirm_shipment,), ordered=False),
    ),
)
