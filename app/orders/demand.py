"""Demand: what an order wants of whom, as sourcing sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.orders.places import where
from app.orders.shipping import to_ship
from app.orders.sourcing_rules import Rules
from app.orders.wants import PICKUP, SHIP, Demand, Want
from connectors.canonical.delivery import DeliveryKind
from connectors.canonical.order import FulfilledBy, Order
from connectors.canonical.party import Address


def demand(
    order: Order,
    rules: Rules,
    now: datetime,
    quantities: Mapping[str, Decimal] | None = None,
    tried: frozenset[str] = frozenset(),
) -> Demand:
    """The pieces that nobody has shipped yet (or just `quantities` by line). What the channel sends itself is never ours to source."""
    left = to_ship(order) if quantities is None else quantities
    lines = [
        line for line in order.lines if left.get(line.id, Decimal(0)) > 0 and line.fulfilled_by is FulfilledBy.MERCHANT
    ]
    pickup = next((one for one in order.deliveries if one.kind is DeliveryKind.PICKUP), None)
    address = destination(order)
    travels = [one for one in order.deliveries if one.kind in (DeliveryKind.SHIP, DeliveryKind.LOCAL)]
    return Demand(
        tuple(Want(line.id, line.sku, left[line.id]) for line in lines),
        country=address.country,
        region=address.region,
        at=where(rules.places, address.country, address.postcode),
        method=PICKUP if pickup else SHIP,
        pickup_at=pickup.location if pickup else "",
        ship_complete=order.ship_complete,
        facts=facts(order),
        tried=tried,
        ship_by=_first([order.ship_by, *(one.ship_by for one in travels), *(one.ship_by for one in lines)]),
        deliver_by=_first([order.deliver_by, *(one.deliver_by for one in travels)]),
        now=now,
    )


def destination(order: Order) -> Address:
    """Where it goes: the order's address, else that of the first way that has one; an empty one where nobody told."""
    told = (order.shipping, *(one.address for one in order.deliveries))
    return next((one for one in told if one is not None), Address())


def _first(promised: Iterable[datetime | None]) -> datetime | None:
    """The earliest promise: pieces that travel apart are not sourced apart."""
    return min((one for one in promised if one is not None), default=None)


def service(order: Order) -> str:
    """The source's code of the way that the customer chose: the delivery's, else that of the line that he paid for it."""
    codes = (*(one.service for one in order.deliveries), *(one.code for one in order.shipping_lines))
    return next((code for code in codes if code), "")


def facts(order: Order) -> dict[str, Any]:
    """What a channel rule may look at."""
    address = destination(order)
    return {
        "account": order.channel,
        "source": order.source.value,
        "country": address.country,
        "region": address.region,
        "currency": order.currency,
        "store": order.store,
        "priority": order.priority,
        "service": service(order),
    }
