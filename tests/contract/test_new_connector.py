"""A connector scaffolded in a copy of the checkout passes the inherited suite and its own tests within a minute."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.new_connector import BadName, scaffold
from local.servers import CHECKOUT, Servers

NAME = "northwind"
COPIED = ("connectors", "local", "tests/contract", "tests/connectors/acme")
FILES = (
    "setup.cfg",
    "ruff.toml",
    "tests/__init__.py",
    "tests/conftest.py",
    "tests/connectors/conftest.py",
    "tests/connectors/counting.py",
    "tests/databases.py",
    "tests/world.py",
)
# tests/contract is copied without this file: the copy's suite does not scaffold again.
SKIPPED = shutil.ignore_patterns("__pycache__", Path(__file__).name)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder in COPIED:
        shutil.copytree(CHECKOUT / folder, tmp_path / folder, ignore=SKIPPED)
    for file in FILES:
        shutil.copy(CHECKOUT / file, tmp_path / file)
    return tmp_path


def test_green_within_a_minute(checkout: Path, real_servers: Servers) -> None:
    """All parts of the suite, for the first of its contracts (the other shapes are acme's own, tried under that name).

    The minute is one of computing: how long it takes on the wall depends on what else this machine does.
    """
    began = used()
    written = scaffold(NAME, checkout)
    servers = {"REDIS_URL": real_servers.redis_url, "DATABASE_URL": real_servers.database_url}
    outcome = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "tests/contract",
            f"tests/connectors/{NAME}",
            "-k",
            f"{NAME}-fat or test_simulator",
        ],
        cwd=checkout,
        env={**os.environ, **servers},
        check=False,
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stdout[-6000:] + outcome.stderr[-2000:]
    assert checkout / "connectors" / NAME / "manifest.toml" in written
    assert used() - began < 60


def used() -> float:
    """Seconds that this process and its ended children have computed."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def test_nothing_of_the_template_is_left(checkout: Path) -> None:
    for file in scaffold(NAME, checkout):
        assert "acme" not in file.read_text().lower(), file
        assert "acme" not in file.name


def test_in_the_house_style(checkout: Path) -> None:
    written = [str(file) for file in scaffold("wide_world_importers", checkout) if file.suffix == ".py"]
    ruff = Path(sys.executable).parent / "ruff"
    for check in (["check"], ["format", "--check"]):
        outcome = subprocess.run([ruff, *check, *written], cwd=checkout, check=False, capture_output=True, text=True)
        assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize("name", ["acme", "kit", "", "Shop", "9lives", "a-b", "../x", "a" * 40])
def test_bad_names(checkout: Path, name: str) -> None:
    with pytest.raises(BadName):
        scaffold(name, checkout)
