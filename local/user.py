"""The unprivileged user that servers run as when the supervisor is root, which PostgreSQL refuses to be."""

import hashlib
import os
import pwd
import shutil
from pathlib import Path
from typing import TypedDict

from local.errors import ServerError

UNPRIVILEGED = "nobody"  # must stand in the password file: initdb looks its own uid up
ELSEWHERE = Path("/var/tmp")  # noqa: S108  a folder of another owner there is refused


class As(TypedDict, total=False):
    """The arguments of subprocess that change who runs the command; empty when we are not root."""

    user: int
    group: int
    extra_groups: list[int]


def server_user() -> As:
    """Who runs the servers: the unprivileged user when we are root, otherwise ourselves."""
    if os.geteuid() != 0:
        return As()
    entry = pwd.getpwnam(UNPRIVILEGED)
    return As(user=entry.pw_uid, group=entry.pw_gid, extra_groups=[])


def own(path: Path, who: As) -> None:
    """Hand a file or folder to the user that the servers run as, and close it to all others."""
    if who:
        os.chown(path, who["user"], who["group"])
    path.chmod(0o700 if path.is_dir() else 0o600)


def place(root: Path) -> Path:
    """The data root itself, or a folder that stands for it where the server user cannot reach it.

    A checkout under a closed home (/root) hides its var/ from every other user; opening the home is not ours to do.
    """
    root = root.resolve()
    chosen = root if not server_user() or _open_to_all(root) else ELSEWHERE / f"waybill-{_short(root)}"
    chosen.mkdir(parents=True, exist_ok=True)
    if chosen.stat().st_uid != os.geteuid():
        raise ServerError(f"{chosen} belongs to another user: choose a data root of your own (WAYBILL_SERVERS)")
    chosen.chmod(0o755 if server_user() else 0o700)
    return chosen


def forget(root: Path) -> None:
    """Remove a data root with all that stands in it."""
    shutil.rmtree(place(root), ignore_errors=True)
    shutil.rmtree(root, ignore_errors=True)


def _open_to_all(root: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in root.parents if folder.exists())


def _short(root: Path) -> str:
    return hashlib.sha256(str(root).encode()).hexdigest()[:12]
