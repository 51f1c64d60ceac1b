"""The whole story once with RabbitMQ as the broker: a server of its own from Debian's package, and `make run ONCE=1` on it."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.ports import pick, wait_open
from local.servers import CHECKOUT

HOME = CHECKOUT / "var" / "rabbitmq"


class Cannot(Exception):
    """Why this scenario is skipped here."""


def whole_story() -> dict[str, Any]:
    """Every event accounted for at the outsiders: the exit code of the run says so. Raises Cannot with the reason."""
    with _broker() as url:
        began = time.monotonic()
        environ = {**os.environ, "ONCE": "1", "BROKER_URL": url, "BROKER_PATIENCE": "5"}
        code = subprocess.run(
            [sys.executable, "-m", "local.run"], cwd=CHECKOUT, env=environ, check=False, timeout=1800
        ).returncode
        return {"rabbitmq_story": code, "rabbitmq_seconds": round(time.monotonic() - began)}


@contextmanager
def _broker() -> Iterator[str]:
    """A node on ports of its own, its data under var/rabbitmq, gone at the end."""
    _installed()
    port, distribution = pick(), pick()
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    (HOME / "rabbitmq.conf").write_text(f"listeners.tcp.default = 127.0.0.1:{port}\nloopback_users = none\n")
    environ = {
        **os.environ,
        "HOME": str(HOME),
        "RABBITMQ_NODENAME": f"waybill{port}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_CONFIG_FILE": str(HOME / "rabbitmq"),
        "RABBITMQ_MNESIA_BASE": str(HOME / "mnesia"),
        "RABBITMQ_LOG_BASE": str(HOME / "log"),
        "RABBITMQ_PID_FILE": str(HOME / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(HOME / "plugins"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-setcookie {secrets.token_hex(16)}",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    with (HOME / "server.log").open("ab") as log:
        server = subprocess.Popen([_program()], env=environ, stdout=log, stderr=log, start_new_session=True)
    try:
        if not wait_open(port, 180):
            raise Cannot(f"RabbitMQ did not start: {(HOME / 'server.log').read_text()[-500:]}")
        yield f"amqp://guest:guest@127.0.0.1:{port}//"
    finally:
        os.killpg(server.pid, 15)
        server.wait(60)


def _program() -> Path:
    """The server itself: Debian's wrapper in /usr/sbin would change the user and the configuration."""
    found = sorted(Path("/usr/lib/rabbitmq/lib").glob("*/sbin/rabbitmq-server"))
    if not found:
        raise Cannot("rabbitmq-server is not installed")
    return found[-1]


def _installed() -> None:
    """Installs Debian's package where we are root; a server that the package starts by itself is not used and not wanted."""
    if any(Path("/usr/lib/rabbitmq/lib").glob("*/sbin/rabbitmq-server")):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Cannot(
            "rabbitmq-server is not installed, and only root on Debian can install it here (apt-get install rabbitmq-server)"
        )
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    command = ["apt-get", "install", "-y", "--no-install-recommends", "rabbitmq-server"]
    if subprocess.run(command, env=environ, check=False, capture_output=True).returncode != 0:
        raise Cannot("apt-get could not install rabbitmq-server")
