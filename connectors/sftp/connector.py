"""A folder at an SFTP server: files are read, reports laid beside them, and what is done with is moved away."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from paramiko import SFTPClient

from connectors.kit.account import Connection
from connectors.kit.capabilities import RemoteFile
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, Write, Writes
from connectors.sftp.client import Client

MOST_BYTES = 50_000_000
PIECE = 262_144


def connect(connection: Connection) -> Sftp:
    return Sftp(connection, Client(connection.http))


@dataclass(frozen=True)
class Sftp:
    """Plays FileSource."""

    connection: Connection
    client: Client

    def files(self) -> Sequence[RemoteFile]:
        """Names with the account's ending, none that is hidden; folders are left out."""
        ending = str(self._setting("ending", ".csv"))
        with self.client.talk("files.list", "") as session:
            try:
                found = session.listdir_attr(self.client.folder)
            except UnicodeDecodeError as wrong:
                remedy = "Rename it: names of files are UTF-8."
                raise Rejected(
                    "A file's name is no UTF-8, so none is listed.", code="bad_name", remedy=remedy
                ) from wrong
        return sorted(
            (
                RemoteFile(one.filename, int(one.st_size or 0), int(one.st_mtime or 0))
                for one in found
                if one.filename.endswith(ending) and not one.filename.startswith(".") and stat.S_ISREG(one.st_mode or 0)
            ),
            key=lambda file: file.name,
        )

    def read_file(self, name: str) -> bytes:
        with self.client.talk("files.read", name) as session:
            body = _read(session, self._at(name), self._most)
        if len(body) > self._most:
            raise Rejected(f"{name} has more than {self._most} bytes.", code="too_large", remedy="Split the file.")
        return body

    @property
    def _most(self) -> int:
        return int(str(self._setting("most_bytes", MOST_BYTES)))

    def put_report(self, name: str, body: bytes, *, key: str) -> Writes:
        """Written under a hidden name and renamed, so that nobody reads half of it."""
        report = self.report_name(name)
        return (yield Write("report", lambda: self._put(report, body), lambda: self._same(report, body)))

    def report_name(self, name: str) -> str:
        return f"{self._setting('reports', 'reports')}/{name.rpartition('.')[0] or name}.report.csv"

    def archive(self, name: str, content: str, *, key: str) -> Writes:
        """Under its own name, or a name of its content's where an earlier file of that name lies there: that one is kept."""
        stem, dot, ending = name.rpartition(".")
        mark = content[:12] or sha256(key.encode()).hexdigest()[:12]
        folder = self._setting("archive", "done")
        away = (f"{folder}/{name}", f"{folder}/{stem}.{mark}{dot}{ending}" if stem else f"{folder}/{name}.{mark}")
        return (
            yield Write("archive", lambda: self._move(name, away, content), lambda: self._moved(name, away, content))
        )

    # ---- what is sent and looked up

    def _put(self, name: str, body: bytes) -> ExternalId:
        folder, _, last = name.rpartition("/")
        hidden = f"{folder}/.{last}.part"
        with self.client.talk("files.put", name, write=True) as session:
            self._folder(session, folder)
            with session.open(self._at(hidden), "wb") as file:
                file.set_pipelined(True)
                file.write(body)
            session.posix_rename(self._at(hidden), self._at(name))
        return name

    def _same(self, name: str, body: bytes) -> ExternalId | None:
        with self.client.talk("files.look", name) as session:
            there = self._there(session, name) and _read(session, self._at(name), len(body)) == body
        return name if there else None

    def _move(self, name: str, away: tuple[str, str], content: str) -> ExternalId:
        """A rename over a file would take it away: only over one of the same content."""
        with self.client.talk("files.move", name, write=True) as session:
            own, other = away
            free = not self._there(session, own) or (bool(content) and self._is(session, own, content))
            to = own if free else other
            if self._there(session, name) and self._is(session, name, content):
                self._folder(session, to.rpartition("/")[0])
                session.posix_rename(self._at(name), self._at(to))
        return to

    def _moved(self, name: str, away: tuple[str, str], content: str) -> ExternalId | None:
        """Where it lies now; None while it is still where it was, or nowhere."""
        with self.client.talk("files.look", name) as session:
            if self._there(session, name):
                return None
            found = (one for one in reversed(away) if self._there(session, one) and self._is(session, one, content))
            return next(found, None)

    def _is(self, session: SFTPClient, name: str, content: str) -> bool:
        return not content or sha256(_read(session, self._at(name), self._most)).hexdigest() == content

    def _folder(self, session: SFTPClient, name: str) -> None:
        if not self._there(session, name):
            session.mkdir(self._at(name))

    def _there(self, session: SFTPClient, name: str) -> bool:
        try:
            session.stat(self._at(name))
        except FileNotFoundError:
            return False
        return True

    def _at(self, name: str) -> str:
        """A path under the account's folder. Raises Rejected for a name that leads out of it."""
        if name.startswith("/") or ".." in name.split("/") or "\x00" in name:
            raise Rejected(f"{name!r} leads out of the account's folder.", code="foreign_path")
        return f"{self.client.folder}/{name}"

    def _setting(self, name: str, default: object) -> object:
        return self.connection.account.settings.get(name, default)


def _read(session: SFTPClient, path: str, most: int) -> bytes:
    """At most one byte more than `most`."""
    parts, left = [], most + 1
    with session.open(path, "rb") as file:
        while left > 0 and (piece := file.read(min(PIECE, left))):
            parts.append(piece)
            left -= len(piece)
    return b"".join(parts)
