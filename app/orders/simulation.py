"""Simulation: a draft rule set run over past orders, beside the one in force, before anybody activates it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, text

from app.orders import rules as kept
from app.orders import supply
from app.orders.demand import demand
from app.orders.sourcing import Plan, source
from app.orders.sourcing_rules import ZERO, Rules
from app.orders.wants import SHIP
from connectors.canonical.codec import decode
from connectors.canonical.order import Order

ORDERS = text("""
SELECT s.waybill, s.placed_at, d.body FROM subjects s JOIN documents d ON d.id = s.document_id
WHERE s.kind = 'order' AND s.placed_at >= :since ORDER BY s.placed_at, s.id LIMIT :most
""")
MOST = 5000


@dataclass(frozen=True, slots=True)
class Past:
    """An order as it was placed: cancellations and shipments since then are not held against the draft."""

    waybill: str
    placed_at: datetime
    order: Order


@dataclass
class Tally:
    """What one rule set makes of all the orders. `peak` is the busiest day of each location, `full` how often one was at its capacity,
    `late` how many orders come later than promised, `placeless` how many go to a place that the rules do not know."""

    orders: int = 0
    split: int = 0
    short: int = 0
    missing: Decimal = ZERO
    cost: Decimal = ZERO
    legs: dict[str, int] = field(default_factory=dict)
    pieces: dict[str, Decimal] = field(default_factory=dict)
    peak: dict[str, int] = field(default_factory=dict)
    full: int = 0
    late: int = 0
    placeless: int = 0

    @property
    def split_rate(self) -> Decimal:
        """The share of orders that go in more than one parcel."""
        return Decimal(self.split) / self.orders if self.orders else ZERO


@dataclass(frozen=True, slots=True)
class Row:
    """Who gets what of one order: location -> pieces, now and by the draft, and why the draft left others out."""

    waybill: str
    now: Mapping[str, Decimal]
    draft: Mapping[str, Decimal]
    missing: Decimal
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """`now` is None where no rule set is in force. `cut` when there were more orders than are looked at."""

    since: datetime
    draft: Tally
    now: Tally | None
    rows: Sequence[Row]
    cut: bool = False

    @property
    def changed(self) -> Sequence[Row]:
        return [row for row in self.rows if row.now != row.draft]


def simulate(tx: Connection, draft: Rules, since: datetime, most: int = MOST) -> Report:
    """Over orders placed since then, in their order, against the stock of this moment as if it had lain there at the beginning. Writes nothing."""
    past = list(_past(tx, since, most + 1))
    chosen = past[:most]
    active = kept.in_force(tx)
    skus = {line.sku for one in chosen for line in one.order.lines}
    of_draft, plans = run(draft, chosen, supply.stock(tx, draft, skus))
    of_now, were = (None, None)
    if active is not None:
        of_now, were = run(active.rules, chosen, supply.stock(tx, active.rules, skus))
    rows = [
        Row(one.waybill, _given(were[n]) if were else {}, _given(plan), _missing(plan), plan.refused)
        for n, (one, plan) in enumerate(zip(chosen, plans, strict=True))
    ]
    return Report(since, of_draft, of_now, rows, len(past) > most)


def run(rules: Rules, past: Iterable[Past], stock: Mapping[tuple[str, str], Decimal]) -> tuple[Tally, list[Plan]]:
    """Pure: each order takes what it is given from the stock, and from the day's capacity of each location."""
    left, days, tally, plans = dict(stock), {}, Tally(), []  # type: ignore[var-annotated]
    for one in past:
        load = days.setdefault(one.placed_at.date(), {})
        wanted = demand(one.order, rules, one.placed_at)
        plan = source(rules, wanted, left, load)
        _count(tally, plan, load)
        tally.placeless += bool(wanted.wants) and wanted.method == SHIP and wanted.at is None
        for leg in plan.legs:
            load[leg.location] = load.get(leg.location, 0) + 1
            for want in leg.wants:
                if (leg.location, want.sku) in left:
                    left[leg.location, want.sku] -= want.quantity
        plans.append(plan)
    tally.peak = _peaks(days)
    return tally, plans


def _count(tally: Tally, plan: Plan, load: Mapping[str, int]) -> None:
    if not plan.legs and not plan.missing:
        return  # nothing of it is ours to send
    tally.orders += 1
    tally.split += plan.split
    tally.cost += plan.cost
    tally.missing += _missing(plan)
    tally.short += bool(plan.missing)
    tally.late += bool(plan.late)
    tally.full += "at its capacity" in plan.refused.values()
    for name, pieces in _given(plan).items():
        tally.legs[name] = tally.legs.get(name, 0) + 1
        tally.pieces[name] = tally.pieces.get(name, ZERO) + pieces


def _given(plan: Plan) -> dict[str, Decimal]:
    return {leg.location: sum((want.quantity for want in leg.wants), ZERO) for leg in plan.legs}


def _missing(plan: Plan) -> Decimal:
    return sum((want.quantity for want in plan.missing), ZERO)


def _peaks(days: Mapping[date, Mapping[str, int]]) -> dict[str, int]:
    names = {name for load in days.values() for name in load}
    return {name: max(load.get(name, 0) for load in days.values()) for name in sorted(names)}


def _past(tx: Connection, since: datetime, most: int) -> Iterator[Past]:
    for row in tx.execute(ORDERS, {"since": since, "most": most}):
        order = decode(row.body)
        if isinstance(order, Order):
            yield Past(row.waybill, row.placed_at, as_placed(order))


def as_placed(order: Order) -> Order:
    lines = tuple(replace(line, current_quantity=line.quantity) for line in order.lines)
    return replace(order, lines=lines, shipments=(), refunds=(), cancelled_at=None)
