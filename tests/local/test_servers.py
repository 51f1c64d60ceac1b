"""The project's own servers keep what they were told, whatever happens to them or to their supervisor."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from local import pids
from local.errors import Busy, NotOurs, OtherVersion
from local.servers import CHECKOUT, Servers, create_database, start

pytestmark = pytest.mark.servers
Begin = Callable[[Path], Servers]


def sql(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def redis(servers: Servers) -> Redis:
    return Redis.from_url(servers.redis_url, decode_responses=True)


def write(servers: Servers, number: int) -> None:
    sql(servers.database_url, "CREATE TABLE IF NOT EXISTS kept (number int)")
    sql(servers.database_url, f"INSERT INTO kept VALUES ({number})")
    with redis(servers) as client:
        client.set("kept", number)
        client.config_set("appendfsync", "always")
        client.set("kept", number)


def read(servers: Servers) -> tuple[list[tuple[object, ...]], str | None]:
    with redis(servers) as client:
        return sql(servers.database_url, "SELECT number FROM kept ORDER BY 1"), client.get("kept")


def test_durability_is_on(servers: Servers) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert sql(servers.database_url, f"SHOW {setting}") == [("on",)]
    with redis(servers) as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_password_is_asked(servers: Servers) -> None:
    url = servers.database_url.replace("+psycopg", "")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url.replace(url.split(":")[2].split("@")[0], "wrong"))


def test_killed_servers_come_back_with_their_data(root: Path, begin: Begin) -> None:
    servers = begin(root)
    write(servers, 1)
    before = servers.database_url, servers.redis_url
    servers.postgres.kill()
    servers.redis.kill()
    assert not servers.postgres.running()
    assert not servers.redis.running()
    servers.postgres.start()
    servers.redis.start()
    assert read(servers) == ([(1,)], "1")
    assert (servers.database_url, servers.redis_url) == before


def test_killed_amid_open_sessions(root: Path, begin: Begin) -> None:
    servers = begin(root)
    write(servers, 1)
    sessions = [psycopg.connect(servers.database_url.replace("+psycopg", "")) for _ in range(5)]
    for _ in range(3):
        servers.postgres.kill()
        servers.postgres.start()
    assert read(servers)[0] == [(1,)]
    for session in sessions:
        session.close()


def test_second_start_keeps_data_and_addresses(root: Path) -> None:
    with start(root, environ={}) as first:
        write(first, 7)
        addresses = first.database_url, first.redis_url
    with start(root, environ={}) as second:
        assert (second.database_url, second.redis_url) == addresses
        assert read(second) == ([(7,)], "7")


def test_two_side_by_side(new_root: Callable[[], Path], begin: Begin) -> None:
    one, other = begin(new_root()), begin(new_root())
    write(one, 1)
    write(other, 2)
    assert read(one) == ([(1,)], "1")
    assert read(other) == ([(2,)], "2")


def test_one_supervisor_for_one_root(root: Path, begin: Begin) -> None:
    begin(root)
    with pytest.raises(Busy, match=str(os.getpid())):
        start(root, environ={})


def test_servers_of_a_killed_supervisor_are_taken_over(root: Path, begin: Begin) -> None:
    code = (
        "import sys, time; from pathlib import Path; from local.servers import start;"
        "start(Path(sys.argv[1]), {}); print('up', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(root)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"up\n"
        supervisor.kill()
    left = pids.from_file(root / "postgres/data/postmaster.pid", str(root))
    assert left is not None, "the servers outlive a supervisor that is killed"
    servers = begin(root)
    write(servers, 3)
    assert read(servers) == ([(3,)], "3")
    assert str(root) not in pids.command_line(left)


def test_a_pid_file_that_names_a_stranger(root: Path, begin: Begin) -> None:
    servers = begin(root)
    write(servers, 4)
    servers.postgres.kill()
    servers.redis.kill()
    postmaster = root / "postgres/data/postmaster.pid"
    lines = postmaster.read_text().splitlines()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        postmaster.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        (root / "redis/server.pid").write_text(f"{stranger.pid}\n")
        servers.postgres.start()
        servers.redis.start()
        assert read(servers) == ([(4,)], "4")
        assert stranger.poll() is None, "a stranger is never signalled"
        stranger.kill()


@pytest.mark.parametrize("note", ["postgres/data/PG_VERSION", "redis/VERSION"])
def test_another_version_is_refused(root: Path, note: str) -> None:
    start(root, environ={}).stop()
    (root / note).write_text("3")
    with pytest.raises(OtherVersion, match="was written by"):
        start(root, environ={})


def test_a_taken_port_is_replaced(root: Path, begin: Begin) -> None:
    with start(root, environ={}) as first:
        port = int(first.redis_url.rsplit(":", 1)[1].split("/")[0])
    with socket.create_server(("127.0.0.1", port)):
        assert f":{port}/" not in begin(root).redis_url


def test_configured_addresses_win(servers: Servers, root: Path) -> None:
    given = {"DATABASE_URL": servers.database_url.replace("+psycopg", ""), "REDIS_URL": servers.redis_url}
    with start(root, environ=given) as configured:
        assert configured.database_url == servers.database_url
        assert configured.redis_url == servers.redis_url
        assert sql(configured.database_url, "SELECT 1") == [(1,)]
        with pytest.raises(NotOurs):
            configured.postgres.kill()
    assert servers.postgres.running(), "a configured server is never stopped"


def test_a_database_for_each_test(servers: Servers) -> None:
    url = create_database(servers, "prepared")
    sql(url, "CREATE TABLE facts AS SELECT 1 AS one")
    assert sql(create_database(servers, "copy", template="prepared"), "SELECT one FROM facts") == [(1,)]
    assert sql(create_database(servers, "copy"), "SELECT to_regclass('facts')") == [(None,)]


def test_an_interrupt_of_the_terminal_does_not_reach_the_servers(root: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from local.servers import start;"
        "signal.signal(signal.SIGINT, signal.SIG_IGN); s = start(Path(sys.argv[1]), {});"
        "os.killpg(0, signal.SIGINT); import time; time.sleep(0.5);"
        "print(s.postgres.running(), s.redis.running()); s.stop()"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(root)], cwd=CHECKOUT, capture_output=True, text=True, start_new_session=True
    )
    assert answer.stdout.split() == ["True", "True"], answer.stderr


def test_stop_waits_for_the_end(root: Path) -> None:
    servers = start(root, environ={})
    pid = pids.from_file(root / "postgres/data/postmaster.pid", str(root))
    assert pid is not None
    begun = time.monotonic()
    servers.stop()
    assert str(root) not in pids.command_line(pid)
    assert time.monotonic() - begun < 10
    servers.stop()  # a second time is quiet
