"""Every check of the house in turn, each with its heading and time, and one verdict at the end."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local import browser

CHECKOUT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
TYPED = ("app", "tasks", "connectors", "config", "local", "labs")


@dataclass(frozen=True)
class Check:
    """A heading and the command behind it."""

    heading: str
    command: tuple[str, ...]


CHECKS = (
    Check("style (ruff check)", ("ruff", "check", ".")),
    Check("format (ruff format)", ("ruff", "format", "--check", ".")),
    Check("types (mypy)", ("mypy", *TYPED)),
    Check("floors (import-linter)", ("lint-imports",)),
    # Six on two cores: tests wait for servers and clocks, and a quarter of both stood idle with five. In the order of tests/conftest.py: xdist would
    # begin with files of many tests, and end with one of a single test that takes minutes.
    Check("tests (pytest)", ("pytest", "--numprocesses", "6", "--dist", "loadfile", "--no-loadscope-reorder")),
)
# The workers share the machine with real servers and processes: what failed beside others is tried once more by itself.
ALONE = Check(
    "tests that failed beside others, each alone", ("pytest", "--last-failed", "--last-failed-no-failures", "none")
)


def main(arguments: list[str]) -> int:
    """Run all checks, even after one fails; 0 only when every one passed. Arguments go to pytest."""
    print(f"== browser\n{browser.ensured()}", flush=True)
    with _bytecode():
        verdicts = [(check, *_timed(check, arguments)) for check in CHECKS[:-1]]
    verdicts.append((CHECKS[-1], *_timed(CHECKS[-1], arguments)))
    if not verdicts[-1][1]:
        print("\n== some tests failed; they are tried once more, alone", flush=True)
        verdicts[-1] = (ALONE, *_timed(ALONE, []))
    print("\n== summary")
    for check, passed, seconds in verdicts:
        print(f"{'passed' if passed else 'FAILED':8}{seconds:7.1f} s  {check.heading}")
    return 0 if all(passed for _, passed, _ in verdicts) else 1


@contextmanager
def _bytecode() -> Iterator[None]:
    """Beside the types, which keep one core busy, all that tests import is compiled once: their workers would each do it for themselves. What is
    wrong there is the tests' own to say."""
    command = [str(BIN / "pytest"), "--collect-only", "-qq", "-n", "0", "-p", "no:cacheprovider"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        yield


def _timed(check: Check, arguments: list[str]) -> tuple[bool, float]:
    print(f"\n== {check.heading}", flush=True)
    begun = time.monotonic()
    extra = arguments if check.command[0] == "pytest" else []
    command = [str(BIN / check.command[0]), *check.command[1:], *extra]
    outcome = subprocess.run(command, cwd=CHECKOUT, check=False)
    seconds = time.monotonic() - begun
    print(f"-- {check.heading}: {'passed' if outcome.returncode == 0 else 'FAILED'} in {seconds:.1f} s", flush=True)
    return outcome.returncode == 0, seconds


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
