"""Bad weather downstream: systems that are away, refuse, answer late, lose answers, or answer nonsense."""

from __future__ import annotations

from labs.failure.scenario import Scenario
from labs.failure.stage import Stage


def calm(stage: Stage) -> None:
    """An order's whole life, with nothing in its way."""
    orders = stage.place(30, pause=0.02)
    stage.until(60, lambda: stage.requested() >= 30, "all are requested")
    stage.count("WB-CAP", 77)
    shipped = stage.ship(orders[:20])
    stage.move(orders[20:24])
    stage.cancel(orders[24:28])
    stage.until(60, lambda: len(stage.systems.records().made("letters", "letters")) >= len(shipped), "letters are out")
    stage.refund(shipped[:8])


SCENARIOS = (
    Scenario(
        "calm",
        "an order's whole life, with nothing in its way",
        calm,
        least={"orders": 30, "parcels": 20, "refunded": 8},
    ),
)
