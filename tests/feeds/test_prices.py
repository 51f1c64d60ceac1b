"""A price file over SFTP: read once, checked before anything reaches a channel, in force at its minute, and taken back."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from tests.feeds.conftest import Feed

PLAIN = ("WB-TEE,19.90,EUR,,,,,", "WB-MUG,8.50,EUR,,,,,", "WB-CAP,12.00,EUR,,,,,")


def report(feed: Feed, name: str) -> list[tuple[str, str, str]]:
    """(line, verdict, code) of each line of the report that lies beside the file."""
    rows = list(csv.reader(io.StringIO(feed.server.text(f"reports/{name}.report.csv"))))
    assert rows[0] == ["line", "verdict", "code", "sku", "reason"]
    return [(row[0], row[1], row[2]) for row in rows[1:]]


def test_a_file_is_read_in_force_told_and_answered(feed: Feed) -> None:
    feed.send("monday.csv", *PLAIN)
    from tasks.feeds import prices

    prices.run()
    assert feed.world.one("SELECT count(*) FROM price_runs") == 0  # it may still be written to
    feed.look()
    assert feed.state("monday.csv") == "ready"
    assert not feed.prices()
    feed.minute()
    assert feed.state("monday.csv") == "active"
    assert feed.prices() == {"WB-TEE": "19.9", "WB-MUG": "8.5", "WB-CAP": "12"}
    assert {"WB-TEE": "19.9", "WB-MUG": "8.5"}.items() <= feed.shown().items()
    assert feed.world.calls("shop", "prices.set") == 1  # many in one call
    assert report(feed, "monday") == [("", "checked", "")]
    assert feed.server.names() == []
    assert feed.server.names("done") == ["monday.csv"]
    feed.look()
    feed.minute()
    assert feed.world.calls("shop", "prices.set") == 1  # nothing new, nothing told


def test_each_line_is_held_against_what_a_price_must_be(feed: Feed) -> None:
    """What is refused changes nothing: the price that was in force stays. The report says line by line why."""
    feed.take("one.csv", *PLAIN)
    state = feed.take(
        "two.csv",
        "WB-TEE,21.90,EUR,,,,,",
        "WB-MUG,85.00,EUR,,,,,",  # a point in the wrong place: ten times the price in force
        "WB-CAP,11.50,EUR,,,,,",
        "WB-TEE,1.5,EUR,b2b,,,,",
        "WB-TEE,14.90,EUR,,,2026-01-01,2099-01-08,winter",
        "WB-TEE,1.00,EUR,x1,,,,",
        "WB-TEE,1.00,EUR,x2,,,,",
        "WB-TEE,1.00,EUR,x3,,,,",
        "WB-TEE,1.00,EUR,x4,,,,",
        "NOBODY,1.00,EUR,,,,,",
        "WB-CAP,9.999,EUR,n1,,,,",
        'WB-CAP,"9,99",EUR,n2,,,,',
        "WB-CAP,9.99,XXXX,n3,,,,",
        "WB-CAP,9.99,USD,n4,,,,",
        "WB-CAP,-1,EUR,n5,,,,",
        "WB-CAP,9.99,EUR,n6,9.99,,,",
        "WB-CAP,9.99,EUR,n7,,2026-13-01,,",
        "WB-CAP,9.99,EUR,n8,,2026-12-02,2026-12-01,",
        "WB-CAP,9.99,EUR,n9,,,2020-01-01,",
        "WB-CAP,11.50,EUR,,,,,",
        "WB-CAP,11.50,EUR,,,2026-01-01,2099-01-08,not lower",
        "WB-CAP,8.00,EUR,n10,,,2099-01-01,no price below it",
        "WB-CAP,8.00,EUR,,,,,without an end",
        ",9.99,EUR,,,,,",
        "WB-CAP,NaN,EUR,n11,,,,",
        "WB-CAP,9.99",
    )
    assert state == "held"
    assert "lines are refused" in feed.world.one("SELECT why FROM price_runs WHERE file = 'two.csv'")
    assert feed.prices() == {"WB-TEE": "19.9", "WB-MUG": "8.5", "WB-CAP": "12"}
    refused = {int(line): code for line, verdict, code in report(feed, "two") if verdict == "refused"}
    assert refused == {
        3: "price_jump",
        11: "unknown_sku",
        12: "price",
        13: "price",
        14: "currency",
        15: "currency",
        16: "price",
        17: "compare_at",
        18: "dates",
        19: "dates",
        20: "over",
        21: "twice",
        22: "promotion",
        23: "promotion",
        24: "promotion",
        25: "sku",
        26: "price",
        27: "columns",
    }
    decided(feed, "two.csv", approve=True)
    feed.minute()
    assert feed.state("two.csv") == "active"
    base = {
        row.sku: str(row.amount.normalize())
        for row in feed.world.rows("SELECT sku, amount FROM prices WHERE price_list = ''")
    }
    assert base == {"WB-TEE": "14.9", "WB-MUG": "8.5", "WB-CAP": "11.5"}  # the mug keeps what it cost
    assert feed.shown()["WB-TEE"] in ("14.9 was 21.9", "1.5", "1", "1.0")
    assert feed.world.one("SELECT status FROM cases WHERE code = 'price_feed_held'") == "resolved"


def decided(feed: Feed, name: str, *, approve: bool) -> None:
    from app.catalogue import price_runs
    from app.database import transaction

    with transaction() as tx:
        assert price_runs.decide(tx, feed.run(name), "anna", "I have looked", approve=approve)


def test_far_fewer_lines_than_before_wait_for_a_person(feed: Feed) -> None:
    feed.take("full.csv", *PLAIN)
    assert feed.take("half.csv", "WB-TEE,18.90,EUR,,,,,") == "held"
    assert feed.prices()["WB-TEE"] == "19.9"
    assert "1 lines, the one before had 3" in feed.world.one(
        "SELECT sentence FROM cases WHERE code = 'price_feed_held'"
    )
    decided(feed, "half.csv", approve=False)
    feed.minute()
    assert feed.state("half.csv") == "rejected"
    assert feed.take("next.csv", "WB-TEE,18.90,EUR,,,,,", *PLAIN[1:]) == "active"
    assert feed.prices()["WB-TEE"] == "18.9"


def test_a_held_file_is_over_once_a_newer_one_is_in_force(feed: Feed) -> None:
    from app.catalogue import price_runs
    from app.database import transaction

    feed.take("full.csv", *PLAIN)
    assert feed.take("half.csv", "WB-TEE,18.90,EUR,,,,,") == "held"
    assert feed.take("next.csv", "WB-TEE,18.50,EUR,,,,,", *PLAIN[1:]) == "active"
    assert feed.state("half.csv") == "superseded"
    assert feed.world.one("SELECT status FROM cases WHERE code = 'price_feed_held'") == "resolved"
    with transaction() as tx:
        assert not price_runs.decide(tx, feed.run("half.csv"), "anna", "too late", approve=True)
    feed.minute()
    assert feed.prices()["WB-TEE"] == "18.5"


def test_what_a_refused_line_keeps_is_what_holds_when_it_is_approved(feed: Feed) -> None:
    from app.catalogue import price_activation
    from app.database import transaction

    feed.take("old.csv", *PLAIN)
    feed.take("new.csv", *PLAIN[:1], "WB-MUG,9.00,EUR,,,,,", *PLAIN[2:])
    assert feed.take("held.csv", "WB-TEE,18.90,EUR,,,,,", "WB-MUG,nine,EUR,,,,,") == "held"
    with transaction() as tx:
        price_activation.roll_back(tx, feed.run("new.csv"), "anna", "9.00 was wrong")
    decided(feed, "held.csv", approve=True)
    feed.minute()
    assert feed.state("held.csv") == "active"
    assert (feed.prices()["WB-TEE"], feed.prices()["WB-MUG"]) == ("18.9", "8.5")


def test_a_price_holds_from_its_minute_until_its_minute(feed: Feed) -> None:
    """A promotion comes and goes by itself; what is reduced is told with what it is reduced from, and explicitly without it afterwards."""
    now = datetime.now(UTC)
    begins, ends = (f"{now + timedelta(hours=n):%Y-%m-%dT%H:%M:%S}+00:00" for n in (1, 3))
    feed.take("plan.csv", *PLAIN, f"WB-TEE,14.90,EUR,,,{begins},{ends},winter", f"WB-MUG,9.00,EUR,,,{ends},,")
    assert feed.prices()["WB-TEE"] == "19.9"
    feed.later(hours=2)
    feed.minute()
    assert feed.prices() == {"WB-TEE": "14.9 was 19.9", "WB-MUG": "8.5", "WB-CAP": "12"}
    assert feed.shown()["WB-TEE"] == "14.9 was 19.9"
    feed.later(hours=2)
    feed.minute()
    assert feed.prices() == {"WB-TEE": "19.9", "WB-MUG": "9", "WB-CAP": "12"}
    assert feed.shown()["WB-TEE"] == "19.9"
    assert feed.shown()["WB-MUG"] == "9"
    before = feed.world.calls("shop", "prices.set")
    feed.minute()
    assert feed.world.calls("shop", "prices.set") == before


def test_a_promotion_that_lasts_longer_is_told_anew(feed: Feed) -> None:
    """Some channels end it by the date that they were told."""
    line = "WB-TEE,14.90,EUR,,,2026-01-01,{},winter"
    feed.take("one.csv", *PLAIN, line.format("2098-01-01"))
    assert feed.shown()["WB-TEE"] == "14.9 was 19.9"
    before = feed.world.calls("shop", "prices.set")
    feed.take("two.csv", *PLAIN, line.format("2099-01-01"))
    assert feed.world.calls("shop", "prices.set") == before + 1


def test_a_price_that_is_reduced_from_another_sum_is_told_anew(feed: Feed) -> None:
    """The same amount, another compare_at: the channel hears of it; what it knows already it does not hear again."""
    feed.take("one.csv", *PLAIN)
    feed.take("two.csv", "WB-TEE,19.90,EUR,,24.90,,,", *PLAIN[1:])
    assert feed.shown()["WB-TEE"] == "19.9 was 24.9"
    told = feed.world.one("SELECT count(*) FROM steps WHERE name = 'publish_prices' AND state = 'done'")
    assert feed.world.calls("shop", "prices.set") == told == 2


def test_a_run_is_rolled_back_to_the_one_before(feed: Feed) -> None:
    from app.catalogue import price_activation
    from app.database import transaction

    feed.take("good.csv", *PLAIN)
    feed.take("bad.csv", "WB-TEE,13.00,EUR,,,,,", *PLAIN[1:])
    assert feed.shown()["WB-TEE"] == "13"
    with transaction() as tx:
        to = price_activation.roll_back(tx, feed.run("bad.csv"), "anna", "those are purchase prices")
    assert to == feed.run("good.csv")
    feed.minute()
    assert feed.prices()["WB-TEE"] == "19.9"
    assert feed.shown()["WB-TEE"] == "19.9"
    assert (feed.state("good.csv"), feed.state("bad.csv")) == ("active", "rolled_back")
    with transaction() as tx:
        assert price_activation.roll_back(tx, feed.run("bad.csv"), "anna", "again") is None
        assert price_activation.roll_back(tx, feed.run("good.csv"), "anna", "nothing is before it") is None
    assert feed.take("better.csv", "WB-TEE,18.00,EUR,,,,,", *PLAIN[1:]) == "active"
    assert feed.prices()["WB-TEE"] == "18"


def test_files_that_are_none_and_files_that_are_known(feed: Feed) -> None:
    feed.server.put("broken.csv", b"\xff\xfe\x00nonsense")
    feed.server.put("empty.csv", "sku,price,currency\n")
    feed.server.put("other.csv", "name;age\nana;7\n")
    feed.server.put(".hidden.csv", "sku,price,currency\nWB-TEE,1,EUR\n")
    feed.server.put("upload.csv.part", "sku,price,currency\nWB-TEE,1,EUR\n")
    feed.look()
    assert [feed.state(name) for name in ("broken.csv", "empty.csv", "other.csv")] == ["unreadable"] * 3
    assert feed.world.one("SELECT count(*) FROM price_runs") == 3
    assert report(feed, "other")[0][1] == "unreadable"
    feed.take("a.csv", *PLAIN)
    assert feed.take("b.csv", *PLAIN) == "duplicate"
    assert report(feed, "b")[0][1] == "duplicate"
    assert feed.server.names("done") == ["a.csv", "b.csv", "broken.csv", "empty.csv", "other.csv"]
    feed.send("semi.csv", "WB-TEE;19.50;EUR", "WB-MUG;8.40;EUR", "WB-CAP;12;EUR", head="﻿SKU;Price;Currency")
    feed.look()
    feed.minute()
    assert feed.prices()["WB-TEE"] == "19.5"


def test_a_formula_in_a_file_is_text_in_the_report(feed: Feed) -> None:
    feed.send("evil.csv", *PLAIN, '"=HYPERLINK(""http://x"",""y"")",1.00,EUR,,,,,')
    feed.look()
    assert "'=HYPERLINK" in feed.server.text("reports/evil.report.csv")


def test_a_refused_price_is_a_case_and_holds_no_other_back(feed: Feed) -> None:
    feed.world.code("erp", "sku", "WB-GONE", "WB-GONE")
    feed.take("gone.csv", *PLAIN, "WB-GONE,5.00,EUR,,,,,")
    assert feed.shown()["WB-TEE"] == "19.9"
    assert feed.world.one("SELECT count(*) FROM cases WHERE code = 'price_refused' AND sentence LIKE '%WB-GONE%'") == 1
    calls = feed.world.calls("shop", "prices.set")
    feed.minute()
    assert feed.world.calls("shop", "prices.set") == calls


def test_a_price_that_ends_without_another_is_a_case(feed: Feed) -> None:
    feed.take("first.csv", *PLAIN, "WB-TEE,3.00,EUR,b2b,,,,", *(f"WB-TEE,{n}.00,EUR,l{n},,,," for n in range(2, 20)))
    feed.take("second.csv", *PLAIN, *(f"WB-TEE,{n}.00,EUR,l{n},,,," for n in range(2, 20)))
    assert "1 prices of prices have ended" in feed.world.one("SELECT sentence FROM cases WHERE code = 'price_lapsed'")


def test_a_lost_answer_leaves_one_report_and_one_file(feed: Feed) -> None:
    """The line breaks right after the rename, of the report and of the file: found, not done twice."""
    feed.server.breaks = 2
    feed.take("monday.csv", *PLAIN)
    assert feed.server.breaks == 0
    assert feed.server.names("done") == ["monday.csv"]
    assert len(feed.server.renamed) == 2
    assert feed.world.states()["feed_reported.archive_file"] == "done"
    assert "found" in feed.world.outcomes("put_report") + feed.world.outcomes("archive_file")


def test_another_server_is_not_spoken_to(feed: Feed) -> None:
    from app.database import engine
    from local import files as sftp
    from tests.world import fresh_process

    accounts = feed.world.folder / "accounts.toml"
    wrong = feed.server.host_key.replace("AAAA", "AAAB", 1)
    accounts.write_text(accounts.read_text().replace(feed.server.host_key, wrong))
    engine().dispose()
    fresh_process()
    feed.send("monday.csv", *PLAIN)
    feed.look()
    assert feed.server.logins == []  # not even the login's name was said
    assert feed.world.one("SELECT count(*) FROM price_runs") == 0
    accounts.write_text(accounts.read_text().replace(wrong, feed.server.host_key))
    for secret in ("wrong", feed.server.login_key):
        os.environ["TESTS_SFTP_SECRET"] = secret
        engine().dispose()
        fresh_process()
        feed.look()
    assert feed.state("monday.csv") == "ready"  # the key opened what the wrong password did not
    assert set(feed.server.logins) == {sftp.USER}


def test_two_workers_at_once_read_each_line_once(feed: Feed) -> None:
    from tasks.feeds import prices

    feed.send("big.csv", *(f"WB-TEE,{n % 90 + 1}.00,EUR,l{n},,,," for n in range(3000)))
    prices.run()
    crowd = [threading.Thread(target=prices.run) for _ in range(4)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    feed.look()
    assert feed.world.one("SELECT count(*) FROM price_runs") == 1
    row = feed.world.rows("SELECT count(*) AS n, count(DISTINCT n) AS lines FROM price_lines")[0]
    assert (row.n, row.lines) == (3000, 3000)
    assert feed.state("big.csv") == "ready"


KILLED = """
import time
from tasks.feeds import prices
prices.look("prices")
prices.look("prices")
print("reading", flush=True)
prices.read_on(time.monotonic() + 60)
"""


def test_a_killed_worker_is_followed_from_the_next_line(feed: Feed) -> None:
    """kill -9 in the middle of a file: what it read is kept, and each line is read once."""
    feed.send("big.csv", *(f"WB-TEE,{n % 90 + 1}.00,EUR,l{n},,,," for n in range(20_000)))
    worker = subprocess.Popen([sys.executable, "-c", KILLED], env={**os.environ}, stdout=subprocess.PIPE)
    end = time.monotonic() + 60
    while (feed.world.one("SELECT reached FROM price_runs") or 0) < 2000:
        assert time.monotonic() < end
        time.sleep(0.01)
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    reached = feed.world.one("SELECT reached FROM price_runs")
    assert 0 < reached < 20_000
    assert feed.world.one("SELECT count(*) FROM price_lines") == reached
    feed.look()
    row = feed.world.rows("SELECT count(*) AS n, count(DISTINCT n) AS lines FROM price_lines")[0]
    assert (row.n, row.lines, feed.state("big.csv")) == (20_000, 20_000, "ready")


def test_prices_may_come_back_by_the_file_that_had_them(feed: Feed) -> None:
    """Up for a day and down again: the third file has the first one's content, under its name or another, and is no duplicate of it."""
    lower = ("WB-TEE,18.90,EUR,,,,,", *PLAIN[1:])
    feed.take("prices.csv", *PLAIN)
    assert feed.take("lower.csv", *lower) == "active"
    assert feed.take("prices.csv", *PLAIN) == "active"
    assert feed.prices()["WB-TEE"] == "19.9"
    assert feed.take("prices.csv", *PLAIN) == "duplicate"  # of what is in force
    assert feed.take("lower again.csv", *lower) == "active"
    assert feed.shown()["WB-TEE"] == "18.9"
    assert feed.server.names() == []


