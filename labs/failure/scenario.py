"""A scenario is one kind of weather or accident over a load of orders, declared as a value and played on a stage."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labs.failure.cuts import Cut
from labs.judge.verdict import Bound

if TYPE_CHECKING:
    from labs.failure.stage import Stage

# A share of the full size, for a try on a crowded machine; results of less than 1 say so.
SCALE = float(os.environ.get("WAYBILL_LAB_SCALE", "1"))
LINES = ("web", "worker", "beat")


class Skipped(Exception):
    """A scenario cannot be played on this machine, and why: neither whole nor failed."""


@dataclass(frozen=True)
class Lab:
    """What a scenario wants otherwise than the lab has it. All may be left out.

    `shapes`: role -> shape of Acme (connectors/acme/shapes.py). `settings`: section -> key -> value, over the lab's own config/settings.toml.
    `accounts`: role -> further keys of its table in accounts.toml. `systems`: role -> further settings of its simulator. `schedules`: job -> seconds.
    `environ`: variables of all processes (WEB_WORKERS is 1 unless said otherwise: most scenarios load the workers, not the door).
    `cuts`: another vendor than the shipped one, as replacements in a throw-away copy of the checkout (a manifest's figures, never the engine).
    `erp`: the ERP's simulator, where the cast is the shipped connectors' (NetSuite unless said otherwise); `beside`: every channel of the
    demonstration sells beside the web shop, as in `make run`.
    `lines`: which lines of the Procfile are started at the beginning (Flower only where it is wanted: it takes a third of a core).
    """

    shapes: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    accounts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    systems: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    schedules: Mapping[str, float] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    cuts: tuple[Cut, ...] = ()
    lines: tuple[str, ...] = LINES
    erp: str = "netsuite"
    beside: bool = False


@dataclass(frozen=True)
class Scenario:
    """`play` does it; the judge waits until all is accounted for, at most `patience` seconds after anything moved last.

    `least`: what the judge wants to have succeeded, by the names of labs/judge/verdict.figures
    (below 1: a share of the orders that were not cancelled). `beyond`: systems that this weather drives beyond
    the window that their manifest names: what is doubled or missing there is reported apart, as far as `bound` finds it explained
    (labs/judge/bounds.py). `longest`: seconds after which it is ended.
    `sized`: it is smaller where WAYBILL_LAB_SCALE says so (it asks `stage.many`), and so is what it must reach.
    """

    name: str
    about: str
    play: Callable[[Stage], None]
    least: Mapping[str, float] = field(default_factory=dict)
    lab: Lab = field(default_factory=Lab)
    beyond: frozenset[str] = frozenset()
    bound: Bound | None = None
    patience: float = 60.0
    longest: float = 1500.0
    cast: str = "acme"
    sized: bool = False

    @property
    def wanted(self) -> Mapping[str, float]:
        """What must have succeeded at the size that is played."""
        return {name: max(1, int(count * SCALE)) for name, count in self.least.items()} if self.sized else self.least
