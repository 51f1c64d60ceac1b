"""A product is what is sold under a SKU: its identity, its measures, its price, and for a bundle its parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from connectors.canonical.money import Money


class ProductKind(StrEnum):
    GOODS = "goods"
    BUNDLE = "bundle"
    GIFT_CARD = "gift_card"
    SERVICE = "service"
    DIGITAL = "digital"


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a bundle and how many of it one bundle holds."""

    sku: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """What a SKU costs in one price list from one instant until another (open where None); tax as the list says.

    `min_quantity` is from how many on, in the SKU's unit: a quantity break is a Price of its own.
    """

    sku: str
    amount: Money
    compare_at: Money | None = None
    price_list: str = ""
    effective_from: datetime | None = None
    effective_until: datetime | None = None
    taxes_included: bool | None = None
    min_quantity: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Product:
    """One sellable variant. `id` and `parent_id` are the source's; `sku` is the name all systems share.

    `options` are what makes it this variant (("Size", "XL"), ...). `cost` is what one unit costs us. `tracked` is false
    where nobody counts it (gift cards, services): its stock is never published. `hs_code` is the customs tariff number,
    `origin_country` ISO 3166-1 alpha-2; `dimensions_mm` length, width and height of the packed unit.
    """

    id: str
    sku: str
    title: str
    kind: ProductKind = ProductKind.GOODS
    parent_id: str = ""
    barcode: str = ""
    vendor: str = ""
    unit: str = "each"
    weight_grams: Decimal | None = None
    tax_code: str = ""
    active: bool = True
    inventory_item_id: str = ""
    price: Price | None = None
    components: tuple[Component, ...] = ()
    updated_at: datetime | None = None
    options: tuple[tuple[str, str], ...] = ()
    cost: Money | None = None
    tracked: bool = True
    hs_code: str = ""
    origin_country: str = ""
    dimensions_mm: tuple[Decimal, Decimal, Decimal] | None = None
