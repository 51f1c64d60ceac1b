"""`waybill check` knows the accounts of partners and of files, the routes that prices go, and what a preorder must say."""

from __future__ import annotations

import tomllib
from typing import get_args

from click.testing import CliRunner

from connectors.kit.errors import Owner
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


def test_a_preorder_says_its_instant_and_its_limit(feed: Feed) -> None:
    from app.web.checker import check
    from config.reader import HERE

    shipped = (HERE / "availability.toml").read_text()
    policy = feed.world.folder / "availability.toml"
    policy.write_text(f'{shipped}\n[preorders."WB-NEW"]\nfrom = 2026-12-01T00:00:00Z\nmost = 200\n')
    assert check(feed.world.folder) == []
    policy.write_text(f'{shipped}\n[preorders."WB-NEW"]\nfrom = 2026-12-01T00:00:00\nmost = 0\nlimit = 3\n')
    found = [str(finding) for finding in check(feed.world.folder)]
    for sentence in ("unknown key 'limit'", "from is no instant with its offset", "most is no number of pieces"):
        assert [one for one in found if sentence in one and "WB-NEW" in one], sentence
    assert len(found) == 3


def test_whom_connectors_name_is_somebody(feed: Feed) -> None:
    """Every name is one of the shipped file's; where a house calls him otherwise, his cases are that one's."""
    from app.cases import named, owner_of
    from app.web.checker import check
    from config.reader import HERE, config, read

    shipped = tomllib.loads((HERE / "owners.toml").read_text())
    known = {shipped["default"], *shipped["codes"].values(), *shipped["roles"].values()}
    assert set(get_args(Owner)) - {""} <= known
    owners = feed.world.folder / "owners.toml"
    text = (HERE / "owners.toml").read_text()
    owners.write_text(text.replace('"e-commerce"', '"online team"'))
    (finding,) = check(feed.world.folder)
    assert "connectors give cases to 'e-commerce', and nobody is called so" in str(finding)
    owners.write_text(text.replace("[names]\n", '[names]\n"e-commerce" = "online team"\n'))
    assert check(feed.world.folder) == []
    config.cache_clear()
    assert (named("e-commerce"), named("finance"), owner_of("oversold", "")) == (
        "online team",
        "finance",
        "online team",
    )
    assert read(HERE).owners["names"] == {}


def test_a_missing_section_of_authority_is_told_and_hinders_nobody(feed: Feed) -> None:
    from app.web.checker import check, doubts
    from app.web.commands import waybill
    from config.reader import HERE

    authority = feed.world.folder / "authority.toml"
    shipped = (HERE / "authority.toml").read_text()
    authority.write_text(shipped)
    assert doubts(feed.world.folder) == []
    authority.write_text(shipped.replace('[refund]\nowner = "channel"\n', ""))
    assert check(feed.world.folder) == []
    told = CliRunner().invoke(waybill, ["check", "--config", str(feed.world.folder)])
    assert told.exit_code == 0
    assert "Perhaps not meant: authority.toml:1: there is no section [refund]" in told.output
    assert told.output.count("Perhaps not meant") == 1


def test_two_feeds_of_prices_need_an_owner(feed: Feed) -> None:
    from app.web.checker import check
    from config.reader import HERE

    policy, authority = feed.world.folder / "prices.toml", feed.world.folder / "authority.toml"
    shipped = (HERE / "authority.toml").read_text()
    policy.write_text((HERE / "prices.toml").read_text() + "\n[sources.erp]\nevery = 60\n")
    (finding,) = check(feed.world.folder)
    assert "erp, prices all tell prices, and nobody is declared to own them" in str(finding)
    authority.write_text(shipped.replace('[price]\nowner = ""', '[price]\nowner = "erp"'))
    assert check(feed.world.folder) == []
    authority.write_text(shipped.replace('[price]\nowner = ""', '[price]\nowner = "nobody"'))
    assert ["'nobody' cannot own prices" in str(one) for one in check(feed.world.folder)] == [True]
    authority.write_text(shipped)
    policy.write_text(
        (HERE / "prices.toml").read_text() + "\n[sources.prices]\nevry = 60\n[sources.erp]\nprices = false\n"
    )
    found = [str(one) for one in check(feed.world.folder)]
    assert ["no account with a catalogue" in found[0], "unknown key 'evry'" in found[1]] == [True, True]
