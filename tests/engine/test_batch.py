"""Many values in one call, on the bad days of whoever is told: lost, late, killed, overtaken by newer values."""

from __future__ import annotations

import time

from sqlalchemy import text

from tests.world import World

SKUS = ("WB-TEE", "WB-MUG")


def counted(world: World, available: str, version: int) -> None:
    """The warehouse counts its shelves."""
    for sku in SKUS:
        at = f"2030-01-01T00:00:{version:02d}.000000Z"
        level = {"id": f"lev-{sku}", "sku": sku, "location": "main", "available": available, "on_hand": available}
        world.deliver("stock.changed", {**level, "updated_at": at}, account="warehouse", at=at)
    world.pump()


def publish(world: World) -> None:
    from tasks.feeds import publish

    publish.run()


def shown(world: World) -> set[str]:
    """What the shop offers of each SKU."""
    return set(world.effects("shop")["stock"].values())


def drained(world: World) -> None:
    """Publication goes on until nothing is left to be told."""
    until = time.monotonic() + 30
    while world.one("SELECT count(*) FROM dirty") and time.monotonic() < until:
        publish(world)
        world.pump(30)
    assert not world.one("SELECT count(*) FROM dirty")


def test_an_answer_is_lost(acme: World) -> None:
    acme.bad_day("shop", "commit_then_drop", operations=("stock.set",), times=1)
    counted(acme, "40", 1)
    publish(acme)
    acme.pump(30)
    assert shown(acme) == {"40"}
    assert acme.outcomes("publish_stock")[0] == "unknown"
    drained(acme)
    assert acme.one("SELECT count(*) FROM published WHERE quantity = 40") == len(SKUS)


def test_an_answer_is_late_and_newer_values_come_after_it(acme: World) -> None:
    """The lost call arrives a second later: what was counted meanwhile must not be overwritten by it."""
    acme.bad_day("shop", "commit_late", operations=("stock.set",), times=1, value=1.0)
    counted(acme, "40", 1)
    publish(acme)
    acme.pump(until=lambda: "unknown" in acme.outcomes("publish_stock"))
    counted(acme, "30", 2)
    drained(acme)
    time.sleep(1.2)
    assert shown(acme) == {"30"}


def test_a_worker_is_killed(acme: World) -> None:
    """It told the shop and could not say so: the newest values are told again, once the lost call has settled."""
    from app.database import transaction
    from tasks.engine.act import Acted, act
    from tasks.engine.conclude import conclude
    from tasks.engine.judge import Verdict
    from tasks.engine.loop import _claimed

    counted(acme, "40", 1)
    publish(acme)
    step = acme.one("SELECT id FROM steps WHERE name = 'publish_stock'")
    killed = _claimed(step, 4.0, time.monotonic())
    assert killed is not None
    acted = act(killed)
    with transaction() as tx:
        tx.execute(text("UPDATE steps SET lease_until = now() - interval '1 second' WHERE id = :id"), {"id": step})
    counted(acme, "30", 2)
    drained(acme)
    assert shown(acme) == {"30"}
    with transaction() as tx:
        assert conclude(tx, killed, Verdict("done", "done", result=acted.result), Acted(told=acted.told)) is None
    assert acme.one("SELECT count(*) FROM published WHERE quantity = 30") == len(SKUS)


def test_a_lost_value_is_not_what_the_shop_knew_before(acme: World) -> None:
    """40 was told, 30 arrived and was never confirmed, and now there are 40 again: the shop must hear of it."""
    counted(acme, "40", 1)
    publish(acme)
    acme.pump()
    acme.bad_day("shop", "commit_then_drop", operations=("stock.set",), times=1)
    counted(acme, "30", 2)
    publish(acme)
    acme.pump(until=lambda: "unknown" in acme.outcomes("publish_stock"))
    assert shown(acme) == {"30"}
    counted(acme, "40", 3)
    drained(acme)
    assert shown(acme) == {"40"}
