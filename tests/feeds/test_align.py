"""Stock alignment: everything at night, each hour what moved; lost words are taken, wrong shows are told again, a killed one is gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from connectors.canonical.stock import StockLevel
from connectors.kit.simulator import Fault
from tests.world import World, world

SKUS = ("WB-TEE", "WB-MUG", "WB-CAP")


@pytest.fixture
def acme(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[World]:
    before = dict(os.environ)
    with world(tmp_path / "config", database_url, redis_url) as made:
        yield made
    os.environ.clear()
    os.environ.update(before)


def count(acme: World, who: str, sku: str, available: int, location: str = "main") -> None:
    """Somebody changes the stock there, and no word of it reaches us."""
    acme.ask(who, "POST", "/_sim/stock", json={"sku": sku, "location": location, "available": str(available)})


def free(acme: World) -> dict[str, int]:
    return {
        row.sku: int(row.free)
        for row in acme.rows("SELECT sku, sum(free) AS free FROM shelves GROUP BY sku ORDER BY sku")
    }


def shown(acme: World) -> dict[str, str]:
    return {key.split("@")[0]: value for key, value in acme.effects("shop")["stock"].items()}


def test_the_nights_alignment_takes_the_owners_word_and_tells_the_channel(acme: World) -> None:
    from tasks.feeds import align as feed
    from tasks.feeds import publish

    for n, sku in enumerate(SKUS):
        count(acme, "warehouse", sku, 10 + n)
    feed.full()
    feed.run()
    assert {"WB-TEE": 10, "WB-MUG": 11, "WB-CAP": 12}.items() <= free(acme).items()
    publish.run()
    acme.pump()
    assert shown(acme)["WB-TEE"] == "10"
    listed = acme.one("SELECT looked FROM alignments WHERE account = 'warehouse'")
    assert listed >= 3
    told = acme.calls("shop", "stock.set")
    feed.full()
    feed.run()
    publish.run()
    acme.pump()
    again = acme.rows("SELECT looked, changed, before FROM alignments ORDER BY id DESC LIMIT 2")
    assert [row.changed for row in again] == [0, 0]
    assert listed in [row.before for row in again]
    assert acme.calls("shop", "stock.set") == told  # all agree: nothing is written


def test_a_channel_that_shows_something_else_is_told_the_truth(acme: World) -> None:
    from tasks.feeds import align as feed
    from tasks.feeds import publish

    for sku in SKUS:
        count(acme, "warehouse", sku, 10)
    feed.full()
    feed.run()
    publish.run()
    acme.pump()
    count(acme, "shop", "WB-MUG", 99, "")  # somebody typed it in over there
    calls = acme.calls("shop", "stock.set")
    feed.full()
    feed.run()
    publish.run()
    acme.pump()
    assert acme.calls("shop", "stock.set") == calls + 1
    rows = acme.ask("shop", "GET", "/_sim/state")["stock"].values()
    assert [row["available"] for row in rows if row["sku"] == "WB-MUG" and row["location"] == ""] == ["10"]
    changed = "SELECT changed FROM alignments WHERE account = 'shop' ORDER BY id DESC LIMIT 1"
    assert acme.one(changed) == 1


def test_the_hours_delta_asks_for_what_moved_only(acme: World) -> None:
    from app.database import transaction
    from tasks.feeds import align as feed

    for sku in SKUS:
        count(acme, "warehouse", sku, 10)
    feed.full()
    feed.run()
    with transaction() as tx:
        tx.execute(text("UPDATE shelves SET changed_at = now() - interval '3 hours'"))
        tx.execute(text("UPDATE shelves SET changed_at = now() WHERE sku = 'WB-CAP'"))
    count(acme, "warehouse", "WB-CAP", 4)
    count(acme, "warehouse", "WB-TEE", 3)  # nothing moved here: the night will see it
    feed.delta()
    feed.run()
    row = acme.rows("SELECT looked, state FROM alignments WHERE kind = 'delta' AND account = 'warehouse'")[0]
    assert (row.looked, row.state) == (1, "done")
    assert (free(acme)["WB-CAP"], free(acme)["WB-TEE"]) == (4, 10)


def test_a_source_that_lists_far_less_is_a_case_and_one_that_is_away_is_asked_again(acme: World) -> None:
    from app.database import transaction
    from tasks.feeds import align as feed

    feed.full()
    feed.run()
    with transaction() as tx:
        tx.execute(text("UPDATE alignments SET looked = 1000 WHERE side = 'source'"))
    acme.bad_day("warehouse", "unavailable")
    feed.full()
    feed.run()
    row = acme.rows("SELECT state, tries, said FROM alignments WHERE side = 'source' ORDER BY id DESC LIMIT 1")[0]
    assert (row.state, row.tries) == ("waiting", 1)
    assert row.said
    acme.good_day("warehouse")
    with transaction() as tx:
        tx.execute(text("UPDATE alignments SET due_at = now()"))
    feed.run()
    assert acme.one("SELECT state FROM alignments WHERE side = 'source' ORDER BY id DESC LIMIT 1") == "done"
    assert "1000 the time before" in acme.one("SELECT sentence FROM cases WHERE code = 'alignment_drop'")


class Paged:
    """An owner of stock that lists 250 levels in a page and says no time with them."""

    def __init__(self) -> None:
        self.asked: list[datetime] = []

    def stock(self, skus: Sequence[str] = ()) -> Iterator[StockLevel]:
        for page in range(2):
            self.asked.append(datetime.now(UTC))
            time.sleep(0.01)
            yield from (StockLevel(f"P{page}{n:03}", "main", Decimal(n)) for n in range(250))


def test_no_level_is_taken_for_younger_than_when_it_was_asked_for() -> None:
    """A page reaches over several of our batches: else what a webhook said meanwhile would be overwritten by the page's older word."""
    from tasks.feeds import align as feed

    owner = Paged()
    for batch, at in feed._batches(owner):  # type: ignore[arg-type]
        for level in batch:
            assert at <= owner.asked[int(level.sku[1])]


