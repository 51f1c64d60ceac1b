"""Products of SCAPI as what can be sold: standard items, variants, bundles; masters, sets and groups only hold others."""

from __future__ import annotations

from connectors.canonical.money import parse
from connectors.canonical.product import Price, Product, ProductKind
from connectors.kit.place import Place

SHELLS = ("master", "variationGroup", "set", "retailSet")


def product(node: Place) -> Product | None:
    """None for what only holds others. The product's id is its SKU; what is in a bundle is not told with quantities."""
    kind = node.at("type")
    if any(kind.at(name).flag() for name in SHELLS):
        return None
    name = node.at("id").needed().id()
    return Product(
        id=name,
        sku=name,
        title=localized(node.at("name")),
        kind=ProductKind.BUNDLE if kind.at("bundle").flag() else ProductKind.GOODS,
        parent_id=node.at("master").at("masterId").text(),
        barcode=node.at("ean").text() or node.at("upc").text(),
        vendor=node.at("manufacturerName").text() or node.at("brand").text(),
        tax_code=node.at("taxClassId").text(),
        active=node.at("online").flag(True),
        price=price(node),
        updated_at=node.at("lastModified").time(),
        options=_options(node.at("variationValues")),
    )


def price(node: Place) -> Price | None:
    """What the site sells it for now. Which price book that comes from is not told."""
    told, currency = node.at("price"), node.at("priceCurrency").text().upper()
    if told.value is None or not currency:
        return None
    return Price(node.at("id").needed().id(), parse(told.number(), currency))


def localized(node: Place) -> str:
    """A localized text is an object by locale; `default` is what there is in none."""
    if not isinstance(node.value, dict):
        return node.text()
    first = next(iter(node.value), "default")
    return node.at("default").text() or _words(node.at(first))


def _words(node: Place) -> str:
    return "" if isinstance(node.value, dict) else node.text()


def _options(node: Place) -> tuple[tuple[str, str], ...]:
    if not isinstance(node.value, dict):
        return ()
    return tuple((name, node.at(name).text()) for name in node.value if isinstance(node.value[name], str))
