"""A snapshot is what one delivery says about one subject; a pointer only says where to look."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, Settlement
from connectors.canonical.product import Price, Product
from connectors.canonical.returns import Refund, Return
from connectors.canonical.shipment import Shipment
from connectors.canonical.stock import StockLevel

Document = Order | Shipment | Refund | StockLevel | Product | Return | Payment | Settlement | Price


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document about a subject.

    `kind` and `id` name the subject as the source does: ("order", its id at this account), ("product", id), ("stock",
    item id @ location), ("price", sku @ price list), ("settlement", id). A child (a shipment, refund, return or payment
    told by itself) names its *order*: by the order's id at this account, or, where the account only knows what we told
    it, by the reference we gave (`reference`: our waybill number or our key). Goods that a warehouse has received back
    ("return", its own id for them) are a subject of their own: `reference` is the number of our return, or what else it
    was told to call them.
    `version` orders the deliveries of one subject: an ISO time in UTC or a zero-padded counter, compared as text.
    """

    kind: str
    id: str
    version: str
    document: Document
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Pointer:
    """A thin delivery: the object must be fetched before it can be read. Coalesced per kind and id."""

    kind: str
    id: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A delivery that this hub has no use for, with the reason in words."""

    reason: str


Reading = Snapshot | Pointer | Ignored
