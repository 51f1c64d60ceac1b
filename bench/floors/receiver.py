"""Floor (i), the least that a receiver can do: HMAC, one INSERT in autocommit, one apply_async.

`gunicorn "bench.floors.receiver:create_app()"`. FLOOR_DATABASE=0 leaves out database and bell: the machine's own measure (ground.md).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading

import psycopg
from flask import Flask, Response, request

from bench.emptied import UNHEARD
from bench.floors.chain import app as celery
from bench.load import FLOOR_SECRET

INSERT = "INSERT INTO floor_events (body) VALUES (%s)"
_own = threading.local()


def _connection() -> psycopg.Connection[tuple[object, ...]]:
    """One for each thread, kept."""
    if not hasattr(_own, "connection"):
        _own.connection = psycopg.connect(os.environ["FLOOR_DATABASE_URL"], autocommit=True)
    kept: psycopg.Connection[tuple[object, ...]] = _own.connection
    return kept


def create_app() -> Flask:
    app = Flask(__name__)
    keeps = os.environ.get("FLOOR_DATABASE", "1") == "1"

    @app.post("/hooks/<name>")
    def take(name: str) -> Response:
        body = request.get_data()
        proof = hmac.new(FLOOR_SECRET, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(proof, request.headers.get("x-proof", "")):
            return Response(status=401)
        if keeps:
            _connection().execute(INSERT, (body,))
            celery.send_task("floor.nothing", (1,), queue=UNHEARD)
        return Response(b'{"event":1}', content_type="application/json")

    return app
