"""A delivery is one destination of an order: where to, in which way, by when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from connectors.canonical.party import Address


class DeliveryKind(StrEnum):
    """`SHIP` by a carrier, `PICKUP` by the customer at `location`, `LOCAL` by our driver, `DIGITAL` by no road."""

    SHIP = "ship"
    PICKUP = "pickup"
    LOCAL = "local"
    DIGITAL = "digital"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A group of an order's lines that travel alike (Line.delivery_id names `id`).

    `location` is the place it is fetched from or leaves from (Order.location is where it was *sold*); `service` the
    source's code of the way chosen. `ship_by` and `deliver_by` are the latest instants promised, aware UTC.
    `pickup_person` is who may fetch it, where that is not the buyer.
    """

    id: str
    kind: DeliveryKind = DeliveryKind.SHIP
    address: Address | None = None
    location: str = ""
    service: str = ""
    ship_by: datetime | None = None
    deliver_by: datetime | None = None
    instructions: str = ""
    pickup_person: str = ""
