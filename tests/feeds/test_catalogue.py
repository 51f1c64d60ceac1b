"""An ERP's own catalogue: what changed of items and prices is looked at, goes a file's way, and lets waiting orders go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.feeds.conftest import Feed
from tests.joined import anew

SOURCES = """
[sources.erp]
every = {every}
whole = {whole}
lookback = 300
"""


@pytest.fixture
def erp(feed: Feed) -> Feed:
    """The ERP's catalogue is a source of prices, beside the folder of files (which nothing comes from)."""
    return follow(feed)


def follow(feed: Feed, every: int = 0, whole: int = 86400, owner: str = "") -> Feed:
    policy, kept = feed.world.folder / "prices.toml", feed.world.folder / "authority.toml"
    policy.write_text(policy.read_text().partition("[sources")[0] + SOURCES.format(every=every, whole=whole))
    from config.reader import HERE

    kept.write_text((HERE / "authority.toml").read_text().replace('[price]\nowner = ""', f'[price]\nowner = "{owner}"'))
    anew()
    return feed


def look(feed: Feed) -> dict[str, Any]:
    """One look, its prices read and in force; the look as the page shows it."""
    from app.catalogue import looks
    from app.database import transaction
    from tasks.feeds import catalogue, prices

    catalogue.run()
    prices.run()
    feed.world.pump()
    feed.minute()
    with transaction() as tx:
        found = looks.recent(tx)
    return {name: getattr(found[0], name) for name in found[0].__dataclass_fields__}


def item(feed: Feed, sku: str, **told: Any) -> None:
    """Somebody changes or makes an item in the ERP."""
    feed.world.ask("erp", "POST", "/_sim/products", json={"sku": sku, **told})


def priced(feed: Feed, sku: str, amount: str, **more: Any) -> None:
    """Somebody changes an item's price in the ERP, which changes the item."""
    feed.world.simulators["erp"].memory.put("priced", sku, {"amount": amount, **more})
    item(feed, sku)


