"""The kill matrix: receivers, workers, beat, Redis and PostgreSQL are killed and stopped at every named point, under load."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
import requests
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.database import transaction
from labs.failure import points
from labs.failure.points import Order
from labs.failure.policy import LEASE
from labs.failure.scenario import Lab, Scenario
from labs.failure.stage import Stage
from local.errors import ServerError
from local.servers import CHECKOUT

STOPPED = LEASE + 2.0  # seconds that a stopped process stays so: longer than its lease
AT_ONCE = 4
SERVERS = ("redis", "postgres")
UNHEARD, LOST = (
    20.0,
    60.0,
)  # seconds after which an order that nobody came by for, or took and did not live to carry out, is laid out again
SOME = 15  # orders to which something else happens at once
KILL, STOP = signal.SIGKILL, signal.SIGSTOP

WEB = ("accept.before", "accept.after", "ring event.before", "ring event.after", "answer.before", "answer.after")
RECEIVING = ("read.before", "read.after", "lay out.before", "lay out.after", "ring steps.before", "ring steps.after")
ACTING = (
    "claim.before",
    "claim.after",
    "claim.committed",
    "first byte.before",
    "first byte.after",
    "answer read",
    "keep call.before",
    "keep call.after",
    "conclude.before",
    "conclude.after",
    "conclude.committed",
    "ring next.before",
    "ring next.after",
)
CLOCK = ("window.before", "window.after", "sweep ring.before", "sweep ring.after")
BEAT = ("tick.before", "tick.after")
# Between the lease check and the first byte nothing can check any more: who is stopped there sends late, and only the vendor's key makes that one
# effect. The scenario `zombie` shows it; here it would be reported as asked twice, which it is.
FENCED = tuple(point for point in ACTING if point != "first byte.before")


@dataclass(frozen=True)
class Cell:
    """One field of the matrix: who comes by which point, what is done there to whom, how often."""

    role: str
    points: tuple[str, ...]
    target: str = "self"  # self, group, redis, postgres
    signal: int = KILL
    times: int = 1
    later: float = 0.0


BROKER = (
    "ring steps.before",
    "claim.committed",
    "first byte.before",
    "ring next.before",
    "ring next.after",
    "sweep ring.before",
)
COMMITS = (
    "lay out.before",
    "lay out.after",
    "claim.after",
    "claim.committed",
    "first byte.after",
    "keep call.before",
    "keep call.after",
    "conclude.before",
    "conclude.after",
    "conclude.committed",
)
FLIGHT = 0.0008  # seconds after which a statement is on its way: before, in and after its commit
# Scenario -> its part of the matrix.
PARTS: dict[str, tuple[Cell, ...]] = {
    "kill-receivers": (
        Cell("web", WEB, times=5),
        Cell("web", WEB[:1], times=6, later=FLIGHT),
        Cell("web", WEB, "group"),
        Cell("web", WEB, signal=STOP),
    ),
    "kill-children": (
        Cell("child", (*RECEIVING, *ACTING), times=3),
        Cell("child", (*RECEIVING[:4], *FENCED[:8]), signal=STOP),
    ),
    "kill-workers": (
        Cell("worker", (*RECEIVING, *ACTING, *CLOCK), "group"),
        Cell("worker", (*FENCED, *CLOCK), signal=STOP),
        Cell("beat", BEAT, "group", times=4),
        Cell("beat", BEAT, signal=STOP),
    ),
    "kill-servers": (
        Cell("web", ("ring event.before", "ring event.after"), "redis", times=3),
        Cell("worker", BROKER, "redis", times=2),
        Cell("worker", ("claim.committed", "ring next.before"), "redis", STOP),
        Cell("web", WEB[:2], "postgres", times=3),
        Cell("web", WEB[:1], "postgres", times=2, later=FLIGHT),
        Cell("worker", COMMITS, "postgres", times=2),
        Cell("worker", ("claim.after", "conclude.after"), "postgres", STOP),
    ),
}


@dataclass
class Killer:
    """Lays out a few orders at a time, starts again what died, wakes what was stopped, until all orders are carried out."""

    stage: Stage
    cells: list[tuple[Cell, str]]
    folder: Path
    out: dict[str, tuple[Cell, float]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    unmet: list[str] = field(default_factory=list)
    _asleep: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    _seen: int = 0

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (self.cells or self.out) and time.monotonic() < end:
            self._lay_out()
            self._look()
            self._supervise()
            time.sleep(0.05)
        self.unmet += [f"{cell.role} {point}" for cell, point in self.cells] + list(self.out)
        self._clear()
        time.sleep(0.5)
        while self._asleep or not self._well():
            self._supervise()
            time.sleep(0.2)

    def _lay_out(self) -> None:
        """The next that may be: no two at one place, and one server at a time."""
        while len(self.out) < AT_ONCE:
            n = next((n for n, wanted in enumerate(self.cells) if self._may(*wanted)), None)
            if n is None:
                return
            cell, point = self.cells.pop(n)
            aimed = f"{servers(self.stage)[cell.target]} family" if cell.target in SERVERS else cell.target
            order = Order(point, cell.role, cell.signal, aimed, cell.later)
            self.out[points.place(self.folder, order).name] = (cell, time.monotonic())

    def _may(self, cell: Cell, point: str) -> bool:
        busy = any(other.target in SERVERS for other, _ in self.out.values())
        return f"{point}@{cell.role}" not in self.out and not (busy and cell.target in SERVERS)

    def _look(self) -> None:
        """What has been carried out, and what nobody came by for: that is laid out again, at the end."""
        told = points.taken(self.folder)
        for one in told[self._seen :]:
            self._count(one)
        self._seen = len(told)
        for name, (cell, since) in list(self.out.items()):
            waited = time.monotonic() - since
            # Whoever took it may have been killed by somebody else before he could carry it out.
            if (waited > UNHEARD and _withdrawn(self.folder / name)) or waited > LOST:
                del self.out[name]
                self.cells.append((cell, name.partition("@")[0]))

    def _count(self, one: dict[str, Any]) -> None:
        cell, _ = self.out.pop(f"{one['point']}@{one['role']}", (None, 0.0))
        what = "killed" if one["signal"] == KILL else "stopped"
        self.done[_words(cell) if cell else f"{one['role']} {what}"] += 1
        self.stage.kills += 1
        if one["signal"] == STOP:
            self._asleep.append((time.monotonic() + STOPPED, one))

    def _supervise(self) -> None:
        """What an init system does; and whoever was stopped long enough goes on."""
        for until, one in list(self._asleep):
            if time.monotonic() > until:
                self._asleep.remove((until, one))
                wake(one)
        for name in self.stage.processes.dead():
            self.stage.processes.start(name)
        for server in (self.stage.servers.redis, self.stage.servers.postgres):
            if not server.running():
                with contextlib.suppress(ServerError):
                    server.start()

    def _well(self) -> bool:
        """Whether both servers answer: one that was killed just now may not know it yet."""
        try:
            with transaction() as tx:
                tx.execute(text("SELECT 1"))
            return bool(redis.Redis.from_url(self.stage.servers.redis_url).ping())
        except (SQLAlchemyError, redis.RedisError):
            return False

    def _clear(self) -> None:
        for name in list(self.out):
            _withdrawn(self.folder / name)
        self.out.clear()


def _words(cell: Cell) -> str:
    what = {"self": cell.role, "group": f"whole {cell.role}"}.get(cell.target, cell.target)
    return f"{what} {'killed' if cell.signal == KILL else 'stopped'}"


def _withdrawn(file: Path) -> bool:
    """False when somebody has just taken it."""
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    return True


def wake(one: dict[str, Any]) -> None:
    """SIGCONT to whoever an order stopped."""
    name, _, more = str(one["target"]).partition(" ")
    stopped = {"self": [one["pid"]], "group": [-one["pid"]]}.get(name)
    for pid in stopped or (points.family(int(name)) if more else [int(name)]):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def servers(stage: Stage) -> dict[str, int]:
    """Process ids of the two servers as they ran last."""
    files = {"redis": "redis/server.pid", "postgres": "postgres/data/postmaster.pid"}
    return {name: int((stage.servers.root / file).read_text().splitlines()[0]) for name, file in files.items()}


class Load:
    """Customers who keep ordering, and now and then move house, cancel, get their parcel, or send something back, until they are told to stop."""

    def __init__(self, stage: Stage, pause: float) -> None:
        self._stage, self._pause, self._ended = stage, pause, threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._late: list[dict[str, Any]] = []  # to be sent, and not at the warehouse yet
        self.failed: list[str] = []

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(60)

    def _live(self) -> None:
        recent: list[dict[str, Any]] = []
        while not self._ended.wait(self._pause):
            try:
                recent += self._stage.place(1)
                if len(recent) == 2 * SOME:  # the older ones have reached the warehouse
                    self._everything_else(recent[:SOME])
                    recent = recent[SOME:]
            except requests.RequestException as error:  # the shop is the lab's own: it must answer
                self.failed.append(repr(error))

    def _everything_else(self, orders: list[dict[str, Any]]) -> None:
        self._stage.count("WB-CAP", 500 + len(self._stage.edits))
        self._stage.move(orders[:2])
        self._stage.cancel(orders[2:4])
        self._late += orders[4:]
        self._stage.refund(self.ship()[:2])

    def ship(self) -> list[dict[str, Any]]:
        """What has reached the warehouse by now leaves; on a crowded machine, with workers dying all the time, that takes a while."""
        shipped = self._stage.ship(self._late)
        names = {order["id"] for order in shipped}
        self._late = [order for order in self._late if order["id"] not in names]
        return shipped

    def sent(self) -> bool:
        """Whether anything more has left just now, or nothing is left to send."""
        return bool(self.ship()) or not self._late


def part(name: str) -> Callable[[Stage], None]:
    """Every field of a part of the matrix, shuffled."""

    def run(stage: Stage) -> None:
        if name == "kill-children":
            stage.processes.start("children", f"export WORKER_NAME=children; {prefork(stage.lines['worker'])}")
        if name == "kill-workers":
            stage.worker("worker2")
        play(stage, [(cell, point) for cell in PARTS[name] for point in cell.points * cell.times], 0.35, 840)

    return run


def prefork(line: str) -> str:
    """The Procfile's worker with children that may be killed one by one."""
    return line.replace("-P threads", "-P prefork").replace("${WORKER_THREADS:-16}", "4")


