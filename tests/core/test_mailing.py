"""A simulated source's mail room: what becomes of one copy of a delivery is not told of another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from connectors.kit.simulator_mailing import Delivery, Habits, Mailing


class Sender:
    def headers(self, delivery: Delivery) -> dict[str, str]:
        return {"signed": "nobody" if delivery.forged else "us"}

    def forgery(self, delivery: Delivery) -> dict[str, Any]:
        return {"id": f"{delivery.id}-forged"}

    def give_up(self, delivery: Delivery) -> None:
        raise AssertionError(f"{delivery.id} was taken at once")


class Door(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200 if self.headers["signed"] == "us" else 401)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *said: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def door() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_repetition_that_is_taken_is_no_forgery_that_is_taken(door: str) -> None:
    room = Mailing(Habits(duplicates=1.0, forged=1.0), Sender())
    for number in range(20):
        room.post(Delivery(str(number), "order", "1", door, "{}"))
    until = time.monotonic() + 10
    while time.monotonic() < until and any(not one.attempts for one in room.deliveries):
        time.sleep(0.01)
    told = {(one.forged, one.state, *(row["status"] for row in one.attempts)) for one in room.deliveries}
    assert len(room.deliveries) == 60
    assert told == {(False, "delivered", 200), (True, "failed", 401)}
