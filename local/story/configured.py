"""The policy that the demonstration runs by: the files as they stand, and beside them the accounts and routes of its further channels."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from local.story.channels.channel import Channel

OURS = Path(__file__).parent / "config"


def configured(shipped: Path, folder: Path, channels: Iterable[Channel]) -> Path:
    """Lays out `folder` anew and returns it. An account, or its limits, that people configured themselves stays as they did."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in shipped.glob("*.toml"):
        shutil.copy(file, folder)
    accounts = (shipped / "accounts.toml").read_text()
    known = tomllib.loads(accounts)
    added = [(OURS / f"{one.account}.toml").read_text() for one in channels if one.account not in known]
    added += [file.read_text() for file in sorted(OURS.glob("*.limits.toml")) if _unlimited(file, known)]
    (folder / "accounts.toml").write_text("\n".join([accounts, *added]))
    routes = [(each / "routes.toml").read_text() for each in (OURS, shipped)]
    (folder / "routes.toml").write_text("\n".join(routes))
    return folder


def _unlimited(file: Path, known: Mapping[str, Any]) -> bool:
    account = file.name.removesuffix(".limits.toml")
    return account in known and "limits" not in known[account]
