"""The book of all scenarios, by name."""

from __future__ import annotations

from labs.failure import clocks, kills, network, outages, standby, weather
from labs.failure.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    one.name: one for part in (kills, outages, network, standby, clocks, weather) for one in part.SCENARIOS
}
