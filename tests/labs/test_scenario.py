"""One small scenario of the failure lab from end to end: the Procfile as shipped, senders, weather, and the judge's word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.servers import CHECKOUT

pytestmark = pytest.mark.servers


def test_a_little_of_everything_is_whole(tmp_path: Path) -> None:
    """Deliveries three times, forgeries, lost answers, parcels and refunds: nothing lost, nothing doubled, by the outsiders' own books."""
    environ = {**os.environ, "WAYBILL_LAB_HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", "labs.failure.one", "short"],
        cwd=CHECKOUT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    told = json.loads((tmp_path / "short.json").read_text())
    assert ended.returncode == 0, f"{told.get('findings')} {told.get('error')} {ended.stdout[-1500:]}"
    assert (told["lost"], told["doubled"], told["found"]) == (0, 0, 0)
    assert told["events"] > told["orders"]
    assert told["outcomes"].get("unknown", 0) > 0, "an answer was lost, and the write was looked up"
