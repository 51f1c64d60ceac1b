"""Sourcing: which locations send what of an order, by rules that are data. Pure: the same rules, demand and stock give the same plan."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations
from math import asin, cos, radians, sin, sqrt
from typing import Any

from app.units import Degrees, Seconds

ZERO = Decimal(0)
SHIP, PICKUP = "ship", "pickup"
KINDS = ("dc", "store", "supplier")
Stock = Mapping[tuple[str, str], Decimal]  # (location, SKU) -> pieces that may be promised


class Unusable(ValueError):
    """The rule set cannot be used; says where and what to do."""


@dataclass(frozen=True, slots=True)
class Location:
    """`cost` is what sending from here costs, in the rule set's currency; `days` until it is there; `capacity` requests a day (0: no limit).

    `account` plays its fulfiller (empty: it is told by our own API); `stock` is (account, location) of its positions, empty for a supplier
    whose stock is not known. `answers_within` seconds to accept or reject (0: it need not answer). `at` is (latitude, longitude).
    """

    name: str
    kind: str
    account: str = ""
    stock: tuple[str, str] | None = None
    country: str = ""
    region: str = ""
    at: tuple[Degrees, Degrees] | None = None
    cost: Decimal = ZERO
    days: Decimal = ZERO
    capacity: int = 0
    safety: Decimal = ZERO
    ships: bool = True
    pickup: bool = False
    ships_to: tuple[str, ...] = ()
    excluded_skus: tuple[str, ...] = ()
    answers_within: Seconds = 0
    keeps_for: Seconds = 7 * 86400  # seconds that a pickup waits for its customer
    purchases: bool = False  # a supplier from whom pieces are bought by purchase order, and who acknowledges it


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """Which locations serve the orders that `when` takes (equality and membership, as in routes.toml); at most `split` of them."""

    when: Mapping[str, Any]
    locations: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    split: int | None = None
    most_days: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """What makes one location better than another: each is multiplied and added, the least wins."""

    cost: Decimal = Decimal(1)
    distance: Decimal = ZERO  # for each 100 km
    days: Decimal = ZERO
    load: Decimal = ZERO  # times the used share of the day's capacity
    abroad: Decimal = ZERO
    split: Decimal = ZERO  # for each location after the first


@dataclass(frozen=True)
class Rules:
    name: str
    locations: Mapping[str, Location]
    channels: tuple[ChannelRule, ...] = ()
    weights: Weights = field(default_factory=Weights)
    split: int = 3
    rounds: int = 3  # how often pieces are offered before a person looks


@dataclass(frozen=True, slots=True)
class Want:
    line_id: str
    sku: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Demand:
    """What an order wants. `facts` are what a channel rule may look at; `tried` are locations that have rejected it or did not answer."""

    wants: tuple[Want, ...]
    country: str = ""
    region: str = ""
    at: tuple[Degrees, Degrees] | None = None
    method: str = SHIP
    pickup_at: str = ""
    ship_complete: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    tried: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Leg:
    """What one location is asked for."""

    location: str
    method: str
    wants: tuple[Want, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`missing` is what no location can give (a backorder); `cost` what the legs cost, `refused` why each other location was left out."""

    legs: tuple[Leg, ...]
    missing: tuple[Want, ...] = ()
    cost: Decimal = ZERO
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def split(self) -> bool:
        return len(self.legs) > 1


# ---- reading


