"""An order placed in a channel is reserved, booked in the ERP, sent to the warehouse, and acknowledged."""

from __future__ import annotations

from sqlalchemy import Connection

from app.orders import day_sales
from app.orders.difference import Kind
from app.orders.shipping import to_ship
from app.stock import counter, reservations
from connectors.canonical.order import Order
from connectors.kit.capabilities import Fulfiller, OrderKeeper, SalesChannel
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Inner, Outer, Skip

IN_ITS_DAY = "the sale is booked with its till's day"


def reserve_stock(order: Order, tx: Connection, work: Work) -> None:
    """What is to be sent is claimed; what its customer carried home has left already."""
    reservations.reserve(tx, work.subject, order)
    counter.sell(tx, order)
    if day_sales.applies(order):
        day_sales.note(tx, work.subject, order)


def release_stock(order: Order, tx: Connection, work: Work) -> None:
    reservations.release(tx, work.subject)
    counter.take_back(tx, order)
    if day_sales.applies(order):
        day_sales.drop(tx, work.subject, work.waybill)


def book_order(order: Order, erp: OrderKeeper, work: Work) -> Writes:
    if day_sales.applies(order):
        raise Skip(IN_ITS_DAY)
    return erp.book(order, key=work.key)


def cancel_booking(order: Order, erp: OrderKeeper, work: Work) -> Writes:
    return erp.cancel(order, key=work.key)


def request_fulfilment(order: Order, warehouse: Fulfiller, work: Work) -> Writes:
    if not to_ship(order):
        raise Skip("nothing of this order is left for the warehouse to ship")
    return warehouse.request(order, key=work.key, reference=work.ask_under(work.waybill))


def cancel_fulfilment(order: Order, warehouse: Fulfiller, work: Work) -> Writes:
    return warehouse.cancel_request(order, key=work.key, reference=work.last_reference)


def acknowledge_order(order: Order, channel: SalesChannel, work: Work) -> Writes:
    if day_sales.applies(order):
        raise Skip(IN_ITS_DAY)
    return channel.acknowledge(order, number=work.result_of(book_order), key=work.key)


FLOW: Flow = Flow(
    "order_placed",
    on=Kind.PLACED,
    document=Order,
    version=1,
    steps=(
        Inner(reserve_stock, undo=release_stock),
        Outer(book_order, role="erp", plays=OrderKeeper, after=(reserve_stock,), undo=cancel_booking),
        Outer(request_fulfilment, role="warehouse", plays=Fulfiller, after=(book_order,), undo=cancel_fulfilment),
        Outer(acknowledge_order, role="channel", plays=SalesChannel, after=(book_order,)),
    ),
)
