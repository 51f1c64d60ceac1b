"""The points where the lab kills stand in the source as named, and a process dies at the one that it was told to, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from labs.failure import points
from labs.failure.points import Order, Point
from local.servers import CHECKOUT


def test_every_point_is_still_in_the_source() -> None:
    """A function that was renamed takes its kills with it: the lab would prove nothing and say so nowhere."""
    assert points.missing() == []


def test_a_point_that_is_gone_is_named() -> None:
    gone = Point("gone", "worker", "tasks.engine.loop", "no_such_function", "before")
    was = points.POINTS
    try:
        points.POINTS = (*was, gone)
        assert points.missing() == ["gone: tasks.engine.loop.no_such_function"]
    finally:
        points.POINTS = was


def child(folder: Path, life: str) -> subprocess.Popen[str]:
    """A process of the lab that makes three calls; `life` is its program."""
    environ = {
        **os.environ,
        "PYTHONPATH": f"{points.SITE}:{CHECKOUT}",
        points.FOLDER: str(folder),
    }
    return subprocess.Popen(
        [sys.executable, "-c", life],
        env=environ,
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


CALLS = """
import sys
sys.argv = ["celery", "worker"]
from urllib3.connection import HTTPConnection
for n in range(1, 4):
    print(n, flush=True)
    try:
        HTTPConnection("nowhere").getresponse()
    except Exception:
        pass
print("lived", flush=True)
"""
HERE = "first byte.after"


def test_a_process_dies_at_its_point(tmp_path: Path) -> None:
    points.place(tmp_path, Order(HERE, "worker"))
    ran = child(tmp_path, CALLS)
    said, _ = ran.communicate(timeout=30)
    assert ran.returncode == -signal.SIGKILL
    assert said.split() == ["1"]
    (told,) = points.taken(tmp_path)
    assert (told["point"], told["role"], told["pid"]) == (HERE, "worker", ran.pid)
    again = child(tmp_path, CALLS)
    assert again.communicate(timeout=30)[0].split()[-1] == "lived", "an order is carried out once"


def test_another_kind_of_process_goes_by(tmp_path: Path) -> None:
    points.place(tmp_path, Order(HERE, "beat"))
    ran = child(tmp_path, CALLS)
    assert ran.communicate(timeout=30)[0].split()[-1] == "lived"
    assert points.taken(tmp_path) == []


def test_a_process_is_stopped_and_goes_on(tmp_path: Path) -> None:
    points.place(tmp_path, Order(HERE, "worker", signal=signal.SIGSTOP))
    ran = child(tmp_path, CALLS)
    until = time.monotonic() + 30
    while not points.taken(tmp_path) and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.3)
    assert "T" in Path(f"/proc/{ran.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    os.kill(ran.pid, signal.SIGCONT)
    assert ran.communicate(timeout=30)[0].split()[-1] == "lived"
    assert ran.returncode == 0


def test_a_server_dies_while_somebody_waits(tmp_path: Path) -> None:
    """The order may name another process: a postmaster is killed at the very point where a worker has sent its request."""
    with subprocess.Popen(["sleep", "60"]) as server:
        points.place(tmp_path, Order(HERE, "worker", target=str(server.pid)))
        ran = child(tmp_path, CALLS)
        assert ran.communicate(timeout=30)[0].split()[-1] == "lived"
        assert server.wait(5) == -signal.SIGKILL
