"""Rules: how much of what is free a channel may see, and what is promised while the owner of the stock is away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from functools import cache
from typing import Any

from app.units import Seconds
from config.reader import config

FRESH, STALE, UNKNOWN = "fresh", "stale", "unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    """A channel's rule (config/availability.toml); quantities in pieces. `most` 0 is no limit."""

    allocation: Decimal = Decimal(1)
    buffer: Decimal = Decimal(0)
    location_buffer: Decimal = Decimal(0)
    threshold: Decimal = Decimal(0)
    most: Decimal = Decimal(0)
    exclude_locations: tuple[str, ...] = ()
    exclude_skus: frozenset[str] = frozenset()
    lead_days: int = 1

    @property
    def open(self) -> bool:
        """Whether all that is free may be sold."""
        nothing = not (self.buffer or self.location_buffer or self.threshold or self.most)
        return self.allocation == 1 and nothing and not (self.exclude_locations or self.exclude_skus)


@dataclass(frozen=True, slots=True)
class Degraded:
    """What is promised by the age of the owner's word: seconds it is believed, seconds it is used at all, share of it meanwhile."""

    fresh: Seconds
    most_age: Seconds
    floor: Decimal
    floor_most: Decimal

    def quality(self, age: Seconds | None) -> str:
        if age is None or age > self.most_age:
            return UNKNOWN
        return FRESH if age <= self.fresh else STALE

    def bounded(self, quantity: Decimal, quality: str) -> Decimal:
        """Never more than `quantity`; nothing once the word is too old."""
        if quality == FRESH:
            return quantity
        if quality == UNKNOWN:
            return Decimal(0)
        part = whole(quantity * self.floor)
        return min(part, self.floor_most) if self.floor_most else part


def whole(quantity: Decimal) -> Decimal:
    return quantity.to_integral_value(ROUND_FLOOR)


def visible(rule: Rule, sku: str, free: Decimal) -> Decimal:
    """What the channel may be told of `free` pieces: never more, never below nothing, whole pieces."""
    if sku in rule.exclude_skus or free <= 0:
        return Decimal(0)
    shown = whole(free * rule.allocation) - rule.buffer
    shown = min(shown, rule.most) if rule.most else shown
    return max(shown, Decimal(0)) if shown >= rule.threshold else Decimal(0)


@cache
def unbounded(rule: Rule) -> Rule:
    """The rule for claiming: `most` bounds what is told, not what is sold."""
    return replace(rule, most=Decimal(0))


@cache
def of(channel: str) -> Rule:
    """The rule of a channel: its own table over the default."""
    tables = config().availability
    return _rule({**tables.get("default", {}), **tables.get("channels", {}).get(channel, {})})


@cache
def places(channel: str) -> Mapping[str, tuple[str, ...]]:
    """Place of the channel, by our name of it -> our locations that it is told of. Empty where the channel is told one figure for all.

    Raises ValueError where one of our locations would be told at two places, so that it could be sold twice.
    """
    return told_at(config().availability.get("channels", {}).get(channel, {}).get("places", {}))


def told_at(table: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """The same of a table [channels.NAME.places]."""
    told = {str(place): tuple(map(str, ours)) for place, ours in table.items()}
    every = [one for ours in told.values() for one in ours]
    if twice := sorted({one for one in every if every.count(one) > 1}):
        raise ValueError(f"{', '.join(twice)} would be told at two places, and could be sold twice")
    return told


@cache
def degraded() -> Degraded:
    """The degraded-mode policy. Raises KeyError when the file lacks a key."""
    table = config().availability["degraded"]
    return Degraded(
        Seconds(table["fresh"]), Seconds(table["most_age"]), _decimal(table["floor"]), _decimal(table["floor_most"])
    )


def _rule(table: Mapping[str, Any]) -> Rule:
    return Rule(
        allocation=_decimal(table.get("allocation", 1)),
        buffer=_decimal(table.get("buffer", 0)),
        location_buffer=_decimal(table.get("location_buffer", 0)),
        threshold=_decimal(table.get("threshold", 0)),
        most=_decimal(table.get("most", 0)),
        exclude_locations=tuple(table.get("exclude_locations", ())),
        exclude_skus=frozenset(table.get("exclude_skus", ())),
        lead_days=int(table.get("lead_days", 1)),
    )


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))
