"""A line is one thing that an order sold or charged for: goods, a delivery, a fee; with its discounts and taxes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.product import Component, ProductKind


class ChargeKind(StrEnum):
    FEE = "fee"
    TIP = "tip"
    DUTY = "duty"


class FulfilledBy(StrEnum):
    """Who sends a line: us, or the channel out of its own warehouse (FBA, WFS), which must never reach ours."""

    MERCHANT = "merchant"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax on a line or charge. `rate` is a fraction (0.19).

    `remitted_by_channel` where a marketplace pays it itself. `base` is the sum that it was reckoned on, where
    the source states it: a tax may stand on another tax.
    """

    title: str
    amount: MoneyBag
    rate: Decimal | None = None
    code: str = ""
    remitted_by_channel: bool = False
    base: MoneyBag | None = None


@dataclass(frozen=True, slots=True)
class Discount:
    """What was taken off, positive. An order's discount that is allocated to lines stands on the lines only.

    `code` is what the customer typed, `id` the source's promotion or rule; `rate` a fraction (0.15), None where the sum
    was fixed.
    """

    amount: MoneyBag
    code: str = ""
    title: str = ""
    kind: str = ""
    id: str = ""
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line as sold: `quantity` x `unit_price` - `discounts`, taxes beside it (or inside, see Order.taxes_included).

    `current_quantity` is what is left after edits and removals. `bundle_id` names the line that this one is a part of.
    `gross` is the source's own sum of the line before discounts, where it rounded it by itself (1.345 kg at 3.99); None
    where `quantity` x `unit_price` is exact. `fulfilled_quantity` is how many have left, None where the source does not
    say (then the shipments do). `status` is the source's own word. `delivery_id` names the order's delivery that takes
    the line (empty: the only one). `options` are the choices that made the variant (("Size", "XL"), ...); `properties`
    what else the customer wrote or ticked. `weight_grams` and `unit_cost` (in the books' currency) are of one unit.
    """

    id: str
    sku: str
    title: str
    quantity: Decimal
    unit_price: MoneyBag
    current_quantity: Decimal
    kind: ProductKind = ProductKind.GOODS
    product_id: str = ""
    variant_id: str = ""
    barcode: str = ""
    unit: str = "each"
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    requires_shipping: bool = True
    taxable: bool = True
    tax_code: str = ""
    bundle_id: str = ""
    components: tuple[Component, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()
    location: str = ""
    fulfilled_by: FulfilledBy = FulfilledBy.MERCHANT
    fulfilled_quantity: Decimal | None = None
    status: str = ""
    ship_by: datetime | None = None
    delivery_id: str = ""
    gift_message: str = ""
    options: tuple[tuple[str, str], ...] = ()
    weight_grams: Decimal | None = None
    unit_cost: Money | None = None
    gross: MoneyBag | None = None

    @property
    def ours_to_ship(self) -> bool:
        """Goods that leave a place of ours, so that they are reserved there and asked of a warehouse."""
        return self.requires_shipping and self.fulfilled_by is FulfilledBy.MERCHANT


@dataclass(frozen=True, slots=True)
class ShippingLine:
    """A delivery charge as sold; `delivery_id` names the delivery that it pays for (empty: the whole order's)."""

    id: str
    title: str
    price: MoneyBag
    code: str = ""
    carrier: str = ""
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    removed: bool = False
    delivery_id: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """A fee, tip or duty that is no product line (gift wrapping too, with the `line_id` it wraps).

    `id` is the source's, so that a refund can name it; `code` the source's own kind (a condition type, a fee's code).
    """

    kind: ChargeKind
    title: str
    amount: MoneyBag
    taxes: tuple[Tax, ...] = ()
    line_id: str = ""
    id: str = ""
    code: str = ""
