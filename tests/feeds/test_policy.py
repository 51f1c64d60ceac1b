"""`waybill check` knows the accounts of partners and of files, and the routes that prices go."""

from __future__ import annotations

from tests.feeds.conftest import Feed


def test_partners_files_and_price_routes_are_fit(feed: Feed) -> None:
    from app.web.checker import check

    accounts = feed.world.folder / "accounts.toml"
    accounts.write_text(accounts.read_text() + '\n[market]\nconnector = "direct"\n')
    assert check(feed.world.folder) == []


def test_what_is_wrong_is_named(feed: Feed) -> None:
    from app.web.checker import check

    schedules = feed.world.folder / "schedules.toml"
    schedules.write_text('[align_full]\nevery = 86400\nat = "25:00"\n')
    (finding,) = check(feed.world.folder)
    assert "25:00" in str(finding)
    schedules.unlink()
    routes = feed.world.folder / "routes.toml"
    routes.write_text(
        routes.read_text().replace(
            'name = "prices"\nkind = "price"\nroles = { publish = ["shop"] }',
            'name = "prices"\nkind = "price"\nroles = { publish = ["prices"] }',
        )
    )
    (finding,) = check(feed.world.folder)
    assert "gives publish to prices" in str(finding)
