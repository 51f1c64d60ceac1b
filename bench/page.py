"""docs/performance.md: the tables between their marks are written by the command that measured them, the words around them by people."""

from __future__ import annotations

import os
import platform
import re
import time
from pathlib import Path

PAGE = Path("docs/performance.md")


def machine() -> str:
    load = os.getloadavg()[0]
    return f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, load {load:.1f} at the end"


def put(mark: str, content: str, page: Path = PAGE) -> None:
    """Replaces what stands between <!-- mark --> and <!-- /mark -->. A page without the marks is left alone."""
    if not page.exists():
        return
    between = re.compile(rf"(<!-- {re.escape(mark)} -->\n).*?(<!-- /{re.escape(mark)} -->)", re.DOTALL)
    text = page.read_text()
    page.write_text(between.sub(lambda found: f"{found[1]}{content}\n{found[2]}", text))
