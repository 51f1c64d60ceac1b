"""What cannot be played here is neither whole nor failed, and says why."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labs.failure import clocks, one, outages
from labs.failure.scenario import Skipped


def test_without_the_library_and_without_a_package_clocks_apart_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "library", lambda: "")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(Skipped, match="only root"):
        clocks.apart(None)  # type: ignore[arg-type]  # it does not come as far as its stage


def test_what_is_skipped_is_recorded_with_its_reason_and_its_commit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(_: str) -> None:
        raise Skipped("a small tmpfs needs root")

    monkeypatch.setattr(one, "HOME", tmp_path)
    monkeypatch.setattr(one, "_scenario", refused)
    monkeypatch.setattr("sys.argv", ["one", "disk-full"])
    assert one.main() == 0
    told = json.loads((tmp_path / "disk-full.json").read_text())
    assert (told["passed"], told["skipped"]) == (False, "a small tmpfs needs root")
    assert re.fullmatch(r"[0-9a-f]{7,}(-dirty)?|", told["commit"])


@pytest.mark.parametrize("part", [clocks, outages])
def test_what_may_be_skipped_demands_orders_where_it_is_played(part: object) -> None:
    wanted = {"clocks-apart": 100, "disk-full": 50}
    for scenario in part.SCENARIOS:  # type: ignore[attr-defined]
        if scenario.name in wanted:
            assert scenario.least["booked"] >= wanted[scenario.name]


@pytest.mark.skipif(not clocks.library(), reason="libfaketime is not installed")
def test_a_process_with_a_moved_clock_still_sleeps_as_long_as_it_asked() -> None:
    asked = "import time; m = time.monotonic(); time.sleep(0.3); print(time.time(), time.monotonic() - m)"
    environ = {**os.environ, **clocks.faked(clocks.BEHIND)}
    told = subprocess.run([sys.executable, "-c", asked], env=environ, capture_output=True, text=True, check=True)
    wall, slept = map(float, told.stdout.split())
    assert 250 < time.time() - wall < 350
    assert 0.2 < slept < 5
