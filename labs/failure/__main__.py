"""The failure lab (make lab-failure): scenarios and mutants, resumable; writes var/lab-failure.json and the marked parts of its page."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from labs.failure import page
from labs.failure.book import SCENARIOS
from labs.failure.mutants import MUTANTS
from labs.failure.one import commit, file_of, keep
from local.servers import CHECKOUT

BUDGET = 3600.0  # seconds; what did not fit is for the next call
FIGURES = CHECKOUT / "var" / "lab-failure.json"
PAGE = CHECKOUT / "docs" / "failure-lab.md"


def main() -> int:
    """Exit code 0 when every scenario that can be played here is whole, and every mutant caught."""
    asked = [word for word in sys.argv[1:] if not word.startswith("-")]
    everything = [*SCENARIOS, *(f"mutants/{name}" for name in MUTANTS)]
    wanted = [
        name for name in everything if not asked or any(name == word or name.startswith(f"{word}/") for word in asked)
    ]
    if not wanted:
        print(f"no such scenario; there are: {', '.join(everything)}", file=sys.stderr)
        return 2
    todo = [name for name in wanted if "--again" in sys.argv or not passed(name)]
    print(f"{len(wanted)} wanted, {len(wanted) - len(todo)} done before, {len(todo)} to do", flush=True)
    _play(todo)
    publish(everything)
    skipped = [name for name in wanted if _result(name).get("skipped")]
    if skipped:
        print(f"skipped: {', '.join(skipped)}", flush=True)
    return 0 if all(passed(name) or name in skipped for name in wanted) else 1


def publish(everything: list[str], file: Path = PAGE) -> None:
    """What is newer here than on the page takes its row; all other rows stay."""
    told, results = page.read(file), list(_results(everything))
    for one in results:
        told.take(one)
    told.write(file, everything, [_machine(one) for one in results])
    FIGURES.write_text(json.dumps(told.summary(everything), indent=1) + "\n")


def _machine(one: dict[str, Any]) -> str:
    return str(one.get("machine", "")).partition(", load")[0]


def passed(name: str) -> bool:
    return bool(_result(name).get("passed"))


def _result(name: str) -> dict[str, Any]:
    file = file_of(name)
    return dict(json.loads(file.read_text())) if file.exists() else {}


def _results(names: Iterable[str]) -> Iterable[dict[str, Any]]:
    return (found for name in names if (found := _result(name)))


def _play(todo: list[str]) -> None:
    began = time.monotonic()
    for n, name in enumerate(todo, 1):
        spent = time.monotonic() - began
        if spent > BUDGET:
            print(f"{len(todo) - n + 1} are left for the next call: 60 minutes are over", flush=True)
            return
        print(f"[{n}/{len(todo)}, {spent / 60:.1f} min] {name}", flush=True)
        ended = _one(name)
        word = "skipped" if _result(name).get("skipped") else "as it must be" if ended else "NOT as it must be"
        print(f"[{n}/{len(todo)}] {name}: {word}", flush=True)


def _one(name: str) -> bool:
    scenario = SCENARIOS[MUTANTS[name.removeprefix("mutants/")].scenario if name.startswith("mutants/") else name]
    file_of(name).unlink(missing_ok=True)
    began, at = time.time(), commit()
    try:
        return (
            subprocess.run(
                [sys.executable, "-m", "labs.failure.one", name], timeout=scenario.longest, check=False
            ).returncode
            == 0
        )
    except subprocess.TimeoutExpired:
        why = f"ended after {scenario.longest:g} s"
        print(f"         {why}", flush=True)
        keep(name, {"passed": False, "error": why}, began, at)
        return False


if __name__ == "__main__":
    sys.exit(main())
