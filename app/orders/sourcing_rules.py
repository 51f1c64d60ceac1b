"""The sourcing rules: locations, channels and weights as data, read from TOML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.orders.places import Places, Point, place, places
from app.units import Seconds

ZERO = Decimal(0)
KINDS = ("dc", "store", "supplier")


class Unusable(ValueError):
    """The rule set cannot be used; says where and what to do."""


@dataclass(frozen=True, slots=True)
class Location:
    """`cost` is what sending from here costs, in the rule set's currency; `days` until it is there, `leaves_in` days until it
    leaves (calendar days both); `capacity` requests a day (0: no limit).

    `account` plays its fulfiller (empty: it is told by our own API); `stock` is (account, location) of its positions, empty for a supplier
    whose stock is not known. `answers_within` seconds to accept or reject (0: it need not answer). `ships_to` and `excluded_regions` are
    countries (`DE`) or regions (`DE-BY`): where alone it sends, and where it may not.
    """

    name: str
    kind: str
    account: str = ""
    stock: tuple[str, str] | None = None
    country: str = ""
    region: str = ""
    at: Point | None = None
    cost: Decimal = ZERO
    days: Decimal = ZERO
    leaves_in: Decimal = ZERO
    capacity: int = 0
    safety: Decimal = ZERO
    ships: bool = True
    pickup: bool = False
    ships_to: tuple[str, ...] = ()
    excluded_regions: tuple[str, ...] = ()
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
    outside: Decimal = ZERO  # another region of the same country
    split: Decimal = ZERO  # for each location after the first


@dataclass(frozen=True)
class Rules:
    name: str
    locations: Mapping[str, Location]
    channels: tuple[ChannelRule, ...] = ()
    weights: Weights = field(default_factory=Weights)
    split: int = 3
    rounds: int = 3  # how often pieces are offered before a person looks
    places: Places = field(default_factory=dict)
    late: bool = True  # what nobody can send in time is sent late; False: it waits for a person


def read(content: str) -> Rules:
    """Rules from TOML (config/sourcing.toml shows every key). Raises Unusable."""
    try:
        raw = tomllib.loads(content, parse_float=Decimal)
        locations = {name: _location(name, table) for name, table in raw["locations"].items()}
        channels = tuple(_channel(table, locations) for table in raw.get("channel", ()))
        weights = Weights(**{key: Decimal(str(value)) for key, value in raw.get("weights", {}).items()})
        limits = raw.get("limits", {})
        return Rules(
            str(raw["name"]),
            locations,
            channels,
            weights,
            int(limits.get("split", 3)),
            int(limits.get("rounds", 3)),
            places(raw.get("places", {})),
            _truth(limits.get("late", True)),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise Unusable(f"the rule set cannot be read: {error}. Remedy: compare it with config/sourcing.toml") from error


def read_new(content: str) -> Rules:
    """As `read`, of what somebody gives to be kept: an area that is none is refused. One that was kept before areas were looked at goes on as it
    did (nothing lies in it), or every order that comes would stumble over the rules in force. Raises Unusable."""
    rules = read(content)
    for name, at in rules.locations.items():
        wrong = [area for area in (*at.ships_to, *at.excluded_regions) if not AREA.fullmatch(area)]
        if wrong:
            words = f"location {name}: {', '.join(wrong)} is neither a country (DE) nor a region (DE-BY)"
            raise Unusable(f"the rule set cannot be read: {words}. Remedy: compare it with config/sourcing.toml")
    return rules


DECIMALS = ("cost", "days", "leaves_in", "safety")
LISTS = ("ships_to", "excluded_regions", "excluded_skus")
AREA = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("limits: late is true or false")
    return value


def _location(name: str, table: Mapping[str, Any]) -> Location:
    if table.get("kind") not in KINDS:
        raise ValueError(f"location {name}: kind is one of {', '.join(KINDS)}")
    values = dict(table)
    for key in DECIMALS:
        values[key] = Decimal(str(values.get(key, 0)))
    for key in LISTS:
        values[key] = tuple(values.get(key, ()))
    if "at" in values:
        values["at"] = place(values["at"], f"location {name}")
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
