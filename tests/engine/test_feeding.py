"""Feeding: a backlog costs the broker few messages, and a slow account fills its share of the slots all the same."""

from __future__ import annotations

import pytest

from tests.world import World

MANY = 6
RUNG = "SELECT count(*) FROM steps WHERE account = 'erp' AND rung_at IS NOT NULL"
OPEN = "SELECT count(*) FROM steps WHERE name = 'book_order' AND state = 'ready'"


@pytest.fixture
def backlog(acme: World) -> World:
    """Six orders that wait for a paused ERP."""
    from app.accounts import control
    from app.database import transaction

    for sku in ("WB-TEE", "WB-MUG"):
        acme.code("erp", "sku", sku, sku)
    with transaction() as tx:
        control.pause(tx, "erp", "anna", "until all wait")
    for _ in range(MANY):
        acme.order()
    acme.pump(until=lambda: acme.one(OPEN) == MANY)
    return acme


def _resumed() -> list[int]:
    from app.accounts import control
    from app.database import transaction

    with transaction() as tx:
        return [one.id for one in control.resume(tx, "erp", "anna", "go")]


def test_one_ring_waits_and_its_worker_goes_on(backlog: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.accounts import pace
    from config.reader import config
    from tasks.engine.loop import perform

    monkeypatch.setitem(config().settings["engine"], "go_on_seconds", 60)
    (first,) = _resumed()
    pace.note("erp", 0.001)
    assert pace.quick("erp")
    assert perform(first) == "done"
    assert backlog.one(OPEN) == 0, "one message, six steps, each in a commit of its own"
    assert backlog.one("SELECT count(*) FROM attempts WHERE account = 'erp'") == MANY


def test_whoever_takes_a_ring_at_a_slow_account_rings_the_next(backlog: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.accounts import pace
    from tasks.engine import loop

    claimed = _resumed()
    monkeypatch.setattr(pace, "quick", lambda account: False)
    while True:
        assert loop._claimed(claimed[-1], 60, 0.0) is not None
        following = [
            row.id for row in backlog.rows("SELECT id FROM steps WHERE account = 'erp' AND rung_at IS NOT NULL")
        ]
        if not following:
            break
        (next_one,) = following
        claimed.append(next_one)
    assert len(claimed) == MANY, "each claim rang for another, until none was left"


def test_at_an_account_that_answers_at_once_one_is_enough(backlog: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.accounts import pace
    from tasks.engine import loop

    (first,) = _resumed()
    monkeypatch.setattr(pace, "quick", lambda account: True)
    assert loop._claimed(first, 60, 0.0) is not None
    assert backlog.one(RUNG) == 0, "whoever is at work there comes to the next one sooner than a message would"


def test_the_shortest_call_of_late_is_the_accounts_pace() -> None:
    from app.accounts import pace

    pace._seen.pop("far", None)
    assert not pace.quick("far"), "nothing is known of it"
    for seconds in (0.2, 0.004, 0.3):
        pace.note("far", seconds)
    assert pace.quick("far"), "what a busy machine adds is no slowness of the account"
    for _ in range(pace.LATE):
        pace.note("far", 0.2)
    assert not pace.quick("far"), "it has become slow"


def test_a_ring_that_is_in_no_queue_is_rung_again_within_seconds(
    backlog: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that lost it: the account is idle, and nobody waits for `rung_again`. A ring that waits in its queue is not lost."""
    from app import bell
    from config.reader import config
    from tasks.feeds import sweep

    monkeypatch.setitem(config().settings["engine"], "rung_again", 600)
    (first,) = _resumed()
    _aged()
    bell.ring([bell.Ring("order_placed.book_order", "erp", first)])
    assert bell.waiting("erp") == 1
    sweep.run()
    assert backlog.one(f"{RUNG} AND rung_at < now() - interval '4 seconds'") == 1
    with bell._producer().connection_for_write() as connection:
        connection.default_channel.queue_purge("erp")
    sweep.run()
    assert backlog.one(f"{RUNG} AND rung_at > now() - interval '4 seconds'") == 1
    assert bell.waiting("erp") == 1
    _aged()
    with bell._producer().connection_for_write() as connection:
        connection.default_channel.queue_purge("erp")
    monkeypatch.setattr(bell, "_waiting", _away)
    sweep.run()
    assert backlog.one(f"{RUNG} AND rung_at > now() - interval '4 seconds'") == 0, "nobody knows what waits: no haste"


def _aged() -> None:
    from sqlalchemy import text

    from app.database import transaction

    with transaction() as tx:
        tx.execute(text("UPDATE steps SET rung_at = now() - interval '5 seconds' WHERE rung_at IS NOT NULL"))


def _away(queue: str) -> int:
    raise OSError(queue)
