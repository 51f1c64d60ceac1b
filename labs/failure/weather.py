"""Bad weather downstream: systems that are away, refuse, answer late, lose answers, or answer nonsense."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from connectors.kit.simulator import Fault
from labs.failure.policy import LEASE, MOST, ROLES
from labs.failure.scenario import LINES, Lab, Scenario
from labs.failure.sender import Habits
from labs.failure.stage import Order, Stage
from labs.judge.bounds import lost_answers

LONG_AWAY = LEASE + 2 * MOST + 2.0  # longer than a lease, the longest backoff and the breaker's longest pause together


def life(stage: Stage, count: int, pause: float = 0.0) -> list[Order]:
    """Orders with everything that happens to orders: most ship, some of those give back, some move, some are cancelled."""
    orders = stage.place(stage.many(count), pause=pause)
    fifth = max(1, len(orders) // 5)
    stage.move(orders[:fifth])
    stage.cancel(orders[fifth : fifth + fifth // 2])
    rest = orders[2 * fifth :]
    stage.until(240, lambda: stage.asked_for(rest) >= len(rest) // 2, "half of them are at the warehouse")
    shipped = stage.ship(rest)
    stage.refund(shipped[: fifth // 2])
    return orders


def calm(stage: Stage) -> None:
    """An order's whole life, with nothing in its way."""
    life(stage, 40)
    stage.count("WB-CAP", 77)


def short(stage: Stage) -> None:
    """A little of everything: deliveries three times, some forged, lost answers, a parcel each, a refund."""
    stage.sender.habits = Habits(copies=3, hold=0.5, forged=0.3)
    stage.systems.faults("erp", Fault("commit_then_drop", times=3, writes_only=True), Fault("unavailable", chance=0.1))
    orders = stage.place(10)
    stage.until(40, lambda: stage.asked_for(orders[:6]) == 6, "six are requested")
    stage.refund(stage.ship(orders[:6])[:2])
    stage.cancel(orders[8:])


def away(stage: Stage) -> None:
    """One system after the other is gone for longer than a lease and every pause together, under load."""
    for role in ROLES:
        stage.say(f"{role} is away for {LONG_AWAY:g} s")
        stage.systems.away(role)
        orders = stage.place(stage.many(60), pause=0.05) if role != "shop" else []
        if orders:
            stage.move(orders[:5])
        time.sleep(LONG_AWAY)
        stage.systems.back(role)
        life(stage, 20)


def storms(*faults: Fault) -> Callable[[Stage], None]:
    """Every system has these bad days while orders of every kind come in."""

    def play(stage: Stage) -> None:
        for role in ROLES:
            stage.systems.faults(
                role,
                *(Fault(one.kind, one.operations, one.chance, one.times, one.value, one.writes_only) for one in faults),
            )
        for _ in range(3):
            life(stage, 150)

    return play


def slow(stage: Stage) -> None:
    """Some answers of every system take thirty seconds, and the work is done at their end only: the accounts say that they are that slow."""
    for role in ROLES:
        stage.systems.faults(role, Fault("slow", chance=0.08, times=6, value=30.0))
    life(stage, 100)
    time.sleep(32)


def index_late(stage: Stage) -> None:
    """Answers are lost, and what was made is found two seconds later only: a look that finds nothing proves nothing yet."""
    for role in ("erp", "warehouse"):
        stage.systems.faults(
            role, Fault("commit_then_drop", chance=0.2, writes_only=True), Fault("index_late", value=1.5)
        )
    for _ in range(2):
        life(stage, 50)


def index_too_late(stage: Stage) -> None:
    """The index is later than the manifest's settles_after: the window that it names. What is doubled is reported apart."""
    stage.systems.faults(
        "erp", Fault("commit_then_drop", ("bookings.create",), times=6), Fault("index_late", value=8.0)
    )
    stage.place(20)
    stage.until(90, lambda: stage.requested() >= 20, "all are requested")
    time.sleep(9)


