"""A real SSH server with SFTP over a folder of its own (asyncssh), which can be told to break off."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

USER, PASSWORD = "feeds", "a password for tests"


@dataclass
class Server:
    """`folder` is what the login sees, price files under prices/. `breaks`: how many of the next connections are cut when a file
    is renamed (it is done all the same)."""

    folder: Path
    port: int = 0
    host_key: str = ""
    login_key: str = ""
    breaks: int = 0
    puts: int = 0
    logins: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    open: list[Any] = field(default_factory=list)

    def put(self, name: str, text: str | bytes) -> None:
        body = text.encode() if isinstance(text, str) else text
        file = self.folder / "prices" / name
        file.write_bytes(body)
        self.puts += 1  # a file that comes anew bears a time of its own, however fast the story goes
        os.utime(file, (time.time() + self.puts,) * 2)

    def text(self, name: str) -> str:
        return (self.folder / "prices" / name).read_text()

    def names(self, folder: str = "") -> list[str]:
        where = self.folder / "prices" / folder
        return sorted(one.name for one in where.iterdir() if one.is_file()) if where.is_dir() else []


def _door(made: Server, login: Any, known: tuple[str, str]) -> type[asyncssh.SSHServer]:
    class Door(asyncssh.SSHServer):
        def connection_made(self, conn: Any) -> None:
            made.open.append(conn)

        def begin_auth(self, username: str) -> bool:
            made.logins.append(username)
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == known

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: Any) -> bool:
            return bool(key.public_data == login.public_data)

    return Door


def _files(made: Server) -> type[asyncssh.SFTPServer]:
    class Files(asyncssh.SFTPServer):
        def __init__(self, chan: Any) -> None:
            super().__init__(chan, chroot=str(made.folder).encode())
            self._wire = chan

        def posix_rename(self, oldpath: bytes, newpath: bytes) -> Any:
            done = super().posix_rename(oldpath, newpath)
            made.renamed.append(newpath.decode())
            if made.breaks > 0:
                made.breaks -= 1
                self._wire.get_connection().abort()
            return done

    return Files


async def _ended(loop: asyncio.AbstractEventLoop) -> None:
    """Whatever is still at it is ended, and its sockets closed."""
    mine = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]
    await asyncio.sleep(0.05)
    for task in mine:
        task.cancel()
    await asyncio.gather(*mine, return_exceptions=True)
    await asyncio.sleep(0)


@contextmanager
def served(folder: Path, port: int = 0, known: tuple[str, str] = (USER, PASSWORD), key: str = "") -> Iterator[Server]:
    """The server (on a free port) in a thread with a loop of its own. `known` is who may come in, `key` the host's in PEM (none: a new one)."""
    made = Server(folder)
    (folder / "prices").mkdir(parents=True, exist_ok=True)
    host = asyncssh.import_private_key(key) if key else asyncssh.generate_private_key("ssh-ed25519")
    login = asyncssh.generate_private_key("ssh-ed25519")
    made.host_key = host.export_public_key().decode().strip()
    made.login_key = login.export_private_key().decode()
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def begin() -> Any:
        doors = {"server_host_keys": [host], "sftp_factory": _files(made)}
        return await asyncssh.create_server(_door(made, login, known), "127.0.0.1", port, **doors)

    def run() -> None:
        asyncio.set_event_loop(loop)
        listener = loop.run_until_complete(begin())
        made.port = listener.get_port()
        ready.set()
        loop.run_forever()
        listener.close()
        for connection in made.open:
            connection.abort()
        loop.run_until_complete(_ended(loop))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
