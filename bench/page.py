"""docs/performance.md: the tables between their marks are written by the command that measured them, the words around them by people."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

PAGE = Path("docs/performance.md")


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def between(mark: str, page: Path = PAGE) -> str:
    """What stands between <!-- mark --> and <!-- /mark --> now; nothing where there is no such page or mark."""
    found = _marked(mark).search(page.read_text()) if page.exists() else None
    return found[2] if found else ""


def put(mark: str, content: str, page: Path = PAGE) -> None:
    """Replaces what stands between <!-- mark --> and <!-- /mark -->. A page without the marks is left alone."""
    if not page.exists():
        return
    text = page.read_text()
    page.write_text(_marked(mark).sub(lambda found: f"{found[1]}{content}\n{found[3]}", text))


def _marked(mark: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {re.escape(mark)} -->\n)(.*?)(<!-- /{re.escape(mark)} -->)", re.DOTALL)
