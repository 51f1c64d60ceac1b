"""One PostgreSQL server of our own under a data root, durable as in production."""

import secrets
import signal
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from local import binaries, pids
from local.binaries import Binary
from local.errors import NotStarted, OtherVersion, ServerError
from local.kept import secret
from local.ports import LOCALHOST
from local.user import As, own

ROLE = "waybill"
SECONDS = 30.0
LONGEST_SOCKET = 90  # a unix socket's path ends at 107 bytes, its file name included
BUILTIN_LOCALE_SINCE = 17

# Durability is never traded for speed here: what the journal promises rests on it.
SETTINGS = """\
listen_addresses = '{host}'
port = {port}
unix_socket_directories = '{socket}'
fsync = on
synchronous_commit = on
full_page_writes = on
max_connections = 200
max_wal_size = 2GB
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %a '
"""


class Postgres:
    """Start, stop, kill and restart; the address stays the same."""

    def __init__(self, root: Path, port: int, who: As) -> None:
        self._home = root / "postgres"
        self._data = self._home / "data"
        self._log = self._home / "server.log"
        self._secret = root / "postgres.secret"
        self._port = port
        self._who = who
        self._root = root

    @property
    def url(self) -> str:
        """The address of the role's own database, password included: for the environment, never for a log."""
        password = self._secret.read_text().strip()
        return URL.create("postgresql+psycopg", ROLE, password, LOCALHOST, self._port, ROLE).render_as_string(
            hide_password=False
        )

    def start(self) -> None:
        """Bring the server up over the data that are there, or over new ones.

        Raises OtherVersion when the data are of another major version, NotStarted with the log's end when it fails.
        """
        binary = binaries.find(binaries.POSTGRES, self._root, self._who)
        if not (self._data / "PG_VERSION").exists():
            self._initialize(binary)
        self._refuse_other_version(binary)
        self._forget_stale_pid()
        self._configure()
        self._launch(binary)
        self._ensure_database()

    def stop(self) -> None:
        """Shut down cleanly: open sessions are ended, everything is flushed. Quiet when it does not run."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill the postmaster with -9, as a power cut would: nothing is flushed, the pid file stays."""
        self._end(signal.SIGKILL)

    def running(self) -> bool:
        """True while the postmaster of this data root lives."""
        return self._pid() is not None

    def _pid(self) -> int | None:
        return pids.from_file(self._data / "postmaster.pid", str(self._data))

    def _end(self, number: signal.Signals) -> None:
        pid = self._pid()
        if pid is None:
            return
        pids.send(pid, number)
        if not pids.wait_gone(pid, str(self._data), SECONDS):
            raise ServerError(f"PostgreSQL (process {pid}) does not stop; its log is {self._log}")

    def _initialize(self, binary: Binary) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        own(self._home, self._who)
        if not self._secret.exists():
            secret(self._secret, secrets.token_urlsafe(24))
        password = self._home / "password"
        password.touch(mode=0o600)
        password.write_text(self._secret.read_text())
        own(password, self._who)
        half = self._home / "half"  # renamed when whole: an interrupted initdb leaves no data directory
        self._run(["rm", "-rf", half])
        self._run([binary.path.with_name("initdb"), "-D", half, "-U", ROLE, "--pwfile", password, *_options(binary)])
        password.unlink()
        half.rename(self._data)

    def _refuse_other_version(self, binary: Binary) -> None:
        written = (self._data / "PG_VERSION").read_text().strip()
        if written != binary.major:
            raise OtherVersion(
                f"{self._data} was written by PostgreSQL {written}, but {binary.path} is {binary.version}: "
                f"bring PostgreSQL {written} back, or forget the data with make clean"
            )

    def _forget_stale_pid(self) -> None:
        """A file that names a stranger (a killed server's number, used again or not yet reaped) keeps a server down.

        PostgreSQL's own guard against two servers, the shared memory block, stays.
        """
        if self._pid() is None:
            for stale in (self._data / "postmaster.pid", *self._home.glob(".s.PGSQL.*")):
                stale.unlink(missing_ok=True)

    def _configure(self) -> None:
        socket = self._home if len(str(self._home)) < LONGEST_SOCKET else ""
        ours = self._data / "waybill.conf"
        ours.write_text(SETTINGS.format(host=LOCALHOST, port=self._port, socket=socket))
        own(ours, self._who)
        main = self._data / "postgresql.conf"
        line = f"include = '{ours.name}'\n"
        if line not in main.read_text():
            with main.open("a") as text:
                text.write(line)

    def _launch(self, binary: Binary) -> None:
        """Start and wait; again for a while, since the children of a killed postmaster take a moment to leave."""
        until = time.monotonic() + SECONDS
        control = binary.path.with_name("pg_ctl")
        while not self.running():
            try:
                self._run([control, "-D", self._data, "-l", self._log, "-w", "-t", str(int(SECONDS)), "start"])
            except ServerError:
                if time.monotonic() > until or not self._children_linger():
                    raise NotStarted(f"PostgreSQL did not start on port {self._port}: {_end_of(self._log)}") from None
                time.sleep(0.2)

    def _ensure_database(self) -> None:
        home = make_url(self.url).set(drivername="postgresql", database="postgres")
        with psycopg.connect(home.render_as_string(hide_password=False), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (ROLE,)).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(ROLE)))

    def _children_linger(self) -> bool:
        return "shared memory block" in _end_of(self._log)

    def _run(self, command: list[str | Path]) -> None:
        answer = subprocess.run(
            command,
            cwd=self._home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # not a pipe: the server inherits it, and we would wait for its end
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            check=False,
            **self._who,
        )
        if answer.returncode != 0:
            raise ServerError(f"{Path(command[0]).name} ended with {answer.returncode}; see {self._log}")


def _options(binary: Binary) -> list[str]:
    """The same order and letter cases on every machine, whatever locales it has."""
    common = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
    if int(binary.major) < BUILTIN_LOCALE_SINCE:
        return common
    return [*common, "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


def _end_of(log: Path, lines: int = 8) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(no log)"
