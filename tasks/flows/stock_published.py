"""Stock that changed is told to a channel: the newest values, many SKUs in one call, each accepted or refused by itself."""

from __future__ import annotations

from connectors.canonical.stock import StockLevel
from connectors.kit.capabilities import SalesChannel
from connectors.kit.writes import BatchWrite
from tasks.engine.work import Work
from tasks.flows.table import Flow, Outer

MOST = 250


def publish_stock(document: None, channel: SalesChannel, work: Work) -> BatchWrite[StockLevel]:
    levels = work.levels(MOST)
    return channel.publish_stock(
        levels, key=work.key_of([(level.sku, level.location, str(level.available)) for level in levels])
    )


FLOW: Flow = Flow(
    "stock_published",
    on=None,
    document=type(None),
    version=1,
    steps=(Outer(publish_stock, role="publish", plays=SalesChannel),),
)
