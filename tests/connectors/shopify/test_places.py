"""A Shopify shop of two locations and the whole hub: each is told of its own, and at no moment do both together show more than there is."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from tests.connectors.shopify.test_hub import joined
from tests.contract.system import System
from tests.joined import anew
from tests.world import World

STOCK = (
    '\n[[route]]\nname = "stock"\nkind = "stock"\nwhen = { account = "warehouse" }\nroles = { publish = ["store"] }\n'
)
PLACES = '[channels.store.places]\nweb = ["main"]\ncity = ["corner"]\n'
FULL = os.environ.get("WAYBILL_LAB") == "full"
THEIRS = {"web": "70001", "city": "70002"}


@dataclass
class Shelves:
    """What lies at our two locations, and what the shop shows at its own two."""

    world: World
    shop: System
    seen: list[tuple[int, int]] = field(default_factory=list)
    said: int = 0

    def lie(self, main: int, corner: int) -> None:
        """The warehouse counts."""
        self.said += 1
        at = f"2026-11-01T00:00:{self.said:02d}.000000Z"
        for place, many in (("main", main), ("corner", corner)):
            row = {
                "id": f"lev-{place}",
                "sku": "WB-TEE",
                "location": place,
                "available": str(many),
                "on_hand": str(many),
            }
            self.world.deliver("stock.changed", {**row, "updated_at": at}, account="warehouse", at=at)
        self.world.pump()

    def shown(self) -> tuple[int, int]:
        stock = self.shop.get("/_sim/effects")["stock"]
        return int(stock["WB-TEE@70001"]), int(stock["WB-TEE@70002"])

    def tell(self) -> None:
        """Told until nothing is left to tell; what the shop shows is looked at after every turn."""
        from tasks.feeds import publish

        end = time.monotonic() + 40
        while time.monotonic() < end:
            publish.run()
            if self.world.turn():
                self.seen.append(self.shown())
            elif not self.world.one("SELECT count(*) FROM dirty"):
                return
        raise AssertionError(self.world.rows("SELECT * FROM dirty"))


@pytest.fixture
def shelves(tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelves]:
    with joined(tmp_path, database_url, redis_url, monkeypatch, ("WB-TEE",), STOCK) as (made, shop):
        shipped = (Path(__file__).parents[3] / "config" / "availability.toml").read_text()
        (made.folder / "availability.toml").write_text(f"{shipped}\n{PLACES}")
        made.code("store", "sku", "WB-TEE", "WB-TEE")
        for ours, theirs in THEIRS.items():
            made.code("store", "location", ours, theirs)
        anew()
        yield Shelves(made, shop)


@pytest.mark.parametrize("day", ["", "commit_then_drop", "drop", "unavailable"][: 4 if FULL else 2])
def test_goods_that_move_are_shown_once(shelves: Shelves, day: str) -> None:
    """Five of seven go from one place to the other, and back, on a bad day too."""
    shelves.lie(7, 0)
    shelves.tell()
    assert shelves.shown() == (7, 0)
    for main, corner in ((2, 5), (7, 0)):
        if day:
            shelves.shop.bad_day(day, operations=["inventorySetQuantities"], times=1)
        shelves.lie(main, corner)
        shelves.tell()
        assert shelves.shown() == (main, corner)
    moved = shelves.seen[shelves.seen.index((7, 0)) :]
    assert all(sum(one) <= 7 for one in moved), moved
    assert (2, 0) in moved, "the one was told of less before the other was told of more"


def test_a_claim_at_one_place_is_told_there_alone(shelves: Shelves) -> None:
    from app.database import transaction
    from app.stock import ledger
    from app.stock.claims import Wanted

    shelves.lie(7, 4)
    shelves.tell()
    before = len(shelves.shop.calls("inventorySetQuantities"))
    with transaction() as tx:
        ledger.reserve(tx, "res", [Wanted("WB-TEE", Decimal(3), "1", "corner")])
    shelves.tell()
    assert shelves.shown() == (7, 1)
    (call,) = shelves.shop.calls("inventorySetQuantities")[before:]
    (row,) = json.loads(call["body"])["variables"]["input"]["quantities"]
    assert (row["locationId"], row["quantity"]) == ("gid://shopify/Location/70002", 1)


def test_a_raise_that_was_not_answered_counts_as_shown(shelves: Shelves) -> None:
    """The call that told the corner of five was done and never answered; then the five go back. The web is told of them in no call before the
    corner was told of none."""
    from tasks.feeds import publish

    shelves.lie(7, 0)
    shelves.tell()
    shelves.lie(2, 5)
    publish.run()
    shelves.world.pump(until=lambda: shelves.shown() == (2, 0))
    before = len(shelves.shop.calls("inventorySetQuantities"))
    shelves.shop.bad_day("commit_then_drop", operations=["inventorySetQuantities"], times=1)
    publish.run()
    shelves.world.pump(until=lambda: shelves.shown() == (2, 5))
    shelves.lie(7, 0)
    shelves.tell()
    assert shelves.shown() == (7, 0)
    later = [
        {
            row["locationId"].rpartition("/")[2]: row["quantity"]
            for row in json.loads(one["body"])["variables"]["input"]["quantities"]
        }
        for one in shelves.shop.calls("inventorySetQuantities")[before:]
    ]
    assert [one for one in later if one.get("70001") == 7] == [{"70001": 7}], later
    assert later.index({"70001": 7}) > later.index({"70002": 0}), later
