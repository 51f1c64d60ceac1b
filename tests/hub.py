"""The hub as it is shipped: receivers, workers and beats as processes of their own, which a story may kill."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.world import SECRET, World

BIN = Path(sys.executable).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Hub:
    """Processes by name; each in its own group, its output in a file."""

    folder: Path
    environ: dict[str, str]
    port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def web(self, name: str = "web", workers: int = 2, threads: int = 8) -> None:
        self._start(
            name,
            [
                str(BIN / "gunicorn"),
                "--config",
                "python:app.web.pressure",
                "--preload",
                "-k",
                "gthread",
                "-w",
                str(workers),
                "--threads",
                str(threads),
                "-b",
                f"127.0.0.1:{self.port}",
                "app.web:create_app()",
            ],
        )
        self._until_answers()

    def worker(self, name: str = "worker", threads: int = 16, pool: str = "threads") -> None:
        self._start(
            name,
            [
                str(BIN / "celery"),
                "-A",
                "tasks.worker",
                "worker",
                "-E",
                "-P",
                pool,
                "-c",
                str(threads),
                "--hostname",
                f"{name}-{self.port}@%h",
                "--loglevel",
                "INFO",
            ],
        )

    def beat(self, name: str = "beat") -> None:
        self._start(
            name,
            [
                str(BIN / "celery"),
                "-A",
                "tasks.worker",
                "beat",
                "--schedule",
                str(self.folder / f"{name}-schedule"),
                "--pidfile=",
                "--loglevel",
                "INFO",
            ],
        )

    def _start(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, env=self.environ, stdout=log, stderr=log, start_new_session=True
            )

    def signal(self, name: str, number: int) -> None:
        os.killpg(self.running[name].pid, number)

    def kill(self, name: str) -> None:
        """kill -9 of the whole process group, as a dying machine would."""
        self.signal(name, signal.SIGKILL)
        self.running.pop(name).wait()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def stop(self) -> None:
        for name in list(self.running):
            if self.running[name].poll() is None:
                self.signal(name, signal.SIGKILL)
            self.running.pop(name).wait()

    def _until_answers(self, seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if requests.get(f"{self.address}/healthz", timeout=2).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        raise AssertionError(f"the receiver does not answer: {self.log('web')[-2000:]}")


@contextmanager
def hub(folder: Path, **environ: str) -> Iterator[Hub]:
    """A hub that knows the world's configuration, which stands in this process's environment."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Hub(
        folder,
        {
            **os.environ,
            "ADMIN_LOGIN": "admin",
            "ADMIN_PASSWORD": "a password for tests",
            "SECRET_KEY": "a secret key for tests only, long enough",
            "PYTHONUNBUFFERED": "1",
            **environ,
        },
    )
    made.environ["PUBLIC_URL"] = made.address
    try:
        yield made
    finally:
        made.stop()


def signed(topic: str, data: Mapping[str, Any], name: str, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
    """A delivery as Acme signs it (Standard Webhooks): body and headers."""
    body = json.dumps({"type": topic, "timestamp": "2026-11-20T10:00:00Z", "data": data}).encode()
    at = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = base64.b64encode(hmac.new(key, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()).decode()
    return body, {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{mac}",
    }


def until(seconds: float, reached: Any, world: World | None = None) -> float:
    """Waits until `reached()`; answers how long it took."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if reached():
            return time.monotonic() - began
        time.sleep(0.1)
    raise AssertionError(f"not reached within {seconds} s" + (f": {world.states()} {world.events()}" if world else ""))
