"""A backlog says when it will be done: by the pace of late, else by what the account's limits allow; and not while it stands still."""

from __future__ import annotations

import pytest

from tests.engine.test_feeding import MANY, _resumed, backlog
from tests.world import World

__all__ = ["backlog"]
GOES = "UPDATE account_state SET paused = false WHERE account = 'erp'"
DID = """
INSERT INTO attempts (step_id, run_id, subject_id, account, n, fence, outcome, calls)
SELECT id, run_id, subject_id, account, 1, 1, 'done', 1 FROM steps, generate_series(1, 15) WHERE account = 'erp' AND name = 'book_order'
"""


def test_a_backlog_is_done_at_the_pace_of_late(backlog: World) -> None:
    from app.database import transaction
    from app.journal.reading import draining

    with transaction() as tx:
        waiting = backlog.one("SELECT count(*) FROM steps WHERE account = 'erp' AND state IN ('waiting', 'ready')")
        assert waiting >= MANY
        tx.exec_driver_sql(DID)
        assert draining.drain(tx, "erp").seconds is None, "it is paused: what was done lately says nothing"
        tx.exec_driver_sql(GOES)
        seen = draining.drain(tx, "erp")
    assert seen.waiting == waiting
    assert seen.pace == MANY * 15 / draining.LATELY
    assert seen.seconds == pytest.approx(waiting / seen.pace)


def test_deliveries_that_are_not_read_yet_count_as_the_steps_that_they_will_make(backlog: World) -> None:
    from app.database import transaction
    from app.journal.reading import draining

    with transaction() as tx:
        before = draining.drain(tx, "erp").waiting
    for _ in range(4):
        backlog.order()
    with transaction() as tx:
        told = draining.drain(tx, "erp").waiting
    backlog.pump(until=lambda: not backlog.one("SELECT count(*) FROM events WHERE state = 'accepted'"))
    with transaction() as tx:
        assert told == pytest.approx(draining.drain(tx, "erp").waiting)
    assert told == pytest.approx(before * (MANY + 4) / MANY)


def test_without_a_pace_the_limits_tell_it_and_a_paused_account_never_ends(
    backlog: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.accounts import entries
    from app.database import transaction
    from app.journal.reading import draining

    monkeypatch.setattr(entries, "allowed", lambda account, tx=None: 0.5)
    with transaction() as tx:
        assert draining.drain(tx, "erp").seconds is None
        assert draining.last(tx, ["erp", "shop"]) is None
        tx.exec_driver_sql(GOES)
        assert draining.drain(tx, "erp").pace == 0.5
        assert draining.last(tx, ["erp", "shop"]) == pytest.approx(draining.drain(tx, "erp").seconds)
        tx.exec_driver_sql("UPDATE account_state SET breaker = 'open' WHERE account = 'erp'")
        assert draining.drain(tx, "erp").seconds is None


def test_what_has_drained_is_done_now(backlog: World) -> None:
    from app.database import transaction
    from app.journal.reading import draining

    assert _resumed()
    backlog.pump(until=lambda: not backlog.one("SELECT count(*) FROM steps WHERE state NOT IN ('done', 'skipped')"))
    with transaction() as tx:
        assert draining.drain(tx, "erp").seconds == 0
