"""Outages of the hub's own servers: Redis emptied and gone, PostgreSQL restarted over and over, its disk full."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import redis

from labs.failure import standing_in
from labs.failure.kills import Load
from labs.failure.scenario import Lab, Scenario, Skipped
from labs.failure.stage import Stage
from local.errors import ServerError
from local.ports import pick
from local.postgres import Postgres
from local.user import server_user

RESUMED = 30.0  # seconds after an outage within which an order must be booked again
SMALL = 768  # MB of the disk that is filled
LINES = ("web", "worker", "beat")


def emptied(stage: Stage) -> None:
    """FLUSHALL every few seconds, while customers order."""
    broker = redis.Redis.from_url(stage.servers.redis_url)
    with Load(stage, 0.15):
        for _ in range(12):
            time.sleep(stage.dice.uniform(1.5, 5))
            broker.flushall()
    stage.figures["emptied"] = 12


def gone(seconds: float) -> Callable[[Stage], None]:
    """Redis is away for a while: what comes in is kept and answered all the same, and all goes on by itself."""

    def play(stage: Stage) -> None:
        with Load(stage, 0.4):
            time.sleep(min(5.0, seconds))
            stage.servers.redis.kill()
            stage.kills += 1
            began, before = time.time(), len(stage.sender.tries)
            time.sleep(seconds)
            tries = [one for one in stage.sender.tries[before:] if one.at > began]
            stage.servers.redis.start()
            resumed(stage)
        slow = sorted(one.answered - one.at for one in tries)
        stage.figures["while gone"] = {
            "seconds": seconds,
            "tries": len(tries),
            "taken": sum(one.taken for one in tries),
            "median answer s": round(slow[len(slow) // 2], 3) if slow else None,
        }
        assert tries, "nothing was told while Redis was gone"
        assert sum(one.taken for one in tries) >= len(tries) * 0.9, "deliveries were refused because Redis was gone"

    return play


def resumed(stage: Stage, what: str = "") -> float:
    """How long it took until an order that was placed just now is booked."""
    order = stage.place(1)[0]
    took = stage.until(RESUMED, lambda: _booked(stage, order["id"]), f"orders are booked again{what}")
    stage.figures.setdefault("seconds to resume", []).append(round(took, 1))
    return took


def _booked(stage: Stage, order: str) -> bool:
    return any(row["reference"] == f"shop-{order}" for row in stage.systems.records().made("erp", "bookings"))


def restarts(seconds: float, shortest: float, longest: float) -> Callable[[Stage], None]:
    """PostgreSQL is shut down fast, or killed, and started again, over and over."""

    def play(stage: Stage) -> None:
        end, count = time.monotonic() + seconds, 0
        with Load(stage, 0.3):
            while time.monotonic() < end:
                time.sleep(stage.dice.uniform(shortest, longest))
                [stage.servers.postgres.stop, stage.servers.postgres.kill][count % 2]()
                count, stage.kills = count + 1, stage.kills + 1
                time.sleep(stage.dice.uniform(0, 2))
                stage.servers.postgres.start()
        stage.figures["restarts"] = count

    return play


def postgres_gone(seconds: float) -> Callable[[Stage], None]:
    """PostgreSQL is away for a while: nothing is acknowledged, and soon after it is back, everything is."""

    def play(stage: Stage) -> None:
        with Load(stage, 0.4):
            time.sleep(5)
            stage.servers.postgres.kill()
            stage.kills += 1
            began = time.time()
            time.sleep(seconds)
            stage.servers.postgres.start()
            back = time.time()
            taken = stage.until(RESUMED, lambda: _taken_since(stage, back), "deliveries are acknowledged again")
            resumed(stage)
        meanwhile = [one for one in stage.sender.tries if began < one.at < back]
        stage.figures["while gone"] = {
            "seconds": seconds,
            "tries": len(meanwhile),
            "with 503": sum(one.status == 503 for one in meanwhile),
            "seconds to the first acknowledgement": round(taken, 1),
        }

    return play


def _taken_since(stage: Stage, at: float) -> bool:
    return any(one.taken for one in stage.sender.tries if one.at > at)


def disk_full(stage: Stage) -> None:
    """PostgreSQL's disk runs full under load: it refuses or falls, and comes back with all that it had promised."""
    disk = stage.folder / "disk"
    if not mounted(stage, disk):
        raise Skipped("a small tmpfs needs root (mount was refused)")
    server = Postgres(disk / "root", pick(), server_user())
    (disk / "root").mkdir()
    (disk / "root").chmod(0o755)
    server.start()
    stage.closing.callback(server.stop)
    standing_in.start(stage, {"DATABASE_URL": server.url})
    with Load(stage, 0.15):
        time.sleep(8)
        ballast = disk / "ballast"
        told = len(stage.sender.tries)
        fill(ballast, disk)
        stage.say("the disk is full")
        stage.until(120, lambda: any(not one.taken for one in stage.sender.tries[told:]), "a delivery is refused")
        time.sleep(10)
        refused = [one for one in stage.sender.tries[told:] if not one.taken]
        stage.figures["while full"] = {
            "refused": len(refused),
            "with 503": sum(one.status == 503 for one in refused),
            "server ran": server.running(),
        }
        ballast.unlink()
        while not server.running():
            with contextlib.suppress(ServerError):
                server.start()
        stage.say("there is room again")
        resumed(stage)


def mounted(stage: Stage, disk: Path) -> bool:
    """A small disk of its own; False where nobody may mount one."""
    disk.mkdir(parents=True, exist_ok=True)
    told = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SMALL}m,mode=755", "tmpfs", disk], capture_output=True, check=False
    )
    if os.geteuid() == 0 and told.returncode == 0:
        stage.closing.callback(lambda: subprocess.run(["umount", "--lazy", disk], check=False))
        return True
    return False


def fill(ballast: Path, disk: Path) -> None:
    """Takes all the room there is, and what becomes free again for a while."""
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 65_536)
    free = os.statvfs(disk)
    assert free.f_bavail * free.f_frsize < 1_000_000


SCENARIOS = (
    Scenario(
        "redis-emptied",
        "Redis is emptied a dozen times under load",
        emptied,
        least={"orders": 100, "booked": 100},
        lab=Lab(lines=LINES),
    ),
    Scenario(
        "redis-gone",
        "Redis is gone for 3 minutes under load",
        gone(180),
        least={"orders": 200, "booked": 200},
        lab=Lab(lines=LINES),
    ),
    Scenario(
        "postgres-restarts",
        "PostgreSQL is shut down or killed every 5-40 s for 5 minutes, and started again",
        restarts(300, 5, 40),
        least={"orders": 300, "booked": 300},
        lab=Lab(lines=LINES),
    ),
    Scenario(
        "postgres-gone",
        "PostgreSQL is gone for a minute under load",
        postgres_gone(60),
        least={"orders": 100, "booked": 100},
        lab=Lab(lines=LINES),
    ),
    Scenario(
        "disk-full",
        "PostgreSQL's disk runs full under load, and has room again",
        disk_full,
        least={"orders": 50, "booked": 50},
        lab=Lab(lines=()),
        patience=60,
    ),
)
