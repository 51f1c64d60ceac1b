"""What channels are told: never more than is truly there, in any interleaving, and only what changed."""

from __future__ import annotations

import itertools
import json
import math
import os
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.stock.conftest import Stock
from tests.world import World, world

FULL = os.environ.get("WAYBILL_LAB") == "full"
CHANGED = 100  # one SKU in so many


@pytest.fixture
def acme(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[World]:
    with world(tmp_path / "config", database_url, redis_url) as made:
        for sku in ("WB-TEE", "WB-MUG"):
            made.code("erp", "sku", sku, sku)
        yield made


def publish(acme: World) -> None:
    from tasks.feeds import publish as feed

    feed.run()
    acme.pump()


def told(acme: World, sku: str) -> list[tuple[Decimal, Decimal]]:
    """(what the shop was told, what was truly free then), in order."""
    rows = acme.rows(
        "SELECT quantity, available FROM tellings WHERE account = 'shop' AND sku = :sku ORDER BY id", sku=sku
    )
    return [(row.quantity, row.available) for row in rows]


def level(acme: World, sku: str, available: int, moment: str) -> None:
    row = {"id": f"lev-{sku}", "sku": sku, "location": "main", "available": str(available), "on_hand": str(available)}
    acme.deliver("stock.changed", {**row, "updated_at": moment}, account="warehouse")
    acme.pump()


def test_a_cancellation_lets_go_before_it_is_published(acme: World) -> None:
    """Pain 19: one increase, and never more than was truly free (openlinker#2348)."""
    level(acme, "WB-TEE", 10, "2026-11-01T00:00:00.000000Z")
    level(acme, "WB-MUG", 10, "2026-11-01T00:00:00.000000Z")
    publish(acme)
    order = acme.order()
    acme.pump()
    publish(acme)
    cancelled = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={})
    acme.deliver("order.cancelled", cancelled)
    while acme.turn():  # published in between, at every turn of the cancellation
        publish(acme)
    publish(acme)
    said = told(acme, "WB-TEE")
    values = [quantity for quantity, _ in said]
    assert all(quantity <= free for quantity, free in said), said
    assert sum(later > earlier for earlier, later in itertools.pairwise(values)) == 1, values
    assert (values[0], values[-1]) == (10, 10)
    assert min(values) < 10


@pytest.mark.parametrize("seed", range(200 if FULL else 12))
def test_no_interleaving_publishes_more_than_is_there(stock: Stock, seed: int) -> None:
    """Marks are taken, stock changes meanwhile, and what was taken is told late: the next telling always mends it, and none is too high
    for the moment it was read."""
    from app.stock import dirty

    pick = random.Random(seed)
    day = Day(stock, pick)
    stock.tell("TEE", 10)
    for n in range(25):
        getattr(day, pick.choice(Day.ACTS))(n)
    for _ in range(2):
        day.tell_all()
    last = stock.one("SELECT quantity FROM published WHERE account = 'shop' AND sku = 'TEE'")
    assert last == max(Decimal(0), stock.free("TEE"))
    assert not stock.do(dirty.take, "shop", 10)
    assert not stock.rows("SELECT * FROM tellings WHERE quantity > greatest(available, 0)")


class Day:
    """What may happen between two batches, and in the middle of one."""

    ACTS = ("owner_says", "reserved", "let_go", "left", "taken", "told", "told")

    def __init__(self, stock: Stock, pick: random.Random) -> None:
        self.stock, self.pick, self.batch = stock, pick, []

    def _claim(self) -> str:
        return f"k{self.pick.randint(0, 5)}"

    def owner_says(self, n: int) -> None:
        self.stock.tell("TEE", self.pick.randint(0, 12), when=n)

    def reserved(self, n: int) -> None:
        self.stock.reserve(self._claim(), "TEE", 2)

    def let_go(self, n: int) -> None:
        from app.stock import ledger

        self.stock.do(ledger.release, self._claim())

    def left(self, n: int) -> None:
        from app.stock import ledger

        self.stock.do(ledger.commit, self._claim(), f"p{n}")

    def taken(self, n: int) -> None:
        from app.stock import dirty

        self.batch: list[Any] = self.stock.do(dirty.take, "shop", 10)
        for mark in self.batch:
            assert mark.available == max(Decimal(0), self.stock.free("TEE"))

    def told(self, n: int) -> None:
        from app.stock import dirty

        for mark in self.batch:
            self.stock.do(dirty.told, "shop", mark)
        self.batch = []

    def tell_all(self) -> None:
        self.taken(0)
        self.told(0)


def test_calls_are_proportional_to_what_changed(acme: World) -> None:
    """Pain 22: of many SKUs one in a hundred changes; so many are told, in batches, and nothing else is called."""
    from app.database import transaction
    from app.stock import dirty, movements
    from app.stock.movements import Movement

    many = 100_000 if FULL else 3000
    changed = many // CHANGED
    with transaction() as tx:
        tx.execute(
            text("""
            INSERT INTO shelves (sku, location, account, told, as_of)
            SELECT 'P-' || lpad(n::text, 6, '0'), 'main', 'warehouse', 50, now() - interval '1 hour' FROM generate_series(1, :many) AS n"""),
            {"many": many},
        )
        tx.execute(
            text("INSERT INTO published (account, sku, location, quantity) SELECT 'shop', sku, '', 50 FROM shelves")
        )
    now = acme.rows("SELECT now() AS at")[0].at
    skus = [f"P-{n:06d}" for n in range(1, many + 1, CHANGED)]
    for sku in skus:
        acme.ask("shop", "POST", "/_sim/products", json={"sku": sku})
    sold = [Movement("tills", sku, "sale", sku, "main", Decimal(-1), now) for sku in skus]
    with transaction() as tx:
        movements.record(tx, sold)
    before = acme.calls("shop", "stock.set")
    for _ in range(math.ceil(changed / 250) + 1):
        publish(acme)
    calls = acme.calls("shop", "stock.set") - before
    assert len(acme.effects("shop")["stock"]) == changed
    assert calls <= math.ceil(changed / 250), (calls, changed)
    with transaction() as tx:
        assert dirty.pending(tx) == {}
        assert dirty.mark_fitting(tx, "shop", "P-00001", "main", dry=True) == 10
        assert dirty.mark_fitting(tx, "shop", "P-00001", "elsewhere", dry=True) == 0
    figures = Path(os.environ.get("WAYBILL_FIGURES", "var/pains.json"))
    known = json.loads(figures.read_text()) if figures.exists() else {}
    known["22"] = {
        "test": "test_calls_are_proportional_to_what_changed",
        "full": FULL,
        "skus": many,
        "changed": changed,
        "calls": calls,
    }
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_text(json.dumps(known, indent=1, sort_keys=True))
