"""Tryton, a real ERP that none of us wrote, started for the demonstration and the tests.

`python -m local.tryton` starts one on a free port and says how to log in; `start()` is the same for programs.
Tryton is GPL: it runs as a process of its own in an environment of its own, and nothing of it is imported here.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from local import pids, servers
from local.ports import LOCALHOST, pick
from local.tryton_database import Databases
from local.tryton_prepared import USER, prepare
from local.tryton_process import serve
from local.tryton_rpc import Rpc
from local.tryton_setup import add_goods

ROOT = servers.CHECKOUT / "var" / "tryton"


@dataclass
class TrytonServer:
    """A running Tryton with a company that can sell; also a context manager that stops it."""

    url: str
    database: str
    user: str
    password: str = field(repr=False)
    pid: int
    _process: subprocess.Popen[bytes] = field(repr=False)
    _databases: Databases = field(repr=False)
    _root: Path = field(repr=False)
    _fresh: bool = False
    _servers: servers.Servers | None = field(default=None, repr=False)

    def rpc(self) -> Rpc:
        """A session for looking in."""
        return Rpc(self.url, self.database, self.user, self.password)

    def add_goods(self, prices: Mapping[str, str]) -> None:
        """Goods under these codes with stock in both warehouses (what is there already stays)."""
        add_goods(self.rpc(), dict(prices))

    def stop(self) -> None:
        """End it; a fresh database is forgotten, a kept one stays."""
        pids.send(self.pid, signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._fresh:
            self._databases.drop(self.database)
            _forget(self._root, self.database)
        if self._servers is not None:
            self._servers.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def start(root: Path = ROOT, port: int = 0, *, database_url: str = "", fresh: bool = False) -> TrytonServer:
    """Start Tryton over a copy of the prepared database: in seconds once prepare() has run, the first time in minutes.

    `database_url` names the PostgreSQL server that shall hold it (any database there); without one a server of our own
    is started under the root. `fresh` gives an empty copy of its own, forgotten at the end. Raises NotStarted or
    ServerError.
    """
    root.mkdir(parents=True, exist_ok=True)
    if database_url:
        return _start(root, port or pick(), Databases(database_url), fresh, None)
    own = servers.start(root / "servers", {})
    try:
        return _start(root, port or pick(), Databases(own.database_url), fresh, own)
    except BaseException:  # whatever it is: the server of our own shall not outlive it
        own.stop()
        raise


def _start(root: Path, port: int, databases: Databases, fresh: bool, own: servers.Servers | None) -> TrytonServer:
    prepared = prepare(root, databases)
    kept = prepared.database.replace("prepared", "kept")  # a second start finds the first one's orders
    name = f"tryton_{port}_{os.getpid()}" if fresh else kept
    if fresh or not databases.exists(name):
        databases.copy(prepared.database, name)
    pidfile = root / f"{name}.pid"
    _end_left_behind(root, kept)
    process = serve(root, port, databases, name)
    pidfile.write_text(str(process.pid))
    return TrytonServer(
        f"http://{LOCALHOST}:{port}", name, USER, prepared.password, process.pid, process, databases, root, fresh, own
    )


def _end_left_behind(root: Path, kept: str) -> None:
    """Those of killed supervisors: the one on the kept database, and fresh ones whose supervisor (in the name) is gone."""
    for pidfile in root.glob("tryton_*.pid"):
        name = pidfile.stem
        if name == kept or (not name.startswith("tryton_kept") and not pids.command_line(int(name.rpartition("_")[2]))):
            pid = pids.from_file(pidfile, name)
            if pid is not None:
                pids.send(pid, signal.SIGTERM)
                pids.wait_gone(pid, name, 10)
            _forget(root, name)


def _forget(root: Path, name: str) -> None:
    for kind in ("conf", "log", "pid"):
        (root / f"{name}.{kind}").unlink(missing_ok=True)


def main() -> None:
    """Serve until interrupted; `python -m local.tryton prepare` only makes (and keeps a dump of) the prepared database."""
    began = time.monotonic()
    with start(database_url=os.environ.get("DATABASE_URL", ""), fresh="prepare" in sys.argv) as tryton:
        if "prepare" in sys.argv:
            return
        print(f"{tryton.url} (database {tryton.database}), user {tryton.user}, password {tryton.password}")
        print(f"up after {time.monotonic() - began:.1f} s; interrupt to stop", file=sys.stderr)
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
        try:
            signal.pause()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
