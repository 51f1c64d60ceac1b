"""Every direct dependency is explained, locked exactly, and free of index addresses."""

import re
from pathlib import Path

import pytest

from local.servers import CHECKOUT

REQUIREMENTS = CHECKOUT / "requirements"
PAGE = (CHECKOUT / "docs" / "dependencies.md").read_text()
NAME = re.compile(r"^([A-Za-z0-9][\w.-]*)", re.MULTILINE)


def names(file: Path) -> set[str]:
    return {name.lower() for name in NAME.findall(file.read_text())}


@pytest.mark.parametrize(("kind", "heading"), [("run", "## Shipped"), ("test", "## In a checkout")])
def test_the_page_lists_what_is_asked_for(kind: str, heading: str) -> None:
    table = PAGE.split(heading)[1].split("\n## ")[0]
    listed = set(re.findall(r"^\| ([\w.-]+) \|", table, re.MULTILINE)) - {"package"}
    assert listed == names(REQUIREMENTS / f"{kind}.in")


@pytest.mark.parametrize("kind", ["run", "test", "tools"])
def test_locks_pin_exactly_and_name_no_index(kind: str) -> None:
    lock = (REQUIREMENTS / f"{kind}.txt").read_text()
    assert "://" not in lock
    loose = [line for line in lock.splitlines() if NAME.match(line) and "==" not in line]
    assert loose == []


@pytest.mark.parametrize("kind", ["run", "test"])
def test_locks_hold_what_is_asked_for(kind: str) -> None:
    assert names(REQUIREMENTS / f"{kind}.in") <= names(REQUIREMENTS / f"{kind}.txt")
