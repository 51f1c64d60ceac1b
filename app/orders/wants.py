"""Wants: what an order wants of whom, as sourcing sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.orders.places import Point

SHIP, PICKUP = "ship", "pickup"


@dataclass(frozen=True, slots=True)
class Want:
    line_id: str
    sku: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Demand:
    """What an order wants. `facts` are what a channel rule may look at; `tried` are locations that have rejected it or did not answer.

    `at` is where it goes, None where the rules know no such place. `ship_by` and `deliver_by` are what was promised, `now` the instant at which
    it is sourced (all aware UTC); without `now` nothing is late.
    """

    wants: tuple[Want, ...]
    country: str = ""
    region: str = ""
    at: Point | None = None
    method: str = SHIP
    pickup_at: str = ""
    ship_complete: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    tried: frozenset[str] = frozenset()
    ship_by: datetime | None = None
    deliver_by: datetime | None = None
    now: datetime | None = None