def test_a_file_that_takes_anothers_name_is_not_moved_away_unread(feed: Feed) -> None:
    """The next file is laid while the first is still being answered: it is read like any other."""
    from tasks.feeds import prices

    feed.send("prices.csv", *PLAIN)
    prices.run()
    prices.run()
    feed.send("prices.csv", "WB-TEE,18.9,EUR,,,,,", *PLAIN[1:])
    feed.world.pump()
    feed.minute()
    assert feed.prices()["WB-TEE"] == "19.9"
    feed.look()
    feed.minute()
    assert feed.prices()["WB-TEE"] == "18.9"
    assert feed.server.names() == []


def test_an_archived_file_is_not_written_over_by_the_next_of_its_name(feed: Feed) -> None:
    """One name every day, as many send it: each file is kept; the same file again needs no second place."""
    from hashlib import sha256

    days = [
        ("WB-TEE,19.90,EUR,,,,,", *PLAIN[1:]),
        ("WB-TEE,18.90,EUR,,,,,", *PLAIN[1:]),
        ("WB-TEE,17.90,EUR,,,,,", *PLAIN[1:]),
    ]
    for lines in (*days, days[2]):
        feed.take("prices.csv", *lines)
    kept = [feed.server.text(f"done/{name}") for name in feed.server.names("done")]
    assert sorted(line for text in kept for line in text.splitlines() if line.startswith("WB-TEE")) == sorted(
        lines[0] for lines in days
    )
    marks = {sha256(text.encode()).hexdigest()[:12] for text in kept}
    assert all(name == "prices.csv" or name.split(".")[1] in marks for name in feed.server.names("done"))
    feed.server.breaks = 1  # the fourth: moved, and the answer lost
    feed.take("prices.csv", "WB-TEE,16.90,EUR,,,,,", *PLAIN[1:])
    assert len(feed.server.names("done")) == 4
    assert feed.server.names() == []


