"""Faults are told to Sentry when a DSN is set: where and of what type, with nothing secret or personal in them."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

SECRETS = (
    "jane.doe@example.com",
    "+49 221 5550100",
    "Jane Doe",
    "hunter2",
    "sk_live_1234",
    "Musterweg 5",
    "postgresql://u:pw@",
)
FAULT = """
import sys, structlog, logging
from app import logs
logs.setup({face!r})
structlog.contextvars.bind_contextvars(waybill="WB00000042", account="erp", step="book_order")
def inner(customer, password):
    address = {{"line1": "Musterweg 5", "name": "Jane Doe"}}
    raise ValueError("no customer jane.doe@example.com, +49 221 5550100 at postgresql://u:pw@db/x")
"""
RAISED = """
try:
    inner("Jane Doe", "hunter2")
except ValueError:
    structlog.get_logger("waybill.tests").exception("a step failed", token="sk_live_1234", customer="Jane Doe", code="x1")
    import sentry_sdk
    sentry_sdk.capture_exception() if sentry_sdk.is_initialized() else None
    sentry_sdk.flush(5)
"""
WEB = """
from flask import Flask, request
app = Flask("tests")
@app.post("/broken")
def broken():
    request.get_json()
    inner("Jane Doe", "hunter2")
headers = {{"Authorization": "Bearer sk_live_1234", "Cookie": "s=hunter2"}}
app.test_client().post("/broken?email=jane.doe@example.com", json={{"name": "Jane Doe"}}, headers=headers)
import sentry_sdk
sentry_sdk.flush(5)
"""


@pytest.fixture
def sentry() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A receiver that speaks enough of Sentry's protocol to take envelopes."""
    taken: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            taken.append({"path": self.path, "body": body.decode()})
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://public@127.0.0.1:{server.server_port}/7", taken
    server.shutdown()
    server.server_close()


def run(face: str, body: str, dsn: str = "") -> str:
    """A process of this face that meets a fault; what it wrote to stderr."""
    environ = {**os.environ, "SENTRY_DSN": dsn, "PYTHONWARNINGS": ""}
    code = (FAULT + body).format(face=face)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize(("face", "body"), [("worker", RAISED), ("web", WEB)])
def test_sentry_is_told_where_and_nothing_else(sentry: tuple[str, list[dict[str, Any]]], face: str, body: str) -> None:
    dsn, taken = sentry
    run(face, body, dsn)
    told = "".join(envelope["body"] for envelope in taken)
    assert '"type":"ValueError"' in told.replace(" ", "")
    assert "inner" in told
    if face == "worker":
        assert "WB00000042" in told
    for word in SECRETS:
        # the line of code that raised is shown as it stands in the file, which here is this test's own text
        assert word not in stripped(taken), word


def stripped(taken: list[dict[str, Any]]) -> str:
    """The events without the source lines around each frame."""
    kept = []
    for envelope in taken:
        for line in envelope["body"].splitlines():
            event = json.loads(line)
            for value in event.get("exception", {}).get("values", ()) if isinstance(event, dict) else ():
                for frame in value["stacktrace"]["frames"]:
                    assert "vars" not in frame
                    for name in ("context_line", "pre_context", "post_context"):
                        frame.pop(name, None)
            kept.append(json.dumps(event))
    return "".join(kept)


def test_without_a_dsn_nothing_is_sent(sentry: tuple[str, list[dict[str, Any]]]) -> None:
    run("worker", RAISED)
    assert sentry[1] == []


def test_log_lines_are_json_with_the_waybill_and_nothing_personal() -> None:
    lines = [json.loads(line) for line in run("worker", RAISED).splitlines()]
    line = next(line for line in lines if line["event"] == "a step failed")
    assert (line["waybill"], line["level"], line["face"], line["code"]) == ("WB00000042", "error", "worker", "x1")
    assert line["fault"].startswith("builtins.ValueError: no customer ***")
    assert any("inner" in frame for frame in line["where"])
    for word in SECRETS:
        assert word not in json.dumps(line)


def test_a_librarys_lines_are_masked_too() -> None:
    said = run("web", 'logging.getLogger("celery").warning("sent to %s", "jane.doe@example.com")\n')
    line = json.loads(said.splitlines()[-1])
    assert line["event"] == "sent to ***"


def test_a_worker_that_watches_loads_no_flask() -> None:
    said = run(
        "worker",
        'print(sorted(m for m in sys.modules if m == "flask"), file=sys.stderr)\n',
        "http://public@127.0.0.1:9/1",
    )
    assert said.splitlines()[-1] == "[]"


STATEMENT = "INSERT INTO tills (account, till, posted) VALUES ('shop', %(till)s, 1)"
CELERY = f"""
from celery import Celery
from app import database
@Celery("tests", set_as_current=False).task(name="tests.keep")
def keep():
    for _ in range(2):
        with database.engine().begin() as tx:
            database.plain(tx).execute({STATEMENT!r}, {{{{"till": "Ana" + " Example"}}}})
done = keep.apply()
print(repr(done.result), done.traceback, file=sys.stderr)
import sentry_sdk
sentry_sdk.flush(5)
"""


def test_a_task_that_fails_in_the_database_tells_the_rule_and_not_the_row(
    sentry: tuple[str, list[dict[str, Any]]], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Celery writes an error's repr() and traceback to the log, and sends both to Flower; Sentry is told of it too."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    said = run("worker", CELERY, sentry[0])
    assert "raised unexpected" in said
    assert "duplicate key" in said
    assert "Ana Example" not in said, said
    assert "UniqueViolation" in stripped(sentry[1])
    assert "Ana Example" not in stripped(sentry[1])