def read(content: str) -> Rules:
    """Rules from TOML (config/sourcing.toml shows every key). Raises Unusable."""
    try:
        raw = tomllib.loads(content, parse_float=Decimal)
        locations = {name: _location(name, table) for name, table in raw["locations"].items()}
        channels = tuple(_channel(table, locations) for table in raw.get("channel", ()))
        weights = Weights(**{key: Decimal(str(value)) for key, value in raw.get("weights", {}).items()})
        limits = raw.get("limits", {})
        return Rules(
            str(raw["name"]), locations, channels, weights, int(limits.get("split", 3)), int(limits.get("rounds", 3))
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise Unusable(f"the rule set cannot be read: {error}. Remedy: compare it with config/sourcing.toml") from error


MONEY = ("cost", "days", "safety")
LISTS = ("ships_to", "excluded_skus")


def _location(name: str, table: Mapping[str, Any]) -> Location:
    if table.get("kind") not in KINDS:
        raise ValueError(f"location {name}: kind is one of {', '.join(KINDS)}")
    values = dict(table)
    for key in MONEY:
        values[key] = Decimal(str(values.get(key, 0)))
    for key in LISTS:
        values[key] = tuple(values.get(key, ()))
    if "at" in values:
        values["at"] = (Degrees(values["at"][0]), Degrees(values["at"][1]))
    if "stock" in values:
        values["stock"] = (values["stock"]["account"], values["stock"]["location"])
    return Location(name, **values)


def _channel(table: Mapping[str, Any], locations: Mapping[str, Location]) -> ChannelRule:
    unknown = [name for key in ("locations", "excluded") for name in table.get(key, ()) if name not in locations]
    if unknown:
        raise ValueError(f"a channel rule names {', '.join(unknown)}, which is no location")
    most = table.get("most_days")
    return ChannelRule(
        dict(table.get("when", {})),
        tuple(table.get("locations", ())),
        tuple(table.get("excluded", ())),
        int(table["split"]) if "split" in table else None,
        Decimal(str(most)) if most is not None else None,
    )


# ---- choosing


def source(rules: Rules, demand: Demand, stock: Stock, load: Mapping[str, int]) -> Plan:
    """The cheapest plan that gives most: pieces first, then the score. `load` is how many requests each location has today."""
    rule = _rule_for(rules, demand)
    refused: dict[str, str] = {}
    able: list[Location] = []
    for location in rules.locations.values():
        why = next((reason for reason, bars in BARS if bars(location, demand, rule, load)), "")
        if why:
            refused[location.name] = why
        else:
            able.append(location)
    most = min(len(able), split_limit(rules, demand))
    scores = {one.name: score(rules.weights, one, demand, load.get(one.name, 0)) for one in able}
    best = min(_candidates(rules, able, most, demand, stock, scores), default=None, key=lambda found: found[0])
    if best is None or (demand.ship_complete and best[1].missing):
        return Plan((), demand.wants, ZERO, refused)
    plan = best[1]
    return Plan(plan.legs, plan.missing, plan.cost, refused)


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


Bar = Callable[[Location, Demand, ChannelRule, Mapping[str, int]], bool]
BARS: tuple[tuple[str, Bar], ...] = (
    ("tried before", lambda at, demand, rule, load: at.name in demand.tried),
    ("not for this channel", lambda at, demand, rule, load: bool(rule.locations) and at.name not in rule.locations),
    ("excluded for this channel", lambda at, demand, rule, load: at.name in rule.excluded),
    (
        "not the place it is fetched at",
        lambda at, demand, rule, load: demand.method == PICKUP and at.name != demand.pickup_at,
    ),
    ("no pickup there", lambda at, demand, rule, load: demand.method == PICKUP and not at.pickup),
    ("sends nothing", lambda at, demand, rule, load: demand.method == SHIP and not at.ships),
    (
        "does not send there",
        lambda at, demand, rule, load: (
            demand.method == SHIP and bool(at.ships_to) and demand.country not in at.ships_to
        ),
    ),
    ("too slow", lambda at, demand, rule, load: rule.most_days is not None and at.days > rule.most_days),
    ("at its capacity", lambda at, demand, rule, load: bool(at.capacity) and load.get(at.name, 0) >= at.capacity),
)


def score(weights: Weights, location: Location, demand: Demand, load: int) -> Decimal:
    used = Decimal(load) / location.capacity if location.capacity else ZERO
    abroad = weights.abroad if demand.country and location.country and location.country != demand.country else ZERO
    km = distance(location.at, demand.at)
    return (
        weights.cost * location.cost
        + weights.distance * km / 100
        + weights.days * location.days
        + weights.load * used
        + abroad
    )


def distance(one: tuple[Degrees, Degrees] | None, other: tuple[Degrees, Degrees] | None) -> Decimal:
    """Kilometres as the crow flies (haversine, mean radius 6,371 km); nothing where one is not known."""
    if one is None or other is None:
        return ZERO
    (lat1, lon1), (lat2, lon2) = [(radians(lat), radians(lon)) for lat, lon in (one, other)]
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return Decimal(round(2 * 6371 * asin(sqrt(half))))


Rank = tuple[Decimal, Decimal, tuple[str, ...]]


def _candidates(
    rules: Rules,
    able: Sequence[Location],
    most: int,
    demand: Demand,
    stock: Stock,
    scores: Mapping[str, Decimal],
) -> Iterator[tuple[Rank, Plan]]:
    """Every set of at most `most` locations, each filled best location first; ranked by what is missing, the score, the names."""
    ordered = sorted(able, key=lambda location: (scores[location.name], location.name))
    for many in range(1, most + 1):
        complete = False
        for chosen in combinations(ordered, many):
            plan = _fill(chosen, demand, stock)
            if len(plan.legs) != many:
                continue
            missing = sum((want.quantity for want in plan.missing), ZERO)
            complete = complete or not missing
            points = sum((scores[leg.location] for leg in plan.legs), ZERO) + rules.weights.split * (many - 1)
            yield (missing, points, tuple(leg.location for leg in plan.legs)), plan
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
    legs = tuple(
        Leg(location.name, demand.method, tuple(taken[location.name]), why(location))
        for location in chosen
        if taken[location.name]
    )
    cost = sum((location.cost for location in chosen if taken[location.name]), ZERO)
    return Plan(legs, tuple(missing), cost)


UNKNOWN = Decimal(10**9)


def promise(location: Location, sku: str, stock: Stock) -> Decimal:
    """What may be promised of a SKU there: its stock less what is kept back; all of it where a supplier tells no stock."""
    if sku in location.excluded_skus:
        return ZERO
    if location.stock is None:
        return UNKNOWN if location.kind == "supplier" else ZERO
    return max(ZERO, stock.get((location.name, sku), ZERO) - location.safety)


def why(location: Location) -> str:
    days = f", {location.days.normalize():f} days" if location.days else ""
    return f"{location.kind} at a cost of {location.cost}{days}"
