"""The oracles at their full figure (make lab-histories): 10,000 random histories each, and the whole small worlds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MANY = "10000"


def main() -> int:
    """Runs every tests/*/test_histories.py and tests/*/test_interleavings.py. Exit code: the tests'."""
    found = sorted(
        str(file) for name in ("histories", "interleavings") for file in Path("tests").glob(f"*/test_{name}.py")
    )
    environ = {"WAYBILL_HISTORIES": MANY, "WAYBILL_LAB": "full", **os.environ}
    command = [sys.executable, "-m", "pytest", "-v", "-s", "--timeout=3600", *(sys.argv[1:] or found)]
    return subprocess.run(command, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