def play(stage: Stage, wanted: list[tuple[Cell, str]], pause: float, seconds: float) -> None:
    """Carries out the wanted kills in any order, while customers order. Raises AssertionError when one could not be."""
    stage.dice.shuffle(wanted)
    folder = Path(stage.scenario.lab.environ[points.FOLDER])
    folder.mkdir(parents=True, exist_ok=True)
    killer = Killer(stage, wanted, folder)
    with Load(stage, pause) as load:
        killer.run(seconds)
    stage.until(120, load.sent, "what was ordered last is at the warehouse")
    stage.figures.update({"kills": dict(sorted(killer.done.items())), "unmet": sorted(killer.unmet)})
    stage.say(f"{stage.kills} kills; not met: {', '.join(killer.unmet) or 'none'}")
    assert not killer.unmet, f"nobody came by: {killer.unmet}"
    assert not load.failed, load.failed[:3]


def lab(folder: Path, lines: tuple[str, ...] = ("web", "worker", "beat")) -> Lab:
    """A hub whose processes look for orders in the folder; between them, its systems make a record in every way that has a key."""
    return Lab(
        shapes={"erp": "two_calls", "letters": "job"},
        environ={"PYTHONPATH": f"{points.SITE}:{CHECKOUT}", points.FOLDER: str(folder)},
        lines=lines,
    )


def _scenario(name: str, about: str, lines: tuple[str, ...] = ("web", "worker", "beat")) -> Scenario:
    folder = CHECKOUT / "var" / "lab-failure" / "run" / name / "points"
    least = {"orders": 100, "booked": 0.9, "sound": 0.95, "parcels": 5}
    return Scenario(name, about, part(name), least, lab(folder, lines), patience=90, longest=1500)


SCENARIOS = (
    _scenario("kill-receivers", "receivers are killed and stopped before and after they keep, ring and answer"),
    _scenario("kill-children", "a worker's children are killed and stopped at every point", ("web", "beat")),
    _scenario("kill-workers", "whole workers and beat are killed and stopped at every point"),
    _scenario(
        "kill-servers",
        "Redis and PostgreSQL are killed and stopped while somebody commits, rings, claims and concludes",
    ),
)
