"""Who sent a delivery and which it is; the simulated mail room sends what the receiver believes, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from connectors.kit.errors import Forged, Unreadable
from connectors.kit.receiver import Incoming, Secret
from connectors.square.webhook import RECEIVER
from tests.connectors.square.conftest import MakeSeller
from tests.connectors.square.contract import SECRETS, sign

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BODY = b'{"merchant_id":"M","type":"order.created","event_id":"e-1","data":{"type":"order_created","id":"O7"}}'
TODAY, YESTERDAY = Secret("today", SECRETS[0]), Secret("yesterday", SECRETS[1])


def test_the_address_is_signed_too() -> None:
    """Behind a proxy the address that Square was given counts, not the one that the request reached."""
    made = sign("order.created", "e-1", BODY, SECRETS[0], NOW)
    assert RECEIVER.prove(made, [TODAY], NOW) == "today"
    for url in ("http://10.0.0.7/hooks/square", made.url + "/", made.url + "?a=1"):
        with pytest.raises(Forged):
            RECEIVER.prove(replace(made, url=url), [TODAY], NOW)


def test_two_keys_during_a_rotation_until_the_old_one_ends() -> None:
    made = sign("order.created", "e-1", BODY, SECRETS[1], NOW)
    assert RECEIVER.prove(made, [TODAY, YESTERDAY], NOW) == "yesterday"
    with pytest.raises(Forged):
        RECEIVER.prove(made, [TODAY, replace(YESTERDAY, expires_at=NOW)], NOW)


def test_identity() -> None:
    told = RECEIVER.identify(sign("order.created", "e-1", BODY, SECRETS[0], NOW))
    assert (told.delivery_id, told.topic, told.subject) == ("e-1:order.created", "order.created", "O7")
    for name in (b'"event_id":"e-1",', b'"type":"order.created",'):
        with pytest.raises(Unreadable) as met:
            RECEIVER.identify(Incoming("POST", "", {}, {}, BODY.replace(name, b"")))
        assert met.value.field == name.decode().split('"')[1]


class Inbox:
    """Where deliveries arrive: what was believed, what was refused; `answers` are given before anything else."""

    def __init__(self) -> None:
        self.believed: list[Any] = []
        self.keys: list[str] = []
        self.refused = 0
        self.answers: list[int] = []
        self.secrets: list[Secret] = []
        self.url = ""

    def take(self, incoming: Incoming) -> int:
        if self.answers:
            return self.answers.pop(0)
        try:
            self.keys.append(RECEIVER.prove(incoming, self.secrets, datetime.now(UTC)))
        except Forged:
            self.refused += 1
            return 401
        self.believed.append(RECEIVER.identify(incoming))
        return 200


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(made.take(Incoming("POST", made.url, {}, headers, raw)))
            self.end_headers()

        def log_message(self, *told: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/hooks/square"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def waited(until: Any, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if until():
            return True
        time.sleep(0.02)
    return False


def test_what_the_mail_room_sends_is_believed_and_forgeries_are_not(seller: MakeSeller, inbox: Inbox) -> None:
    """Twice, out of order, and forged: each sale is known once, by the id that its copies share."""
    inbox.secrets = [Secret("now", "key-of-the-tests")]
    at = seller(webhook_url=inbox.url, secret="key-of-the-tests", duplicates=1.0, forged=1.0, reordered=0.5, hold=0.1)
    names = {at.rung_up() for _ in range(5)}
    assert waited(lambda: inbox.refused >= 5 and sum(one.topic == "order.created" for one in inbox.believed) >= 10)
    sales = [one for one in inbox.believed if one.topic == "order.created"]
    assert {one.subject for one in sales} == names
    assert len({one.delivery_id for one in sales}) == 5


def test_a_rotation_loses_nothing(seller: MakeSeller, inbox: Inbox) -> None:
    inbox.secrets = [Secret("new", "new-key"), Secret("old", "old-key")]
    at = seller(webhook_url=inbox.url, secret="new-key", old_secret="old-key", old_share=0.5)
    names = {at.rung_up() for _ in range(12)}
    assert waited(lambda: {one.subject for one in inbox.believed} >= names)
    assert inbox.refused == 0
    assert set(inbox.keys) == {"new", "old"}


def test_a_refused_delivery_is_sent_again(seller: MakeSeller, inbox: Inbox) -> None:
    inbox.secrets, inbox.answers = [Secret("now", "key-of-the-tests")], [500, 503]
    at = seller(webhook_url=inbox.url, secret="key-of-the-tests", retry_factor=0.001)
    name = at.rung_up()
    assert waited(lambda: any(one.subject == name for one in inbox.believed))
    assert waited(lambda: at.system.get("/_sim/deliveries")[0]["state"] == "delivered")
    sent = at.system.get("/_sim/deliveries")[0]
    assert [one["status"] for one in sent["attempts"]] == [500, 503, 200]


def test_a_subscription_has_its_own_key(seller: MakeSeller, inbox: Inbox) -> None:
    """Made by us, disabled by Square after it failed, enabled again by us; it tells only what it was made for."""
    at = seller()
    at.connector.subscribe(["order.created"], inbox.url)
    (row,) = at.simulator.memory.table("subscriptions").values()
    inbox.secrets = [Secret("own", row["signature_key"])]
    first = at.rung_up()
    assert waited(lambda: [one.subject for one in inbox.believed] == [first])
    at.system.post("/_sim/subscriptions/all/disabling")
    assert at.connector.subscriptions() == {"order.created": False}
    at.rung_up()
    at.connector.subscribe(["order.created", "refund.created"], inbox.url)
    assert at.connector.subscriptions() == {"order.created": True, "refund.created": True}
    assert len(at.simulator.memory.table("subscriptions")) == 1
    third = at.rung_up()
    assert waited(lambda: [one.subject for one in inbox.believed] == [first, third])


def test_a_subscription_that_lives_elsewhere_hides_no_dead_one_of_ours(seller: MakeSeller, inbox: Inbox) -> None:
    at = seller()
    elsewhere = "https://other.example.com/hooks"
    at.connector.subscribe(["order.created"], inbox.url)
    assert at.connector.subscribed_at() == {"order.created": {inbox.url}}
    at.system.post("/_sim/subscriptions/all/disabling")
    at.connector.subscribe(["order.created"], elsewhere)
    assert at.connector.subscriptions() == {"order.created": True}
    assert at.connector.subscribed_at() == {"order.created": {elsewhere}}
    at.connector.subscribe(["order.created"], inbox.url)
    assert at.connector.subscribed_at() == {"order.created": {inbox.url, elsewhere}}