def quota(stage: Stage) -> None:
    """The ERP allows half of the bookings a day; the day ends within two minutes, and the next one has room for the others."""
    stage.place(40)
    stage.until(60, lambda: stage.booked() >= A_DAY, "the quota is used up")
    left = (RENEWED - datetime.now(UTC)).total_seconds()
    stage.figures["seconds_without_quota"] = round(left)
    stage.say(f"no booking for {left:.0f} s")
    time.sleep(max(0.0, left))


# A crowded machine takes longer to come up, and the quota must be used up before it is renewed.
RENEWED = (datetime.now(UTC) + timedelta(seconds=100 + 2 * os.getloadavg()[0])).replace(second=0, microsecond=0)
MIDNIGHT = RENEWED.replace(hour=0, minute=0)
A_DAY = 20
BOOKINGS = {
    "kind": "daily",
    "burst": A_DAY,
    "renewed": (RENEWED - MIDNIGHT).total_seconds(),
    "operations": ["bookings.create"],
}
QUOTA = Lab(
    accounts={
        "erp": {
            "limits": {"searches": {"burst": A_DAY, "resets": f"{RENEWED:%H:%M}", "operations": ["bookings.create"]}}
        }
    },
    systems={"erp": {"limits": [BOOKINGS]}},
)
SEARCHED = Lab(shapes={"erp": "searched", "warehouse": "searched"})
LIFE = {"orders": 450, "booked": 380, "parcels": 130, "delivered": 130, "faults": 60}
LESS = {"booked": 80, "parcels": 28, "faults": 12}


def _storm(name: str, about: str, *faults: Fault) -> Scenario:
    return Scenario(name, about, storms(*faults), LIFE, sized=True)


SCENARIOS = (
    Scenario(
        "short",
        "a little of everything (make test plays it)",
        short,
        {"orders": 10, "booked": 8, "parcels": 6, "delivered": 6, "refunded": 2, "forgeries": 1, "tries": 60},
    ),
    Scenario(
        "calm",
        "an order's whole life, with nothing in its way",
        calm,
        {"booked": 34, "parcels": 12},
        Lab(lines=(*LINES, "flower")),
        sized=True,
    ),
    Scenario(
        "away",
        "each system in turn is gone for longer than lease and backoffs together",
        away,
        {"booked": 200, "parcels": 24},  # who is away notes no faults
        sized=True,
    ),
    _storm("unavailable", "a storm of 503 at every system", Fault("unavailable", chance=0.4)),
    _storm("throttled", "429 with Retry-After at every system", Fault("throttle", chance=0.1, value=1.0)),
    _storm("throttled-silently", "429 without Retry-After at every system", Fault("throttle_silent", chance=0.1)),
    _storm(
        "lost-answers",
        "5 % of all writes are done and not answered",
        Fault("commit_then_drop", chance=0.05, writes_only=True),
    ),
    _storm(
        "late-commits",
        "writes are done after the connection was cut",
        Fault("commit_late", chance=0.08, value=1.5, writes_only=True),
    ),
    _storm(
        "nonsense",
        "bodies cut in the middle, and pages that ask to sign in",
        Fault("truncated", chance=0.06),
        Fault("wrong_type", chance=0.06),
    ),
    Scenario("quota", "the ERP's daily quota is used up", quota, {"booked": 40}, QUOTA, patience=150),
    Scenario("late-index", "answers are lost and searches find late", index_late, LESS, SEARCHED, sized=True),
    Scenario(
        "index-too-late",
        "searches find later than the manifest's window",
        index_too_late,
        {"requested": 20, "faults": 6},
        SEARCHED,
        beyond=frozenset(("erp",)),
        bound=lost_answers,
    ),
    Scenario(
        "thirty-seconds",
        "answers that take thirty seconds, the work done at their end",
        slow,
        LESS,
        Lab(accounts={role: {"settles_after": 33.0} for role in ROLES}),
        patience=90,
        sized=True,
    ),
)
