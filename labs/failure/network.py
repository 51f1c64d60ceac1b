"""The network's bad days between the hub and each of its servers: stalls, resets, half-open connections, slow drips, nobody there."""

from __future__ import annotations

import time
from collections.abc import Callable

from labs.failure import standing_in
from labs.failure.kills import Load
from labs.failure.outages import resumed
from labs.failure.proxy import Mode, Proxy
from labs.failure.scenario import Lab, Scenario
from labs.failure.stage import Stage

DAYS: tuple[Mode, ...] = ("stall", "reset", "half-open", "refuse", "drip")
# Somebody between us and PostgreSQL who takes every word and answers nothing is not found out: a statement may take as long as it takes.
# A peer that is gone is (vanish), for every word then meets a reset or no acknowledgement at all.
FOR_POSTGRES: tuple[Mode, ...] = ("stall", "reset", "refuse", "drip")
SPELL = 6.0  # seconds of each


def between(which: str, days: tuple[Mode, ...] = DAYS, spell: float = SPELL) -> Callable[[Stage], None]:
    """One bad day after the other on the line to `which`: redis, postgres, or a system's role. After each, orders are booked again."""

    def play(stage: Stage) -> None:
        line = _proxied(stage, which)
        with Load(stage, 0.2):
            time.sleep(3)
            for day in days:
                _weather(stage, line, day, spell)
            stage.figures["vanished quietly"] = line.vanish()
            stage.say(f"{which}: every peer vanished without a word")
            resumed(stage, f" after the peers of {which} vanished")

    return play


def _weather(stage: Stage, line: Proxy, day: Mode, spell: float) -> None:
    stage.say(f"{which_words(day)}")
    line.turn(day)
    time.sleep(spell)
    if (
        day == "half-open"
    ):  # new connections pass, so the hub must come out of it by itself, while the old ones stay as they are
        resumed(stage, " beside half-open connections")
        line.cut()
    line.turn("pass")
    resumed(stage, f" after {day}")


def which_words(day: Mode) -> str:
    return {
        "stall": "nothing moves",
        "reset": "every connection is reset",
        "half-open": "the other end is gone and nobody said so",
        "refuse": "nobody listens",
        "drip": "answers come byte by byte",
        "pass": "all is well",
    }[day]


def _proxied(stage: Stage, which: str) -> Proxy:
    """The hub is started with a proxy on one of its lines."""
    servers = {
        "redis": ("REDIS_URL", stage.servers.redis_url),
        "postgres": ("DATABASE_URL", stage.servers.database_url),
    }
    if which not in servers:
        made = standing_in.vendors(stage, which)[which]
        standing_in.start(stage, {})
        return made
    name, url = servers[which]
    made, through = standing_in.before(stage, url)
    standing_in.start(stage, {name: through})
    return made


def _scenario(which: str, about: str) -> Scenario:
    return Scenario(
        f"network-{which}",
        f"stalls, resets, half-open connections, refusals and drips between the hub and {about}",
        between(which, FOR_POSTGRES if which == "postgres" else DAYS),
        least={"orders": 60, "booked": 60},
        lab=Lab(lines=()),
        patience=60,
    )


SCENARIOS = (
    _scenario("redis", "Redis"),
    _scenario("postgres", "PostgreSQL"),
    _scenario("erp", "a vendor"),
)
