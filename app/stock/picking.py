"""Picking: which shelves a claim's lines are taken from, while those shelves are locked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import Connection, text

from app.stock import parts, rules, shelves
from app.stock.claims import Wanted
from app.stock.rules import Rule
from app.stock.shelves import Place, Shelf

NOTHING = Decimal(0)
# What orders claim at no location and is not there must be left for them wherever it is: then every shelf counts. So it is with what is sold ahead.
OWED = text("SELECT sku FROM shelves WHERE sku = ANY(:skus) AND (location = '' AND short > 0 OR location = '~ahead')")


@dataclass(frozen=True, slots=True)
class Pick:
    """Pieces of a SKU at a location for a line; `per` pieces of it go into each `bundle` sold."""

    line: str
    sku: str
    location: str
    quantity: Decimal
    per: Decimal = Decimal(1)
    bundle: str = ""

    @property
    def place(self) -> Place:
        return self.sku, self.location


@dataclass(frozen=True, slots=True)
class Lacking:
    """A line that could not be had: pieces wanted, and how many there were for it."""

    line: str
    sku: str
    wanted: Decimal
    available: Decimal


@dataclass(frozen=True, slots=True)
class _Part:
    """A line's own SKU, or one of the parts of its bundle."""

    line: str
    sku: str
    quantity: Decimal
    location: str | None
    per: Decimal
    bundle: str


@dataclass
class _Room:
    """What the locked shelves have left as lines are taken from them, one after the other."""

    rule: Rule
    free: dict[Place, Decimal] = field(default_factory=dict)
    homes: dict[str, list[str]] = field(default_factory=dict)
    ahead: set[str] = field(default_factory=set)
    allowed: dict[str, Decimal] = field(default_factory=dict)

    def take(self, part: _Part, force: bool) -> tuple[list[Pick], Lacking | None]:
        if force:
            return [_pick(part, self._home(part), part.quantity)], None
        there = self._places(part)
        most = min(self.allowed.get(part.sku, NOTHING), sum((self.free[place] for place in there), NOTHING))
        if most < part.quantity:
            return [], Lacking(part.line, part.sku, part.quantity, max(most, NOTHING))
        self.allowed[part.sku] -= part.quantity
        return list(self._taken(part, there)), None

    def _home(self, part: _Part) -> str:
        if part.sku in self.ahead:
            return shelves.AHEAD
        homes = self.homes.get(part.sku, [])
        return part.location if part.location is not None else homes[0] if len(homes) == 1 else ""

    def _places(self, part: _Part) -> list[Place]:
        """Where it may be taken from: a place that has all of it first, else where the most is."""
        mine = [
            place
            for place, free in self.free.items()
            if place[0] == part.sku and free > 0 and (part.location in (None, place[1]) or part.sku in self.ahead)
        ]
        return sorted(mine, key=lambda place: (self.free[place] < part.quantity, -self.free[place], place))

    def _taken(self, part: _Part, there: Sequence[Place]) -> Iterable[Pick]:
        left = part.quantity
        for place in there:
            now = min(left, self.free[place])
            if now <= 0:
                return
            self.free[place] -= now
            left -= now
            yield _pick(part, place[1], now)


def _pick(part: _Part, location: str, quantity: Decimal) -> Pick:
    return Pick(part.line, part.sku, location, quantity, part.per, part.bundle)


def pick(tx: Connection, asked: Sequence[Wanted], rule: Rule, force: bool = False) -> tuple[list[Pick], list[Lacking]]:
    """Locks the shelves that the lines need, in order, and says what is taken from which; or what is lacking.

    `force` takes it whether it is there or not: at the SKU's only place, else at none.
    """
    wanted = _taken_apart(tx, asked)
    room = _room(tx, wanted, rule, force)
    found = [room.take(part, force) for part in wanted]
    if force:
        shelves.make(tx, {one.place for picks, _ in found for one in picks})
    lacking = [lack for _, lack in found if lack is not None]
    return ([] if lacking else [one for picks, _ in found for one in picks]), lacking


def _taken_apart(tx: Connection, asked: Sequence[Wanted]) -> list[_Part]:
    made_of = parts.of(tx, {line.sku for line in asked})
    return [
        _Part(line.line, sku, line.quantity * per, line.location, per, line.sku if line.sku in made_of else "")
        for line in asked
        for sku, per in made_of.get(line.sku, ((line.sku, Decimal(1)),))
        if line.quantity > 0
    ]


def _room(tx: Connection, wanted: Sequence[_Part], rule: Rule, force: bool) -> _Room:
    everywhere = {part.sku for part in wanted if part.location is None}
    pinned = {(part.sku, part.location) for part in wanted if part.location is not None}
    owed = set(tx.execute(OWED, {"skus": sorted({sku for sku, _ in pinned})}).scalars()) if pinned else set()
    if force:
        shelves.make(tx, pinned | {(sku, "") for sku in everywhere})
    locked = shelves.lock(tx, pinned, everywhere | owed)
    room = _Room(rule, ahead={shelf.sku for shelf in locked if shelves.sold_ahead(shelf)})
    for shelf in locked:
        if shelf.account:
            room.homes.setdefault(shelf.sku, []).append(shelf.location)
        if shelf.sku in room.ahead:
            if shelves.sold_ahead(shelf):
                room.free[shelf.place] = max(NOTHING, shelf.free)
        elif shelf.location not in rule.exclude_locations:
            room.free[shelf.place] = max(NOTHING, shelf.free - rule.location_buffer)
    for sku in {shelf.sku for shelf in locked}:
        room.allowed[sku] = rules.visible(rules.unbounded(rule), sku, total(locked, sku, rule))
    return room


def total(locked: Sequence[Shelf], sku: str, rule: Rule) -> Decimal:
    """What is free of a SKU in all: what is owed anywhere is taken off what is there elsewhere; of what is sold ahead, what its limit leaves."""
    limit = next((shelf for shelf in locked if shelf.sku == sku and shelves.sold_ahead(shelf)), None)
    if limit is not None:
        return limit.free
    free = NOTHING
    for shelf in locked:
        if shelf.sku != sku:
            continue
        if shelf.free < 0:
            free += shelf.free
        elif shelf.location not in rule.exclude_locations:
            free += max(NOTHING, shelf.free - rule.location_buffer)
    return free
