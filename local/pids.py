"""Telling our own running processes from strangers that were given the same process id."""

import os
import signal
import subprocess
import time
from pathlib import Path

STEP = 0.02


def command_line(pid: int) -> str:
    """The words a process was started with, or "" when there is none (or only its remains)."""
    listing = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            return listing.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    answer = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def born(pid: int) -> str:
    """When a process began, in the words of the system: with its id it names one process for ever; "" when gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except OSError:
        answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return answer.stdout.strip()


def from_file(file: Path, mark: str) -> int | None:
    """The pid in the file's first line when that process runs and its command line bears the mark."""
    try:
        pid = int(file.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None
    return pid if mark in command_line(pid) else None


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def wait_gone(pid: int, mark: str, seconds: float) -> bool:
    """True once no process with this id bears the mark any more; False when the time is over."""
    until = time.monotonic() + seconds
    while mark in command_line(pid):
        if time.monotonic() > until:
            return False
        time.sleep(STEP)
    return True