def second(feed: Feed, zone: str = "Europe/Berlin") -> None:
    """Another feed, at another folder of the same server."""
    from app.database import engine
    from tasks.engine.connecting import limiter
    from tests.world import fresh_process

    accounts = feed.world.folder / "accounts.toml"
    mine = accounts.read_text().partition("[prices]")[2].partition("\n[")[0]
    accounts.write_text(accounts.read_text() + "\n[zprices]" + mine.replace("/prices", "/zprices"))
    with (feed.world.folder / "prices.toml").open("a") as file:
        file.write(f'\n[feeds.prices]\nzone = "{zone}"\n')
    (feed.server.folder / "zprices").mkdir()
    engine().dispose()
    fresh_process()
    limiter().warm("prices")
    limiter().warm("zprices")


def test_a_feed_that_cannot_be_read_keeps_no_other_waiting(feed: Feed) -> None:
    """A name that is no UTF-8 in one folder, a policy that nobody can follow: the other feed's prices are in force all the same."""
    from tasks.feeds import prices

    second(feed, zone="Mars/Base")
    feed.server.put("prices.csv", "sku,price,currency\nWB-MUG,8.50,EUR\n")
    feed.server.put("../zprices/z.csv", "sku,price,currency\nWB-TEE,19.90,EUR\n")
    prices.run()
    feed.look()
    feed.minute()
    assert feed.prices() == {"WB-TEE": "19.9"}
    assert feed.world.one("SELECT code FROM cases WHERE status <> 'resolved'") == "price_feed_stuck"
    mended = feed.world.folder / "prices.toml"
    mended.write_text(mended.read_text().replace("Mars/Base", "Europe/Berlin"))
    from config.reader import config

    config.cache_clear()
    (feed.server.folder / "prices" / "x").with_name(os.fsdecode(b"preise-\xe4.csv")).write_text("sku")
    feed.server.put("../zprices/z.csv", "sku,price,currency\nWB-TEE,18.90,EUR\n")
    feed.look()
    feed.minute()
    assert feed.prices() == {"WB-TEE": "18.9", "WB-MUG": "8.5"}
    assert not feed.world.one("SELECT count(*) FROM cases WHERE status <> 'resolved'")


