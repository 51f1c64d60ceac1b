"""The oracles at their full figure (make lab-histories): 10,000 random histories each, and the whole small worlds; what came of it is kept."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree  # of our own pytest

from bench.page import machine, put

MANY = "10000"
RECORD = Path("var/lab-histories.json")
PAGE = Path("docs/histories.md")
MARK = "lab-histories"


def main() -> int:
    """Runs every tests/*/test_histories.py and tests/*/test_interleavings.py, and keeps the record. Exit code: the tests'."""
    found = sorted(
        str(file) for name in ("histories", "interleavings") for file in Path("tests").glob(f"*/test_{name}.py")
    )
    environ = {"WAYBILL_HISTORIES": MANY, "WAYBILL_LAB": "full", **os.environ}
    results = RECORD.with_suffix(".xml")
    results.unlink(missing_ok=True)
    asked = sys.argv[1:] or found
    spread = ["-n", str(os.cpu_count()), "--dist", "load"]
    command = [sys.executable, "-m", "pytest", "-v", "--timeout=3600", *spread, f"--junitxml={results}", *asked]
    code = subprocess.run(command, env=environ, check=False).returncode
    if results.exists():
        keep(record(results.read_text(), environ["WAYBILL_HISTORIES"]))
    return code


def record(results: str, many: str) -> dict[str, object]:
    """What was run, by oracle: `histories` of each (of small worlds: how many tests hold one whole), and how many tests found a counterexample."""
    oracles: dict[str, dict[str, int]] = {}
    for case in ElementTree.fromstring(results).iter("testcase"):  # noqa: S314 - written by our own pytest
        module = re.search(r"tests\.(\w+)\.test_(histories|interleavings)", case.get("classname", ""))
        if module is None:
            continue
        random = module[2] == "histories"
        known = oracles.setdefault(" ".join(module.groups()), {"histories": 0, "tests": 0, "counterexamples": 0})
        known["histories"] = int(many) if random else known["histories"] + 1
        known["tests"] += 1
        known["counterexamples"] += case.find("failure") is not None or case.find("error") is not None
    return {"machine": machine(), "oracles": oracles}


def keep(told: dict[str, object], record_at: Path = RECORD, page: Path = PAGE) -> None:
    """Writes the record, and its line between the marks of the page."""
    record_at.parent.mkdir(parents=True, exist_ok=True)
    record_at.write_text(json.dumps(told, indent=1, sort_keys=True))
    put(MARK, sentence(told), page)


def sentence(told: dict[str, object]) -> str:
    oracles = told["oracles"]
    assert isinstance(oracles, dict)
    parts = [
        f"{name}: {one['histories']:,} {'histories' if 'histories' in name else 'worlds'}, {one['counterexamples']} counterexamples"
        for name, one in sorted(oracles.items())
    ]
    return f"`make lab-histories` on {told['machine']}: {'; '.join(parts) or 'nothing was run'}."


if __name__ == "__main__":
    sys.exit(main())
