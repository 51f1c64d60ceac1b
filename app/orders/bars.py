"""Bars: why a location may not be asked for an order, in the words that people read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta

from app.orders.sourcing_rules import ChannelRule, Location, Rules
from app.orders.wants import PICKUP, SHIP, Demand

Load = Mapping[str, int]
Bar = Callable[[Location, Demand, ChannelRule, Load], bool]
LATE = "later than promised"
DAY = 86400


def barred(rules: Rules, at: Location, demand: Demand, rule: ChannelRule, load: Load) -> str:
    """The first reason why a location is left out; empty where there is none."""
    for reason, bars in BARS:
        if bars(at, demand, rule, load):
            return reason.format(to=_to(demand))
    return LATE if late(at, demand) and not rules.late else ""


def late(at: Location, demand: Demand) -> bool:
    """Whether what leaves from there would come, or leave, after the instant that the customer was promised."""
    if demand.method != SHIP or demand.now is None:
        return False
    promised = ((demand.deliver_by, at.days), (demand.ship_by, at.leaves_in))
    return any(by is not None and demand.now + timedelta(seconds=int(days * DAY)) > by for by, days in promised)


def _to(demand: Demand) -> str:
    if not demand.country:
        return "a country that nobody told"
    return f"{demand.country}-{demand.region}" if demand.region else demand.country


def _lies_in(demand: Demand, areas: Collection[str]) -> bool:
    """Areas are countries (`DE`) or regions (`DE-BY`); a region that was not told lies in none of these."""
    return demand.country in areas or (bool(demand.region) and f"{demand.country}-{demand.region}" in areas)


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
        "does not send to {to}",
        lambda at, demand, rule, load: (
            demand.method == SHIP and bool(at.ships_to) and not _lies_in(demand, at.ships_to)
        ),
    ),
    (
        "may not send to {to}",
        lambda at, demand, rule, load: demand.method == SHIP and _lies_in(demand, at.excluded_regions),
    ),
    ("too slow", lambda at, demand, rule, load: rule.most_days is not None and at.days > rule.most_days),
    ("at its capacity", lambda at, demand, rule, load: bool(at.capacity) and load.get(at.name, 0) >= at.capacity),
)
