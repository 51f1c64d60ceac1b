"""Free TCP ports of one checkout, remembered so that addresses stay the same from one start to the next."""

import json
import random
import socket
import time
from pathlib import Path

from local.kept import keep

LOCALHOST = "127.0.0.1"
LOWEST = 15000
HIGHEST = 32000
TRIES = 500


def is_free(port: int) -> bool:
    """True when a server could listen on the port of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do, or TIME_WAIT would look taken
        try:
            probe.bind((LOCALHOST, port))
        except OSError:
            return False
    return True


def pick(avoid: frozenset[int] = frozenset()) -> int:
    """A free port below the ephemeral range.

    Not port 0: while a server is down, a client that keeps connecting to an ephemeral port of its own machine
    may be given that very port as its source, connects to itself, and the server can never come back.
    """
    for port in random.sample(range(LOWEST, HIGHEST), TRIES):
        if port not in avoid and is_free(port):
            return port
    raise OSError(f"no free port found between {LOWEST} and {HIGHEST}")


def answers(port: int) -> bool:
    """True when something accepts connections on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOCALHOST, port)) == 0


def wait_open(port: int, seconds: float) -> bool:
    """True as soon as the port answers; False when the time is over."""
    until = time.monotonic() + seconds
    while not answers(port):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


class Ports:
    """The ports of one data root by name, kept in a JSON file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def get(self, name: str) -> int:
        """The remembered port when it is free, otherwise a new one."""
        known = self._read()
        if name in known and is_free(known[name]):
            return known[name]
        return self.renew(name)

    def renew(self, name: str) -> int:
        """A new port under this name, whatever stood there before."""
        known = self._read()
        known[name] = pick(frozenset(known.values()))
        keep(self._file, json.dumps(known, indent=1, sort_keys=True))
        return known[name]

    def _read(self) -> dict[str, int]:
        return dict(json.loads(self._file.read_text())) if self._file.exists() else {}
