"""The order of the load lab: four outer steps, one call each, at the four accounts that serve an order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from app.orders.difference import Kind
from connectors.canonical.order import Order
from connectors.kit.capabilities import Fulfiller, Notifier, OrderKeeper, SalesChannel
from connectors.kit.limiter import Limiter
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.book import BY_DIFFERENCE, FLOWS
from tasks.flows.table import Flow, Outer


def book_order(order: Order, erp: OrderKeeper, work: Work) -> Writes:
    return erp.book(order, key=work.key)


def request_fulfilment(order: Order, warehouse: Fulfiller, work: Work) -> Writes:
    return warehouse.request(order, key=work.key, reference=work.ask_under(work.waybill))


def acknowledge_order(order: Order, channel: SalesChannel, work: Work) -> Writes:
    return channel.acknowledge(order, number=work.result_of(book_order), key=work.key)


def notify_customer(order: Order, notifier: Notifier, work: Work) -> Writes:
    return notifier.notify(order, None, occasion="booked", key=work.key)


FLOW = Flow(
    "bench_order",
    on=Kind.PLACED,
    document=Order,
    version=1,
    steps=(
        Outer(book_order, role="erp", plays=OrderKeeper),
        Outer(request_fulfilment, role="warehouse", plays=Fulfiller, after=(book_order,)),
        Outer(acknowledge_order, role="channel", plays=SalesChannel, after=(request_fulfilment,)),
        Outer(notify_customer, role="notify", plays=Notifier, after=(acknowledge_order,)),
    ),
)

DEARER = {"requests": 7.0}  # points that such a call costs where points are counted, by the end of its path


def _dear(leave: Callable[..., AbstractContextManager[None]]) -> Callable[..., AbstractContextManager[None]]:
    """The limiter's leave, asked for what a vendor's GraphQL would charge: Acme's own calls cost one each."""

    def asked(self: Limiter, account: str, operation: str, cost: float = 1) -> AbstractContextManager[None]:
        return leave(self, account, operation, DEARER.get(operation.partition(".")[0], cost))

    return asked


def lay_down() -> None:
    """Puts the flow in the tables, in the place of the one that a placed order has otherwise."""
    Limiter.leave = _dear(Limiter.leave)  # type: ignore[method-assign, assignment]
    FLOWS[FLOW.name] = FLOW
    BY_DIFFERENCE[Kind.PLACED] = FLOW
