"""Bad weather upstream: deliveries three times, shuffled, a day late, never sent, forged, and secrets in rotation."""

from __future__ import annotations

import json
import time
from dataclasses import replace

from labs.failure.scenario import Lab, Scenario
from labs.failure.sender import Habits
from labs.failure.stage import SECRET, SECRET_OLD, Stage
from labs.failure.weather import life

MAIL = Habits(copies=3, hold=3.0, never=0.05, late=0.05, forged=0.1)


def upstream(stage: Stage) -> None:
    """All of it at once, while the shop's secret is rotated."""
    sender = stage.sender
    for secrets in ([SECRET_OLD], [SECRET_OLD, SECRET], [SECRET]):
        stage.say(
            f"signed with {len(secrets)} secret(s); three times, shuffled, some never, some a day late, forgeries between"
        )
        sender.secrets, sender.habits = secrets, MAIL
        for _ in range(4):
            life(stage, 250)
    sender.quiet(120)
    stage.figures["never_sent"] = len(sender.never)
    sender.habits = replace(MAIL, never=0.0, late=0.0)
    stage.figures["a_day_late"] = sender.release()
    sender.quiet(120)
    _a_day_older(stage)
    time.sleep(4)  # the shop lists the newest seconds late (settling_delay); then the poll finds what was never sent


def _a_day_older(stage: Stage) -> None:
    """Old words on orders that have moved on: what was said a day ago changes nothing now."""
    for order in stage.systems.rows("shop", "orders")[:40]:
        street = stage.edits[order["id"]][0]
        old = {
            **order,
            "updated_at": order["placed_at"],
            "shipping_address": {**order["shipping_address"], "line1": street},
        }
        body = {**old, "shipments": [], "refunds": [], "cancelled_at": None, "acknowledged_as": ""}
        if order["refunds"]:
            continue  # its lines then were others
        stage.sender.post(stage.letter("shop", "order.changed", json.loads(json.dumps(body)), f"old-{order['id']}"))
    stage.sender.quiet(120)


def thin(stage: Stage) -> None:
    """The shop only says that something happened; each delivery comes three times, and the document is fetched."""
    stage.sender.habits = Habits(copies=3, hold=2.0)
    for _ in range(2):
        life(stage, 60)


SCENARIOS = (
    Scenario(
        "upstream",
        "every delivery three times, shuffled, 5 % never, 5 % a day late, forgeries, a rotation of secrets",
        upstream,
        {"orders": 3000, "booked": 2500, "parcels": 900, "delivered": 900, "forgeries": 500, "tries": 15000},
        Lab(
            accounts={"shop": {"polls": {"order": {"every": 5}, "stock": {"every": 600}, "product": {"every": 600}}}},
            schedules={"poll": 2.5},
            environ={"WEB_WORKERS": "2"},
        ),
        longest=2400,
        sized=True,
    ),
    Scenario(
        "thin-webhooks",
        "webhooks that only say where to look, each three times",
        thin,
        {"orders": 120, "booked": 100, "parcels": 36},
        Lab(shapes={"shop": "thin"}),
        sized=True,
    ),
)
