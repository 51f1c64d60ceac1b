"""An order is what a customer bought in a channel, line by line, and everything that became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from connectors.canonical.delivery import Delivery
from connectors.canonical.line import Charge, ChargeKind, Discount, FulfilledBy, Line, ShippingLine, Tax
from connectors.canonical.money import MoneyBag, Role
from connectors.canonical.party import Address, Party
from connectors.canonical.payment import Payment
from connectors.canonical.returns import Refund, Return
from connectors.canonical.shipment import Shipment

# an order and its parts are imported from here
__all__ = [
    "CancelReason",
    "Charge",
    "ChargeKind",
    "Delivery",
    "Discount",
    "FulfilledBy",
    "Line",
    "Order",
    "ShippingLine",
    "Source",
    "Tax",
    "Totals",
]


class CancelReason(StrEnum):
    """Why an order is cancelled by our word; each channel has words of its own for it. A source's own reason is kept as it says it."""

    CUSTOMER = "customer"
    INVENTORY = "inventory"
    ADDRESS = "address"
    DECLINED = "declined"
    FRAUD = "fraud"
    OTHER = "other"


class Source(StrEnum):
    WEB = "web"
    POS = "pos"
    DRAFT = "draft"
    MARKETPLACE = "marketplace"
    SOCIAL = "social"
    B2B = "b2b"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Totals:
    """The channel's own sums. `lines` before discounts; `tax` all taxes; `total` what is to be paid.

    Gift cards are tenders: where a source subtracts gift cards or store credit *used* from its total (Adobe grand_total
    after gift_cards_amount and customer_balance_amount, BigCommerce total before store_credit_amount), the mapping adds
    them back and makes each a Payment. `paid`, `due` (still owed) and `refunded` are as the source states them, None
    where it does not: its list of payments may be partial.
    """

    lines: MoneyBag
    discounts: MoneyBag
    shipping: MoneyBag
    charges: MoneyBag
    tax: MoneyBag
    total: MoneyBag
    paid: MoneyBag | None = None
    due: MoneyBag | None = None
    refunded: MoneyBag | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A snapshot of an order. `id` and `number` are the channel's; `totals` as placed, `current` as it
    stands after edits and refunds.

    `money_role` is the stamped choice of the currency that the books follow; `channel` (the account) is stamped by the
    hub. `store` is the shop view, site, marketplace or sales organisation inside one account; `location` the place it
    was sold at. `external_reference` is the number that we or a front end gave, `purchase_order` the customer's own.
    `shipping` is the main address; where an order goes several ways, `deliveries` tells all and `shipping` the first's.

    `status` is the source's own word; `hold` says why the order must not move yet (empty: free), `replaces` the id of
    the order that this one stands for (an edited or exchanged one: counted once). `payment_terms` is the source's code
    and `due_at` the day it makes; `delivery_terms` an incoterm (DAP). Of an order in another currency than the books' own the
    exchange rate is that of the day it was placed, whenever it is booked; `exchange_rate` is units of the books' currency
    for one of the order's, where only a rate is stated. `ship_complete`: in one shipment or not at all.
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
    purchase_order: str = ""
    store: str = ""
    status: str = ""
    hold: str = ""
    replaces: str = ""
    deliveries: tuple[Delivery, ...] = ()
    ship_complete: bool = False
    delivery_terms: str = ""
    priority: str = ""
    payment_terms: str = ""
    due_at: datetime | None = None
    exchange_rate: Decimal | None = None
    salesperson: str = ""
    gift_message: str = ""
    closed_at: datetime | None = None

    @property
    def email(self) -> str:
        """Where the customer is written to: the buyer's, else the shipping or billing address's."""
        parties = (self.customer, self.shipping, self.billing)
        return next((p.email for p in parties if p is not None and p.email), "")
