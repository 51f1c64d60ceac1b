"""Pieces that were withdrawn from the locations that had been asked are asked of others, once all of those have let go of them."""

from __future__ import annotations

from sqlalchemy import Connection

from app.orders import fulfilling, planning
from connectors.canonical.order import Order
from tasks.engine.work import Work
from tasks.flows.table import Flow, Inner


def source_again(order: Order, tx: Connection, work: Work) -> None:
    """Followed by a worker that holds the order (tasks/feeds/fulfilled.py)."""
    if not fulfilling.let_go(tx, work.subject):
        planning.lacking(tx, work.subject, work.waybill, order)


FLOW: Flow = Flow("order_resourced", on=None, document=Order, version=1, steps=(Inner(source_again),))
