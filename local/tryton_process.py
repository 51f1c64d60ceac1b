"""One running Tryton over one database."""

import os
import subprocess
import time
from pathlib import Path

import requests

from local.errors import NotStarted
from local.ports import LOCALHOST
from local.tryton_database import Databases
from local.tryton_venv import built

SECONDS = 60.0


def serve(root: Path, port: int, databases: Databases, name: str) -> subprocess.Popen[bytes]:
    """Start it and wait until it answers: it has then read all its modules. Raises NotStarted."""
    configuration = databases.configure(root / f"{name}.conf", listen=f"{LOCALHOST}:{port}")
    log = root / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [built(root) / "bin" / "trytond", "-c", configuration, "-d", name],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TZ": "UTC"},
            start_new_session=True,
        )
    _wait(process, f"http://{LOCALHOST}:{port}", log)
    return process


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + SECONDS
    asked = {"id": 1, "method": "common.server.version", "params": []}
    while time.monotonic() < until and process.poll() is None:
        try:
            if requests.post(f"{url}/rpc/", json=asked, timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    process.kill()
    raise NotStarted(f"Tryton does not answer at {url}; its log is {log}")
