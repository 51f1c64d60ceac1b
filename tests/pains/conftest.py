"""Each pain in short; with WAYBILL_LAB=full its full figure (make lab-pains). Figures go to var/pains.json."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.servers import Servers
from tests.hub import Hub, hub
from tests.world import World, world

FULL = os.environ.get("WAYBILL_LAB") == "full"
FIGURES = Path(os.environ.get("WAYBILL_FIGURES", "var/pains.json"))


def size(short: int, full: int) -> int:
    """How much of it: a little in `make test`, the pain's own figure in the lab."""
    return full if FULL else short


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Notes what was measured of a pain."""

    def note(pain: str, **measured: Any) -> None:
        known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
        known[pain] = {"test": request.node.name, "full": FULL, "at": time.strftime("%Y-%m-%d"), **measured}
        FIGURES.parent.mkdir(parents=True, exist_ok=True)
        FIGURES.write_text(json.dumps(known, indent=1, sort_keys=True))
        print(f"pain {pain} ({'full' if FULL else 'short'}): {measured}")

    return note


@pytest.fixture
def acme(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[World]:
    with world(tmp_path / "config", database_url, redis_url) as made:
        for sku in ("WB-TEE", "WB-MUG"):
            made.code("erp", "sku", sku, sku)
        _patient(tmp_path / "config" / "settings.toml")
        yield made


def _patient(settings: Path) -> None:
    """The stories' pauses are six hundred times shorter than the shipped ones: as many tries would be over within an outage of a minute."""
    settings.write_text(settings.read_text().replace("tries = 24", "tries = 1000"))


@pytest.fixture
def running(acme: World, tmp_path: Path, real_servers: Servers) -> Iterator[Hub]:
    """Receivers, a worker and a beat, as shipped."""
    with hub(tmp_path / "hub") as made:
        made.web()
        made.worker()
        made.beat()
        yield made
