"""An order edited in its channel is amended in the ERP and asked for anew at the warehouse."""

from __future__ import annotations

from sqlalchemy import Connection

from app.orders import day_sales
from app.orders.difference import Kind
from app.orders.shipping import to_ship
from app.stock import reservations
from connectors.canonical.order import Order
from connectors.kit.capabilities import Fulfiller, OrderKeeper
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Inner, Outer, Skip

WHAT_SHIPS = frozenset(("lines", "pieces", "address"))
WHAT_IS_BOOKED = frozenset(("lines", "address", "billing", "shipping", "customer", "note"))


def adjust_reservations(order: Order, tx: Connection, work: Work) -> None:
    reservations.adjust(tx, work.subject, order)


def amend_order(order: Order, erp: OrderKeeper, work: Work) -> Writes:
    if day_sales.applies(order):
        raise Skip("the sale is booked with its till's day")
    return erp.amend(order, key=work.key)


def withdraw_fulfilment(order: Order, warehouse: Fulfiller, work: Work) -> Writes:
    return warehouse.cancel_request(order, key=work.key, reference=work.last_reference)


def request_again(order: Order, warehouse: Fulfiller, work: Work) -> Writes:
    if not to_ship(order):
        raise Skip("nothing of this order is left for the warehouse to ship")
    return warehouse.request(order, key=work.key, reference=work.ask_under(work.next_reference))


def withdraw_again(order: Order, warehouse: Fulfiller, work: Work) -> Writes:
    return warehouse.cancel_request(order, key=work.key, reference=work.last_reference)


FLOW: Flow = Flow(
    "order_changed",
    on=Kind.CHANGED,
    document=Order,
    version=1,
    steps=(
        Inner(adjust_reservations, concerns=WHAT_SHIPS),
        Outer(amend_order, role="erp", plays=OrderKeeper, concerns=WHAT_IS_BOOKED),
        Outer(withdraw_fulfilment, role="warehouse", plays=Fulfiller, concerns=WHAT_SHIPS),
        Outer(
            request_again,
            role="warehouse",
            plays=Fulfiller,
            after=(withdraw_fulfilment,),
            undo=withdraw_again,
            concerns=WHAT_SHIPS,
        ),
    ),
)
