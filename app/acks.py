"""The acknowledgement log: one line for each delivery that was answered, kept outside the database that it is held against.

A line is a JSON list: [seconds since 1970, account, delivery id, hash of the body, first time or again]. The delivery is
committed before and answered after it is written. Each process writes a file of its own for each hour, which nothing ever
changes; files older than ACKS_KEEP_DAYS are deleted when a new one is begun. The line is not synced to the disk: a killed
process loses none, a machine that loses its power may lose the last seconds, and then the proof counts deliveries that are
kept but not logged, never the other way round.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import orjson

OFF = "off"
NAME = re.compile(r"^(?P<hour>\d{10})\.(?P<journal>[0-9a-f]{32})\.(?P<writer>[\w.-]+)\.acks$")
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Ack:
    """A delivery that was answered. `at` is the receiver's own clock, `content` the first half of the body's SHA-256."""

    at: datetime
    account: str
    delivery_id: str
    content: str
    first: bool


def folder() -> Path | None:
    """Where the log stands: ACKS, else WAYBILL_VAR/acks; None when it is switched off (ACKS=off)."""
    named = os.environ.get("ACKS", "")
    if named == OFF:
        return None
    return Path(named) if named else Path(os.environ.get("WAYBILL_VAR", "var")) / "acks"


def content(body: bytes) -> str:
    return sha256(body).hexdigest()[:32]


class Log:
    """The writer of one process. `journal` names the database, so that another one's log is never held against it."""

    def __init__(self, into: Path, journal: Callable[[], str]) -> None:
        self._into, self._journal = into, journal
        self._lock = threading.Lock()
        self._file, self._before, self._hour, self._pid = -1, -1, -1, 0
        self._torn = b""

    def write(self, account: str, delivery_id: str, body: bytes, first: bool) -> None:
        """One write of one line: whole, or not there. Raises OSError."""
        self.note(account, delivery_id, content(body), first)

    def note(self, account: str, delivery_id: str, digest: str, first: bool) -> None:
        """The same where the body was hashed before (`content`)."""
        now = time.time()
        line = orjson.dumps([round(now, 3), account, delivery_id, digest, first], option=orjson.OPT_APPEND_NEWLINE)
        if int(now // HOUR) != self._hour or os.getpid() != self._pid:
            self._begin(int(now // HOUR))
        whole = self._torn + line
        self._torn = b"" if os.write(self._file, whole) == len(whole) else b"\n"  # a full disk cuts a line short
        if self._torn:
            raise OSError("the line was cut short")

    def _begin(self, hour: int) -> None:
        """The file of a new hour, or of a new process after a fork; the old ones are closed and the oldest forgotten."""
        with self._lock:
            if hour == self._hour and os.getpid() == self._pid:
                return
            self._into.mkdir(parents=True, exist_ok=True)
            stamp = datetime.fromtimestamp(hour * HOUR, UTC)
            name = f"{stamp:%Y%m%d%H}.{self._journal()}.{_writer()}.acks"
            if self._before >= 0 and os.getpid() == self._pid:
                os.close(self._before)  # an hour after its last line: another thread may have held it for a moment
            self._before = self._file
            self._file = os.open(self._into / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
            self._hour, self._pid = hour, os.getpid()
            forget(self._into, float(os.environ.get("ACKS_KEEP_DAYS", "14")))


def _writer() -> str:
    return re.sub(r"[^\w-]", "-", f"{socket.gethostname()}-{os.getpid()}")


def forget(into: Path, days: float) -> None:
    """Deletes the files of hours that ended so many days ago; another process may have done it already."""
    for path in into.iterdir():
        named = NAME.match(path.name)
        if named and datetime.now(UTC).timestamp() - _hour(named["hour"]).timestamp() > days * 86400:
            path.unlink(missing_ok=True)


def _hour(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H").replace(tzinfo=UTC)


@dataclass
class Reader:
    """The log of all receivers as one can read it here. `torn` counts lines that are not whole, `strangers` files of
    another database."""

    where: Path
    journal: str
    torn: int = 0
    strangers: int = 0
    files: int = 0

    def between(self, since: datetime, until: datetime) -> Iterator[Ack]:
        """What was answered in [since, until), file by file. A file is named by the hour in which its lines were begun."""
        self.torn = self.strangers = self.files = 0
        for path in self._files(since, until):
            for line in _lines(path):
                ack = _ack(line)
                if ack is None and not line.strip():
                    continue
                if ack is None:
                    self.torn += 1
                elif since <= ack.at < until:
                    yield ack

    def _files(self, since: datetime, until: datetime) -> Iterable[Path]:
        first = since.replace(minute=0, second=0, microsecond=0)
        for path in sorted(self.where.iterdir()) if self.where.is_dir() else ():
            named = NAME.match(path.name)
            if named is None or not first <= _hour(named["hour"]) <= until:
                continue
            if named["journal"] != self.journal:
                self.strangers += 1
                continue
            self.files += 1
            yield path


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as lines:
        yield from lines


def _ack(line: bytes) -> Ack | None:
    """A line as it was written; None for one that a power cut left half."""
    try:
        at, account, delivery_id, digest, first = orjson.loads(line)
        return Ack(datetime.fromtimestamp(at, UTC), str(account), str(delivery_id), str(digest), bool(first))
    except (ValueError, TypeError, OverflowError):
        return None
