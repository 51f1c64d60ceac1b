"""An order is what a customer bought in a channel, line by line, and everything that became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from connectors.canonical.money import MoneyBag, Role
from connectors.canonical.party import Address, Party
from connectors.canonical.payment import Payment
from connectors.canonical.product import Component, ProductKind
from connectors.canonical.returns import Refund, Return
from connectors.canonical.shipment import Shipment


class Source(StrEnum):
    WEB = "web"
    POS = "pos"
    DRAFT = "draft"
    MARKETPLACE = "marketplace"
    SOCIAL = "social"
    B2B = "b2b"
    OTHER = "other"


class ChargeKind(StrEnum):
    FEE = "fee"
    TIP = "tip"
    DUTY = "duty"


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax on a line or charge. `rate` is a fraction (0.19); `remitted_by_channel` where a marketplace pays it itself."""

    title: str
    amount: MoneyBag
    rate: Decimal | None = None
    code: str = ""
    remitted_by_channel: bool = False


@dataclass(frozen=True, slots=True)
class Discount:
    """What was taken off, positive. An order's discount that is allocated to lines stands on the lines only."""

    amount: MoneyBag
    code: str = ""
    title: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line as sold: `quantity` x `unit_price` - `discounts`, taxes beside it (or inside, see Order.taxes_included).

    `current_quantity` is what is left after edits and removals. `bundle_id` names the line that this one is a part of.
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


@dataclass(frozen=True, slots=True)
class ShippingLine:
    """A delivery charge as sold."""

    id: str
    title: str
    price: MoneyBag
    code: str = ""
    carrier: str = ""
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Charge:
    """A fee, tip or duty that is no product line."""

    kind: ChargeKind
    title: str
    amount: MoneyBag
    taxes: tuple[Tax, ...] = ()
    line_id: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """The channel's own sums. `lines` before discounts; `tax` all taxes; `total` what is to be paid, gift cards being tenders."""

    lines: MoneyBag
    discounts: MoneyBag
    shipping: MoneyBag
    charges: MoneyBag
    tax: MoneyBag
    total: MoneyBag


@dataclass(frozen=True, slots=True)
class Order:
    """A snapshot of an order. `id` and `number` are the channel's; `totals` as placed, `current` after edits and refunds.

    `money_role` is the stamped choice of the currency that the books follow. `channel` (the account) is stamped by the hub.
    """

    id: str
    number: str
    placed_at: datetime
    updated_at: datetime
    currency: str
    lines: tuple[Line, ...]
    totals: Totals
    current: Totals | None = None
    presentment_currency: str = ""
    money_role: Role = Role.SHOP
    taxes_included: bool = False
    channel: str = ""
    source: Source = Source.WEB
    location: str = ""
    external_reference: str = ""
    customer: Party | None = None
    billing: Address | None = None
    shipping: Address | None = None
    shipping_lines: tuple[ShippingLine, ...] = ()
    charges: tuple[Charge, ...] = ()
    discounts: tuple[Discount, ...] = ()
    rounding: MoneyBag | None = None
    payments: tuple[Payment, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    returns: tuple[Return, ...] = ()
    payment_status: str = ""
    fulfilment_status: str = ""
    cancelled_at: datetime | None = None
    cancel_reason: str = ""
    ship_by: datetime | None = None
    deliver_by: datetime | None = None
    note: str = ""
    tags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    test: bool = False

    @property
    def email(self) -> str:
        """Where the customer is written to: the buyer's, else the shipping or billing address's."""
        parties = (self.customer, self.shipping, self.billing)
        return next((p.email for p in parties if p is not None and p.email), "")
