"""What a supplier has sent of a purchase order is booked in the ERP as received of him, before it is booked as shipped to the customer."""

from __future__ import annotations

from connectors.kit.capabilities import PurchaseKeeper
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Outer, Part, Skip


def record_receipt(part: Part, erp: PurchaseKeeper, work: Work) -> Writes:
    if part.shipment is None:
        raise Skip("nothing was sent")
    told = {"supplier": part.supplier, "reference": part.number, "key": work.key}
    return erp.record_receipt(part.order, part.shipment, **told)


FLOW: Flow = Flow(
    "purchase_received",
    on=None,
    document=Part,
    version=1,
    steps=(Outer(record_receipt, role="erp", plays=PurchaseKeeper),),
)
