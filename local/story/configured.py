"""The policy that the demonstration runs by: the files as they stand, and beside them the accounts and routes of its further channels."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from local.story.channels.channel import Channel

OURS = Path(__file__).parent / "config"
MORE = ("maker-main", "price-files")  # accounts that are no channel's
PAYING = ("bigcommerce-main", "square-main", "amazon-main")  # where the hub gives money back
# The list that the play's price file tells; the Commerce Cloud site's price book is called so.
FILED = "site-prices"
# What else is other than shipped: file, what stands there, what stands in its place.
CHANGED = (
    ("authority.toml", "[stock.locations]\n", '[stock.locations]\n"store-koeln" = "store koeln"\n'),
    ("prices.toml", "", '[feeds.price-files]\nrefused = "0.5"\n\n'),  # the play's file is three lines short
    (
        "money.toml",
        "",
        "".join(f'[accounts.{name}]\nrefund = "hub"\n\n' for name in PAYING),
    ),  # for what comes back to a store of ours
    ("schedules.toml", "[prices]\nevery = 30\n", "[prices]\nevery = 5\n"),
)


def configured(shipped: Path, folder: Path, channels: Iterable[Channel], erp: str = "netsuite-main") -> Path:
    """Lays out `folder` anew and returns it. An account, or its limits, that people configured themselves stays as they did. `erp` is whose
    catalogue is looked at."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in shipped.glob("*.toml"):
        shutil.copy(file, folder)
    accounts = (shipped / "accounts.toml").read_text()
    known = tomllib.loads(accounts)
    names = [*(one.account for one in channels), *MORE]
    added = [(OURS / f"{name}.toml").read_text() for name in names if name not in known]
    added += [file.read_text() for file in sorted(OURS.glob("*.limits.toml")) if _unlimited(file, known)]
    (folder / "accounts.toml").write_text("\n".join([accounts, *added]))
    routes = [(each / "routes.toml").read_text() for each in (OURS, shipped)]
    (folder / "routes.toml").write_text("\n".join(routes))
    for name, stood, stands in (*CHANGED, *_of_the_erp(erp)):
        file = folder / name
        if not file.exists():
            continue
        file.write_text(file.read_text().replace(stood, stands, 1))
    return folder


def _of_the_erp(erp: str) -> tuple[tuple[str, str, str], ...]:
    """Its items and prices are a feed of their own; the list that the price files tell is theirs."""
    owned = f'[price]\nowner = "{erp}"\n\n[price.lists]\n"{FILED}" = "price-files"\n'
    return (
        ("prices.toml", "", f"[sources.{erp}]\nevery = 10\n\n"),
        ("authority.toml", '[price]\nowner = ""\n\n[price.lists]\n', owned),
    )


def _unlimited(file: Path, known: Mapping[str, Any]) -> bool:
    account = file.name.removesuffix(".limits.toml")
    return account in known and "limits" not in known[account]
