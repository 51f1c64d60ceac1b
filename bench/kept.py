"""What var/*.json keeps of each measurement: its figures, which names they bear, and on what day and under what load they were taken."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.table import Row

Figures = dict[str, Any]


def read(file: Path) -> Figures:
    return dict(json.loads(file.read_text())) if file.exists() else {}


def write(file: Path, figures: Mapping[str, Any]) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(figures, indent=1, sort_keys=True))


def forget(figures: Figures, name: str, rows: tuple[Row, ...]) -> None:
    """Drops what an earlier measurement of `name` left: one that breaks must not stand there with its old figures."""
    names = [*figures.setdefault("names", {}).pop(name, []), *(row.name for row in rows if row.by == name)]
    for key in (*names, f"{name}_broke", f"{name}_skipped"):
        figures.pop(key, None)
    figures.setdefault("ran", {}).pop(name, None)


def measure(figures: Figures, name: str, rows: tuple[Row, ...], work: Callable[[], Figures], file: Path) -> None:
    """Forgets the old figures (in the file before it begins), measures, keeps. `work` says NAME_broke or NAME_skipped where it has none."""
    print(f"== {name}", flush=True)
    forget(figures, name, rows)
    write(file, figures)
    before, began = os.getloadavg()[0], time.monotonic()
    measured = work()
    figures.update(measured)
    figures["names"][name] = sorted(measured)
    if not {f"{name}_broke", f"{name}_skipped"} & set(measured):
        figures["ran"][name] = when(before, os.getloadavg()[0], time.monotonic() - began)
    print("   " + ", ".join(f"{key} {value}" for key, value in measured.items()), flush=True)
    write(file, figures)


def when(before: float, after: float, seconds: float) -> str:
    """Day (UTC), the machine's load before and after, minutes."""
    return f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())}, load {before:.1f} to {after:.1f}, {seconds / 60:.1f} min"
