"""A shipment is what left one place for the customer, in one or several parcels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class ShipmentStatus(StrEnum):
    PENDING = "pending"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Tracking:
    number: str
    carrier: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ShipmentLine:
    """Of which order line how many left; the line id is empty where the warehouse only knows the SKU."""

    quantity: Decimal
    sku: str = ""
    line_id: str = ""


@dataclass(frozen=True, slots=True)
class Shipment:
    """`id` is the id at its origin (the account that shipped it); the origin is stamped by the hub."""

    id: str
    status: ShipmentStatus
    lines: tuple[ShipmentLine, ...]
    trackings: tuple[Tracking, ...] = ()
    location: str = ""
    service: str = ""
    shipped_at: datetime | None = None
    updated_at: datetime | None = None
    origin: str = ""
