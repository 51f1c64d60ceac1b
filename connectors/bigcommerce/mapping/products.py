"""A product of the catalogue is one article for each of its variants."""

from __future__ import annotations

from decimal import Decimal

from connectors.bigcommerce.mapping.lines import GRAMS
from connectors.canonical.money import Money, parse
from connectors.canonical.product import Price, Product, ProductKind
from connectors.kit.place import Place


def products(node: Place, currency: str, unit: str) -> tuple[Product, ...]:
    """Prices in `currency` (the store's: the catalogue states none), weights in `unit`."""
    return tuple(_variant(node, one, currency, unit) for one in node.at("variants").items())


def _variant(node: Place, one: Place, currency: str, unit: str) -> Product:
    digital = node.at("type").text() == "digital"
    off = node.at("availability").text() == "disabled" or one.at("purchasing_disabled").flag()
    price = _price(node, one, currency)
    sku = one.at("sku").text() or node.at("sku").text()
    return Product(
        id=one.at("id").needed().id(),
        sku=sku,
        title=node.at("name").text(),
        kind=ProductKind.DIGITAL if digital else ProductKind.GOODS,
        parent_id=node.at("id").needed().id(),
        barcode=one.at("gtin").text() or one.at("upc").text(),
        vendor=node.at("brand_id").text(),
        weight_grams=_grams(node, one, unit),
        tax_code=node.at("product_tax_code").text(),
        active=node.at("is_visible").flag(True) and not off,
        inventory_item_id=one.at("id").id(),
        price=Price(sku, price) if price is not None else None,
        updated_at=node.at("date_modified").time(),
        options=tuple(
            (row.at("option_display_name").text(), row.at("label").text()) for row in one.at("option_values").items()
        ),
        cost=_money(one.at("cost_price"), currency),
        tracked=node.at("inventory_tracking").text() != "none",
    )


def _price(node: Place, one: Place, currency: str) -> Money | None:
    """A variant without a price of its own has the product's."""
    return _money(one.at("price") if one.at("price").value is not None else node.at("price"), currency)


def _money(place: Place, currency: str) -> Money | None:
    return parse(place.number(), currency) if currency and place.value is not None else None


def _grams(node: Place, one: Place, unit: str) -> Decimal | None:
    told = one.at("weight") if one.at("weight").value is not None else node.at("weight")
    return told.number() * Decimal(GRAMS[unit]) if unit and told.value is not None else None


def record_price(row: Place, sku: str) -> Price:
    """A record of a price list: its sale price where it has one, the list price then beside it."""
    currency = row.at("currency").needed().text().upper()
    whole, sale = row.at("price").needed().number(), row.at("sale_price")
    reduced = sale.number() if sale.value is not None and sale.number() < whole else None
    return Price(
        sku,
        parse(whole if reduced is None else reduced, currency),
        None if reduced is None else parse(whole, currency),
        price_list=row.at("price_list_id").text(),
    )
