"""Beat's jobs: one that takes longer than its window never fills the workers with itself."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from tests.world import World


def test_a_job_is_never_at_work_beside_itself(acme: World) -> None:
    from tasks.feeds import clock

    with clock.alone("sweep") as first, clock.alone("sweep") as second, clock.alone("poll") as other:
        assert (first, second, other) == (True, False, True)
        assert clock.JOBS["sweep"]() == 0, "a tick that finds its job at work leaves the window to the next"
        assert not acme.one("SELECT count(*) FROM windows WHERE job = 'sweep'")
    assert clock.JOBS["sweep"]() == 1


def test_a_worker_that_is_frozen_at_a_job_holds_nobody_up(acme: World) -> None:
    """Its lease runs out, another takes over, and what it says when it thaws takes nothing from the other."""
    from app.database import transaction
    from tasks.feeds import clock

    with clock.alone("sweep") as frozen:
        assert frozen
        with transaction() as tx:
            tx.execute(text("UPDATE at_work SET until = now() - interval '1 second'"))
        with clock.alone("sweep") as other:
            assert other
            with transaction() as tx:
                tx.execute(clock.LEAVE, {"job": "sweep", "until": "2020-01-01T00:00:00Z"})
            with clock.alone("sweep") as third:
                assert not third


def test_a_job_that_takes_long_keeps_its_turn_and_a_dead_worker_loses_it_soon(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.feeds import clock

    monkeypatch.setattr(clock, "LEASE", 0.6)
    with clock.alone("sweep") as first:
        time.sleep(1.5)
        with clock.alone("sweep") as second:
            assert (first, second) == (True, False), "its lease was renewed meanwhile"
    with monkeypatch.context() as dead, clock.alone("sweep"):
        dead.setattr(clock._Turn, "_kept", lambda _: False)  # a worker that is killed renews nothing
        deadline = time.monotonic() + 5
        while not (taken := _taken("sweep")) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert taken


def _taken(job: str) -> bool:
    from tasks.feeds import clock

    with clock.alone(job) as mine:
        return mine


def test_the_sweep_does_not_ring_into_a_crowded_queue(acme: World) -> None:
    """Rings that wait are not lost: more of them would only keep the workers from the first."""
    from app.bell import ENOUGH, INTAKE, RECEIVE, Ring, ring, waiting
    from tasks.feeds import sweep

    acme.order()
    assert waiting(INTAKE) == 0
    ring(Ring(RECEIVE, INTAKE, 0) for _ in range(ENOUGH))
    assert waiting(INTAKE) == ENOUGH
    assert sweep.run().startswith("0 events")
    assert waiting(INTAKE) == ENOUGH


def test_a_delivery_is_rung_for_unless_enough_rings_wait(acme: World) -> None:
    """Where the queue is crowded, whoever reads goes on with the next: no delivery needs a ring of its own then."""
    from app import bell
    from app.bell import ENOUGH, INTAKE, waiting

    for asked in range(ENOUGH + 5):
        bell._crowd = (0.0, False)  # looked at long ago
        assert bell.ring_event(asked + 1)
    assert waiting(INTAKE) == ENOUGH


def test_a_task_reads_what_waits_and_rings_for_the_rest(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.bell import INTAKE, waiting
    from tasks import receive

    first, *_ = (acme.deliver("order.placed", acme.place()).event_id for _ in range(12))
    monkeypatch.setitem(receive.config().settings["engine"], "go_on_seconds", 60)  # however busy the machine is
    most = int(receive.config().settings["engine"]["receive_on"])
    before = waiting(INTAKE)
    assert receive.receive_on(first) == f"{most} received"
    assert acme.one("SELECT count(*) FROM events WHERE state = 'accepted'") == 12 - most
    assert waiting(INTAKE) == before + 1, "one ring, for all that are left"
    taken = [receive.READERS.acquire(blocking=False) for _ in range(9)]
    try:
        assert receive.receive_on(first) == "left to who reads already"
    finally:
        for _ in filter(None, taken):
            receive.READERS.release()
    left = acme.one("SELECT min(id) FROM events WHERE state = 'accepted'")
    assert receive.receive_on(left) == f"{12 - most} received"
    assert acme.one("SELECT count(*) FROM events WHERE state = 'accepted'") == 0


def test_a_quiet_account_does_not_wait_behind_a_flood(acme: World) -> None:
    from app.journal.events import FEW
    from tasks import receive

    first, *_ = (acme.deliver("order.placed", acme.place()).event_id for _ in range(FEW + 10))
    level = {"location": "main", "available": "4", "on_hand": "4", "updated_at": "2030-01-01T00:00:00.000000Z"}
    quiet = [
        acme.deliver("stock.changed", {**level, "id": f"lev-{sku}", "sku": sku}, account="warehouse").event_id
        for sku in ("WB-TEE", "WB-MUG")
    ]
    receive.receive_on(first)
    state = "SELECT state FROM events WHERE id = :id"
    assert all(acme.one(state, id=event) != "accepted" for event in quiet), "in the first turn, with thirty before them"
    floods = "SELECT count(*) FROM events WHERE account = 'shop' AND state <> 'accepted'"
    assert acme.one(floods) > len(quiet), "every second one of a turn: the flood is read, too"


def test_a_delivery_that_cannot_be_read_now_goes_last(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that is not to be had must not keep those behind it waiting, nor lose it."""
    from sqlalchemy.exc import OperationalError

    from app.journal import events
    from tasks import receive

    stuck, first = (acme.deliver("order.placed", acme.place()).event_id for _ in range(2))
    plain = receive._received

    def refuses(tx: object, event: events.Event, readings: object) -> object:
        if event.id == stuck:
            raise OperationalError("lock timeout", {}, Exception())
        return plain(tx, event, readings)  # type: ignore[arg-type]

    monkeypatch.setattr(receive, "_received", refuses)
    later = acme.deliver("order.placed", acme.place()).event_id
    receive.receive_on(first)
    assert acme.one("SELECT state FROM events WHERE id = :id", id=first) == "running"
    assert acme.one("SELECT rung_at > at FROM events WHERE id = :id", id=stuck)
    receive.receive_on(first)
    assert acme.one("SELECT state FROM events WHERE id = :id", id=later) == "running", (
        "it was the oldest, and went last"
    )
    monkeypatch.undo()
    receive.receive_on(first)
    assert acme.one("SELECT state FROM events WHERE id = :id", id=stuck) == "running"
