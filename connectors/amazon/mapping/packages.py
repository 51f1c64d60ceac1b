"""Packages of an order that we send: which items left, under which number.

Of what Amazon sends itself it tells pieces, not parcels, and no day: once all of it has left, that is one shipment.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.amazon.mapping.values import ZERO
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking
from connectors.kit.place import Place

STATUSES = {
    "pending": ShipmentStatus.PENDING,
    "shipped": ShipmentStatus.SHIPPED,
    "in_transit": ShipmentStatus.IN_TRANSIT,
    "delivered": ShipmentStatus.DELIVERED,
    "cancelled": ShipmentStatus.CANCELLED,
    "undeliverable": ShipmentStatus.FAILED,
}


def shipments(order: Place, skus: Mapping[str, str]) -> tuple[Shipment, ...]:
    """A package is known by its reference within its order only, so the order's id stands before it."""
    name, sent = order.at("orderId").text(), order.at("fulfillment")
    if sent.at("fulfilledBy").text() == "AMAZON":
        return _by_amazon(order, name, skus) if sent.at("fulfillmentStatus").text() == "SHIPPED" else ()
    return tuple(_shipment(node, name, skus) for node in order.at("packages").items())


def _by_amazon(order: Place, name: str, skus: Mapping[str, str]) -> tuple[Shipment, ...]:
    items = [
        (item.at("orderItemId").id(), item.at("fulfillment").at("quantityFulfilled"))
        for item in order.at("orderItems").items()
    ]
    lines = tuple(ShipmentLine(told.number(), skus[item], item) for item, told in items if told.number(ZERO))
    return (Shipment(f"{name}/amazon", ShipmentStatus.SHIPPED, lines),) if lines else ()


def _shipment(node: Place, order: str, skus: Mapping[str, str]) -> Shipment:
    reference = node.at("packageReferenceId").needed().id()
    told = node.at("packageStatus").at("status")
    return Shipment(
        id=f"{order}/{reference}",
        status=ShipmentStatus.SHIPPED if told.value is None else told.one_of(STATUSES),
        lines=tuple(_line(item, skus) for item in node.at("packageItems").items()),
        trackings=_trackings(node),
        service=node.at("shippingService").text(),
        shipped_at=node.at("shipTime").time(),
        number=reference,
    )


def _line(item: Place, skus: Mapping[str, str]) -> ShipmentLine:
    name = item.at("orderItemId").needed().id()
    codes = tuple(one.text() for one in item.at("transparencyCodes").items())
    return ShipmentLine(item.at("quantity").needed().number(), skus.get(name, ""), name, serials=codes)


def _trackings(node: Place) -> tuple[Tracking, ...]:
    number, carrier = node.at("trackingNumber").text(), node.at("carrier").text()
    return (Tracking(number, carrier),) if number else ()
