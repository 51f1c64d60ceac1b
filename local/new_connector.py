"""A new connector begins as acme under another name: its folder, its fixtures, its contract, and a suite that is green."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TEMPLATE = "acme"
FOLDERS = ("connectors", "tests/connectors")
NAME = re.compile(r"[a-z][a-z0-9_]{1,23}")
TAKEN = frozenset(("kit", "canonical", "registry"))
LEFT_BEHIND = ("__pycache__", ".pyc")


class BadName(ValueError):
    """The name cannot be a connector's, or is taken."""


def scaffold(name: str, root: Path) -> list[Path]:
    """Renders acme's files as `name` under the checkout `root` and returns those written; nothing is overwritten.

    What stands there then is a vendor that plays every shape: its own tests and the inherited suite are green. Replace
    it file by file with what the real vendor says (docs: adding a connector). Raises BadName.
    """
    _refuse(name, root)
    written = [_render(file, name, root) for file in _template(root)]
    _tidy([file for file in written if file.suffix == ".py"])
    return written


def _refuse(name: str, root: Path) -> None:
    if not NAME.fullmatch(name) or name in TAKEN:
        raise BadName(f"{name!r} is no name for a connector: small letters, digits and _, a letter first")
    there = [root / folder / name for folder in FOLDERS if (root / folder / name).exists()]
    if there:
        raise BadName(f"{there[0]} is there already: choose another name, or remove it first")


def _template(root: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        files = sorted((root / folder / TEMPLATE).rglob("*"))
        yield from (file for file in files if file.is_file() and not _is_left_behind(file))


def _is_left_behind(file: Path) -> bool:
    return any(part.endswith(LEFT_BEHIND) for part in file.parts)


def _render(file: Path, name: str, root: Path) -> Path:
    target = root / _renamed(str(file.relative_to(root)), name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_bronze(_renamed(file.read_text(), name)))
    return target


def _renamed(text: str, name: str) -> str:
    """Acme in every spelling: module and account, class and prose."""
    title = "".join(part.capitalize() for part in name.split("_"))
    return text.replace(TEMPLATE, name).replace(TEMPLATE.capitalize(), title)


def _bronze(text: str) -> str:
    """A connector earns its tier: it starts at the lowest."""
    return text.replace('\ntier = "gold"\n', '\ntier = "bronze"\n')


def _tidy(files: list[Path]) -> None:
    """Imports in the order that the new name wants, lines broken where it is longer."""
    ruff = Path(sys.executable).parent / "ruff"
    if ruff.exists():
        names = [str(file) for file in files]
        subprocess.run([ruff, "check", "--quiet", "--select", "I", "--fix", *names], check=False)
        subprocess.run([ruff, "format", "--quiet", *names], check=False)
