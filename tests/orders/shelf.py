"""The shelf behind an order: moved by effects only, so that what the machine says must follow can be held against what it counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from app.orders.life import ZERO, Decided, Fact, Life


@dataclass(frozen=True, slots=True)
class Shelf:
    """`claims` held for orders, `on_hand` on the shelf, `apart` in quarantine or scrap, `credits` issued: pieces of all lines."""

    on_hand: Decimal
    claims: Decimal
    apart: Decimal = ZERO
    credits: Decimal = ZERO

    @property
    def to_sell(self) -> Decimal:
        return self.on_hand - self.claims

    def after(self, before: Life, fact: Fact, decided: Decided) -> Shelf:
        """What leaves is seen at the door (shipped), everything else is an effect."""
        gone = sum((line.shipped for line in decided.life.lines), ZERO) - sum(
            (line.shipped for line in before.lines), ZERO
        )
        shelf = replace(self, on_hand=self.on_hand - gone, claims=self.claims - gone)
        for effect in decided.effects:
            shelf = _MOVES.get(effect.kind, _nothing)(shelf, effect.amount)
        return shelf


def _nothing(shelf: Shelf, amount: Decimal) -> Shelf:
    return shelf


_MOVES = {
    "release": lambda s, n: replace(s, claims=s.claims - n),
    "reclaim": lambda s, n: replace(s, claims=s.claims + n),
    "restock": lambda s, n: replace(s, on_hand=s.on_hand + n),
    "keep_off": lambda s, n: replace(s, apart=s.apart + n),
    "credit": lambda s, n: replace(s, credits=s.credits + n),
}
