"""Sourcing: which locations send what of an order, by rules that are data. Pure: the same rules, demand and stock give the same plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import combinations
from typing import Any

from app.orders.bars import LATE, barred, late
from app.orders.places import distance
from app.orders.sourcing_rules import ZERO, ChannelRule, Location, Rules, Weights
from app.orders.wants import PICKUP, Demand, Want

Stock = Mapping[tuple[str, str], Decimal]  # (location, SKU) -> pieces that may be promised


@dataclass(frozen=True, slots=True)
class Leg:
    """What one location is asked for."""

    location: str
    method: str
    wants: tuple[Want, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """`missing` is what no location can give (a backorder); `cost` what the legs cost, `refused` why each other location was left out.

    `late` are the pieces that come, or leave, later than promised: nobody has them who would be in time.
    """

    legs: tuple[Leg, ...]
    missing: tuple[Want, ...] = ()
    cost: Decimal = ZERO
    refused: Mapping[str, str] = field(default_factory=dict)
    late: Decimal = ZERO

    @property
    def split(self) -> bool:
        return len(self.legs) > 1


def source(rules: Rules, demand: Demand, stock: Stock, load: Mapping[str, int]) -> Plan:
    """The cheapest plan that gives most: pieces first, then those in time, then the score. `load` is how many requests each location has today."""
    rule = _rule_for(rules, demand)
    reasons = {one.name: barred(rules, one, demand, rule, load) for one in rules.locations.values()}
    able = [one for one in rules.locations.values() if not reasons[one.name]]
    refused = {name: why for name, why in reasons.items() if why}
    behind = {one.name: LATE for one in able if late(one, demand)}
    most = min(len(able), split_limit(rules, demand))
    km = kilometres(rules, demand)
    scores = {one.name: score(rules.weights, one, demand, load.get(one.name, 0), km[one.name]) for one in able}
    best = min(_candidates(rules, able, most, demand, stock, scores), default=None, key=lambda found: found[0])
    if best is None or (demand.ship_complete and best[1].missing):
        return Plan((), demand.wants, ZERO, refused)
    plan = best[1]
    refused |= {} if plan.late else behind
    legs = tuple(replace(leg, why=why(rules, demand, leg, km, refused)) for leg in plan.legs)
    return replace(plan, legs=legs, refused=refused)


def kilometres(rules: Rules, demand: Demand) -> Mapping[str, Decimal]:
    """How far each location is. All are equally far where the order's place is not known; one without a place is as far as the farthest."""
    at = demand.at
    known = {one.name: distance(one.at, at) for one in rules.locations.values() if one.at and at}
    farthest = max(known.values(), default=ZERO)
    return {name: known.get(name, farthest) for name in rules.locations}


def split_limit(rules: Rules, demand: Demand) -> int:
    """How many locations at the most may send it; 1: it does not go in parts."""
    whole = demand.ship_complete or demand.method == PICKUP
    return 1 if whole else _rule_for(rules, demand).split or rules.split


def _rule_for(rules: Rules, demand: Demand) -> ChannelRule:
    return next((one for one in rules.channels if _takes(one.when, demand.facts)), ChannelRule({}))


