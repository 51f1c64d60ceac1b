"""An inventory level is how many of an item Shopify has at a location."""

from __future__ import annotations

from decimal import Decimal

from connectors.canonical.stock import StockLevel
from connectors.shopify.mapping.values import Place


def level(node: Place) -> StockLevel:
    """The webhook names the inventory item, not the SKU (`sku` is empty then); `available` is null if not tracked."""
    return StockLevel(
        sku=node.at("sku").text(),
        location=node.at("location_id").needed().id(),
        available=_optional(node.at("available")),
        on_hand=_optional(node.at("on_hand")),
        reserved=_optional(node.at("committed")),
        incoming=_optional(node.at("incoming")),
        item_id=node.at("inventory_item_id").needed().id(),
        as_of=node.at("updated_at").time(),
    )


def _optional(place: Place) -> Decimal | None:
    return None if place.value is None else place.number()
