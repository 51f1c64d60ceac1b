"""Each way a source tells of its orders (thinly, when asked, by queue), on the bad days of whoever must book them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.world import World, world

TELLS = ("thin", "poll", "queue")
OPEN = "SELECT count(*) FROM steps WHERE state NOT IN ('done', 'skipped', 'cancelled')"


@pytest.fixture(params=TELLS)
def told_by(request: pytest.FixtureRequest, tmp_path: Path, database_url: str, redis_url: str) -> Iterator[World]:
    """A shop that tells of its orders in one of the three ways."""
    with world(tmp_path / "config", database_url, redis_url, {"shop": request.param}) as made:
        for sku in ("WB-TEE", "WB-MUG"):
            made.code("erp", "sku", sku, sku)
        yield made


def hear(world: World, order: dict[str, Any], topic: str = "order.placed") -> None:
    """The news of an order arrives in the shop's own way, and once more."""
    from tasks.feeds import poll

    if world.shapes["shop"] == "thin":
        world.deliver(topic, {"id": order["id"]}, at=order["updated_at"])
        world.deliver(topic, {"id": order["id"]}, at=order["updated_at"])
        return
    until = time.monotonic() + 10
    while not _listed(world, order) and time.monotonic() < until:
        _look_again(world)
        poll.run()
        time.sleep(0.05)
    _look_again(world)
    poll.run()


def _listed(world: World, order: dict[str, Any]) -> bool:
    found = world.rows(
        "SELECT convert_from(body, 'UTF8') AS body FROM payloads JOIN events ON owner = 'event' AND owner_id = id "
        "WHERE account = 'shop'"
    )
    return any(f'"{order["id"]}"' in row.body and order["updated_at"] in row.body for row in found)


def _look_again(world: World) -> None:
    """The next window of the poll has come."""
    from app.database import transaction

    with transaction() as tx:
        tx.execute(text("UPDATE cursors SET at = at - interval '1 day'"))


def booked_once(world: World, order: str) -> None:
    assert world.effects("erp")["bookings"] == {f"shop-{order}": 1}
    assert sum(world.effects("warehouse")["requests"].values()) == 1
    assert not world.one(OPEN)


def test_an_answer_is_lost(told_by: World) -> None:
    told_by.bad_day("erp", "commit_then_drop", operations=("bookings.create",), times=1)
    order = told_by.place()
    hear(told_by, order)
    told_by.pump(30)
    booked_once(told_by, order["id"])
    assert told_by.outcomes("book_order")[0] == "unknown"


def test_an_answer_is_late(told_by: World) -> None:
    told_by.bad_day("erp", "commit_late", operations=("bookings.create",), times=1, value=1.0)
    order = told_by.place()
    hear(told_by, order)
    told_by.pump(30)
    booked_once(told_by, order["id"])


def test_a_worker_is_killed(told_by: World) -> None:
    """The one that booked, before it could say so: another looks the booking up."""
    from tasks.engine.act import act
    from tasks.engine.loop import _claimed

    order = told_by.place()
    hear(told_by, order)
    told_by.pump(until=lambda: told_by.states().get("order_placed.book_order") == "ready")
    step = told_by.one("SELECT id FROM steps WHERE name = 'book_order'")
    killed = _claimed(step, 4.0, time.monotonic())
    assert killed is not None
    act(killed)
    from app.database import transaction

    with transaction() as tx:
        tx.execute(text("UPDATE steps SET lease_until = now() - interval '1 second' WHERE id = :id"), {"id": step})
    told_by.pump(30)
    booked_once(told_by, order["id"])
    assert told_by.outcomes("book_order")[-2:] == ["lease lost", "found"]


def test_a_cancellation_overtakes(told_by: World) -> None:
    order = told_by.place()
    hear(told_by, order)
    told_by.pump(until=lambda: told_by.states().get("order_placed.book_order") == "done")
    cancelled = told_by.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={})
    hear(told_by, cancelled, "order.cancelled")
    told_by.pump(30)
    assert told_by.effects("erp")["cancelled"] == {f"bookings shop-{order['id']}": 1}
    assert told_by.one("SELECT count(*) FROM reservations WHERE state = 'open'") == 0
    assert not told_by.one(OPEN)


def test_a_fetch_that_is_not_answered_is_made_again(told_by: World) -> None:
    """The source has a bad moment just when it is asked: nothing is lost, nothing happens twice."""
    operations = {"thin": "orders.get", "poll": "orders.list", "queue": "queue.receive"}
    told_by.bad_day("shop", "unavailable", operations=(operations[told_by.shapes["shop"]],), times=2)
    order = told_by.place()
    hear(told_by, order)
    told_by.pump(30)
    booked_once(told_by, order["id"])
    asked = operations[told_by.shapes["shop"]]
    assert [call.status for call in told_by.simulators["shop"].calls if call.operation == asked][:2] == [503, 503]


def test_who_is_registered_already_is_asked_for_nothing(tmp_path: Path, database_url: str, redis_url: str) -> None:
    """A vendor refuses a subscription to no topic, so a second start of the hub registers nothing."""
    from app.accounts import entries
    from tasks.feeds import watch

    with world(tmp_path / "config", database_url, redis_url) as made:
        os.environ["PUBLIC_URL"] = address = "http://hub.example"
        for topic in entries.manifest("shop").subscribes:
            row = {"topic": topic, "address": f"{address}/hooks/shop", "alive": True}
            made.simulators["shop"].memory.put("subscriptions", topic, row)
        assert watch.mend("shop") == []
        calls = made.ask("shop", "GET", "/_sim/calls")
        assert [one["operation"] for one in calls if one["operation"].startswith("subscriptions")] == [
            "subscriptions.list"
        ]


def test_a_parcel_that_nobody_was_told_of_is_found_by_asking(tmp_path: Path, database_url: str, redis_url: str) -> None:
    """Its webhook was acknowledged by a server that died, and whoever took over never heard of it (docs/operations.md)."""
    with world(tmp_path / "config", database_url, redis_url) as made:
        for sku in ("WB-TEE", "WB-MUG"):
            made.code("erp", "sku", sku, sku)
        order = made.order()
        made.pump(30)
        reference = made.one("SELECT waybill FROM subjects WHERE external_id = :id", id=order["id"])
        parcel = made.ask("warehouse", "POST", f"/_sim/requests/{reference}/shipments", json={})
        _asked_until(made, "shipment.document")
        made.pump(30)
        assert sum(made.effects("erp")["deliveries"].values()) == 1
        made.deliver("shipment.sent", parcel, account="warehouse")
        made.pump(30)
        assert sum(made.effects("erp")["deliveries"].values()) == 1, "its webhook came after all"


def _asked_until(made: World, topic: str) -> None:
    """The warehouse lists the newest seconds late."""
    from tasks.feeds import poll

    until = time.monotonic() + 15
    while not made.one("SELECT count(*) FROM events WHERE topic = :topic", topic=topic):
        assert time.monotonic() < until, f"no {topic} came"
        poll.run()
        time.sleep(0.1)
        _look_again(made)