def row(feed: Feed, sku: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = feed.world.rows("SELECT * FROM catalogue_items WHERE sku = :sku", sku=sku)[0]._mapping
    return found


def case(feed: Feed, code: str) -> tuple[str, str]:
    found = feed.world.rows("SELECT sentence, status FROM cases WHERE code = :code ORDER BY id DESC LIMIT 1", code=code)
    return (found[0].sentence, found[0].status) if found else ("", "")


def test_what_the_erp_asks_for_is_what_the_shop_shows(erp: Feed) -> None:
    first = look(erp)
    assert (first["kind"], first["items"], first["prices"], first["state"]) == ("whole", 3, 3, "done")
    assert erp.prices() == {"WB-TEE": "19.9", "WB-MUG": "8.5", "WB-CAP": "24"}
    assert erp.shown() == {"WB-TEE": "19.90", "WB-MUG": "8.50", "WB-CAP": "24.00"} or erp.shown() == erp.prices()
    assert row(erp, "WB-TEE")["title"] == "Tee, black, M"
    priced(erp, "WB-TEE", "18.00")
    second = look(erp)
    assert (second["kind"], second["items"], second["before"]) == ("changed", 1, None)
    assert erp.shown()["WB-TEE"] == "18"
    asked = erp.world.calls("erp", "prices.list")
    third = look(erp)  # the look back brings the tee again, which says nothing new
    assert (third["items"], third["before"], third["run_id"]) == (1, 1, None)
    assert erp.world.calls("erp", "prices.list") == asked + 1
    assert erp.world.one("SELECT count(*) FROM price_runs") == 2
    assert not erp.world.one("SELECT count(*) FROM steps WHERE flow = 'feed_reported'")  # nobody laid a file


def test_its_prices_pass_the_same_gates(erp: Feed) -> None:
    """Ten times the price is refused by name and changes nothing; what the run before has can be gone back to."""
    from app.catalogue import price_activation
    from app.database import transaction

    look(erp)
    priced(erp, "WB-TEE", "199.00")
    priced(erp, "WB-MUG", "9.00")
    look(erp)
    refused = erp.world.rows("SELECT sku, code FROM price_lines WHERE state = 'refused'")
    assert [(line.sku, line.code) for line in refused] == [("WB-TEE", "price_jump")]
    run = erp.world.one("SELECT max(id) FROM price_runs")
    assert erp.world.one("SELECT state FROM price_runs WHERE id = :run", run=run) == "held"  # one of three
    from app.catalogue import price_runs

    with transaction() as tx:
        assert price_runs.decide(tx, run, "anna", "the mug is right", approve=True)
    erp.minute()
    assert (erp.shown()["WB-TEE"], erp.shown()["WB-MUG"]) == ("19.9", "9")
    with transaction() as tx:
        price_activation.roll_back(tx, run, "anna", "not yet")
    erp.minute()
    assert erp.shown()["WB-MUG"] == "8.5"
    look(erp)
    assert erp.shown()["WB-MUG"] == "8.5"  # what was rolled back does not come again by itself


def test_an_item_that_arrives_lets_its_order_go_on(erp: Feed) -> None:
    """The ERP does not know the article yet: the order waits. Its item is made there; nobody clicks anything."""
    look(erp)
    item(erp, "WB-NEW")
    erp.world.simulators["erp"].memory.table("products").pop("art-WB-NEW")
    erp.world.order(lines=[{"sku": "WB-NEW"}])
    erp.world.pump(until=lambda: erp.world.states().get("order_placed.book_order") == "parked")
    item(erp, "WB-NEW", title="New hat", barcode="4006381333931")
    made = look(erp)
    assert made["mapped"] == 1
    erp.world.pump()
    assert erp.world.states()["order_placed.book_order"] == "done"
    assert row(erp, "WB-NEW")["barcode"] == "4006381333931"
    assert erp.world.one("SELECT theirs FROM codes WHERE account = 'erp' AND ours = 'WB-NEW'") == "WB-NEW"


def test_what_a_person_mapped_stays(erp: Feed) -> None:
    """Our SKU is another item's there: the item that bears its name is not put in its place, and says why."""
    item(erp, "ERP-7")
    erp.world.code("erp", "sku", "WB-HAT", "ERP-7")
    item(erp, "WB-HAT")
    look(erp)
    assert erp.world.one("SELECT theirs FROM codes WHERE account = 'erp' AND ours = 'WB-HAT'") == "ERP-7"
    told = erp.world.rows(
        "SELECT id, sku, why FROM catalogue_items WHERE id LIKE '%-ERP-7' OR id LIKE '%-WB-HAT' ORDER BY id"
    )
    assert [(one.id, one.sku) for one in told] == [("art-ERP-7", "WB-HAT"), ("art-WB-HAT", "")]
    assert (told[0].why, told[1].why[-8:]) == ("", " map it.")


def test_a_blocked_item_is_said_as_such(erp: Feed) -> None:
    from app.catalogue import price_runs
    from app.database import transaction

    for n in range(20):
        item(erp, f"WB-{n:02}")
    look(erp)
    item(erp, "WB-CAP", active=False)
    assert look(erp)["blocked"] == 1
    assert case(erp, "item_blocked") == ("WB-CAP is blocked in erp: channels may still offer it.", "open")
    assert "WB-CAP" not in erp.prices()
    assert case(erp, "price_lapsed") == ("", "")  # one trouble, one case
    item(erp, "WB-CAP")
    look(erp)
    assert case(erp, "item_blocked")[1] == "resolved"
    assert erp.prices()["WB-CAP"] == "24"
    with transaction() as tx:
        assert price_runs.recent(tx)[0].state == "active"


def test_what_is_deleted_is_seen_by_a_look_at_everything(feed: Feed) -> None:
    for n in range(20):
        item(feed, f"WB-{n:02}")
    follow(feed, whole=0)
    look(feed)
    feed.world.simulators["erp"].memory.table("products").pop("art-WB-05")
    assert look(feed)["gone"] == 1
    assert case(feed, "item_deleted") == ("WB-05 is not listed any more in erp: channels may still offer it.", "open")
    assert "WB-05" not in feed.prices()


def test_a_list_that_was_cut_short_takes_nothing_away(feed: Feed) -> None:
    for n in range(20):
        item(feed, f"WB-{n:02}")
    follow(feed, whole=0)
    look(feed)
    table = feed.world.simulators["erp"].memory.table("products")
    kept = {name: table.pop(name) for name in [*table][5:]}
    cut = look(feed)
    assert (cut["gone"], cut["items"], cut["before"]) == (0, 5, 23)
    assert case(feed, "catalogue_drop") == ("erp lists 5 items, it had 23 before: nothing was taken away.", "open")
    assert len(feed.prices()) == 23
    table.update(kept)
    assert look(feed)["gone"] == 0
    assert case(feed, "catalogue_drop")[1] == "resolved"


def test_the_file_and_the_erp_do_not_fight(feed: Feed) -> None:
    """The files own the prices: what the ERP says of them is refused, and is a case. Then the ERP owns them, and the files are refused."""
    follow(feed, owner="prices")
    feed.take("one.csv", "WB-TEE,15.00,EUR,web,,,,", "WB-MUG,8.50,EUR,web,,,,")
    look(feed)
    assert feed.prices() == {"WB-TEE": "15", "WB-MUG": "8.5"}
    sentence, status = case(feed, "not_the_owner")
    assert "prices says the prices of the list web, not erp" in sentence
    assert (status, feed.state("catalogue look 1")) == ("open", "held")
    priced(feed, "WB-CAP", "24.50")
    look(feed)
    assert feed.world.one("SELECT count(*) FROM cases WHERE code = 'not_the_owner'") == 1  # one trouble, one case
    follow(feed, owner="erp")
    priced(feed, "WB-CAP", "25.00")
    look(feed)
    assert feed.prices() == {"WB-TEE": "19.9", "WB-MUG": "8.5", "WB-CAP": "25"}
    assert feed.shown()["WB-TEE"] == "19.9"
    assert case(feed, "not_the_owner")[1] == "resolved"
    assert feed.take("two.csv", "WB-TEE,14.00,EUR,web,,,,", "WB-MUG,8.00,EUR,web,,,,") == "held"
    assert feed.prices()["WB-TEE"] == "19.9"
    assert "erp says the prices of the list web, not prices" in case(feed, "not_the_owner")[0]


def test_without_a_declared_owner_who_told_a_price_first_goes_on(erp: Feed) -> None:
    erp.take("one.csv", "WB-TEE,18.00,EUR,web,,,,")
    look(erp)
    assert (erp.prices()["WB-TEE"], erp.state("catalogue look 1")) == ("18", "held")
    assert case(erp, "not_the_owner")[1] == "open"


def test_one_item_whose_price_cannot_be_had_keeps_no_other_away(erp: Feed) -> None:
    look(erp)
    priced(erp, "WB-TEE", "no price at all")
    priced(erp, "WB-MUG", "9.00")
    told = look(erp)
    assert (told["unread"], told["state"]) == (1, "done")
    assert (erp.shown()["WB-TEE"], erp.shown()["WB-MUG"]) == ("19.9", "9")


def test_a_bad_day_is_gone_on_with(erp: Feed) -> None:
    erp.world.bad_day("erp", "unavailable", operations=("products.list",))
    for _ in range(3):
        said = look(erp)
        assert (said["state"], said["items"]) == ("open", 0)
        erp.write("UPDATE catalogue_looks SET due_at = now()")
    assert case(erp, "catalogue_stuck")[1] == "open"
    erp.world.good_day("erp")
    assert look(erp)["state"] == "done"
    assert case(erp, "catalogue_stuck")[1] == "resolved"


def test_two_at_once_read_each_item_once(erp: Feed) -> None:
    from tasks.feeds import catalogue

    for n in range(120):
        item(erp, f"WB-{n:03}")
    crowd = [threading.Thread(target=catalogue.run) for _ in range(3)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    told = look(erp)
    assert erp.world.one("SELECT max(items) FROM catalogue_looks WHERE kind = 'whole'") == 123
    assert erp.world.one("SELECT count(*) FROM catalogue_prices") == 123
    assert told["state"] == "done"
    assert len(erp.prices()) == 123


KILLED = """
from tasks.feeds import catalogue
catalogue.look("erp")
"""


def test_a_killed_worker_is_followed_from_the_next_item(erp: Feed) -> None:
    """kill -9 in the middle of a look: the same look is gone on with, and what was read whole is not asked for again."""
    for n in range(600):
        item(erp, f"WB-{n:03}")
    worker = subprocess.Popen([sys.executable, "-c", KILLED], env={**os.environ})
    end = time.monotonic() + 60
    while not erp.world.one("SELECT items FROM catalogue_looks"):
        assert time.monotonic() < end
        time.sleep(0.005)
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    reached = erp.world.one("SELECT items FROM catalogue_looks WHERE state = 'open'")
    assert 0 < reached < 603
    asked = erp.world.calls("erp", "prices.list")
    from tasks.feeds import catalogue, prices

    catalogue.run()
    prices.run()
    told = erp.world.rows("SELECT state, items, prices FROM catalogue_looks")
    assert [tuple(one) for one in told] == [("done", 603, 603)]
    assert erp.world.calls("erp", "prices.list") - asked == (603 - reached + 99) // 100
    assert erp.world.one("SELECT count(*) FROM price_lines WHERE state = 'accepted'") == 603
