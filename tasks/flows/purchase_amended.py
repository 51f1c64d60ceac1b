"""A supplier who sends less than was bought of him: the ERP's purchase order comes down to it."""

from __future__ import annotations

from connectors.kit.capabilities import PurchaseKeeper
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Outer, Part


def amend_purchase(part: Part, erp: PurchaseKeeper, work: Work) -> Writes:
    return erp.amend_purchase(part.order, supplier=part.supplier, reference=part.number, key=work.key)


FLOW: Flow = Flow(
    "purchase_amended",
    on=None,
    document=Part,
    version=1,
    steps=(Outer(amend_purchase, role="erp", plays=PurchaseKeeper),),
)
