"""The drift job over real systems: a webhook that never came, a channel that was changed by hand, and nobody there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import World, world


@pytest.fixture
def acme(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[World]:
    with world(tmp_path / "config", database_url, redis_url) as made:
        for sku in ("WB-TEE", "WB-MUG"):
            made.code("erp", "sku", sku, sku)
        yield made


def test_what_nobody_told_is_found_mended_and_closed(acme: World) -> None:
    from app.database import transaction
    from app.stock import drift as core
    from tasks.feeds import drift, publish

    count = {"sku": "WB-TEE", "location": "main", "available": "10"}
    acme.deliver("stock.changed", acme.ask("warehouse", "POST", "/_sim/stock", json=count), account="warehouse")
    acme.pump()
    publish.run()
    acme.pump()
    assert "differ" not in drift.look("warehouse")
    acme.ask("warehouse", "POST", "/_sim/stock", json={**count, "available": "4"})  # and no webhook
    acme.ask("shop", "POST", "/_sim/stock", json={**count, "location": "", "available": "99"})  # somebody at the shop
    found = [drift.run() for _ in range(2)]
    assert "warehouse: 1 of 1 differ" in found[-1], found
    assert "shop: 1 of 1 differ" in found[-1], found
    codes = {row.code for row in acme.rows("SELECT code FROM cases WHERE kind = 'drift' AND status = 'open'")}
    assert {"stock_drift_warehouse", "stock_drift_channel"} <= codes
    with transaction() as tx:
        for one in core.open_ones(tx):
            core.repair(tx, one.id, dry=False)
    publish.run()
    acme.pump()
    assert acme.effects("shop")["stock"]["WB-TEE@"] == "4"
    drift.run()
    left = acme.rows(
        "SELECT code FROM cases WHERE kind = 'drift' AND status <> 'resolved' AND account IN ('warehouse', 'shop')"
    )
    assert not left
    acme.bad_day("warehouse", "unavailable")
    assert "warehouse" in drift.look("warehouse")