def _takes(when: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    return all(
        facts.get(key) in wanted if isinstance(wanted, list) else facts.get(key) == wanted
        for key, wanted in when.items()
    )


def score(weights: Weights, location: Location, demand: Demand, load: int, km: Decimal) -> Decimal:
    used = Decimal(load) / location.capacity if location.capacity else ZERO
    return (
        weights.cost * location.cost
        + weights.distance * km / 100
        + weights.days * location.days
        + weights.load * used
        + _borders(weights, location, demand)
    )


def _borders(weights: Weights, location: Location, demand: Demand) -> Decimal:
    """What crossing a border counts: of a country, or of a region of the same country; nothing where either side is not told."""
    if not (demand.country and location.country):
        return ZERO
    if location.country != demand.country:
        return weights.abroad
    return weights.outside if demand.region and location.region not in ("", demand.region) else ZERO


Rank = tuple[Decimal, Decimal, Decimal, tuple[str, ...]]


def _candidates(
    rules: Rules,
    able: Sequence[Location],
    most: int,
    demand: Demand,
    stock: Stock,
    scores: Mapping[str, Decimal],
) -> Iterator[tuple[Rank, Plan]]:
    """Every set of at most `most` locations, each filled best location first; ranked by what is missing, what is late, the score, the names."""
    ordered = sorted(able, key=lambda location: (late(location, demand), scores[location.name], location.name))
    for many in range(1, most + 1):
        complete = False
        for chosen in combinations(ordered, many):
            plan = _fill(chosen, demand, stock)
            if len(plan.legs) != many:
                continue
            missing = sum((want.quantity for want in plan.missing), ZERO)
            complete = complete or not (missing or plan.late)
            points = sum((scores[leg.location] for leg in plan.legs), ZERO) + rules.weights.split * (many - 1)
            yield (missing, plan.late, points, tuple(leg.location for leg in plan.legs)), plan
        if complete and rules.weights.split:
            return  # more parcels than needed are never better where a split costs something


def _fill(chosen: Sequence[Location], demand: Demand, stock: Stock) -> Plan:
    taken: dict[str, list[Want]] = {location.name: [] for location in chosen}
    left: dict[tuple[str, str], Decimal] = {}
    missing: list[Want] = []
    for want in demand.wants:
        open_ = want.quantity
        for location in chosen:
            there = left.get((location.name, want.sku), promise(location, want.sku, stock))
            given = min(open_, there)
            if given > 0:
                taken[location.name].append(Want(want.line_id, want.sku, given))
                left[location.name, want.sku] = there - given
                open_ -= given
        if open_ > 0:
            missing.append(Want(want.line_id, want.sku, open_))
    giving = [location for location in chosen if taken[location.name]]
    legs = tuple(Leg(location.name, demand.method, tuple(taken[location.name])) for location in giving)
    cost = sum((location.cost for location in giving), ZERO)
    behind = sum((want.quantity for one in giving if late(one, demand) for want in taken[one.name]), ZERO)
    return Plan(legs, tuple(missing), cost, late=behind)


UNKNOWN = Decimal(10**9)


def promise(location: Location, sku: str, stock: Stock) -> Decimal:
    """What may be promised of a SKU there: its stock less what is kept back; all of it where a supplier tells no stock."""
    if sku in location.excluded_skus:
        return ZERO
    if location.stock is None:
        return UNKNOWN if location.kind == "supplier" else ZERO
    return max(ZERO, stock.get((location.name, sku), ZERO) - location.safety)


def why(rules: Rules, demand: Demand, leg: Leg, km: Mapping[str, Decimal], refused: Mapping[str, str]) -> str:
    """Why this location, and why not others: what a person reads beside the request."""
    location = rules.locations[leg.location]
    told = [f"{location.kind} at a cost of {location.cost}"]
    told += [f"{location.days.normalize():f} days"] if location.days else []
    told += [_far(location, demand, km)] if rules.weights.distance and demand.method != PICKUP else []
    told += [LATE] if late(location, demand) else []
    return ", ".join(told) + (f"; {left_out(refused)}" if refused and demand.method != PICKUP else "")


def _far(location: Location, demand: Demand, km: Mapping[str, Decimal]) -> str:
    if demand.at is None:
        return "distance not known, so the same for all"
    return f"{km[location.name]} km" if location.at else "its place not known, so as far as the farthest"


SHOWN = 5


def left_out(refused: Mapping[str, str]) -> str:
    """The first few that were left out, each with its reason."""
    more = f" and {len(refused) - SHOWN} more" if len(refused) > SHOWN else ""
    return "left out: " + ", ".join(f"{name} ({why})" for name, why in list(refused.items())[:SHOWN]) + more
