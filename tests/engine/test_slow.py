"""A system that is slower than its connector's manifest says: the account says so, and what is in doubt waits for as long."""

from __future__ import annotations

from pathlib import Path

from app.database import engine
from tests.world import World, fresh_process, warm, world

LATE = 2.8  # seconds until the work is done after all; the manifest says 2
SETTLES = 3.5


def test_a_cancellation_waits_for_a_booking_that_may_still_arrive(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    with world(tmp_path / "config", database_url, redis_url) as acme:
        slower(acme, "erp", SETTLES)
        for sku in ("WB-TEE", "WB-MUG"):
            acme.code("erp", "sku", sku, sku)
        acme.bad_day("erp", "commit_late", operations=("bookings.create",), times=1, value=LATE)
        order = acme.order()
        acme.pump(until=lambda: acme.outcomes("book_order")[:1] == ["unknown"])
        acme.deliver("order.cancelled", acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={}))
        acme.pump()
        assert acme.calls("erp", "bookings.create") == 1
        assert acme.states()["order_placed.cancel_booking"] == "done"
        assert len(acme.effects("erp")["cancelled"]) == 1


def slower(made: World, account: str, seconds: float) -> None:
    """Before anything is asked of it."""
    file = made.folder / "accounts.toml"
    file.write_text(file.read_text().replace(f"[{account}]\n", f"[{account}]\nsettles_after = {seconds}\n"))
    engine().dispose()
    fresh_process()
    warm()
