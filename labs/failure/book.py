"""The book of all scenarios, by name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from labs.failure import clocks, kills, network, outages, safeguards, shops, stage, standby, upstream, weather
from labs.failure.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    one.name: one
    for part in (weather, upstream, shops, safeguards, kills, outages, network, standby, clocks)
    for one in part.SCENARIOS
}

# How the stage of each cast is set up.
CASTS: dict[str, Callable[[Scenario, Path, Path], AbstractContextManager[Any]]] = {
    "acme": stage.staged,
    "shops": shops.staged,
}
