"""The processes of the Procfile as shipped, each in its own group with its own log, ended together."""

import atexit
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from honcho.environ import parse_procfile

from local import pids
from local.kept import keep
from local.servers import CHECKOUT

SECONDS_TO_LEAVE = 15.0


class Processes:
    """Started by name, killed and restarted by name, and all ended on exit; also a context manager."""

    def __init__(self, environ: Mapping[str, str], var: Path = CHECKOUT / "var", folder: Path = CHECKOUT) -> None:
        self._environ = {**os.environ, **environ, "WAYBILL_VAR": str(var), "PYTHONUNBUFFERED": "1"}
        self._environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
        self._folder = folder
        self._logs = var / "log"
        self._record = var / "processes.json"
        self._commands: dict[str, str] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._logs.mkdir(parents=True, exist_ok=True)
        end_left_behind(var)
        atexit.register(self.stop)

    def start_all(self, procfile: Path = CHECKOUT / "Procfile") -> None:
        """Start every line of the Procfile."""
        for name, command in parse_procfile(procfile.read_text()).processes.items():
            self.start(name, command)

    def start(self, name: str, command: str = "") -> None:
        """Start a command under a name, or again what was started under it before; its output goes to log/NAME.log."""
        self._commands[name] = command or self._commands[name]
        with self.log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                ["/bin/sh", "-c", self._commands[name]],  # a Procfile line is a line for the shell
                cwd=self._folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._note()

    def log(self, name: str) -> Path:
        """Where the output of a process stands."""
        return self._logs / f"{name}.log"

    def pid(self, name: str) -> int:
        """The number of a process, which is also its group's."""
        return self._running[name].pid

    def dead(self) -> dict[str, int]:
        """Which processes ended by themselves, with their exit codes."""
        codes = {name: process.poll() for name, process in self._running.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process and its children, e.g. SIGSTOP and SIGCONT."""
        _signal_group(self._running[name].pid, number)

    def kill(self, name: str) -> None:
        """Kill a process and its children with -9, as the system would for want of memory."""
        process = self._running.pop(name)
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()
        self._note()

    def stop(self) -> None:
        """End all politely, and after a while without asking; what they started goes with them."""
        for process in self._running.values():
            _signal_group(process.pid, signal.SIGTERM)
        until = time.monotonic() + SECONDS_TO_LEAVE
        for process in self._running.values():
            _wait_until(process, until)
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
        self._running.clear()
        self._note()

    def _note(self) -> None:
        living = {name: [process.pid, pids.born(process.pid)] for name, process in self._running.items()}
        if self._record.parent.exists():  # make clean may have forgotten var/ before we end
            keep(self._record, json.dumps(living, indent=1))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def end_left_behind(var: Path) -> None:
    """End the groups of a supervisor that was killed, by the record it left."""
    record = var / "processes.json"
    noted = json.loads(record.read_text()) if record.exists() else {}
    for pid, begun in noted.values():
        if begun and pids.born(pid) == begun:
            _signal_group(pid, signal.SIGKILL)
    record.unlink(missing_ok=True)


def _wait_until(process: subprocess.Popen[bytes], until: float) -> None:
    try:
        process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        return


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return
