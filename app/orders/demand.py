"""Demand: what an order wants of whom, as sourcing sees it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.orders.shipping import to_ship
from app.orders.sourcing import PICKUP, SHIP, Demand, Want
from connectors.canonical.delivery import DeliveryKind
from connectors.canonical.order import FulfilledBy, Order


def demand(
    order: Order, quantities: Mapping[str, Decimal] | None = None, tried: frozenset[str] = frozenset()
) -> Demand:
    """The pieces that nobody has shipped yet (or just `quantities` by line). What the channel sends itself is never ours to source."""
    left = to_ship(order) if quantities is None else quantities
    wants = tuple(
        Want(line.id, line.sku, left[line.id])
        for line in order.lines
        if left.get(line.id, Decimal(0)) > 0 and line.fulfilled_by is FulfilledBy.MERCHANT
    )
    pickup = next((one for one in order.deliveries if one.kind is DeliveryKind.PICKUP), None)
    address = order.shipping
    return Demand(
        wants,
        country=address.country if address else "",
        region=address.region if address else "",
        method=PICKUP if pickup else SHIP,
        pickup_at=pickup.location if pickup else "",
        ship_complete=order.ship_complete,
        facts=facts(order),
        tried=tried,
    )


def facts(order: Order) -> dict[str, Any]:
    """What a channel rule may look at."""
    return {
        "account": order.channel,
        "source": order.source.value,
        "country": order.shipping.country if order.shipping else "",
        "currency": order.currency,
        "store": order.store,
        "priority": order.priority,
    }
