"""Tryton's own environment: GPL code that is run, never imported."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from local.errors import ServerError
from local.install import PYTHON
from local.servers import CHECKOUT

LOCK = CHECKOUT / "requirements" / "tryton.txt"


def built(root: Path) -> Path:
    """The environment under the root, made when it is missing or made from another lock file. Raises ServerError."""
    home = root / "venv"
    stamp = home / "ready"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return home
    uv = PYTHON.with_name("uv")
    _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, home])
    _run([uv, "pip", "install", "--quiet", "--python", home / "bin" / "python", "--compile-bytecode", "-r", LOCK])
    stamp.write_text(wanted)
    return home


def _run(command: list[str | Path]) -> None:
    outcome = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        raise ServerError(f"Tryton cannot be installed: {outcome.stderr.strip()[-500:]}")


def _environment() -> dict[str, str]:
    """Ours, with pip's choice of package index told to uv, which does not read pip's variables."""
    chosen = dict(os.environ)
    if "PIP_INDEX_URL" in chosen:
        chosen.setdefault("UV_DEFAULT_INDEX", chosen["PIP_INDEX_URL"])
    return chosen
