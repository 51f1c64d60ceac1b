"""Clocks apart: workers and beat disagree by ten minutes, and nothing depends on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from labs.failure import standing_in
from labs.failure.kills import Load
from labs.failure.scenario import Lab, Scenario, Skipped
from labs.failure.stage import Stage
from local.servers import CHECKOUT

PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/local/lib/faketime/libfaketimeMT.so.1")
PACKAGE = "libfaketime"
KEPT = Path("/var/cache/apt/archives")  # packages that apt has downloaded before
SITE = Path(__file__).parent / "site_clocks"  # sleeps that libfaketime leaves alone
ORDERS = 110
AHEAD, BEHIND = "+300s", "-300s"  # ten minutes apart


def library() -> str:
    """libfaketime for programs with threads (Debian: libfaketime); empty where it is not installed."""
    found = (path for place in PLACES for path in sorted(Path("/").glob(place.removeprefix("/"))))
    return str(next(found, ""))


def installed(kept: Path = KEPT) -> None:
    """Installs Debian's package where we are root, by apt-get or from what apt has kept. Raises Skipped with the reason."""
    if library():
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Skipped(f"{PACKAGE} is not installed, and only root on Debian can install it (apt-get install {PACKAGE})")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    commands = [["apt-get", "install", "-y", "--no-install-recommends", PACKAGE]]
    commands += [["dpkg", "-i", str(file)] for file in sorted(kept.glob(f"{PACKAGE}_*.deb"))]
    for command in commands:
        subprocess.run(command, env=environ, check=False, capture_output=True)
        if library():
            return
    raise Skipped(f"{PACKAGE} could not be installed, neither by apt-get nor from {kept}")


def faked(offset: str) -> dict[str, str]:
    """Variables that move a process's wall clock; what measures durations (CLOCK_MONOTONIC) is left alone."""
    moved = {"FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}
    return {"LD_PRELOAD": library(), "PYTHONPATH": f"{SITE}:{CHECKOUT}", **moved}


def apart(stage: Stage) -> None:
    """One worker is five minutes ahead, another one and beat five minutes behind; receivers and servers are right."""
    installed()
    standing_in.start(stage, {}, ("web",))
    for name, line, offset in (("worker", "worker", AHEAD), ("worker2", "worker", BEHIND), ("beat", "beat", BEHIND)):
        exported = standing_in.exported({"WORKER_NAME": name, **faked(offset)}, stage.lines[line])
        stage.processes.start(name, exported)
    for name in ("worker", "worker2"):
        stage.until(90, lambda name=name: "ready." in stage.processes.log(name).read_text(errors="replace"), name)  # type: ignore[misc]
    stage.until(90, lambda: stage.said("beat", "Sending due task"), "beat")
    stage.figures["clocks"] = {"worker": AHEAD, "worker2": BEHIND, "beat": BEHIND}
    with Load(stage, 0.15):
        for role in ("erp", "warehouse"):
            stage.weather(role, "commit_then_drop", chance=0.1, writes_only=True)
        time.sleep(15)
        stage.kill("worker")  # its leases run out by PostgreSQL's clock
        time.sleep(15)
        stage.processes.start("worker")
        assert "beat" not in stage.processes.dead(), "beat did not live with its clock"
        stage.until(120, lambda: len(stage.edits) >= ORDERS, f"{ORDERS} orders are placed")


SCENARIOS = (
    Scenario(
        "clocks-apart",
        "two workers whose clocks are ten minutes apart share the work, beat is behind; answers are lost and one worker is killed",
        apart,
        least={"orders": 100, "booked": 100},
        lab=Lab(lines=()),
    ),
)
