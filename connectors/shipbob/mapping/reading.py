"""What a delivery from ShipBob says: shipments of an order we asked for, goods that came back, or stock at its fulfilment centres."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import simplejson

from connectors.canonical.snapshot import Ignored, Reading
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from connectors.shipbob.mapping.levels import read_levels
from connectors.shipbob.mapping.returns import read_return
from connectors.shipbob.mapping.shipments import read_shipments


def read(account: Account, message: Message) -> tuple[Reading, ...]:
    """Canonical readings of one delivery. Raises Unreadable naming the field that is wrong."""
    reader = TOPICS.get(message.topic)
    if reader is None:
        return (Ignored(f"the topic {message.topic} is not read"),)
    try:
        body = simplejson.loads(message.body, use_decimal=True)
    except (ValueError, UnicodeDecodeError) as error:
        raise Unreadable("The delivery is not JSON.", field="body") from error
    if not isinstance(body, Mapping):
        raise Unreadable("The delivery is no JSON object.", field="body")
    return reader(body, message.topic)


TOPICS: dict[str, Callable[[Mapping[str, Any], str], tuple[Reading, ...]]] = {
    "order.shipped": read_shipments,
    "order.shipment.tracking.updated": read_shipments,
    "order.shipment.delivered": read_shipments,
    "order.shipment.exception": read_shipments,
    "order.shipment.on_hold": read_shipments,
    "order.shipment.cancelled": read_shipments,
    "return.updated": read_return,
    "return.completed": read_return,
    "polled.return": read_return,
    "polled.order": read_shipments,
    "polled.stock": read_levels,
}
