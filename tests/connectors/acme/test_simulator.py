"""Acme's servers play what the suite cannot ask of every vendor: deliveries on bad days, handshakes, doubles."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask, Response, request

from connectors import registry
from connectors.kit.account import Account, Connection
from connectors.kit.errors import Rejected
from connectors.kit.receiver import Incoming, Secret
from connectors.kit.simulator import serve
from tests.connectors.acme.contract import SECRETS
from tests.contract.samples import ORDER, eur
from tests.contract.system import System

CREDENTIALS = {"client_id": "acme-client_id", "client_secret": "acme-client_secret"}
Served = Callable[..., System]
ConnectionFor = Callable[..., Connection]


class Hub:
    """A stand-in for the hub's web face: it proves, identifies and answers, or fails the first few times."""

    def __init__(self, address: str = "") -> None:
        self.app, self.address, self.fails = Flask("hub"), address, 0
        self.got: list[tuple[str, str, str]] = []  # secret, delivery id, topic
        self.app.add_url_rule("/hooks/acme", "hooks", self._take, methods=["GET", "POST"])

    def _take(self) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        incoming = Incoming(request.method, request.url, request.args.to_dict(), headers, request.get_data())
        receiver = registry.receiver("acme")
        assert receiver is not None
        secrets = [Secret("one", SECRETS[0]), Secret("two", SECRETS[1])]
        reply = receiver.handshake(incoming, secrets[:1])
        if reply is not None:
            return Response(reply.body, reply.status, content_type=reply.content_type)
        if self.fails > 0:
            self.fails -= 1
            return Response(status=503)
        name = receiver.prove(incoming, secrets, datetime.now(UTC))
        identity = receiver.identify(incoming)
        self.got.append((name, identity.delivery_id, identity.topic))
        return Response(status=202)

    def heard(self, count: int) -> list[tuple[str, str, str]]:
        until = time.monotonic() + 5
        while len(self.got) < count and time.monotonic() < until:
            time.sleep(0.01)
        return self.got


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    server = serve(hub.app, "127.0.0.1", 0)
    hub.address = f"http://127.0.0.1:{server.server_port}/hooks/acme"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield hub
    server.shutdown()
    server.server_close()


def connect(connection_for: ConnectionFor, system: System, shape: str = "fat") -> Any:
    account = Account("acme-1", "acme", system.address, CREDENTIALS, {"shape": shape})
    return registry.connect(connection_for(account))


def test_subscribing_takes_a_handshake(hub: Hub, served: Served, connection_for: ConnectionFor) -> None:
    system = served("acme", {"secrets": SECRETS[:1]})
    acme = connect(connection_for, system)
    acme.subscribe(["order.placed"], hub.address)
    assert acme.subscriptions() == {"order.placed": True}
    system.post("/_sim/orders", {})
    assert hub.heard(1) == [("one", "msg_000001", "order.placed")]


def test_who_cannot_sign_is_not_subscribed(served: Served, connection_for: ConnectionFor, hub: Hub) -> None:
    acme = connect(connection_for, served("acme", {"secrets": SECRETS[1:]}))
    with pytest.raises(Rejected) as met:
        acme.subscribe(["order.placed"], hub.address)
    assert met.value.code == "handshake_failed"


def test_failed_deliveries_come_again_under_their_id(hub: Hub, served: Served) -> None:
    hub.fails = 2
    system = served("acme", {"secrets": SECRETS[:1], "webhook_url": hub.address, "retries": [0.05, 0.05]})
    system.post("/_sim/orders", {})
    assert hub.heard(1) == [("one", "msg_000001", "order.placed")]
    assert system.get("/_sim/deliveries")[0]["tries"][:2] == [503, 503]


def test_rotating_keys(hub: Hub, served: Served) -> None:
    """During the change both sign, so that whoever knows either accepts."""
    system = served("acme", {"secrets": [SECRETS[1]], "webhook_url": hub.address})
    system.post("/_sim/orders", {})
    assert hub.heard(1)[-1][0] == "two"
    system.put("/_sim/hooks", {"secrets": list(SECRETS)})
    system.post("/_sim/orders", {})
    assert hub.heard(2)[-1][0] == "one"


def test_chaos(hub: Hub, served: Served) -> None:
    """Some deliveries come twice, some late, some never: all of it is on record."""
    chaos = {"duplicate": 0.3, "drop": 0.2, "reorder": 0.0}
    system = served("acme", {"secrets": SECRETS[:1], "webhook_url": hub.address, "chaos": chaos})
    for _ in range(30):
        system.post("/_sim/orders", {})
    fates = [delivery["fate"] for delivery in system.get("/_sim/deliveries")]
    dropped = fates.count("dropped")
    time.sleep(0.2)
    heard = [delivery for _, delivery, _ in hub.heard(30 - dropped)]
    assert 0 < dropped < 30
    assert len(set(heard)) == 30 - dropped
    assert len(heard) > len(set(heard))


def test_thin_deliveries_say_where_to_look(hub: Hub, served: Served) -> None:
    system = served("acme", {"shape": "thin", "secrets": SECRETS[:1], "webhook_url": hub.address})
    system.post("/_sim/orders", {})
    hub.heard(1)
    (delivery,) = system.get("/_sim/deliveries")
    assert '"data": {"id": "1001"}' in delivery["body"]


def test_without_a_key_a_double_shows(served: Served, connection_for: ConnectionFor, drive: Callable[..., str]) -> None:
    """What the engine must prevent, since this vendor does not."""
    system = served("acme", {"shape": "searched"})
    acme = connect(connection_for, system, "searched")
    drive(acme.book(ORDER, key="key-1"))
    drive(acme.book(ORDER, key="key-1"))
    assert system.get("/_sim/effects")["bookings"] == {"shop-1001": 2}


def test_money_that_does_not_come_out_is_refused(
    served: Served, connection_for: ConnectionFor, drive: Callable[..., str]
) -> None:
    acme = connect(connection_for, served("acme"))
    wrong = replace(ORDER, totals=replace(ORDER.totals, total=eur("57.37")))
    with pytest.raises(Rejected) as met:
        drive(acme.book(wrong, key="key-1"))
    assert (met.value.code, met.value.field) == ("total_mismatch", "total")


def test_memory_survives_a_restart(served: Served, tmp_path: Any) -> None:
    path = str(tmp_path / "acme.jsonl")
    name = served("acme", {"path": path}).post("/_sim/orders", {})["id"]
    assert name in served("acme", {"path": path}).get("/_sim/state")["orders"]
