"""Prices that changed are told to a channel: the newest, many in one call, each accepted or refused by itself."""

from __future__ import annotations

from connectors.canonical.product import Price
from connectors.kit.capabilities import PriceTaker
from connectors.kit.writes import BatchWrite
from tasks.engine.work import Work
from tasks.flows.table import Flow, Outer

MOST = 250


def publish_prices(document: None, channel: PriceTaker, work: Work) -> BatchWrite[Price]:
    prices = work.prices(MOST)
    content = [
        (price.sku, price.price_list, str(price.amount), str(price.compare_at), str(price.effective_until))
        for price in prices
    ]
    return channel.publish_prices(prices, key=work.key_of(content))


FLOW: Flow = Flow(
    "prices_published",
    on=None,
    document=type(None),
    version=1,
    steps=(Outer(publish_prices, role="publish", plays=PriceTaker),),
)
