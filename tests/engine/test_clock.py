"""Beat's jobs: one that takes longer than its window never fills the workers with itself."""

from __future__ import annotations

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


def test_the_sweep_does_not_ring_into_a_crowded_queue(acme: World) -> None:
    """Rings that wait are not lost: more of them would only keep the workers from the first."""
    from app.bell import INTAKE, RECEIVE, Ring, ring, waiting
    from tasks.feeds import sweep

    acme.order()
    assert waiting(INTAKE) == 0
    ring(Ring(RECEIVE, INTAKE, 0) for _ in range(sweep.CROWDED))
    assert waiting(INTAKE) == sweep.CROWDED
    assert sweep.run().startswith("0 events")
    assert waiting(INTAKE) == sweep.CROWDED
