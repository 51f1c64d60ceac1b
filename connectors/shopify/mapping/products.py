"""A Shopify product is one or several variants; each is a product of ours under its SKU."""

from __future__ import annotations

from decimal import Decimal

from connectors.canonical.money import parse
from connectors.canonical.product import Price, Product, ProductKind
from connectors.shopify.mapping.values import Place


def products(node: Place, currency: str) -> tuple[Product, ...]:
    """Every variant. Prices are in the shop's currency, which no payload names (`currency`; no price without)."""
    return tuple(_variant(item, node, currency) for item in node.at("variants").items())


def _variant(item: Place, node: Place, currency: str) -> Product:
    title, option = node.at("title").text(), item.at("title").text()
    return Product(
        id=item.at("id").needed().id(),
        sku=item.at("sku").text(),
        title=title if option in ("", "Default Title") else f"{title} - {option}",
        kind=ProductKind.GIFT_CARD if _gift_card(node) else _kind(item),
        parent_id=node.at("id").needed().id(),
        barcode=item.at("barcode").text(),
        vendor=node.at("vendor").text(),
        weight_grams=_grams(item),
        active=node.at("status").text("active").lower() == "active",
        inventory_item_id=item.at("inventory_item_id").id(),
        price=_price(item, currency),
        updated_at=node.at("updated_at").time(),
    )


def _gift_card(node: Place) -> bool:
    """Webhooks have no flag: Shopify's own gift card product has this product type."""
    return node.at("is_gift_card").flag() or node.at("product_type").text().lower() in ("gift card", "giftcard")


def _kind(item: Place) -> ProductKind:
    return ProductKind.BUNDLE if item.at("requires_components").flag() else ProductKind.GOODS


def _grams(item: Place) -> Decimal | None:
    """Only where the payload says grams: other units are not converted here."""
    return None if item.at("grams").value is None else item.at("grams").number()


def _price(item: Place, currency: str) -> Price | None:
    told, before = item.at("price"), item.at("compare_at_price")
    if not currency or told.value is None:
        return None
    compare = None if before.value in (None, "") else parse(before.number(), currency)
    return Price(item.at("sku").text(), parse(told.number(), currency), compare)
