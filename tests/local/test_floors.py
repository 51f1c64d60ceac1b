"""The house stands as drawn: what is imported lies in the checkout, and the canonical model needs nothing."""

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.servers import CHECKOUT

PACKAGES = ("app", "tasks", "connectors", "config", "local")
CANONICAL = CHECKOUT / "connectors" / "canonical"


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


@pytest.mark.parametrize("name", PACKAGES)
def test_what_is_imported_lies_in_the_checkout(name: str) -> None:
    """app, tasks and config are common names: another project's package must not slip in."""
    found = importlib.import_module(name).__file__
    assert found is not None
    assert Path(found).parent == CHECKOUT / name


def test_app_itself_is_empty() -> None:
    assert not (CHECKOUT / "app" / "__init__.py").read_text().strip(), "a worker that imports app must load no Flask"


@pytest.mark.parametrize("file", sorted(CANONICAL.glob("**/*.py")), ids=lambda file: file.stem)
def test_canonical_is_standard_library_only(file: Path) -> None:
    foreign = {
        module
        for module in imported(file)
        if module.split(".")[0] not in sys.stdlib_module_names and not module.startswith("connectors.canonical")
    }
    assert not foreign
