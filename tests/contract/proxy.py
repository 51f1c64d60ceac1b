"""A proxy before a live system: it plays the bad days that the real thing will not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from flask import Response, request

from connectors.kit.simulator import Simulator
from tests.contract.contract import Live
from tests.contract.system import System

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "date", "server")


@contextmanager
def behind_proxy(live: Live, upstream: str) -> Iterator[System]:
    """The live system with the fault switches and the call log of a simulator."""
    simulator = Simulator("proxy")

    def forward() -> Response:
        kept = {
            name: value for name, value in request.headers.items() if name.lower() not in ("host", "content-length")
        }
        url = upstream.rstrip("/") + request.full_path.removesuffix("?")
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(request.method, url, data=request.get_data(), headers=kept, timeout=60)
        passed = [(name, value) for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP]
        return Response(answer.content, answer.status_code, passed)

    def answer(path: str) -> Any:
        name, write = live.operation(request.method, "/" + path, request.get_data())
        return simulator.answer(name, write, forward)

    simulator.app.add_url_rule("/", "root", lambda: answer(""), methods=METHODS)
    simulator.app.add_url_rule("/<path:path>", "forward", answer, methods=METHODS)
    with simulator.served() as address:
        yield System(address, upstream)
