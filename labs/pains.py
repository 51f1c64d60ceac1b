"""The full figure of every pain (make lab-pains): the same tests as in `make test`, at the size that the pain names."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

FIGURES = Path("var/pains-full.json")
PAGE = Path("docs/pains.md")
CHOSEN = ["tests/pains", "tests/stock/test_publication.py"]
ELSEWHERE = (
    "Others: 2, 11, 35 are stories in `tests/engine`; 12, 14, 15-19, 21, 36-38 in `tests/stock` and `tests/orders`; "
    "27 is static."
)


def main() -> int:
    """Runs them all, or those that are named (the others' last figures stay), and writes docs/pains.md. Exit code: the tests'."""
    if not sys.argv[1:]:
        FIGURES.unlink(missing_ok=True)
    environ = {**os.environ, "WAYBILL_LAB": "full", "WAYBILL_FIGURES": str(FIGURES)}
    chosen = sys.argv[1:] or CHOSEN
    began = time.monotonic()
    code = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "--timeout=1800", *chosen], env=environ, check=False
    ).returncode
    if FIGURES.exists():
        PAGE.write_text(page(json.loads(FIGURES.read_text()), code, time.monotonic() - began))
    return code


def page(figures: dict[str, dict[str, object]], code: int, seconds: float) -> str:
    """The last results as a page."""
    rows = [
        f"| {pain} | {'full' if figure['full'] else 'short'} | {_row(figure)} | `{figure['test']}` |"
        for pain, figure in sorted(figures.items(), key=lambda item: _order(item[0]))
    ]
    return "\n".join(
        [
            "# The pains, with their full figures",
            "",
            _heading(code, seconds),
            "The same tests run in short in `make test`; a line of the output says which.",
            ELSEWHERE,
            "",
            "| pain | size | measured | test |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _heading(code: int, seconds: float) -> str:
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    ended = "all passed" if code == 0 else "NOT all passed"
    return f"`make lab-pains` on {time.strftime('%Y-%m-%d')}, {machine}; {seconds / 60:.0f} minutes; {ended}."


def _row(figure: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in figure.items() if name not in ("test", "full", "at"))


def _order(pain: str) -> tuple[int, str]:
    digits = "".join(c for c in pain.split("-", maxsplit=1)[0].split(" ", maxsplit=1)[0] if c.isdigit())
    return (int(digits) if digits else 999, pain)


if __name__ == "__main__":
    sys.exit(main())
