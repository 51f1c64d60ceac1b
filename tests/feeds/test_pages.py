"""The admin's page of feeds: progress, figures, refused lines, and the three decisions."""

from __future__ import annotations

import os

import pytest
from flask import Flask

from tests.feeds.conftest import Feed
from tests.feeds.test_prices import PLAIN
from tests.web.conftest import PASSWORDS, Person


@pytest.fixture
def app(feed: Feed) -> Flask:
    from app.database import transaction
    from app.web import create_app, people

    os.environ.update(SECRET_KEY="tests only", PLAIN_HTTP="1", ADMIN_PASSWORD="")
    made = create_app()
    with transaction() as tx:
        for role, password in PASSWORDS.items():
            people.keep(tx, role, password, role)
    return made


def test_a_held_run_is_looked_at_and_decided(feed: Feed, app: Flask) -> None:
    feed.take("full.csv", *PLAIN)
    feed.take("half.csv", "WB-TEE,18.90,EUR,,,,,", "WB-MUG,<b>1</b>,EUR,,,,,")
    boss = Person(app.test_client()).log_in("operator", PASSWORDS["operator"])
    listed = boss.page("/admin/feeds/")
    assert "half.csv" in listed
    assert "2 of 2" in listed
    run = feed.run("half.csv")
    page = boss.page(f"/admin/feeds/{run}")
    assert "the one before had 3" in page
    assert "&lt;b&gt;1&lt;/b&gt;" in page
    assert "Approve" in page
    report = boss.get(f"/admin/feeds/{run}/report.csv")
    assert report.content_type.startswith("text/csv")
    assert report.data.decode() == (feed.server.folder / "prices/reports/half.report.csv").read_bytes().decode()
    viewer = Person(app.test_client()).log_in("viewer", PASSWORDS["viewer"])
    assert "Approve" not in viewer.page(f"/admin/feeds/{run}")
    assert viewer.press(f"/admin/feeds/{run}/approvals").status_code == 403
    assert boss.press(f"/admin/feeds/{run}/approvals").status_code == 302
    feed.minute()
    assert (feed.state("half.csv"), feed.shown()["WB-TEE"]) == ("active", "18.9")
    assert feed.shown()["WB-MUG"] == "8.5"  # its line was refused: it stays
    assert boss.press(f"/admin/feeds/{run}/rollbacks").status_code == 302
    feed.minute()
    assert (feed.state("full.csv"), feed.shown()["WB-TEE"]) == ("active", "19.9")
    audited = feed.world.rows("SELECT action FROM audit WHERE object = :run ORDER BY id", run=f"price_run:{run}")
    assert [row.action for row in audited] == ["approve price run", "roll back price run"]
    assert boss.get("/admin/feeds/999").status_code == 404


def test_the_page_of_prices_says_what_holds_now_next_and_where(feed: Feed, app: Flask) -> None:
    """A promotion that comes, an article that the shop refuses, a line that was refused; mended, it is told again."""
    feed.world.code("erp", "sku", "WB-LATE", "WB-LATE")
    feed.take(
        "plan.csv",
        *PLAIN,
        "WB-TEE,14.90,EUR,,,2098-01-01,2099-01-01,winter",
        "WB-LATE,5.00,EUR,,,,,",
        "WB-MUG,nine,EUR,b2b,,,,",
    )
    boss = Person(app.test_client()).log_in("operator", PASSWORDS["operator"])
    listed = boss.page("/admin/prices/?word=wb-")
    assert listed.index("WB-CAP") < listed.index("WB-TEE")
    assert "19.90 EUR" in listed
    only = boss.page("/admin/prices/?refused=1")
    assert ("WB-LATE" in only, "WB-TEE" in only) == (True, False)
    tee = boss.page("/admin/prices/sku/WB-TEE")
    for words in (
        "19.90 EUR",
        "14.90 EUR (winter)",
        "2097-12-31 23:00:00 UTC",
        "shop",
    ):
        assert words in tee
    assert "nine" in boss.page("/admin/prices/sku/WB-MUG")
    gone = boss.page("/admin/prices/sku/WB-LATE")
    assert "There is no article WB-LATE" in gone
    assert "Tell every channel again" not in Person(app.test_client()).log_in("viewer", PASSWORDS["viewer"]).page(
        "/admin/prices/sku/WB-LATE"
    )
    feed.world.ask("shop", "POST", "/_sim/products", json={"sku": "WB-LATE"})
    assert boss.press("/admin/prices/publications", sku="WB-LATE").status_code == 302
    feed.minute()
    assert feed.shown()["WB-LATE"] == "5"
    assert "There is no article" not in boss.page("/admin/prices/sku/WB-LATE")
    assert boss.get("/admin/prices/sku/NOBODY").status_code == 404
    assert feed.world.one("SELECT count(*) FROM audit WHERE object = 'price:WB-LATE'") == 1
