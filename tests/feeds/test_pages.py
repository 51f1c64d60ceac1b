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
