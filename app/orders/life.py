"""The quantities of an order's life, line by line and tender by tender. Pure: no clock, database or document."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

ZERO = Decimal(0)
RESTOCK, QUARANTINE, SCRAP = "restock", "quarantine", "scrap"


@dataclass(frozen=True, slots=True)
class LineLife:
    """Quantities of one order line, in its own unit. `price` is what one piece was sold for, taxes in it.

    `cancelled` never left; `received` is what came back, of it `restocked` lies on the shelf again and `kept_off` in quarantine or scrap.
    """

    id: str
    ordered: Decimal
    price: Decimal = ZERO
    cancelled: Decimal = ZERO
    shipped: Decimal = ZERO
    received: Decimal = ZERO
    restocked: Decimal = ZERO
    kept_off: Decimal = ZERO

    @property
    def active(self) -> Decimal:
        """What the customer still wants or has."""
        return self.ordered - self.cancelled

    @property
    def open(self) -> Decimal:
        """What is still to leave: the claim that the line has on the shelf."""
        return self.ordered - self.cancelled - self.shipped


@dataclass(frozen=True, slots=True)
class TenderLife:
    """What one tender (gateway) took and gave back; amounts in the order's currency."""

    name: str
    authorised: Decimal = ZERO
    captured: Decimal = ZERO
    refunded: Decimal = ZERO

    @property
    def refundable(self) -> Decimal:
        return self.captured - self.refunded


@dataclass(frozen=True, slots=True)
class Life:
    lines: tuple[LineLife, ...]
    tenders: tuple[TenderLife, ...] = ()

    def line(self, name: str) -> LineLife:
        return next(line for line in self.lines if line.id == name)

    def tender(self, name: str) -> TenderLife:
        return next(tender for tender in self.tenders if tender.name == name)

    def with_line(self, line: LineLife) -> Life:
        return replace(self, lines=tuple(line if one.id == line.id else one for one in self.lines))

    def with_tender(self, tender: TenderLife) -> Life:
        return replace(self, tenders=tuple(tender if one.name == tender.name else one for one in self.tenders))


def spread(life: Life, amount: Decimal) -> tuple[list[tuple[str, Decimal]], Decimal]:
    """How a refund goes back: to each tender in turn, the last that took money first, never above what it took; and what is left over."""
    parts: list[tuple[str, Decimal]] = []
    for tender in reversed(life.tenders):
        share = min(amount, tender.refundable)
        if share > 0:
            parts.append((tender.name, share))
            amount -= share
    return parts, amount
