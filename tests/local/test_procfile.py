"""The Procfile as shipped, over real servers, with the smallest application that has its shape."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from redis import Redis

from local.environment import environment
from local.ports import wait_open
from local.processes import Processes
from local.servers import Servers
from tests.local.test_processes import eventually

pytestmark = pytest.mark.servers

WEB = """
def create_app():
    def answer(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"open"]
    return answer
"""
WORKER = """
import os
from celery import Celery
app = Celery("smallest", broker=os.environ["REDIS_URL"])

@app.task
def stamp():
    import redis
    redis.Redis.from_url(os.environ["REDIS_URL"]).incr("stamped")
app.conf.beat_schedule = {"often": {"task": "tasks.worker.stamp", "schedule": 0.5}}
"""


@pytest.fixture
def given(servers: Servers) -> dict[str, str]:
    return environment(servers)


@pytest.fixture
def processes(tmp_path: Path, given: dict[str, str]) -> Iterator[Processes]:
    for name, text in {"app/web/__init__.py": WEB, "app/web/pressure.py": "", "tasks/worker.py": WORKER}.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name.partition("/")[0] / "__init__.py").touch()
        file.write_text(text)
    with Processes(given, var=tmp_path / "var", folder=tmp_path) as running:
        running.start_all()
        yield running


def test_all_four_work_and_a_killed_worker_returns(processes: Processes, given: dict[str, str]) -> None:
    redis = Redis.from_url(given["REDIS_URL"], decode_responses=True)
    assert wait_open(int(given["PORT"]), 30), processes.log("web").read_text()
    assert requests.get(f"http://127.0.0.1:{given['PORT']}/", timeout=5).text == "open"
    assert eventually(lambda: bool(redis.get("stamped")), 30), processes.log("worker").read_text()
    processes.kill("worker")
    redis.delete("stamped")
    processes.start("worker")
    assert eventually(lambda: bool(redis.get("stamped")), 30), processes.log("worker").read_text()
    assert processes.dead() == {}
    flower_asks_for_the_login(given)
    redis.close()


def flower_asks_for_the_login(given: dict[str, str]) -> None:
    port = int(given["FLOWER_PORT"])
    assert wait_open(port, 30)
    page = f"http://127.0.0.1:{port}/workers"
    assert requests.get(page, timeout=10).status_code == 401
    user, password = given["FLOWER_BASIC_AUTH"].split(":")
    assert requests.get(page, auth=(user, password), timeout=10).status_code == 200


def test_secrets_and_ports_stay(servers: Servers) -> None:
    assert environment(servers) == environment(servers)
