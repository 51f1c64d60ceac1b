"""Limits and the vendor's own word: a forgotten daily quota is counted again from the journal, a told rate and an emptied bucket are followed."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
import redis
from sqlalchemy import text

from connectors.kit.errors import Throttled
from connectors.kit.limiter import Limiter
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


def test_a_vendors_word_on_a_rate_never_passes_the_operators(acme: World) -> None:
    """The vendor grants a thousand a second; somebody set one in ten seconds for now: that it is. A lower word of the vendor's is followed."""
    from app.accounts import entries
    from app.database import transaction
    from tasks.engine.connecting import _limiter

    _limiter.cache_clear()
    tried = _limiter(0)
    tried.warm("erp")
    tried.told("erp", "bookings.create", 1000.0)
    tried.refused("erp", "bookings.create", 0.0)
    time.sleep(0.01)
    with tried.leave("erp", "bookings.create"):
        pass  # its burst comes back in milliseconds
    with transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO account_state (account, limits, limits_until)"
                " VALUES ('erp', '{\"creates\": {\"rate\": 0.1, \"burst\": 1}}', now() + interval '1 hour')"
                " ON CONFLICT (account) DO UPDATE SET limits = excluded.limits, limits_until = excluded.limits_until"
            )
        )
    entries._seen.clear()
    with tried.leave("erp", "bookings.create"):
        pass
    with pytest.raises(Throttled), tried.leave("erp", "bookings.create"):
        pass
    _limiter.cache_clear()
    entries._seen.clear()


@pytest.mark.parametrize("kind", ["bucket", "points"])
def test_what_the_vendor_says_is_empty_has_gained_nothing_while_he_answered(redis_url: str, kind: str) -> None:
    """Ten a second, and an answer that took half a second: "nothing is left" is said at its end, so the next call is a tenth of a second away."""
    limit = Limit("calls", kind, burst=20, rate=10, operations=("slow",) if kind == "bucket" else ())
    tried = Limiter(
        redis.Redis.from_url(redis_url), lambda account: (limit,), patience=0.0, prefix=f"told-{time.time()}"
    )
    tried.warm("vendor")
    with tried.leave("vendor", "slow"):
        time.sleep(0.5)
        if kind == "bucket":
            tried.refused("vendor", "slow", 0.5)
        else:
            tried.report("vendor", 0.0)
    with pytest.raises(Throttled) as wait, tried.leave("vendor", "slow"):
        pass
    assert 0 < (wait.value.retry_after or 0) <= 0.13  # a refusal may lower our share too


def test_a_word_that_grants_more_than_we_count_changes_nothing(redis_url: str) -> None:
    limit = Limit("calls", "points", burst=20, rate=1)
    tried = Limiter(
        redis.Redis.from_url(redis_url), lambda account: (limit,), patience=0.0, prefix=f"more-{time.time()}"
    )
    tried.warm("vendor")
    for _ in range(20):
        with tried.leave("vendor", "any"):
            tried.report("vendor", 20.0)
    with pytest.raises(Throttled), tried.leave("vendor", "any"):
        pass
