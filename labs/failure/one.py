"""One scenario in a process of its own: staged, played, judged, and its result kept (python -m labs.failure.one NAME)."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time
import traceback
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from labs.failure.book import CASTS, SCENARIOS
from labs.failure.copying import copied
from labs.failure.cuts import Cut
from labs.failure.looks import outcomes
from labs.failure.mutants import MUTANTS
from labs.failure.scenario import SCALE, Scenario, Skipped
from labs.failure.settle import settled
from labs.failure.stage import imported_from
from labs.judge.verdict import Verdict
from local.servers import CHECKOUT

HOME = Path(os.environ.get("WAYBILL_LAB_HOME", CHECKOUT / "var" / "lab-failure"))


def file_of(name: str) -> Path:
    """Where a result is kept: var/lab-failure/<scenario>.json (WAYBILL_LAB_HOME: another folder), a mutant's under mutants/."""
    return HOME / f"{name}.json"


def main() -> int:
    """0 when it went as it must: a scenario is whole (or cannot be played here), a mutant is caught."""
    name = sys.argv[1]
    began, at = time.time(), commit()
    try:
        record = _mutant(name) if name.startswith("mutants/") else _scenario(name)
    except Skipped as why:
        record = {"passed": False, "skipped": str(why)}
    except Exception:  # noqa: BLE001 - whatever ends a scenario is its result
        record = {"passed": False, "error": traceback.format_exc()[-3000:]}
    record = keep(name, record, began, at)
    for line in [*record.get("findings", ()), record.get("skipped", ""), record.get("error", "")][:12]:
        if line:
            print(f"         {line}", flush=True)
    return 0 if record["passed"] or record.get("skipped") else 1


def keep(name: str, record: dict[str, Any], began: float, at: str) -> dict[str, Any]:
    """Writes a result with its name, its seconds, its time, commit and machine; what it wrote."""
    record = {
        "name": name,
        **record,
        "seconds": round(time.time() - began, 1),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": at,
    }
    if SCALE < 1:
        record["scale"] = SCALE
    record["machine"] = (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.0f} at the end"
    )
    file_of(name).parent.mkdir(parents=True, exist_ok=True)
    file_of(name).write_text(json.dumps(record, indent=1) + "\n")
    return record


def commit() -> str:
    """The commit that is run, `-dirty` where its files (other than docs) were changed since; empty outside of git."""
    head = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
    return f"{head}-dirty" if head and changed else head


def _git(*words: str) -> str:
    try:
        told = subprocess.run(["git", *words], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""


def _scenario(name: str) -> dict[str, Any]:
    verdict, measured = run(SCENARIOS[name], HOME / "run" / name)
    return {"passed": verdict.whole, **verdict.record(), **measured}


def _mutant(name: str) -> dict[str, Any]:
    """The hub with one safeguard taken out: the judge must find what it was there for."""
    mutant = MUTANTS[name.removeprefix("mutants/")]
    verdict, measured = run(SCENARIOS[mutant.scenario], HOME / "run" / name, mutant.cuts)
    caught = sorted({one.kind for one in verdict.findings} & set(mutant.caught_as))
    told = {"scenario": mutant.scenario, "safeguard": mutant.about, "caught_as": caught}
    return {"passed": bool(caught), **verdict.record(), **measured, **told}


def run(scenario: Scenario, folder: Path, cuts: tuple[Cut, ...] = ()) -> tuple[Verdict, dict[str, Any]]:
    """The verdict, and what was measured on the way; from a copy of the checkout where anything is cut."""
    shutil.rmtree(folder, ignore_errors=True)
    with ExitStack() as stack:
        checkout = CHECKOUT
        if cuts or scenario.lab.cuts:
            checkout = stack.enter_context(copied((*scenario.lab.cuts, *cuts)))
            _is_what_runs(checkout)
        stage = stack.enter_context(CASTS[scenario.cast](scenario, folder, checkout))
        stage.say(f"{scenario.name}: {scenario.about}")
        scenario.play(stage)
        stage.good_weather()
        stage.say("played; waiting until all is accounted for")
        verdict = settled(stage, scenario)
        stage.say("whole" if verdict.whole else f"{len(verdict.findings)} findings")
        return verdict, {"kills": stage.kills, "figures": stage.figures, "outcomes": outcomes()}


def _is_what_runs(checkout: Path) -> None:
    found = imported_from(checkout, {})
    if any(not place.startswith(str(checkout)) for place in found.split()):
        raise RuntimeError(f"the copy is not what runs: {found}")


if __name__ == "__main__":
    sys.exit(main())
