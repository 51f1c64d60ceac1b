"""Pieces of an order are bought of a supplier who sends them to the customer: ordered, booked as a purchase in the ERP, and taken back
when the order is cancelled or changed.

The order alone promises nothing: the supplier's acknowledgement does (app.orders.supplying), and his ship notice is a shipment like any.
"""

from __future__ import annotations

from connectors.kit.capabilities import PurchaseKeeper, Supplier
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Outer, Part, Skip


def place_purchase_order(part: Part, location: Supplier, work: Work) -> Writes:
    if not part.order.lines:
        raise Skip("nothing of these pieces is left to be sent")
    return location.purchase(part.order, key=work.key, reference=part.number)


def withdraw_purchase_order(part: Part, location: Supplier, work: Work) -> Writes:
    return location.withdraw(part.order, key=work.key, reference=part.number)


def record_purchase(part: Part, erp: PurchaseKeeper, work: Work) -> Writes:
    if not part.order.lines:
        raise Skip("nothing of these pieces is left to be sent")
    return erp.record_purchase(part.order, supplier=part.supplier, reference=part.number, key=work.key)


def cancel_purchase(part: Part, erp: PurchaseKeeper, work: Work) -> Writes:
    return erp.cancel_purchase(part.order, supplier=part.supplier, reference=part.number, key=work.key)


FLOW: Flow = Flow(
    "order_purchased",
    on=None,
    document=Part,
    version=1,
    steps=(
        Outer(place_purchase_order, role="location", plays=Supplier, undo=withdraw_purchase_order),
        Outer(record_purchase, role="erp", plays=PurchaseKeeper, after=(place_purchase_order,), undo=cancel_purchase),
    ),
)
