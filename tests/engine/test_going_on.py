"""Going on: one task carries an order through its steps, each in a commit of its own, and never past those who go before it."""

from __future__ import annotations

import time

import pytest

from tests.world import World

IN_TURN = "SELECT s.name, a.outcome FROM attempts a JOIN steps s ON s.id = a.step_id ORDER BY a.id"
DONE = [("reserve_stock", "done"), ("book_order", "done"), ("request_fulfilment", "done")]


@pytest.fixture
def along(acme: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """As shipped: a task goes on with its run's next step."""
    from config.reader import config

    monkeypatch.setitem(config().settings["engine"], "go_along", True)
    monkeypatch.setitem(config().settings["engine"], "go_on_seconds", 60)
    return acme


def _laid(world: World) -> int:
    """A new order, received; its first step."""
    from tasks.receive import receive

    world.order()
    receive(world.one("SELECT max(id) FROM events"))
    return int(world.one("SELECT max(id) FROM steps WHERE name = 'reserve_stock'"))


def _attempts(world: World) -> list[tuple[str, str]]:
    return [tuple(row) for row in world.rows(IN_TURN)]


def test_one_task_carries_an_order_and_the_other_branch_is_rung(along: World) -> None:
    from tasks.engine.loop import perform

    assert perform(_laid(along)) == "done"
    assert _attempts(along) == DONE
    rung = along.rows("SELECT name FROM steps WHERE rung_at IS NOT NULL")
    assert [row.name for row in rung] == ["acknowledge_order"], "both waited for the booking: another task has this one"
    state = along.rows("SELECT before, moves, after, account FROM order_moves WHERE part = '' ORDER BY id")
    assert [tuple(row) for row in state[-2:]] == [
        ("placed", ["book"], "booked", "erp"),
        ("booked", ["release"], "released", "warehouse"),
    ]
    along.pump()
    assert set(along.effects("erp")["bookings"].values()) == set(along.effects("warehouse")["requests"].values()) == {1}
    assert along.settled()


def test_a_paused_account_is_not_entered(along: World) -> None:
    from app.accounts import control
    from app.database import transaction
    from tasks.engine.loop import perform

    with transaction() as tx:
        control.pause(tx, "warehouse", "anna", "stocktaking")
    perform(_laid(along))
    assert _attempts(along) == [*DONE[:2], ("acknowledge_order", "done")], "the other branch goes on"
    assert along.states()["order_placed.request_fulfilment"] == "ready"


def test_an_older_order_goes_first(along: World) -> None:
    """It waits there with no ring: the younger order's task makes its request, and the younger one's is left for another."""
    from tasks.engine.loop import perform

    perform(_laid(along))
    waits = "UPDATE steps SET state = 'ready', armed = true, rung_at = NULL, ended_at = NULL WHERE name = 'request_fulfilment'"
    write(waits + " AND state = 'done'")
    perform(_laid(along))
    made = along.rows("SELECT subject_id FROM attempts WHERE account = 'warehouse' ORDER BY id")
    assert [row.subject_id for row in made][:2] == [made[0].subject_id] * 2, "the older one's, for the second time"


def test_a_full_account_is_not_entered(along: World) -> None:
    """No account holds more than its share of the slots, whichever way its steps are taken."""
    from app.database import transaction
    from app.journal import nourish
    from tasks.engine.loop import perform

    perform(_laid(along))
    under_way = "UPDATE steps SET state = 'running', lease_until = now() + interval '1 minute' WHERE name = 'request_fulfilment'"
    write(under_way + " AND state = 'done'")
    with transaction() as tx:
        nourish.rooms(tx)["warehouse"] = 1
    second = _laid(along)
    perform(second)
    run = along.one(f"SELECT run_id FROM steps WHERE id = {second}")
    assert along.one(f"SELECT state FROM steps WHERE run_id = {run} AND name = 'request_fulfilment'") == "ready"


def test_a_turn_ends_and_the_next_step_is_rung(along: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from config.reader import config
    from tasks.engine.loop import perform

    monkeypatch.setitem(config().settings["engine"], "go_on_steps", 2)
    perform(_laid(along))
    assert _attempts(along) == DONE[:2]
    rung = {row.name for row in along.rows("SELECT name FROM steps WHERE rung_at IS NOT NULL")}
    assert rung == {"request_fulfilment", "acknowledge_order"}


def test_at_the_runs_end_the_task_goes_home(along: World) -> None:
    """Rung for the first of three orders; the second is rung for another when it leaves, and it carries the third without a message."""
    from tasks.engine.loop import perform

    first, second, third = (_laid(along) for _ in range(3))
    perform(first)
    assert along.one(f"SELECT rung_at FROM steps WHERE id = {second}") is not None
    assert along.one(f"SELECT state FROM steps WHERE id = {third}") == "done"


def test_a_cancellation_overtakes_between_two_steps(along: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It arrives while the booking is made: nothing is asked of the warehouse, and the booking is undone."""
    from tasks.engine import act
    from tasks.engine.loop import perform
    from tasks.receive import receive

    first = _laid(along)
    order = along.rows("SELECT external_id FROM subjects WHERE kind = 'order'")[0].external_id
    cancelled = along.ask("shop", "POST", f"/_sim/orders/{order}/cancellation", json={})
    spoken = act.connect

    def while_it_is_booked(made: object) -> object:
        if made.account.name == "erp":  # type: ignore[attr-defined]
            monkeypatch.setattr(act, "connect", spoken)  # only this once
            along.deliver("order.cancelled", cancelled)
            receive(along.one("SELECT max(id) FROM events"))
        return spoken(made)  # type: ignore[arg-type]

    monkeypatch.setattr(act, "connect", while_it_is_booked)
    perform(first)
    assert ("request_fulfilment", "done") not in _attempts(along)
    along.pump()
    assert not along.effects("warehouse")["requests"]
    assert along.states()["order_placed.request_fulfilment"] == "cancelled"


def test_a_zombie_takes_nothing_with_it(along: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has lost his lease concludes nothing, so he goes on with nothing."""
    from app.database import transaction
    from config.reader import config
    from tasks.engine.act import Acted
    from tasks.engine.conclude import Way, conclude, simple
    from tasks.engine.judge import Verdict
    from tasks.engine.loop import _claimed, perform

    monkeypatch.setitem(config().settings["engine"], "go_on_steps", 1)
    perform(_laid(along))
    book = along.one("SELECT id FROM steps WHERE name = 'book_order'")
    zombie = _claimed(book, 4.0, time.monotonic())
    assert zombie is not None
    write(f"UPDATE steps SET fence = fence + 1 WHERE id = {book}")
    late = Verdict("done", "done", result="b-1")
    assert simple(zombie, late, Acted())
    with transaction() as tx:
        assert conclude(tx, zombie, late, Acted(), way=Way(4.0, True, "erp")) is None
    assert along.outcomes("book_order") == ["fenced"]
    assert along.states()["order_placed.request_fulfilment"] == "waiting"
    assert along.one("SELECT count(*) FROM order_moves WHERE after = 'booked'") == 0


def write(statement: str) -> None:
    from app.database import transaction

    with transaction() as tx:
        tx.exec_driver_sql(statement)
