"""A daily quota that Redis has forgotten is counted again from the journal: the calls that it is about, and no others."""

from __future__ import annotations

from datetime import UTC, datetime

from connectors.kit.manifest import Limit
from tests.world import World


def test_only_the_named_operations_count(acme: World) -> None:
    from tasks.engine.connecting import used_today

    for _ in range(2):
        acme.order()
    acme.pump()
    resets = f"{datetime.now(UTC):%H:%M}"
    made = acme.calls("erp", "bookings.create")
    all_calls = sum(row.calls for row in acme.rows("SELECT calls FROM attempts WHERE account = 'erp'"))
    assert made == 2
    assert all_calls > made, "a token was asked for, too"
    named = Limit("creates", "daily", burst=10, resets="00:00", operations=("bookings.create",))
    assert used_today("erp", named) in (made, 0)  # 0: midnight came in between
    assert used_today("erp", Limit("all", "daily", burst=10, resets="00:00")) in (all_calls, 0)
    assert used_today("erp", Limit("none", "daily", burst=10, resets=resets, operations=("nothing",))) == 0