def test_a_long_file_leaves_other_feeds_their_share_of_the_time(feed: Feed) -> None:
    from tasks.feeds import prices

    second(feed)
    many = "".join(f"WB-TEE,{n % 90 + 1}.00,EUR,l{n},,,,\n" for n in range(60_000))
    feed.server.put("long.csv", "sku,price,currency,list,compare_at,from,until,promotion\n" + many)
    feed.server.put("../zprices/z.csv", "sku,price,currency\nWB-TEE,19.90,EUR\n")
    for name in ("prices", "zprices"):
        prices.look(name)
        prices.look(name)
    prices.read_on(time.monotonic() + 2)
    assert (feed.state("long.csv"), feed.state("z.csv")) == ("loading", "ready")


def test_a_file_that_is_too_large_keeps_no_other_waiting(feed: Feed) -> None:
    from app.database import engine
    from tests.world import fresh_process

    accounts = feed.world.folder / "accounts.toml"
    accounts.write_text(
        accounts.read_text().replace("settings = { host_key", "settings = { most_bytes = 2000, host_key")
    )
    engine().dispose()
    fresh_process()
    feed.send("a.csv", *(f"WB-TEE,{n % 90 + 1}.00,EUR,l{n},,,," for n in range(200)))
    assert feed.take("b.csv", *PLAIN) == "active"
    assert feed.state("a.csv") == "unreadable"
    assert "more than 2000 bytes" in feed.world.one("SELECT sentence FROM cases WHERE code = 'price_feed_unreadable'")
    assert feed.server.names() == []


