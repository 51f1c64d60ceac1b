"""Pieces that were quarantined and looked at are moved in the ERP: back for sale, or scrapped."""

from __future__ import annotations

from connectors.kit.capabilities import ReturnKeeper
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Outer, Returned, Skip


def record_disposition(told: Returned, erp: ReturnKeeper, work: Work) -> Writes:
    if not work.linked_as("return_receipt", told.returned.id):
        raise Skip("the ERP was not told that these pieces came in")
    return erp.record_disposition(told.order, told.returned, key=work.key)


FLOW: Flow = Flow(
    "return_disposed",
    on=None,
    document=Returned,
    version=1,
    steps=(Outer(record_disposition, role="erp", plays=ReturnKeeper),),
)
