"""The stage: own servers and ports, the Procfile as shipped, Acme in all four roles, senders with their log, and acts that scenarios play."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from honcho.environ import parse_procfile

from connectors.kit.simulator import Fault
from labs.failure import looks, policy
from labs.failure.scenario import SCALE, Scenario
from labs.failure.sender import Letter, Sender, mailroom
from labs.failure.systems import Systems
from labs.judge.evidence import Evidence
from local.environment import environment
from local.errors import ServerError
from local.processes import Processes
from local.servers import CHECKOUT, Servers, temporary

SECRET = "whsec_bGFiLXNlY3JldC1sYWItc2VjcmV0LWxhYi1zZWNyZXQ="  # noqa: S105 - of a lab that lives for a minute
SECRET_OLD = "whsec_b2xkLXNlY3JldC1vbGQtc2VjcmV0LW9sZC1zZWNyZXQ="  # noqa: S105
CROWDED = 4  # a machine that others use, too, may take so many times as long
UP_WITHIN = 60.0 * CROWDED
SKUS = ("WB-TEE", "WB-MUG", "WB-CAP")
Order = dict[str, Any]


@dataclass
class Stage:
    """What a scenario has. `kills` counts processes that it killed or stopped; `figures` what else it measured."""

    scenario: Scenario
    folder: Path
    servers: Servers
    processes: Processes
    systems: Systems
    sender: Sender
    lines: Mapping[str, str]
    web: str
    dice: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - weather
    kills: int = 0
    figures: dict[str, Any] = field(default_factory=dict)
    edits: dict[str, list[str]] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    unheard: tuple[float, float] | None = None  # as labs/judge/evidence.Evidence has it
    closing: ExitStack = field(default_factory=ExitStack)  # what a scenario set up and the judge still needs
    _placed: int = 0
    _began: float = field(default_factory=time.monotonic)

    def say(self, words: str) -> None:
        """One line of the story, with its second."""
        print(f"{time.monotonic() - self._began:6.1f} s  {words}", flush=True)

    def many(self, count: int) -> int:
        """So many at full size."""
        return max(10, round(count * SCALE)) if SCALE < 1 else count

    # ---- customers and people

    def place(self, count: int = 1, pause: float = 0.0, kind: str = "plain", **wanted: Any) -> list[Order]:
        """Customers order; the shop tells the hub by itself. Each order bears a mark of its own in its note."""
        made = []
        for _ in range(count):
            self._placed += 1
            mark = f"lab-{self._placed:05d}"
            buyer = {"id": f"C-{self._placed}", "email": f"{mark}@example.com", "first_name": "Ana", "last_name": mark}
            asked = {"note": mark, "customer": buyer, "tags": [kind], **wanted}
            order = self.systems.post("shop", "orders", asked)
            self.edits[order["id"]] = [order["shipping_address"]["line1"]]
            made.append(order)
            time.sleep(pause)
        return made

    def move(self, orders: Iterable[Order]) -> None:
        """Their customers move house: an edit of the address."""
        for order in orders:
            street = f"{len(self.edits[order['id']])} New Street {order['id']}"
            address = {**order["shipping_address"], "line1": street}
            self.edits[order["id"]].append(street)
            self.systems.post("shop", f"orders/{order['id']}", {"shipping_address": address})

    def cancel(self, orders: Iterable[Order]) -> None:
        for order in orders:
            self.systems.post("shop", f"orders/{order['id']}/cancellation", {})

    def refund(self, orders: Iterable[Order], **asked: Any) -> None:
        """A first line goes back with its money, unless `lines` says otherwise."""
        for order in orders:
            lines = asked.get("lines") or [{"line_id": order["lines"][0]["id"], "quantity": "1"}]
            self.systems.post("shop", f"orders/{order['id']}/refunds", {"lines": lines})

    def ship(self, orders: Iterable[Order]) -> list[Order]:
        """The warehouse ships what it was asked for of these; answers those that left."""
        marks = {order["note"]: order for order in orders}
        gone = []
        for row in self.systems.rows("warehouse", "requests"):
            if row["state"] == "open" and row["body"]["note"] in marks:
                self.systems.post("warehouse", f"requests/{row['reference']}/shipments", {})
                gone.append(marks.pop(row["body"]["note"]))
        return gone

    def count(self, sku: str, pieces: int) -> None:
        """Somebody counts a shelf of the warehouse."""
        level = {"sku": sku, "location": "main", "available": str(pieces)}
        self.systems.post("warehouse", "stock", level)

    def map_sku(self, sku: str) -> None:
        """A person maps an article for the ERP."""
        from app.bell import ring
        from app.catalogue import codes
        from app.database import transaction

        with transaction() as tx:
            rings = codes.add(tx, "erp", "sku", sku, sku, "lab")
        ring(rings)
        self.given.add(f"erp:sku:{sku}")

    # ---- weather

    def weather(self, role: str, kind: str, **more: Any) -> None:
        """A bad day of one system, instead of those it had (connectors/kit/simulator.FAULTS)."""
        self.systems.faults(role, Fault(kind, **more))

    def good_weather(self) -> None:
        self.systems.good()

    # ---- processes

    def worker(self, name: str) -> None:
        """Another worker: the Procfile's own line under another name."""
        self.processes.start(name, f"export WORKER_NAME={name}; {self.lines['worker']}")
        self.until(60, lambda: self.said(name, "ready."), f"{name} is up")

    def kill(self, name: str) -> None:
        """kill -9 of a process and its children."""
        self.processes.kill(name)
        self.kills += 1

    def freeze(self, name: str) -> None:
        """SIGSTOP: it neither works nor dies."""
        self.processes.send(name, signal.SIGSTOP)
        self.kills += 1

    def thaw(self, name: str) -> None:
        self.processes.send(name, signal.SIGCONT)

    def until(self, seconds: float, reached: Callable[[], Any], what: str = "") -> float:
        """Waits until `reached()`; answers how long it took. Raises TimeoutError (later on a crowded machine)."""
        began, longest = time.monotonic(), seconds
        while not reached():
            longest = max(longest, seconds * crowded())
            if time.monotonic() - began > longest:
                raise TimeoutError(f"not reached within {seconds:g} s: {what or reached}")
            time.sleep(0.05)
        return time.monotonic() - began

    def perhaps(self, seconds: float, reached: Callable[[], Any]) -> bool:
        """Waits until `reached()`, or until the time is over (longer on a crowded machine): where a hub that is whole must not reach it."""
        end = time.monotonic() + seconds * crowded()
        while not (there := bool(reached())) and time.monotonic() < end:
            time.sleep(0.05)
        return there

    def said(self, process: str, words: str) -> bool:
        """Whether a process has written these words to its log."""
        return words in self.processes.log(process).read_text(errors="replace")

    # ---- looks at the outside, for scenarios that wait for a moment

    def booked(self) -> int:
        return len(self.systems.rows("erp", "bookings"))

    def requested(self) -> int:
        return len(self.systems.rows("warehouse", "requests"))

    def lettered(self) -> int:
        return len(self.systems.rows("letters", "letters"))

    def asked_for(self, orders: Iterable[Order]) -> int:
        """How many of these orders the warehouse has been asked to ship."""
        marks = {order["note"] for order in orders}
        return sum(1 for row in self.systems.rows("warehouse", "requests") if row["body"].get("note") in marks)

    def calls(self, role: str, operation: str) -> int:
        """How many calls of an operation have arrived."""
        return self.systems.arrived(role, operation)

    # ---- what the runner asks of a stage

    @property
    def idle(self) -> bool:
        return self.sender.idle and not self.systems.busy()

    def evidence(self) -> Evidence:
        return looks.acme_evidence(self)

    def letter(self, account: str, topic: str, data: Mapping[str, Any], name: str) -> Letter:
        """A delivery of the lab's own making."""
        body = json.dumps({"type": topic, "timestamp": "2026-11-20T10:00:00Z", "data": data}).encode()
        return Letter(account, name, topic, str(data.get("id", "")), body)


