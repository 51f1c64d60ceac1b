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
    """What a SKU costs in one price list from one instant until another (open where None); tax as the list says."""

    sku: str
    amount: Money
    compare_at: Money | None = None
    price_list: str = ""
    effective_from: datetime | None = None
    effective_until: datetime | None = None
    taxes_included: bool | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """One sellable variant. `id` and `parent_id` are the source's; `sku` is the name all systems share."""

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