def test_what_happened_since_a_level_was_asked_for_is_not_in_it(acme: World) -> None:
    """The page was read, a store sold two, then the page is taken: it knows nothing of the two."""
    from app.database import transaction
    from app.stock import alignment

    count(acme, "warehouse", "WB-TEE", 10)
    asked_at = datetime.now(UTC)
    with transaction() as tx:
        alignment.begin(tx, "full", ["warehouse"], [])
        (one,) = alignment.due(tx)
        tx.execute(
            text(
                "INSERT INTO movements (source, number, kind, sku, location, quantity, at)"
                " VALUES ('till', '1', 'sale', 'WB-TEE', 'main', -2, clock_timestamp())"
            )
        )
    with transaction() as tx:
        alignment.take(tx, one, [StockLevel("WB-TEE", "main", Decimal(10))], asked_at)
    assert free(acme)["WB-TEE"] == 8


def test_telling_again_and_having_told_at_once_is_no_deadlock(acme: World) -> None:
    """A worker concludes what it told while the night has the same SKU told again."""
    from app.database import transaction
    from app.stock import alignment, dirty

    with transaction() as tx:
        dirty.mark_for(tx, ["shop"], ["WB-TEE"])
        tx.execute(dirty.TOLD, {"account": "shop", "sku": "WB-TEE", "location": "", "quantity": 5})

    def again() -> None:
        with transaction() as tx:
            alignment.tell_again(tx, "shop", ["WB-TEE"])

    with ThreadPoolExecutor(1) as other:
        with transaction() as tx:
            tx.execute(dirty.TOLD, {"account": "shop", "sku": "WB-TEE", "location": "", "quantity": 6})
            night = other.submit(again)
            time.sleep(0.5)
            tx.execute(dirty.CLEAN, {"account": "shop", "sku": "WB-TEE", "location": "", "mark": 1})
        night.result(timeout=20)
    assert acme.one("SELECT count(*) FROM dirty WHERE account = 'shop' AND sku = 'WB-TEE'") == 1
    assert acme.one("SELECT sent IS NOT NULL FROM dirty WHERE account = 'shop' AND sku = 'WB-TEE'"), (
        "it is told once more"
    )


RUN = "from tasks.feeds import align; align.run()"


def test_a_killed_alignment_is_gone_on_with_from_the_next_sku(acme: World) -> None:
    """kill -9 between two chunks: each SKU of the channel is looked at once."""
    from app.database import transaction
    from tasks.feeds import align as feed

    with transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO shelves (sku, location, account, told, as_of, version)"
                " SELECT 'X' || lpad(n::text, 5, '0'), 'main', 'warehouse', 5, now(), '1' FROM generate_series(1, 1500) n"
            )
        )
    feed.full()
    with transaction() as tx:
        tx.execute(text("DELETE FROM alignments WHERE side = 'source'"))
    acme.simulators["shop"].faults.append(Fault("slow", value=0.3))
    worker = subprocess.Popen(
        [sys.executable, "-c", RUN], env={**os.environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    end = time.monotonic() + 60
    while not acme.one("SELECT reached FROM alignments"):
        assert time.monotonic() < end
        time.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    part = acme.rows("SELECT looked, reached, state FROM alignments")[0]
    assert 0 < part.looked < 1500
    assert (part.state, part.reached) == ("waiting", f"X{part.looked:05}")
    acme.good_day("shop")
    feed.run()
    whole = acme.rows("SELECT looked, state FROM alignments")[0]
    assert (whole.looked, whole.state) == (1500, "done")


def test_the_windows_of_a_night_begin_at_its_hour(acme: World) -> None:
    from app.database import transaction
    from config.reader import Schedule
    from tasks.feeds import clock

    night = Schedule("night", 86400.0, "catch_up", 60.0, 1.5 * 3600)
    with transaction() as tx:
        (first,) = clock.due(tx, night)
        assert (first.astimezone(UTC).hour, first.astimezone(UTC).minute) == (1, 30)
        assert 0 <= (datetime.now(UTC) - first).total_seconds() < 86400
        tx.execute(clock.REACHED, {"job": "night", "starts": first})
        assert clock.due(tx, night) == []
        tx.execute(text("UPDATE schedules SET last_window = last_window - interval '3 days' WHERE job = 'night'"))
        missed = clock.due(tx, night)
    assert [one.astimezone(UTC).hour for one in missed] == [1, 1, 1]
    assert missed[-1] == first


def test_beat_looks_often_enough_for_every_window() -> None:
    from tasks.feeds import clock

    looks = {name: entry["schedule"].total_seconds() for name, entry in clock.beat_schedule().items()}
    assert max(looks.values()) <= 60
    assert looks["activate"] == 1
    assert {"align_full", "align_delta", "align", "prices", "tills"} <= set(looks)
