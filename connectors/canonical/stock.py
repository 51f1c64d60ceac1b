"""A stock level is how many of a SKU a source says are at a location."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Lot:
    """Pieces of one batch, by its number at whoever counts them. `expires` is its last day, None where the source does not say."""

    name: str
    quantity: Decimal
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class StockLevel:
    """Quantities in the SKU's own unit; None where the source does not say. `item_id` is the source's id of the SKU.

    `unsellable` are on hand but damaged, blocked or in inspection. `safety` is what the *source* holds back by its own
    setting; what we hold back is policy of ours (config) and never read from here. `lots` say of which batches the pieces on hand are, as far
    as the source knows: they need not add up.
    """

    sku: str
    location: str
    available: Decimal | None = None
    on_hand: Decimal | None = None
    reserved: Decimal | None = None
    incoming: Decimal | None = None
    item_id: str = ""
    as_of: datetime | None = None
    unsellable: Decimal | None = None
    safety: Decimal | None = None
    lots: tuple[Lot, ...] = ()
