"""A shipment of an order: which order products left, in one parcel."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.bigcommerce.mapping.values import moment
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking
from connectors.kit.place import Place


def shipment(node: Place, skus: Mapping[str, str]) -> Shipment:
    """BigCommerce keeps no state of a shipment: what is there has left. `skus` by order product."""
    return Shipment(
        id=node.at("id").needed().id(),
        status=ShipmentStatus.SHIPPED,
        lines=tuple(_line(item, skus) for item in node.at("items").items()),
        trackings=_trackings(node),
        service=node.at("shipping_method").text(),
        shipped_at=moment(node.at("date_created")),
    )


def _line(item: Place, skus: Mapping[str, str]) -> ShipmentLine:
    product = item.at("order_product_id").needed().id()
    return ShipmentLine(item.at("quantity").needed().number(), skus.get(product, ""), product)


def _trackings(node: Place) -> tuple[Tracking, ...]:
    number = node.at("tracking_number").text()
    url = node.at("tracking_link").text() or node.at("generated_tracking_link").text()
    carrier = node.at("tracking_carrier").text() or node.at("shipping_provider").text()
    return (Tracking(number, carrier, url),) if number or url else ()
