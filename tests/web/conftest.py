"""A hub with its web face: a database and configuration of its own, signed deliveries, and people of every role."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook
from werkzeug.test import TestResponse

from connectors.kit.signatures import base64_hmac
from local.servers import Servers, create_database, drop_database
from tests.world import World, fresh_process, warm, world

ACME = "whsec_" + "d2ViIHRlc3RzIG9ubHksIG5vYm9keSdzIHNlY3JldA=="
SHOPIFY = "shopify tests only"
PASSWORDS = {role: f"{role} comes in here" for role in ("viewer", "support", "operator", "admin")}
POLICY = """
[shop]
connector = "acme"
base_url = "http://127.0.0.1:1"
credentials = { client_id = "TESTS_ID", client_secret = "TESTS_SECRET" }
webhook_secrets = ["TESTS_HOOKS", "TESTS_HOOKS_OLD"]

[store]
connector = "shopify"
base_url = "http://127.0.0.1:1"
credentials = { access_token = "TESTS_ID" }
webhook_secrets = ["TESTS_STORE"]
settings = { shop = "tests.example" }

[letters]
connector = "smtp"
base_url = "smtp://127.0.0.1:1"
settings = { sender = "orders@shop.example", shop_name = "Tests" }
"""
ENVIRONMENT = {
    "SECRET_KEY": "tests only",
    "PLAIN_HTTP": "1",
    "TESTS_ID": "tests",
    "TESTS_SECRET": "tests-secret",
    "TESTS_HOOKS": ACME,
    "TESTS_HOOKS_OLD": "whsec_" + "dGhlIG9sZCBvbmUsIHN0aWxsIHZhbGlkIGZvciBhIHdoaWxl",
    "TESTS_STORE": SHOPIFY,
}
_count = itertools.count(1)


@dataclass
class Hub:
    """The web face over a database of its own; `world` where the module plays flows."""

    app: Flask
    database_url: str
    redis_url: str
    world: World | None = None

    def rows(self, statement: str, **values: Any) -> Any:
        from app.database import engine

        with engine().connect() as tx:
            return tx.execute(text(statement), values).all()

    def one(self, statement: str, **values: Any) -> Any:
        found = self.rows(statement, **values)
        return found[0][0] if found else None

    def write(self, statement: str, **values: Any) -> Any:
        from app.database import transaction

        with transaction() as tx:
            return tx.execute(text(statement), values)

    # ---- deliveries

    def deliver(self, body: bytes, account: str = "shop", *, data: bytes | None = None, **headers: str) -> TestResponse:
        """A delivery signed as its vendor signs; `data` is what is really sent, `headers` replace the signed ones."""
        signed = acme_headers(body) if account == "shop" else shopify_headers(body)
        sent = {**signed, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.app.test_client().post(f"/hooks/{account}", data=body if data is None else data, headers=sent)

    # ---- people

    def come_in(self, role: str) -> Person:
        return Person(self.app.test_client()).log_in(role, PASSWORDS[role])


@dataclass
class Person:
    """Somebody at a browser without one: keeps cookies, fills in the CSRF token that the page showed."""

    client: FlaskClient
    token: str = ""

    def log_in(self, login: str, password: str) -> Person:
        self.get("/admin/login")
        self.answer = self.client.post(
            "/admin/login", data={"login": login, "password": password, "csrf_token": self.token}
        )
        if self.answer.status_code == 302:
            self.get("/admin/orders/")
        return self

    def get(self, path: str, **more: Any) -> TestResponse:
        answer = self.client.get(path, **more)
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text)
        self.token = found.group(1) if found else self.token
        return answer

    def page(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def press(self, path: str, **form: str) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token, "reason": "a test", **form})


def acme_headers(body: bytes, secret: str = ACME, name: str = "", at: float | None = None) -> dict[str, str]:
    name = name or f"msg-{next(_count)}"
    sent = datetime.fromtimestamp(int(at or time.time()), UTC)
    return {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, sent, body.decode("utf-8", "replace")),
    }


def shopify_headers(body: bytes, secret: str = SHOPIFY, topic: str = "orders/create") -> dict[str, str]:
    return {
        "content-type": "application/json",
        "x-shopify-hmac-sha256": base64_hmac(secret, body),
        "x-shopify-webhook-id": f"wh-{next(_count)}",
        "x-shopify-topic": topic,
    }


@pytest.fixture(scope="module")
def module_database(real_servers: Servers, template: str) -> Iterator[str]:
    name = f"waybill_web_{os.getpid()}_{next(_count)}"
    yield create_database(real_servers, name, template=template)
    drop_database(real_servers, name)


@pytest.fixture(scope="module")
def hub(module_database: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """The web face alone: nothing works on what it accepts."""
    folder = tmp_path_factory.mktemp("policy")
    (folder / "accounts.toml").write_text(POLICY)
    (folder / "routes.toml").write_text("")
    with _environment(DATABASE_URL=module_database, REDIS_URL=redis_url, WAYBILL_CONFIG=str(folder)):
        yield _made(module_database, redis_url)


@pytest.fixture(scope="module")
def busy(module_database: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """The web face over a hub that has had a day: orders done, shipped, refused, waiting for a mapping, unusable."""
    folder: Path = tmp_path_factory.mktemp("policy")
    with _environment(), world(folder, module_database, redis_url) as played:
        _a_day(played)
        yield _made(module_database, redis_url, played)


def _a_day(played: World) -> None:
    from app.catalogue import codes
    from app.journal.accept import accept, refused

    for sku in ("WB-TEE", "WB-MUG"):
        played.code("erp", "sku", sku, sku)
    first = played.order()
    played.pump()
    played.deliver("order.placed", first)
    waybill = played.one("SELECT waybill FROM subjects ORDER BY id LIMIT 1")
    parcel = played.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={})
    lots = [{"lot": "L-7", "quantity": "1", "expires": "2027-03-01"}]
    parcel["lines"][0]["lots"] = lots
    level = {"id": "lev-tee", "sku": "WB-TEE", "location": "main", "available": "9", "on_hand": "9"}
    level["lots"] = [{"lot": "L-7", "quantity": "9", "expires": "2027-03-01"}]
    played.deliver("stock.changed", {**level, "updated_at": "2026-11-01T00:00:00Z"}, account="warehouse")
    played.deliver("shipment.sent", parcel, account="warehouse")
    played.pump()
    for n in range(3):
        played.order(customer={"id": f"c-{n}", "email": "blocked@example.com"})
    played.pump()
    with _transaction() as tx:
        tx.execute(text("DELETE FROM codes WHERE ours = 'WB-MUG'"))
    codes._near.clear()  # as the workers forget it after some seconds
    played.order()
    played.order()
    accept("shop", "sha256:1", "order.placed", {"content-type": "application/json"}, b'{"type": "order.placed"}')
    refused("shop", "forged")
    played.pump()


def _transaction() -> Any:
    from app.database import transaction

    return transaction()


class _environment:  # noqa: N801 - reads as what it is: with _environment(...)
    """Variables for as long as it lasts; the process is as new before and after."""

    def __init__(self, **values: str) -> None:
        self._values = {**ENVIRONMENT, **values}

    def __enter__(self) -> None:
        self._before = dict(os.environ)
        os.environ.update(self._values)
        fresh_process()

    def __exit__(self, *told: object) -> None:
        _fresh()
        os.environ.clear()
        os.environ.update(self._before)


def _fresh() -> None:
    from app.database import engine

    engine().dispose()
    fresh_process()


def _made(database_url: str, redis_url: str, played: World | None = None) -> Hub:
    import redis

    from app.web import create_app, people

    redis.Redis.from_url(redis_url).flushall()
    if played is not None:
        warm()
    app = create_app()
    with _transaction() as tx:
        for role, password in PASSWORDS.items():
            people.keep(tx, role, password, role)
    return Hub(app, database_url, redis_url, played)
