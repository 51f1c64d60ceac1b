"""The base of every simulator: a memory that survives, a log of the calls it got, and switches for its bad days.

A connector's simulator.py makes `create(settings) -> Simulator`, adds its operations to `simulator.app` (a Flask app) with
`@simulator.operation(rule, name, methods=[...], write=True)`, and is then a vendor one can talk to over HTTP. Anyone may ask it:
GET /_sim/state (what it holds), GET /_sim/calls (what it was asked), GET/PUT/DELETE /_sim/faults (its bad days).
"""

from __future__ import annotations

import json
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

FAULTS = {
    "throttle": "429 with Retry-After (seconds in `value`)",
    "throttle_silent": "429 without Retry-After",
    "unavailable": "503 in the vendor's own error shape",
    "unavailable_late": "503 without a body after `value` seconds, as from a load balancer that gives up",
    "broken": "500",
    "commit_then_drop": "the write is done and the connection cut before the answer",
    "drop": "the connection is cut before anything is done",
    "commit_late": "the connection is cut; the write is done `value` seconds later",
    "index_late": "what is created can be found only `value` seconds later",
    "slow": "the answer takes `value` seconds",
    "truncated": "the answer's body is cut in the middle",
    "wrong_type": "the answer is an HTML page",
    "page_shift": "rows move between pages while one walks them",
    "refuse_auth": "401",
}


@dataclass
class Fault:
    """A bad day: which kind, at which operations (all when empty), how often (0-1), how many more times (None: until cleared)."""

    kind: str
    operations: tuple[str, ...] = ()
    chance: float = 1.0
    times: int | None = None
    value: float = 1.0
    writes_only: bool = False

    def hits(self, operation: str, write: bool) -> bool:
        named = not self.operations or operation in self.operations
        left = self.times is None or self.times > 0
        return named and left and (write or not self.writes_only) and random.random() < self.chance


@dataclass
class Call:
    """One request as the vendor saw it; `at` is epoch seconds of its arrival."""

    at: float
    operation: str
    method: str
    path: str
    status: int
    write: bool
    key: str = ""
    body: str = ""
    seconds: float = 0.0
    fault: str = ""


@dataclass
class Memory:
    """What the system holds: tables of records by id, kept in a file when it has one, so that a restart forgets nothing and a kill at the
    most what was being written."""

    path: Path | None = None
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        if self.path and self.path.exists():
            kept = self.path.read_bytes()
            whole = kept[: kept.rfind(b"\n") + 1]
            if whole != kept:
                os.truncate(self.path, len(whole))  # who was killed while he wrote was answered by nobody
            for row in whole.splitlines():
                table, key, record = json.loads(row)
                self.table(table)[key] = record

    def table(self, name: str) -> dict[str, Any]:
        return self.tables.setdefault(name, {})

    def put(self, table: str, key: str, record: Any) -> Any:
        """Keep a record (JSON-like; decimals as text) under its id."""
        with self.lock:
            self.table(table)[key] = record
            if self.path:
                with self.path.open("a") as log:
                    log.write(json.dumps([table, key, record], default=str) + "\n")
        return record

    def next_id(self, table: str, first: int = 1) -> int:
        """The next number of a sequence, never given twice."""
        with self.lock:
            number = int(self.table("sequences").get(table, first - 1)) + 1
            self.put("sequences", table, number)
        return number


class Dropped(Exception):
    """The connection was cut on purpose."""


