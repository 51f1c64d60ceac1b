"""`make run`: the whole hub as shipped, every system that it talks to, and a day in a shop's life; it stays until interrupted."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import requests
from rich.console import Console

from app.database import migrate
from local.environment import environment
from local.errors import ServerError
from local.ports import Ports
from local.processes import Processes, end_left_behind
from local.servers import CHECKOUT, Servers, start
from local.story import addresses, erps, keys, report
from local.story.addresses import Addresses
from local.story.channels import CHANNELS
from local.story.configured import configured
from local.story.journal import cases, keepers
from local.story.play import play
from local.story.seed import seed, subscribe, warm

VAR = CHECKOUT / "var"
PATIENCE = 240.0
GRANTED = {
    "SHIPBOB_MAIN_CALLS": "600"
}  # calls a minute that the played warehouse grants; the hub's share is in local/story/config


class Ended(BaseException):
    """Somebody wants us to end."""


def main() -> int:
    """0 when the story is accounted for (ONCE=1), or when interrupted after it; 1 otherwise."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        with ExitStack() as stack:
            return _run(stack)
    except Ended:
        return 0 if not _once() else 1
    except ServerError as problem:
        print(problem, file=sys.stderr)
        return 1


def _end(number: int, frame: FrameType | None) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)  # everything is being stopped already
    raise Ended


def _once() -> bool:
    return os.environ.get("ONCE", "") not in ("", "0")


def _run(stack: ExitStack) -> int:
    began, console = time.monotonic(), Console()
    VAR.mkdir(exist_ok=True)
    servers = stack.enter_context(start())
    end_left_behind(VAR)  # of a killed start: they hold its ports, and its workers would go on beside ours
    where, erp = _settle(servers, stack)
    processes = stack.enter_context(Processes(os.environ, VAR))
    processes.start("simulators", f"exec {sys.executable} -m local.simulators")
    processes.start_all()
    wait_ready(where, erp, processes)
    for one in erp.everyone:
        subscribe(one.account, CHANNELS)
    told = _addresses(where, erp)
    outcome = play(where, erp, console, began, told, lambda: _all_alive(processes))
    report.keep(outcome, VAR / "run.json")
    _spent()
    report.show(outcome, cases(), console)
    _say(console, told)
    if _once():
        return 0 if outcome.whole else 1
    return _stay(processes, console)


def _settle(servers: Servers, stack: ExitStack) -> tuple[Addresses, erps.Erp]:
    """Environment, schema and what a shop needs before its first order."""
    ports = Ports(servers.root / "ports.json")
    own = environment(servers)
    where = addresses.found(own, ports, CHANNELS)
    os.environ.update(
        {
            **own,
            "GUNICORN_CMD_ARGS": "--no-control-socket",
            **keys.kept(VAR / "keys.json"),
            **where.variables(),
            **GRANTED,
        }
    )
    migrate()
    erp = erps.chosen(os.environ.get("ERP", ""), where, servers.database_url, ports, stack, keepers())
    os.environ.update(erp.environment())
    shipped = Path(os.environ.get("WAYBILL_CONFIG", CHECKOUT / "config"))
    os.environ["WAYBILL_CONFIG"] = str(configured(shipped, VAR / "config", CHANNELS, erp.account))

    seed(erp.account, CHANNELS)
    for one in erp.everyone:
        warm(one.account, CHANNELS)
    erp.prepare()
    return where, erp


def wait_ready(where: Addresses, erp: erps.Erp, processes: Processes) -> None:
    """Until every face answers (a worker that still loads hears of the orders later). Raises ServerError naming the process that ended."""
    wanted = [
        f"{where.web}/healthz",
        f"{where.flower}/healthcheck",
        *(f"{url}/_sim/faults" for url in (*where.played.values(), *(one.played for one in erp.everyone)) if url),
    ]
    until = time.monotonic() + PATIENCE
    while wanted:
        wanted = [url for url in wanted if not _answers(url)]
        _all_alive(processes)
        if time.monotonic() > until:
            raise ServerError(
                f"no answer from {', '.join(wanted)} within {PATIENCE:g} s; the logs are in {VAR / 'log'}"
            )
        time.sleep(0.1)


def _all_alive(processes: Processes) -> None:
    """Raises ServerError naming the process that ended."""
    for name, code in processes.dead().items():
        raise ServerError(f"{name} ended with {code}; its log is {processes.log(name)}\n{_tail(processes.log(name))}")


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code < 400
    except requests.RequestException:
        return False


def _tail(log: Path, lines: int = 12) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _addresses(where: Addresses, erp: erps.Erp) -> dict[str, str]:
    return {
        "admin": f"{where.web}/admin/",
        "flower": where.flower,
        "metrics": f"{where.web}/metrics",
        **{name: f"{url}/_sim/state" for name, url in where.played.items()},
        **{name: told for one in erp.everyone for name, told in one.addresses.items()},
    }


def _say(console: Console, told: dict[str, str]) -> None:
    flower = os.environ["FLOWER_BASIC_AUTH"].split(":", 1)
    console.print(
        f"\nAdmin    {told['admin']}  login admin, password {os.environ['ADMIN_PASSWORD']}",
        highlight=False,
        soft_wrap=True,
    )
    console.print(
        f"Flower   {told['flower']}  login {flower[0]}, password {flower[1]}", highlight=False, soft_wrap=True
    )
    for name in [name for name in told if name not in ("admin", "flower")]:
        console.print(f"{name:8} {told[name]}", highlight=False, soft_wrap=True)


def _spent() -> None:
    """Seconds of processor time so far, for whoever tunes this."""
    if os.environ.get("WAYBILL_TIMES"):
        own, load = time.process_time(), os.getloadavg()[0]
        print(f"processor seconds of this process {own:.1f}, load {load:.1f}")


def _stay(processes: Processes, console: Console) -> int:
    """Until interrupted, or until a process ends by itself."""
    console.print("\nEverything stays up: look around, place orders, set bad days. Ctrl-C ends it.")
    waiting = threading.Event()
    while not waiting.wait(1):
        _all_alive(processes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