def crowded() -> float:
    """How many times as long a wait may take on a machine that others use, too: 1 up to a load of 4, 10 at most."""
    return min(10.0, max(1.0, os.getloadavg()[0] / 4))


@contextmanager
def staged(scenario: Scenario, folder: Path, checkout: Path = CHECKOUT) -> Iterator[Stage]:
    """Everything up, from `checkout` (a mutant runs from a copy); everything ended and forgotten afterwards, logs excepted."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        servers = stack.enter_context(temporary({}))
        room, senders = stack.enter_context(mailroom())
        systems = Systems(_settings(scenario), room, SECRET)
        stack.callback(systems.stop)
        policy.write(folder / "config", systems.addresses, scenario.lab)
        own = _environ(servers, folder, checkout, scenario)
        os.environ.update(own)
        _migrate(checkout)
        prepare()
        sender = Sender(own["PUBLIC_URL"], folder / "sender.jsonl", [SECRET])
        stack.callback(sender.stop)
        senders.append(sender)
        processes = stack.enter_context(Processes(own, folder, checkout))
        lines = parse_procfile((checkout / "Procfile").read_text()).processes
        stage = Stage(scenario, folder, servers, processes, systems, sender, lines, own["PUBLIC_URL"])
        stack.callback(stage.closing.close)
        for name in scenario.lab.lines:  # one after the other: gunicorn gives a worker that boots for 30 s up
            processes.start(name, lines[name])
            wait(stage, name)
        yield stage


def _settings(scenario: Scenario) -> dict[str, dict[str, Any]]:
    shapes = {role: {"shape": scenario.lab.shapes.get(role, "fat")} for role in policy.ROLES}
    return {role: {**shaped, **scenario.lab.systems.get(role, {})} for role, shaped in shapes.items()}


def _environ(servers: Servers, folder: Path, checkout: Path, scenario: Scenario) -> dict[str, str]:
    own = environment(servers)
    return {
        **own,
        "PUBLIC_URL": f"http://127.0.0.1:{own['PORT']}",
        "PLAIN_HTTP": "1",
        "WEB_WORKERS": "1",
        "WAYBILL_CONFIG": str(folder / "config"),
        "WAYBILL_SECRET_KEY": "a key of the lab's only",
        "ADMIN_LOGIN": "admin",
        "LAB_ID": "lab",
        "LAB_SECRET": "lab-secret",
        "LAB_HOOKS": SECRET,
        "LAB_HOOKS_OLD": SECRET_OLD,
        "GUNICORN_CMD_ARGS": "--no-control-socket",
        "PYTHONPATH": str(checkout),
        **scenario.lab.environ,
    }


def _migrate(checkout: Path) -> None:
    """The schema as this checkout has it: a mutant may have another."""
    asked = "from app.database import migrate; migrate()"
    if checkout == CHECKOUT:
        from app.database import migrate

        migrate()
    else:
        subprocess.run(
            [sys.executable, "-c", asked], cwd=checkout, env={**os.environ, "PYTHONPATH": str(checkout)}, check=True
        )


def prepare() -> None:
    """What people have mapped, and the word that no call is under way at this start."""
    from app.catalogue import codes
    from app.database import transaction
    from tasks.engine.connecting import limiter

    with transaction() as tx:
        for sku in SKUS:
            codes.add(tx, "erp", "sku", sku, sku, "lab")
    for role in policy.ROLES:
        limiter().warm(role)


def wait(stage: Stage, name: str) -> None:
    """Until a face answers, a worker is ready, a beat has beaten. Raises ServerError naming what ended."""
    wanted: dict[str, Callable[[], bool]] = {
        "web": lambda: answers(f"{stage.web}/healthz"),
        "worker": lambda: stage.said("worker", "ready."),
        "beat": lambda: stage.said("beat", "Sending due task"),
    }
    up, end = wanted.get(name, lambda: True), time.monotonic() + UP_WITHIN
    while not up():
        for dead, code in stage.processes.dead().items():
            tail = stage.processes.log(dead).read_text(errors="replace")[-1500:]
            raise ServerError(f"{dead} ended with {code}: {tail}")
        if time.monotonic() > end:
            raise ServerError(f"{name} is not up within {UP_WITHIN:g} s; its log is {stage.processes.log(name)}")
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code < 400
    except requests.RequestException:
        return False


def imported_from(checkout: Path, environ: Mapping[str, str]) -> str:
    """Where a process of this checkout finds the hub's code: what a mutant run makes sure of."""
    asked = "import app, tasks, connectors; print(app.__path__[0], tasks.__path__[0], connectors.__path__[0])"
    told = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=checkout,
        env={**os.environ, **environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.strip()
