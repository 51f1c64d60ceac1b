"""A browser for the tests that look at pages: found, else installed where this machine lets us, else said to be missing."""

from __future__ import annotations

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 300.0
INSTALL = ("apt-get", "-o", "DPkg::Lock::Timeout=240", "-y", "-qq")


def found() -> str | None:
    """The browser that is here (CHROMIUM names one that stands elsewhere)."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def ensured() -> str:
    """A sentence on the browser that the tests will use. Only root may install one, and only where Debian's packages are."""
    if (here := found()) is not None:
        return f"pages are opened in {here}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "no browser is here and none can be installed (that needs root and apt-get): tests that open pages are skipped"
    print("no browser is here: installing Debian's chromium", flush=True)
    return _installed()


def _installed() -> str:
    try:
        for words in (("update",), ("install", "--no-install-recommends", "chromium")):
            subprocess.run([*INSTALL, *words], env=_quiet(), check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)
    except (subprocess.SubprocessError, OSError) as problem:
        return f"chromium could not be installed ({problem}): tests that open pages are skipped"
    return f"pages are opened in {found()}, installed just now"


def _quiet() -> dict[str, str]:
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
