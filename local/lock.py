"""One supervisor for one data root, by a lock that the system itself drops when the supervisor dies."""

import fcntl
import os
from pathlib import Path

from local.errors import Busy


class Lock:
    """Held from construction until released, or until the process ends in any way."""

    def __init__(self, root: Path) -> None:
        self._file = (root / "lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise Busy(f"process {holder} holds {root}: stop it first, or choose another data root") from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let the next supervisor in."""
        self._file.close()


class Turn:
    """One at a time in a folder: whoever comes later waits. As a context."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "turn"

    def __enter__(self) -> None:
        self._held = self._file.open("a")
        fcntl.flock(self._held, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._held.close()