def test_a_price_that_is_taken_ends_no_case_of_another_of_its_sku(feed: Feed) -> None:
    feed.world.code("erp", "sku", "WB-GONE", "WB-GONE")
    feed.take("gone.csv", *PLAIN, "WB-GONE,5.00,EUR,,,,,")
    assert feed.world.one("SELECT status FROM cases WHERE code = 'price_refused'") == "open"
    taken = price_mark("b2b", "WB-GONE", "1")
    told(feed, taken)
    assert feed.world.one("SELECT status FROM cases WHERE code = 'price_refused'") == "open"


def price_mark(price_list: str, sku: str, pieces: str) -> Any:
    from decimal import Decimal

    from app.catalogue.price_marks import Key, PriceMark

    return PriceMark(Key(price_list, sku, "EUR", Decimal(pieces)), 1, None, False)


def told(feed: Feed, *marks: Any) -> None:
    """A batch of these prices is concluded: the shop took all of them."""
    from app.database import transaction
    from tasks.engine import conclude
    from tasks.engine.act import Acted

    step = SimpleNamespace(account="shop", name="publish_prices")
    with transaction() as tx:
        conclude._tell(tx, SimpleNamespace(step=step), Acted("", [(mark, "") for mark in marks]))  # type: ignore[arg-type]


