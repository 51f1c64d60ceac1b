"""The Procfile's processes start with their environment, can be killed and restarted, and all end together."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from honcho.environ import parse_procfile

from local import pids
from local.processes import Processes
from local.servers import CHECKOUT

PROCFILE = """\
teller: echo "$GREETING"; exec sleep 60
family: sh -c 'echo child $$; sleep 60; true' & echo leader $$; wait
"""


def eventually(fact: Callable[[], bool], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    (tmp_path / "Procfile").write_text(PROCFILE)
    with Processes({"GREETING": "hello"}, var=tmp_path / "var", folder=tmp_path) as running:
        running.start_all(tmp_path / "Procfile")
        yield running


def child_of_family(processes: Processes) -> int:
    log = processes.log("family")
    assert eventually(lambda: "child" in log.read_text())
    return int(next(line for line in log.read_text().splitlines() if line.startswith("child")).split()[1])


def test_each_has_the_environment_and_a_log(processes: Processes) -> None:
    assert eventually(lambda: processes.log("teller").read_text() == "hello\n")
    assert processes.dead() == {}


def test_a_killed_one_takes_its_children_and_can_return(processes: Processes) -> None:
    child = child_of_family(processes)
    processes.kill("family")
    assert eventually(lambda: not pids.command_line(child))
    processes.start("family")
    assert eventually(lambda: processes.log("family").read_text().count("leader") == 2)


def test_one_that_ends_is_told(processes: Processes) -> None:
    processes.start("brief", "exit 3")
    assert eventually(lambda: processes.dead() == {"brief": 3})


def test_stop_ends_children_too(processes: Processes) -> None:
    child = child_of_family(processes)
    processes.stop()
    assert eventually(lambda: not pids.command_line(child))


def test_a_killed_supervisor_leaves_nothing_for_ever(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from local.processes import Processes;"
        "Processes({}, var=Path(sys.argv[1])).start('orphan', 'exec sleep 60'); print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"up\n"
        supervisor.kill()
    orphan = json.loads((tmp_path / "processes.json").read_text())["orphan"][0]
    assert pids.command_line(orphan)
    with Processes({}, var=tmp_path):
        assert eventually(lambda: not pids.command_line(orphan))


def test_a_record_that_names_a_stranger_harms_nobody(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        (tmp_path / "processes.json").write_text(json.dumps({"web": [stranger.pid, "another time"]}))
        with Processes({}, var=tmp_path):
            assert stranger.poll() is None
        stranger.kill()


def test_the_shipped_procfile() -> None:
    shipped = parse_procfile((CHECKOUT / "Procfile").read_text()).processes
    assert list(shipped) == ["web", "worker", "beat", "flower"]


def test_flower_never_starts_without_a_login() -> None:
    line = parse_procfile((CHECKOUT / "Procfile").read_text()).processes["flower"]
    answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
    assert answer.returncode != 0
    assert "never starts without a login" in answer.stderr