@dataclass
class Simulator:
    """A vendor one can talk to. `error(status, sentence)` gives an error in the vendor's own shape (body, headers)."""

    name: str
    memory: Memory = field(default_factory=Memory)
    error: Callable[[int, str], tuple[Any, Mapping[str, str]]] = lambda status, sentence: ({"error": sentence}, {})
    faults: list[Fault] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    key_header: str = ""
    app: Flask = field(init=False)
    born: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app = Flask(f"simulator-{self.name}")
        _control(self)

    def operation(
        self, rule: str, name: str, methods: list[str], write: bool = False
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Adds an operation of the vendor; its bad days and the record of its calls come with it."""

        def add(handle: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(handle)
            def answer(**args: Any) -> Response:
                return self.answer(name, write, lambda: handle(**args))

            self.app.add_url_rule(rule, f"{name}:{rule}:{','.join(methods)}", answer, methods=methods)
            return handle

        return add

    def answer(self, name: str, write: bool, act: Callable[[], Any]) -> Response:
        """One call, with whatever fault hits it. An operation whose name depends on the body (GraphQL) calls this itself."""
        began = time.time()
        fault = self._fault(name, write)
        call = Call(
            began,
            name,
            request.method,
            request.full_path.rstrip("?"),
            0,
            write,
            request.headers.get(self.key_header, "") if self.key_header else "",
        )
        call.body = request.get_data(as_text=True)[:20000]
        call.fault = fault.kind if fault else ""
        with self.memory.lock:
            self.calls.append(call)
        response = _BAD_DAYS.get(call.fault, _good_day)(self, act, fault or Fault("none"))
        call.status, call.seconds = response.status_code, time.time() - began
        return response

    def _fault(self, name: str, write: bool) -> Fault | None:
        with self.memory.lock:
            hit = next((f for f in self.faults if f.kind not in PASSIVE and f.hits(name, write)), None)
            if hit is not None and hit.times is not None:
                hit.times -= 1
        return hit

    def passive(self, kind: str) -> Fault | None:
        """A fault that the handler itself must play: index_late, page_shift."""
        return next((f for f in self.faults if f.kind == kind and (f.times is None or f.times > 0)), None)

    def created(self, table: str, key: str) -> None:
        """Note when a record came to be, for a search index that is late."""
        late = self.passive("index_late")
        self.born[f"{table}:{key}"] = time.time() + (late.value if late else 0)

    def indexed(self, table: str, key: str) -> bool:
        """Whether a search finds the record yet."""
        return time.time() >= self.born.get(f"{table}:{key}", 0)

    def refuse(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
        body, own = self.error(status, sentence)
        response: Response = jsonify(body)
        response.status_code = status
        response.headers.update({**own, **(headers or {})})
        return response

    @contextmanager
    def served(self, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
        """The simulator on a free port, in a thread; gives its address."""
        server = serve(self.app, host, port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()


class _KeepAlive(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def make_environ(self) -> Any:
        """werkzeug drops header names with underscores; ShipBob's `shipbob_channel_id` has them."""
        environ = super().make_environ()
        for name, value in self.headers.items():
            if "_" in name:
                environ[f"HTTP_{name.upper()}"] = value
        return environ

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's own name
        return


def serve(app: Any, host: str, port: int) -> BaseWSGIServer:
    """A threaded HTTP/1.1 server with kept-alive connections for a simulator."""
    return make_server(host, port, app, threaded=True, request_handler=_KeepAlive)


PASSIVE = frozenset(("index_late", "page_shift"))


def _good_day(simulator: Simulator, act: Callable[[], Any], fault: Fault) -> Response:
    made: Response = simulator.app.make_response(act())
    return made


def _hang_up(simulator: Simulator) -> Response:
    """Cut the connection as a dying load balancer would: no answer at all."""
    wire = request.environ.get("werkzeug.socket") or request.environ.get("gunicorn.socket")
    if wire is not None:
        wire.shutdown(socket.SHUT_RDWR)
    return Response(status=499)


def _commit_then_drop(simulator: Simulator, act: Callable[[], Any], fault: Fault) -> Response:
    _good_day(simulator, act, fault)
    return _hang_up(simulator)


def _commit_late(simulator: Simulator, act: Callable[[], Any], fault: Fault) -> Response:
    context = simulator.app.request_context(request.environ.copy())
    body = request.get_data()
    context.request._cached_data = body  # the socket's input is gone by then; Flask's own name for a body already read

    def do() -> None:
        time.sleep(fault.value)
        with context:
            simulator.app.make_response(act())

    threading.Thread(target=do, daemon=True).start()
    return _hang_up(simulator)


def _slow(simulator: Simulator, act: Callable[[], Any], fault: Fault) -> Response:
    time.sleep(fault.value)
    return _good_day(simulator, act, fault)


def _unavailable_late(simulator: Simulator, act: Callable[[], Any], fault: Fault) -> Response:
    time.sleep(fault.value)
    return Response(status=503)


def _truncated(simulator: Simulator, act: Callable[[], Any], fault: Fault) -> Response:
    whole = _good_day(simulator, act, fault)
    whole.set_data(whole.get_data()[: max(1, len(whole.get_data()) // 2)])
    return whole


def _wrong_type(simulator: Simulator, act: Callable[[], Any], fault: Fault) -> Response:
    _good_day(simulator, act, fault)
    return Response("<html><body>Please sign in to the network.</body></html>", 200, content_type="text/html")


_BAD_DAYS: dict[str, Callable[[Simulator, Callable[[], Any], Fault], Response]] = {
    "throttle": lambda sim, act, f: sim.refuse(429, "Too many requests.", {"Retry-After": str(int(f.value))}),
    "throttle_silent": lambda sim, act, f: sim.refuse(429, "Too many requests."),
    "unavailable": lambda sim, act, f: sim.refuse(503, "Service unavailable."),
    "unavailable_late": _unavailable_late,
    "broken": lambda sim, act, f: sim.refuse(500, "Internal server error."),
    "refuse_auth": lambda sim, act, f: sim.refuse(401, "Not authorised."),
    "commit_then_drop": _commit_then_drop,
    "commit_late": _commit_late,
    "drop": lambda sim, act, f: _hang_up(sim),
    "slow": _slow,
    "truncated": _truncated,
    "wrong_type": _wrong_type,
}


def _control(simulator: Simulator) -> None:
    """What anyone may ask of the simulator, and its switches."""
    app = simulator.app

    @app.get("/_sim/state")
    def state() -> Response:
        with simulator.memory.lock:
            return Response(json.dumps(simulator.memory.tables, default=str), content_type="application/json")

    @app.get("/_sim/calls")
    def calls() -> Response:
        since = float(request.args.get("since", 0))
        return jsonify([asdict(call) for call in simulator.calls if call.at >= since])

    @app.get("/_sim/faults")
    def faults() -> Response:
        return jsonify({"active": [asdict(f) for f in simulator.faults], "kinds": FAULTS})

    @app.put("/_sim/faults")
    def set_faults() -> Response:
        wanted = request.get_json()
        unknown = [f["kind"] for f in wanted if f.get("kind") not in FAULTS]
        if unknown:
            return simulator.refuse(400, f"no such fault: {', '.join(unknown)}; GET /_sim/faults lists them")
        simulator.faults[:] = [Fault(**{**f, "operations": tuple(f.get("operations", ()))}) for f in wanted]
        return jsonify({"active": len(simulator.faults)})

    @app.delete("/_sim/faults")
    def clear_faults() -> Response:
        simulator.faults.clear()
        return jsonify({"active": 0})
