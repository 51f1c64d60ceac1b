"""Consignments of an order: what travels where, what is picked up, what goes by mail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.bigcommerce.mapping import parties
from connectors.canonical.delivery import DeliveryKind
from connectors.canonical.order import Delivery
from connectors.kit.place import Place


@dataclass(frozen=True, slots=True)
class Ways:
    """`of`: the delivery of each order product. Shipping consignments keep the id of their order address."""

    deliveries: tuple[Delivery, ...]
    of: dict[str, str]

    def picked_up(self, product: str) -> bool:
        name = self.of.get(product, "")
        return any(one.id == name and one.kind is DeliveryKind.PICKUP for one in self.deliveries)


def ways(order: Place) -> Ways:
    """The order's consignments (asked for as an object)."""
    read = list(_read(order.at("consignments")))
    return Ways(
        tuple(delivery for delivery, _ in read),
        {product: delivery.id for delivery, node in read for product in _products(node)},
    )


def _read(consignments: Place) -> Iterator[tuple[Delivery, Place]]:
    for node in consignments.at("shipping").items():
        yield (
            Delivery(
                node.at("id").needed().id(),
                DeliveryKind.SHIP,
                parties.address(node),
                service=node.at("shipping_method").text(),
            ),
            node,
        )
    for node in consignments.at("pickups").items():
        yield _pickup(node), node
    for number, node in enumerate(consignments.at("downloads").items()):
        yield Delivery(f"download-{number}", DeliveryKind.DIGITAL), node
    for number, node in enumerate(consignments.at("email").at("gift_certificates").items()):
        yield Delivery(f"email-{number}", DeliveryKind.DIGITAL), node


def _pickup(node: Place) -> Delivery:
    place = node.at("location")
    return Delivery(
        f"pickup-{node.at('id').needed().id()}",
        DeliveryKind.PICKUP,
        parties.location(place),
        location=place.at("code").text() or place.at("id").text(),
        service=node.at("pickup_method_display_name").text(),
        instructions=node.at("collection_instructions").text(),
    )


def _products(node: Place) -> Iterator[str]:
    """Line items are told as {url, resource: "/orders/129/products/12"} or whole."""
    for item in node.at("line_items").items():
        yield item.at("id").text() or item.at("resource").text().rpartition("/")[2]
