"""Build the project's environment from the lock files; runs on the machine's own Python, standard library only."""

import os
import subprocess
import sys
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
HOME = CHECKOUT / ".venv"
PYTHON = HOME / "bin" / "python"
OLDEST = (3, 11)


def main() -> None:
    """Create .venv when it is missing and bring it to exactly what requirements/*.txt say."""
    if sys.version_info < OLDEST:
        sys.exit("Waybill needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ...")
    if not PYTHON.exists():
        _create()
    locks = CHECKOUT / "requirements"
    uv = [str(HOME / "bin" / "uv"), "pip"]
    _run([str(PYTHON), "-m", "pip", "install", "--quiet", "-r", str(locks / "tools.txt")])
    _run([*uv, "install", "--quiet", "--python", str(PYTHON), "-r", str(locks / "test.txt")])
    # compat: a plain path file, so that a package made later is found and mypy can follow it
    editable = ["--no-deps", "--no-build-isolation", "-C", "editable_mode=compat", "-e", str(CHECKOUT)]
    _run([*uv, "install", "--quiet", "--python", str(PYTHON), *editable])
    (HOME / "ready").touch()


def _create() -> None:
    try:
        venv.create(HOME, with_pip=True, clear=True)
    except subprocess.CalledProcessError:
        sys.exit("this Python cannot make an environment with pip (on Debian: apt-get install python3-venv)")


def _run(command: list[str]) -> None:
    outcome = subprocess.run(command, env=_environment(), cwd=CHECKOUT, check=False)
    if outcome.returncode != 0:
        sys.exit(f"installation failed at: {' '.join(command)}")


def _environment() -> dict[str, str]:
    """Our environment, with pip's choice of package index told to uv, which does not read pip's variables."""
    chosen = dict(os.environ)
    if "PIP_INDEX_URL" in chosen:
        chosen.setdefault("UV_DEFAULT_INDEX", chosen["PIP_INDEX_URL"])
    chosen.pop("VIRTUAL_ENV", None)
    return chosen


if __name__ == "__main__":
    main()
