"""Named points in the shipped processes where the lab may kill or stop them, without a switch in the shipped code.

A process of the lab finds `labs/failure/site` on its PYTHONPATH; the `sitecustomize` there wraps the functions named here as their modules
are imported. A point does nothing until an order for it lies in the folder that WAYBILL_POINTS names; whoever comes by first takes it.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = "WAYBILL_POINTS"
TAKEN = "taken.jsonl"
SITE = Path(__file__).parent / "site"


@dataclass(frozen=True)
class Point:
    """A place in time: right before or right after (when it did not raise) a function that the trade has a word for."""

    name: str
    roles: str  # which processes come by: web, worker, beat
    module: str
    function: str
    when: str


def _both(name: str, roles: str, module: str, function: str) -> tuple[Point, Point]:
    return (
        Point(f"{name}.before", roles, module, function, "before"),
        Point(f"{name}.after", roles, module, function, "after"),
    )


# An accepted delivery is one statement that commits itself: what lies between its insert and its commit is reached with a delay (Order.later).
POINTS: tuple[Point, ...] = (
    *_both("accept", "web", "app.journal.accept", "accept"),
    *_both("ring event", "web", "app.web.webhooks", "ring_event"),
    *_both("answer", "web", "gunicorn.workers.gthread", "ThreadWorker.handle_request"),
    *_both("read", "worker", "tasks.receive", "_read"),
    *_both("lay out", "worker", "tasks.receive", "_apply"),
    *_both("ring steps", "worker", "tasks.receive", "ring"),
    *_both("claim", "worker", "app.journal.steps", "claim"),
    Point("claim.committed", "worker", "tasks.engine.loop", "_claimed", "after"),
    Point("first byte.before", "worker", "connectors.kit.http", "Http._send", "before"),
    Point("first byte.after", "worker", "urllib3.connection", "HTTPConnection.getresponse", "before"),
    Point("answer read", "worker", "connectors.kit.http", "Http._send", "after"),
    *_both("keep call", "worker", "app.journal.steps", "record_call"),
    *_both("conclude", "worker", "tasks.engine.loop", "conclude"),
    Point("conclude.committed", "worker", "tasks.engine.loop", "_concluded", "after"),
    *_both("ring next", "worker", "tasks.engine.loop", "ring"),
    *_both("window", "worker", "tasks.feeds.clock", "_run"),
    *_both("sweep ring", "worker", "tasks.feeds.sweep", "ring"),
    *_both("tick", "beat", "celery.beat", "Scheduler.apply_async"),
)
BY_NAME = {point.name: point for point in POINTS}


@dataclass(frozen=True)
class Order:
    """What shall happen at a point: a signal to the process itself, to its whole group, or to another (a server's postmaster).

    `role` is who may take it (web, worker, child of a prefork worker, beat); `later` seconds pass between the point and the signal.
    """

    point: str
    role: str
    signal: int = signal.SIGKILL
    target: str = "self"  # self, group, or a process id; with "family" after it, its children too
    later: float = 0.0


def place(folder: Path, order: Order) -> Path:
    """Lays an order in the folder; it is taken by renaming, so by one process only."""
    file = folder / f"{order.point}@{order.role}"
    half = folder / f".{file.name}"
    half.write_text(json.dumps(order.__dict__))
    half.rename(file)
    return file


def taken(folder: Path) -> list[dict[str, Any]]:
    """What was done so far, in order: point, role, pid, signal, target, at (epoch seconds of the wall clock)."""
    file = folder / TAKEN
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def missing() -> list[str]:
    """Points whose function is gone from the source; a lab that cannot kill proves nothing."""
    return [f"{point.name}: {point.module}.{point.function}" for point in POINTS if _found(point) is None]


def _found(point: Point) -> Any:
    __import__(point.module)
    found: Any = sys.modules[point.module]
    for part in point.function.split("."):
        found = getattr(found, part, None)
    return found if callable(found) else None


# ---- in the process that is to die

_begun_as = os.getpid()


def install() -> None:
    """Wraps the functions as their modules are imported; nothing without WAYBILL_POINTS."""
    if os.environ.get(FOLDER):
        sys.meta_path.insert(0, _Watch({point.module for point in POINTS}))


class _Watch(MetaPathFinder):
    """Lets the other finders find a module, and wraps its functions once it has been executed."""

    def __init__(self, modules: set[str]) -> None:
        self._modules = modules

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._modules:
            return None
        others = (finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec"))
        spec = next((spec for finder in others if (spec := finder.find_spec(name, path, target)) is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = _and_wrap(spec.loader.exec_module)  # type: ignore[method-assign, assignment]
        return spec


def _and_wrap(execute: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
    def executed(module: ModuleType) -> None:
        execute(module)
        wrap(module)

    return executed


def wrap(module: ModuleType) -> None:
    """Puts the module's points around its functions."""
    for function in dict.fromkeys(point.function for point in POINTS if point.module == module.__name__):
        here = [point for point in POINTS if (point.module, point.function) == (module.__name__, function)]
        owner: Any = module
        *path, last = function.split(".")
        for part in path:
            owner = getattr(owner, part)
        setattr(owner, last, _around(getattr(owner, last), here))


def _around(call: Callable[..., Any], here: Sequence[Point]) -> Callable[..., Any]:
    before = [point.name for point in here if point.when == "before"]
    after = [point.name for point in here if point.when == "after"]

    @functools.wraps(call)
    def around(*args: Any, **more: Any) -> Any:
        for name in before:
            reached(name)
        answer = call(*args, **more)
        for name in after:
            reached(name)
        return answer

    return around


def reached(name: str) -> None:
    """Takes the order that lies here, if there is one for this process, and carries it out."""
    folder = Path(os.environ[FOLDER])
    me = role()
    try:
        order = Order(**json.loads((folder / f"{name}@{me}").read_text()))
        (folder / f"{name}@{me}").rename(folder / f".taken-{os.getpid()}-{time.monotonic_ns()}")
    except FileNotFoundError:  # there is none, or another process was faster
        return
    if order.later:
        threading.Timer(order.later, _carry_out, (folder, order)).start()
    else:
        _carry_out(folder, order)


def role() -> str:
    """Which of the Procfile's processes this is: web, worker, child (of a prefork worker), beat; else the program's name."""
    program = Path(sys.argv[0]).name
    if program == "gunicorn":
        return "web"
    if "worker" in sys.argv:
        return "child" if os.getpid() != _begun_as else "worker"
    return "beat" if "beat" in sys.argv else program


def _carry_out(folder: Path, order: Order) -> None:
    """Says what is about to happen, in one write, and lets it happen."""
    told = {"point": order.point, "role": order.role, "pid": os.getpid(), "signal": order.signal}
    line = json.dumps({**told, "target": order.target, "at": time.time()}) + "\n"
    with (folder / TAKEN).open("ab", buffering=0) as file:
        file.write(line.encode())
    for pid in _targets(order.target):
        try:
            os.kill(pid, order.signal)
        except ProcessLookupError:
            continue


def _targets(target: str) -> list[int]:
    """A negative number is a process group."""
    if target == "self":
        return [os.getpid()]
    if target == "group":
        return [-os.getpgrp()]
    name, _, more = target.partition(" ")
    return family(int(name)) if more == "family" else [int(name)]


def family(pid: int) -> list[int]:
    """A process and its children, as they are now."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if parent == pid:
                found.append(int(entry.name))
    return found
