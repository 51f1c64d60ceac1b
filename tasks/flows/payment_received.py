"""A payment that came in after its order was placed (captured on shipment, paid later) is booked in the ERP, where it keeps payments apart."""

from __future__ import annotations

from app.orders import day_sales
from app.orders.difference import Kind
from connectors.kit.capabilities import PaymentKeeper
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Outer, Skip, Taking


def record_payment(taking: Taking, erp: PaymentKeeper, work: Work) -> Writes:
    if day_sales.applies(taking.order):
        raise Skip("the sale is booked with its till's day")
    if not work.linked("order"):
        raise Skip("the order is not booked there: the payment stands for nothing")
    return erp.record_payment(taking.order, taking.payment, key=work.key)


FLOW: Flow = Flow(
    "payment_received",
    on=Kind.PAID,
    document=Taking,
    version=1,
    steps=(Outer(record_payment, role="erp", plays=PaymentKeeper),),
)
