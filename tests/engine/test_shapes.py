"""Each protocol shape, on its bad days: lost answer, late answer, killed worker, overtaken by a cancellation (pains 11, 31)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.world import World, world

MAKES = ("keyed", "searched", "two_calls", "job")
FIRST_CALL = {
    "keyed": "bookings.create",
    "searched": "bookings.create",
    "two_calls": "bookings.create",
    "job": "bookings.create",
}


@pytest.fixture(params=MAKES)
def shaped(request: pytest.FixtureRequest, tmp_path: Path, database_url: str, redis_url: str) -> Iterator[World]:
    """An ERP that makes records in one of the four ways."""
    with world(
        tmp_path / "config", database_url, redis_url, {"erp": request.param, "warehouse": request.param}
    ) as made:
        for sku in ("WB-TEE", "WB-MUG"):
            made.code("erp", "sku", sku, sku)
        yield made


def booked_once(world: World, order: str) -> None:
    assert world.effects("erp")["bookings"] == {f"shop-{order}": 1}
    assert set(world.effects("warehouse")["requests"].values()) <= {1}


def test_an_answer_is_lost(shaped: World) -> None:
    """Pain 11: committed there, the answer lost; looked up, found, never made twice; the attempt says so."""
    shaped.bad_day("erp", "commit_then_drop", operations=("bookings.create",), times=1)
    order = shaped.order()
    shaped.pump(30)
    booked_once(shaped, order["id"])
    assert shaped.states()["order_placed.acknowledge_order"] == "done"
    tried = shaped.outcomes("book_order")
    assert tried[0] == "unknown"
    assert tried[-1] in ("found", "done")


def test_an_answer_is_late(shaped: World) -> None:
    """The write arrives after we were told nothing: not found is not yet not done."""
    shaped.bad_day("erp", "commit_late", operations=("bookings.create",), times=1, value=1.0)
    order = shaped.order()
    shaped.pump(30)
    booked_once(shaped, order["id"])
    assert shaped.states()["order_placed.acknowledge_order"] == "done"


def test_nothing_was_done(shaped: World) -> None:
    """The connection broke before anything was done: looked up, not there once it had settled, done then."""
    shaped.bad_day("erp", "drop", operations=("bookings.create",), times=1)
    order = shaped.order()
    shaped.pump(30)
    booked_once(shaped, order["id"])
    assert shaped.outcomes("book_order")[0] == "unknown"


def test_a_worker_is_killed(shaped: World) -> None:
    """Its lease runs out; another looks up what it sent; the zombie's late word is fenced off."""
    from app.database import transaction
    from tasks.engine.act import Acted
    from tasks.engine.conclude import conclude
    from tasks.engine.loop import _claimed

    order = shaped.order()
    shaped.pump(until=lambda: shaped.states().get("order_placed.book_order") == "ready")
    step = shaped.one("SELECT id FROM steps WHERE name = 'book_order'")
    zombie = _claimed(step, 4.0, time.monotonic())
    assert zombie is not None
    verdict = _carried_out(zombie)
    with transaction() as tx:
        tx.execute(text("UPDATE steps SET lease_until = now() - interval '1 second' WHERE id = :id"), {"id": step})
    shaped.pump(30)
    booked_once(shaped, order["id"])
    assert "lease lost" in shaped.outcomes("book_order")
    with transaction() as tx:
        assert conclude(tx, zombie, verdict, Acted()) is None
    assert shaped.outcomes("book_order")[-1] == "fenced"


def _carried_out(zombie: Any) -> Any:
    """What the zombie believes it did: a record, or a job that it handed over."""
    from tasks.engine.act import act
    from tasks.engine.judge import Verdict
    from tasks.engine.work import Submitted

    with suppress(Submitted):
        return Verdict("done", "done", result=act(zombie).result)
    return Verdict("done", "done", result="a zombie's word")


def test_a_cancellation_overtakes(shaped: World) -> None:
    """What has not begun is struck out, what was done is undone, last first."""
    order = shaped.order()
    shaped.pump(until=lambda: shaped.states().get("order_placed.book_order") == "done")
    cancelled = shaped.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={})
    shaped.deliver("order.cancelled", cancelled)
    shaped.pump(30)
    states = shaped.states()
    assert states["order_placed.cancel_booking"] == "done"
    assert shaped.effects("erp")["cancelled"] == {f"bookings shop-{order['id']}": 1}
    assert shaped.one("SELECT count(*) FROM reservations WHERE state = 'open'") == 0
    assert not shaped.one("SELECT count(*) FROM steps WHERE state NOT IN ('done', 'skipped', 'cancelled')")


def test_a_cancellation_overtakes_a_lost_answer(shaped: World) -> None:
    """What is unknown is resolved first, then undone: nothing stays booked for a cancelled order."""
    shaped.bad_day("erp", "commit_then_drop", operations=("bookings.create",), times=1)
    order = shaped.order()
    shaped.pump(until=lambda: shaped.states().get("order_placed.book_order") == "unknown")
    cancelled = shaped.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={})
    shaped.deliver("order.cancelled", cancelled)
    shaped.pump(30)
    effects = shaped.effects("erp")
    assert effects["bookings"] == {f"shop-{order['id']}": 1}
    assert effects["cancelled"] == {f"bookings shop-{order['id']}": 1}
    assert not shaped.effects("warehouse")["requests"]
    assert not shaped.one("SELECT count(*) FROM steps WHERE state NOT IN ('done', 'skipped', 'cancelled')")
