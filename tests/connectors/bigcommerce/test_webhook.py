"""Who sent a delivery and which it is; the simulated mail room sends what the receiver believes, and nothing else."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from standardwebhooks import Webhook

from connectors.bigcommerce.webhook import RECEIVER
from connectors.kit.errors import Forged, Unreadable
from connectors.kit.receiver import Incoming, Secret
from tests.connectors.bigcommerce.conftest import MakeShop
from tests.connectors.bigcommerce.contract import SECRETS, sign

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BODY = b'{"scope":"store/order/created","data":{"type":"order","id":7},"producer":"stores/abc123"}'
OURS = [Secret("today", SECRETS[0])]


def test_as_the_vendors_own_sample_signs() -> None:
    """bigcommerce/docs, https-webhook-overview.mdx: the Standard Webhooks library, given base64(client_secret)."""
    library = Webhook(base64.b64encode(SECRETS[0].encode()).decode())
    made = sign("store/order/created", "msg-1", BODY, SECRETS[0], NOW)
    assert made.headers["webhook-signature"] == library.sign("msg-1", NOW, BODY.decode())
    assert RECEIVER.prove(made, OURS, NOW) == "today"


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_stamp_is_a_replay(minutes: int) -> None:
    made = sign("store/order/created", "msg-1", BODY, SECRETS[0], NOW)
    with pytest.raises(Forged):
        RECEIVER.prove(made, OURS, NOW + timedelta(minutes=minutes))


def test_a_stamp_cannot_be_freshened() -> None:
    made = sign("store/order/created", "msg-1", BODY, SECRETS[0], NOW - timedelta(hours=1))
    fresh = replace(made, headers={**made.headers, "webhook-timestamp": str(int(NOW.timestamp()))})
    with pytest.raises(Forged):
        RECEIVER.prove(fresh, OURS, NOW)


def test_several_signatures_during_a_rotation() -> None:
    made = sign("store/order/created", "msg-1", BODY, SECRETS[0], NOW)
    both = replace(
        made, headers={**made.headers, "webhook-signature": f"v1,AAAA v2,x {made.headers['webhook-signature']}"}
    )
    assert RECEIVER.prove(both, OURS, NOW) == "today"


def test_identity() -> None:
    made = sign("store/order/created", "msg-1", BODY, SECRETS[0], NOW)
    told = RECEIVER.identify(made)
    assert (told.delivery_id, told.topic, told.subject) == ("msg-1", "store/order/created", "7")
    with pytest.raises(Unreadable) as met:
        RECEIVER.identify(replace(made, body=b'{"data":{}}'))
    assert met.value.field == "scope"


class Inbox:
    """Where deliveries arrive: what was believed, what was refused; `answers` are given before anything else."""

    def __init__(self) -> None:
        self.believed: list[Any] = []
        self.refused = 0
        self.answers: list[int] = []
        self.url = ""

    def take(self, incoming: Incoming) -> int:
        if self.answers:
            return self.answers.pop(0)
        try:
            RECEIVER.prove(incoming, OURS, datetime.now(UTC))
        except Forged:
            self.refused += 1
            return 401
        self.believed.append(RECEIVER.identify(incoming))
        return 200

    def until(self, count: int) -> list[Any]:
        deadline = time.monotonic() + 10
        while len(self.believed) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.believed


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    box = Inbox()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(box.take(Incoming("POST", box.url, {}, headers, raw)))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    server.block_on_close = False
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    box.url = f"http://127.0.0.1:{server.server_port}/hooks/bigcommerce"
    yield box
    server.shutdown()
    server.server_close()


def test_the_mail_room(shop: MakeShop, inbox: Inbox) -> None:
    """Signed, twice under one id, with a forgery beside it; a shipment names its order."""
    at = shop(secret=SECRETS[0], webhook_url=inbox.url)
    order = at.place()
    assert [one.topic for one in inbox.until(1)] == ["store/order/created"]
    at.system.put("/_sim/webhooks", {"duplicates": 1.0, "forged": 1.0})
    at.move(order, "ship", number="JD1")
    told = inbox.until(7)
    assert {one.topic for one in told} >= {"store/order/statusUpdated", "store/order/updated", "store/shipment/created"}
    ids = [one.delivery_id for one in told[1:]]
    assert len(ids) >= 2 * len(set(ids)) - 1
    assert inbox.refused


def test_a_refused_delivery_is_retried_and_then_the_hook_is_switched_off(shop: MakeShop, inbox: Inbox) -> None:
    at = shop(secret=SECRETS[0], retry_factor=0.0)
    at.connector.subscribe(["store/order/created"], inbox.url)
    inbox.answers = [500, 503]
    at.place()
    (told,) = inbox.until(1)
    (delivery,) = at.system.get("/_sim/deliveries")
    assert [one["status"] for one in delivery["attempts"]] == [500, 503, 200]
    assert delivery["id"] == told.delivery_id
    inbox.answers = [500] * 12
    at.place()
    deadline = time.monotonic() + 10
    while at.connector.subscriptions()["store/order/created"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert at.connector.subscriptions() == {"store/order/created": False}
    at.connector.subscribe(["store/order/created"], inbox.url)
    assert at.connector.subscriptions() == {"store/order/created": True}
    assert len(at.system.calls("hooks.create")) == 1, "woken, not made a second time"
