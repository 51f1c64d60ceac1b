"""`make audit`: known weaknesses of what is locked, by pip-audit; says so where its advisory service cannot be asked."""

import json
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
LOCKS = ("run", "test", "tools", "tryton")
QUIETLY = ("--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "15", "--format", "json")
PATIENCE = 600


def main() -> int:
    """0: nothing is known, or it could not be asked and that was said; 1: something is known. With --strict unasked is 1 too."""
    told = [verdict(name, *_asked(CHECKOUT / "requirements" / f"{name}.txt")) for name in LOCKS]
    for _, sentence in told:
        print(sentence)
    worst = {word for word, _ in told}
    return int("known" in worst or ("skipped" in worst and "--strict" in sys.argv[1:]))


def _asked(lock: Path) -> tuple[str, str]:
    """What pip-audit wrote to stdout and to stderr. It ends with 0 also where it could look nothing up."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), *QUIETLY]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return "", f"no answer in {PATIENCE} s"
    return done.stdout, done.stderr


def verdict(name: str, answer: str, said: str) -> tuple[str, str]:
    """Clean only where every package was looked up: one that was not found is no clean one."""
    try:
        rows = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        why = said.strip().splitlines()[-1] if said.strip() else "no answer"
        return (
            "skipped",
            f"requirements/{name}.txt: SKIPPED, the advisory service cannot be asked from here ({why[:200]})",
        )
    known = [
        f"  {row['name']} {row['version']}: {', '.join(v['id'] for v in row['vulns'])}"
        for row in rows
        if row.get("vulns")
    ]
    unasked = [row["name"] for row in rows if "skip_reason" in row]
    if known:
        return "known", "\n".join([f"requirements/{name}.txt: {len(known)} packages with known weaknesses", *known])
    if unasked:
        few = ", ".join(unasked[:3])
        return (
            "skipped",
            f"requirements/{name}.txt: SKIPPED for {len(unasked)} of {len(rows)} packages ({few} ...): no advisory service knows them from here",
        )
    return "clean", f"requirements/{name}.txt: nothing known of {len(rows)} packages"


if __name__ == "__main__":
    sys.exit(main())
