"""Shipments as Commerce Cloud means them: groups of items that go the same way, long before anything leaves."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from connectors.canonical.delivery import DeliveryKind
from connectors.canonical.order import Delivery, Line, ShippingLine
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking
from connectors.kit.place import Place
from connectors.salesforce_commerce.mapping.adjustments import discounts
from connectors.salesforce_commerce.mapping.parties import address
from connectors.salesforce_commerce.mapping.taxes import item_taxes
from connectors.salesforce_commerce.mapping.values import Sums, amount, words

STORE = "c_fromStoreId"  # the reference storefront's own name for the store that something is fetched at


def delivery(node: Place, pickup: Iterable[str]) -> Delivery:
    """`pickup` are the ids of shipping methods by which the customer fetches."""
    method, store = node.at("shippingMethod").at("id").text(), words(node.at(STORE).value)
    collected = bool(store) or method in pickup
    return Delivery(
        id=node.at("shipmentId").needed().id(),
        kind=DeliveryKind.PICKUP if collected else DeliveryKind.SHIP,
        address=address(node.at("shippingAddress")),
        location=store,
        service=method,
        ship_by=node.at("orderCutoffAt").time(),
        deliver_by=node.at("deliveryWindow").at("endAt").time(),
    )


def shipping_lines(order: Place, sums: Sums) -> tuple[ShippingLine, ...]:
    """The shipping items; where there are none, what each shipment says that its shipping came to."""
    ways = {one.at("shipmentId").text(): one.at("shippingMethod") for one in order.at("shipments").items()}
    items = order.at("shippingItems").items()
    if items:
        return tuple(_item(one, ways, sums) for one in items)
    told = (one for one in order.at("shipments").items() if amount(one, "shippingTotal"))
    return tuple(_of_shipment(one, sums) for one in told)


def _item(node: Place, ways: dict[str, Place], sums: Sums) -> ShippingLine:
    shipment = node.at("shipmentId").text()
    method = ways.get(shipment, Place(None))
    return ShippingLine(
        id=node.at("itemId").text() or f"{shipment}-shipping",
        title=node.at("itemText").text() or method.at("name").text() or "Shipping",
        price=sums.bag(sums.told(node)),
        code=method.at("id").text(),
        discounts=discounts(node, sums),
        taxes=item_taxes(node, sums),
        delivery_id=shipment,
    )


def _of_shipment(node: Place, sums: Sums) -> ShippingLine:
    """A shipment's total stands after its adjustments, and adjustedShippingTotalTax with it."""
    tax = Place({"tax": amount(node, "adjustedShippingTotalTax") or amount(node, "shippingTotalTax")})
    name = node.at("shipmentId").text()
    return ShippingLine(
        id=f"{name}-shipping",
        title="Shipping",
        price=sums.bag(amount(node, "shippingTotal")),
        code=node.at("shippingMethod").at("id").text(),
        taxes=item_taxes(tax, sums),
        delivery_id=name,
    )


def shipments(order: Place, lines: tuple[Line, ...]) -> tuple[Shipment, ...]:
    """What another system shipped and put there, whole shipments only: nothing says how many pieces left."""
    gone = (one for one in order.at("shipments").items() if one.at("shippingStatus").text() == "shipped")
    return tuple(_shipment(one, lines) for one in gone)


def _shipment(node: Place, lines: tuple[Line, ...]) -> Shipment:
    name, number = node.at("shipmentId").needed().id(), node.at("trackingNumber").text()
    held = tuple(
        ShipmentLine(one.current_quantity, one.sku, one.id)
        for one in lines
        if one.delivery_id == name and one.requires_shipping and one.current_quantity > Decimal(0)
    )
    return Shipment(
        id=name,
        number=node.at("shipmentNo").text(),
        status=ShipmentStatus.SHIPPED,
        lines=held,
        trackings=(Tracking(number),) if number else (),
        service=node.at("shippingMethod").at("id").text(),
    )
