"""A version's end is told in time, whichever connector speaks it: 90, 30 and 7 days before (pain 40b)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from connectors import registry
from tests.world import World, world

CASES = "SELECT id, sentence FROM cases WHERE code = 'sunset' AND account = :account AND status <> 'resolved'"


def endings() -> dict[str, tuple[str, str, date]]:
    """Each end that a manifest names: an account whom it concerns, with its connector and the setting that makes it so."""
    found: dict[str, tuple[str, str, date]] = {}
    for name, manifest in registry.manifests().items():
        if manifest.sunset:
            found[f"{name}-any"] = (name, "", manifest.sunset)
        for end in manifest.sunsets:
            found[f"{name}-{end.value}"] = (name, f'{end.setting} = "{end.value}"', end.on)
    return found


@pytest.fixture
def hub(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[World]:
    """An account for each end; without an address nobody is called."""
    from app.accounts import entries
    from config.reader import config

    with world(tmp_path / "config", database_url, redis_url) as made:
        with (made.folder / "accounts.toml").open("a") as accounts:
            for name, (connector, setting, _) in endings().items():
                accounts.write(f'[{name}]\nconnector = "{connector}"\nbase_url = ""\nsettings = {{ {setting} }}\n\n')
        for cached in (config, entries.account):
            cached.cache_clear()
        yield made


def test_each_end_is_told_three_times_to_whom_it_concerns(hub: World) -> None:
    """By the watch that beat starts; one case at a time, a new one at each day, none once another version is spoken."""
    from tasks.feeds import watch

    assert {"acme-any", "shopify-any", "salesforce_commerce-any", "amazon-v0"} <= set(endings())
    for account, (connector, _, on) in endings().items():
        told: dict[int, list[str]] = {}
        opened: set[int] = set()
        for days in (91, 90, 31, 30, 7, 0, 120):  # 120: as after a move to a version that lasts
            watch.run(on - timedelta(days=days))
            found = hub.rows(CASES, account=account)
            told[days] = [row.sentence for row in found]
            opened |= {row.id for row in found}
        assert {days: len(one) for days, one in told.items()} == {91: 0, 90: 1, 31: 1, 30: 1, 7: 1, 0: 1, 120: 0}
        assert told[31][0].startswith(f"{registry.manifests()[connector].title} retires version ")
        assert told[31][0].endswith(f" on {on}: 31 days from now.")
        assert told[0][0].endswith(f" on {on}: its time is over.")
        assert len(opened) == 3