def test_prices_are_marked_and_told_in_one_order(feed: Feed) -> None:
    """While one worker marks the prices of a new file, another concludes what it told: neither waits for the other for ever."""
    from app.catalogue import price_marks
    from app.database import transaction

    two, ten = (price_mark("", "WB-TEE", pieces) for pieces in ("2", "10"))
    with transaction() as tx:
        price_marks.mark(tx, [two.key, ten.key])
    with ThreadPoolExecutor(1) as other:
        with transaction() as tx:
            price_marks.mark(tx, [two.key])
            telling = other.submit(told, feed, ten, two)
            time.sleep(0.5)
            price_marks.mark(tx, [ten.key])
        telling.result(timeout=20)
    assert feed.world.one("SELECT count(*) FROM price_marks WHERE sku = 'WB-TEE' AND mark = 2") == 2


def test_going_back_and_activating_at_once_is_no_deadlock(feed: Feed) -> None:
    from app.catalogue import price_activation
    from app.database import transaction

    feed.take("good.csv", *PLAIN)
    feed.take("bad.csv", "WB-TEE,13.00,EUR,,,,,", *PLAIN[1:])
    bad = feed.run("bad.csv")

    def back() -> int | None:
        with transaction() as tx:
            return price_activation.roll_back(tx, bad, "anna", "those are purchase prices")

    with ThreadPoolExecutor(1) as other:
        with transaction() as tx:
            tx.execute(price_activation.TURN, {"account": "prices"})
            going = other.submit(back)
            time.sleep(0.5)
            price_activation.activate(tx, "prices")
        assert going.result(timeout=20) == feed.run("good.csv")
    assert feed.state("good.csv") == "active"


