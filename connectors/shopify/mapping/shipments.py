"""A Shopify fulfilment is a shipment: which lines left, in which parcels."""

from __future__ import annotations

from itertools import zip_longest

from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking
from connectors.shopify.mapping.values import Place

STATES = {
    "pending": ShipmentStatus.PENDING,
    "open": ShipmentStatus.PENDING,
    "success": ShipmentStatus.SHIPPED,
    "cancelled": ShipmentStatus.CANCELLED,
    "error": ShipmentStatus.FAILED,
    "failure": ShipmentStatus.FAILED,
}


def shipment(node: Place) -> Shipment:
    """`created_at` is when Shopify was told that it left."""
    state = node.at("status").one_of(STATES)
    delivered = node.at("shipment_status").text().lower() == "delivered"
    return Shipment(
        id=node.at("id").needed().id(),
        status=ShipmentStatus.DELIVERED if delivered and state is ShipmentStatus.SHIPPED else state,
        lines=tuple(_line(item) for item in node.at("line_items").items()),
        trackings=_trackings(node),
        location=node.at("location_id").id(),
        shipped_at=node.at("created_at").time(),
        updated_at=node.at("updated_at").time(),
    )


def _line(item: Place) -> ShipmentLine:
    return ShipmentLine(item.at("quantity").number(), item.at("sku").text(), item.at("id").needed().id())


def _trackings(node: Place) -> tuple[Tracking, ...]:
    """Numbers and addresses run side by side; payloads from before several parcels have one of each."""
    numbers = _each(node, "tracking_number")
    urls = _each(node, "tracking_url")
    carrier = node.at("tracking_company").text()
    both = zip_longest(numbers, urls, fillvalue="")
    return tuple(Tracking(number, carrier, url) for number, url in both if number or url)


def _each(node: Place, name: str) -> list[str]:
    several = [item.text() for item in node.at(f"{name}s").items()]
    return several or [text for text in (node.at(name).text(),) if text]
