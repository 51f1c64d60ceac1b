"""A shipment is what left one place for the customer, in one or several parcels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from connectors.canonical.stock import Lot


class ShipmentStatus(StrEnum):
    """`IN_TRANSIT`: the carrier has scanned it; `READY_FOR_PICKUP`: it waits for the customer in a shop or locker."""

    PENDING = "pending"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    FAILED = "failed"
    IN_TRANSIT = "in_transit"
    READY_FOR_PICKUP = "ready_for_pickup"


# The goods have left the shelf. Ready for pickup is among them, as the sources have it: Adobe and Shopify make the
# shipment when a pickup order is set out for the customer, and a parcel point comes after the road.
LEFT = (
    ShipmentStatus.SHIPPED,
    ShipmentStatus.IN_TRANSIT,
    ShipmentStatus.READY_FOR_PICKUP,
    ShipmentStatus.DELIVERED,
)
# The goods have left the house: what only waits for its customer has not.
GONE = (ShipmentStatus.SHIPPED, ShipmentStatus.IN_TRANSIT, ShipmentStatus.DELIVERED)


@dataclass(frozen=True, slots=True)
class ShipmentLine:
    """Of which order line how many left; the line id is empty where the warehouse only knows the SKU.

    `serials` are the numbers of the very pieces, `lots` the batches they come from.
    """

    quantity: Decimal
    sku: str = ""
    line_id: str = ""
    serials: tuple[str, ...] = ()
    lots: tuple[Lot, ...] = ()


@dataclass(frozen=True, slots=True)
class Tracking:
    """One parcel. `lines` says what is in it, empty where the source does not tell parcels apart.

    `weight_grams` and `dimensions_mm` (length, width, height) are of the packed parcel; `sscc` is its GS1 serial
    shipping container code (18 digits).
    """

    number: str
    carrier: str = ""
    url: str = ""
    lines: tuple[ShipmentLine, ...] = ()
    weight_grams: Decimal | None = None
    dimensions_mm: tuple[Decimal, Decimal, Decimal] | None = None
    sscc: str = ""


@dataclass(frozen=True, slots=True)
class Shipment:
    """`id` is the id at its origin (the account that shipped it); the origin is stamped by the hub.

    `number` is what people call it by; `estimated_at` is when the carrier means to be there. `collection_code` is what the
    customer shows to be handed what waits at a store.
    """

    id: str
    status: ShipmentStatus
    lines: tuple[ShipmentLine, ...]
    trackings: tuple[Tracking, ...] = ()
    location: str = ""
    service: str = ""
    shipped_at: datetime | None = None
    updated_at: datetime | None = None
    origin: str = ""
    number: str = ""
    delivered_at: datetime | None = None
    estimated_at: datetime | None = None
    collection_code: str = ""
