"""Goods that came back without money (an even exchange, a gift, quarantine) are booked in the ERP where they were counted."""

from __future__ import annotations

from app.orders import day_sales
from connectors.kit.capabilities import ReturnKeeper
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Outer, Returned, Skip

NOT_BOOKED = "the order is not booked there: nothing of it can come back"
IN_ITS_DAY = "the sale is booked with its till's day, of which no single piece comes back without money"


def record_return(told: Returned, erp: ReturnKeeper, work: Work) -> Writes:
    if day_sales.applies(told.order):
        raise Skip(IN_ITS_DAY)
    if not work.linked("order"):
        raise Skip(NOT_BOOKED)
    return erp.record_return(told.order, told.returned, key=work.key)


FLOW: Flow = Flow(
    "return_received",
    on=None,
    document=Returned,
    version=1,
    steps=(Outer(record_return, role="erp", plays=ReturnKeeper),),
)
