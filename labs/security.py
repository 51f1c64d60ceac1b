"""The security lab (make lab-security): 10,000 forgeries and all else that docs/security.md claims, at its full figure."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

RESULT = Path("var/lab-security.json")
TESTS = "forgeries sessions payloads leaks roles door sentry webhooks openapi".split()
FORGED = re.compile(r"(\d+) forged and mutated deliveries of (\d+) senders in (\d+) ways: (\d+) accepted")


def main() -> int:
    """Runs them all and writes var/lab-security.json. Exit code: the tests'."""
    files = [f"tests/web/test_{name}.py" for name in TESTS]
    command = [sys.executable, "-m", "pytest", "-s", "-v", "--timeout=3000", *files, *sys.argv[1:]]
    began = time.monotonic()
    done = subprocess.run(
        command, env={**os.environ, "WAYBILL_LAB": "full"}, stdout=subprocess.PIPE, text=True, check=False
    )
    print(done.stdout)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result(done.stdout, done.returncode, time.monotonic() - began), indent=1))
    print(RESULT.read_text())
    return done.returncode


def result(said: str, code: int, seconds: float) -> dict[str, object]:
    """What was tried, and how many forgeries were accepted (null when that test did not come to its end)."""
    found = FORGED.search(said)
    names = ("forged", "senders", "ways", "accepted")
    figures: dict[str, object] = (
        dict(zip(names, map(int, found.groups()), strict=True)) if found else {"accepted": None}
    )
    verdicts = re.findall(r"(\d+) (passed|failed|skipped|error)", said.splitlines()[-1] if said else "")
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "on": time.strftime("%Y-%m-%d")}
    return {**figures, **{word: int(n) for n, word in verdicts}, "exit": code, "seconds": round(seconds), **machine}


if __name__ == "__main__":
    sys.exit(main())
