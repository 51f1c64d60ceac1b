"""One Valkey server of our own under a data root, which keeps its data and never evicts."""

import secrets
import signal
import subprocess
import time
from pathlib import Path

from redis import Redis, exceptions

from local import binaries, pids
from local.binaries import Binary
from local.errors import NotStarted, OtherVersion, ServerError
from local.kept import keep, secret
from local.ports import LOCALHOST
from local.user import As, own

SECONDS = 30.0
STEP = 0.01

# An evicted key would be a lost message; set-proc-title off keeps the command line by which we know our own server.
SETTINGS = """\
bind {host}
port {port}
dir "{folder}"
logfile "{folder}/server.log"
pidfile "{folder}/server.pid"
requirepass {password}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
set-proc-title no
"""


class Valkey:
    """Start, stop, kill and restart; the address stays the same."""

    def __init__(self, root: Path, port: int, who: As) -> None:
        self._root = root
        self._home = root / "redis"
        self._conf = self._home / "valkey.conf"
        self._secret = root / "redis.secret"
        self._port = port
        self._who = who
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of database 0, password included: for the environment, never for a log."""
        return f"redis://:{self._secret.read_text().strip()}@{LOCALHOST}:{self._port}/0"

    def start(self) -> None:
        """Bring the server up over the data that are there and wait until they are loaded.

        Raises OtherVersion when another major version wrote them, NotStarted with the log's end when it fails.
        """
        if self.running():
            return
        binary = binaries.find(binaries.REDIS, self._root, self._who)
        self._home.mkdir(parents=True, exist_ok=True)
        own(self._home, self._who)
        self._refuse_other_version(binary)
        self._configure()
        self._child = subprocess.Popen(
            [binary.path, self._conf],
            cwd=self._home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the supervisor, which then stops us in order
            **self._who,
        )
        self._wait_ready()

    def stop(self) -> None:
        """Shut down cleanly: the append-only file is flushed. Quiet when it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill with -9: up to a second of the append-only file may be missing, as after a power cut."""
        self._end(signal.SIGKILL)

    def running(self) -> bool:
        """True while the server of this data root lives."""
        return self._pid() is not None

    def _pid(self) -> int | None:
        return pids.from_file(self._home / "server.pid", str(self._conf))

    def _end(self, number: signal.Signals) -> None:
        pid = self._pid()
        if pid is None:
            return
        pids.send(pid, number)
        if self._child is not None and self._child.pid == pid:
            self._child.wait(SECONDS)
        elif not pids.wait_gone(pid, str(self._conf), SECONDS):
            raise ServerError(f"Valkey (process {pid}) does not stop; its log is {self._home / 'server.log'}")

    def _refuse_other_version(self, binary: Binary) -> None:
        note = self._home / "VERSION"
        written = note.read_text().strip() if note.exists() else binary.major
        if written != binary.major:
            raise OtherVersion(
                f"{self._home} was written by version {written}, but {binary.path} is {binary.version}: "
                f"bring version {written} back, or forget the data with make clean"
            )
        keep(note, binary.major)

    def _configure(self) -> None:
        if not self._secret.exists():
            secret(self._secret, secrets.token_urlsafe(24))
        password = self._secret.read_text().strip()
        self._conf.touch(mode=0o600)
        self._conf.write_text(
            SETTINGS.format(host=LOCALHOST, port=self._port, folder=self._home, password=password),
        )
        own(self._conf, self._who)

    def _wait_ready(self) -> None:
        until = time.monotonic() + SECONDS
        client = Redis.from_url(self.url, socket_timeout=2)
        while not self._answers(client):
            gone = self._child is None or self._child.poll() is not None
            if gone or time.monotonic() > until:
                log = self._home / "server.log"
                end = log.read_text(errors="replace").splitlines()[-8:] if log.exists() else ["(no log)"]
                raise NotStarted(f"Valkey did not start on port {self._port}: " + "\n".join(end))
            time.sleep(STEP)
        client.close()

    def _answers(self, client: Redis) -> bool:
        try:
            return bool(client.ping()) and self.running()
        except (exceptions.ConnectionError, exceptions.BusyLoadingError):
            return False