def test_a_file_approved_while_a_newer_one_comes_into_force_is_over(feed: Feed) -> None:
    from app.catalogue import price_activation, price_runs
    from app.database import transaction

    feed.take("full.csv", *PLAIN)
    assert feed.take("half.csv", "WB-TEE,18.90,EUR,,,,,") == "held"
    feed.send("next.csv", "WB-TEE,18.50,EUR,,,,,", *PLAIN[1:])
    feed.look()

    def activate() -> None:
        with transaction() as tx:
            price_activation.activate(tx, "prices")

    with ThreadPoolExecutor(1) as other:
        with transaction() as tx:
            assert price_runs.decide(tx, feed.run("half.csv"), "anna", "I have looked", approve=True)
            beginning = other.submit(activate)
            time.sleep(0.5)
        beginning.result(timeout=20)
    feed.minute()
    feed.minute()
    assert (feed.state("next.csv"), feed.prices()["WB-TEE"]) == ("active", "18.5")
    assert feed.state("half.csv") == "superseded"


def test_a_price_jump_is_seen_during_a_promotion_too(feed: Feed) -> None:
    sale = "WB-TEE,14.90,EUR,,,2026-01-01,2099-01-08,winter"
    feed.take("one.csv", *PLAIN, sale)
    assert feed.prices()["WB-TEE"] == "14.9 was 19.9"
    feed.take("two.csv", "WB-TEE,199.00,EUR,,,,,", *PLAIN[1:], sale)
    assert ("2", "refused", "price_jump") in report(feed, "two")
    feed.minute()
    assert feed.prices()["WB-TEE"] == "14.9 was 19.9"
