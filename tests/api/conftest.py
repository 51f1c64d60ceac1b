"""A world with a partner in it: a channel without a connector, its key, and the web face over the same database."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.world import World, fresh_process, world

ACCOUNTS = """
[market]
connector = "direct"
{more}

[rival]
connector = "direct"
"""
ROUTES = "".join(
    f"""
[[route]]
name = "orders of {name}"
kind = "order"
when = {{ account = "{name}" }}
roles = {{ channel = "{name}", erp = "erp", warehouse = "warehouse", notify = "letters" }}
"""
    for name in ("market", "rival")
)
_count = itertools.count(1)


@dataclass
class Partner:
    """Somebody who holds a key."""

    app: Flask
    token: str

    def ask(self, method: str, path: str, body: Any = None, key: str = "", **headers: str) -> TestResponse:
        told = {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if method == "POST":
            told["Idempotency-Key"] = key or f"k{next(_count)}"
        return self.app.test_client().open(f"/api/v1{path}", method=method, json=body, headers=told)

    def place(self, body: Any, key: str = "") -> str:
        answer = self.ask("POST", "/orders", body, key)
        assert answer.status_code == 202, answer.json
        return str(answer.json["waybill"])


@dataclass
class Market:
    """`world` has Acme as ERP, warehouse and letter writer; `mine` sells there, `rival` too."""

    world: World
    app: Flask
    mine: Partner
    rival: Partner

    def partner(self, name: str, channel: str, **more: Any) -> Partner:
        from app.database import transaction
        from app.web import keys

        with transaction() as tx:
            return Partner(
                self.app, keys.make(tx, name, "tests", **{"scopes": keys.SCOPES, "channel": channel, **more})
            )


@pytest.fixture
def market(tmp_path: Path, database_url: str, redis_url: str, request: pytest.FixtureRequest) -> Iterator[Market]:
    from app.database import engine
    from app.web import create_app, keys, webhooks
    from app.web.api import door

    before = dict(os.environ)
    folder = tmp_path / "config"
    with world(folder, database_url, redis_url) as made:
        for name, words in (("accounts", ACCOUNTS.format(more=getattr(request, "param", ""))), ("routes", ROUTES)):
            with (folder / f"{name}.toml").open("a") as file:
                file.write(words)
        os.environ.update(SECRET_KEY="tests only", PLAIN_HTTP="1", ADMIN_PASSWORD="", ACKS=str(tmp_path / "acks"))
        engine().dispose()
        fresh_process()
        keys.forget()
        door._script.cache_clear()
        webhooks._acks.cache_clear()
        for sku in ("WB-TEE", "WB-MUG"):
            made.code("erp", "sku", sku, sku)
        app = create_app()
        found = Market(made, app, Partner(app, ""), Partner(app, ""))
        found.mine, found.rival = found.partner("market desk", "market"), found.partner("rival desk", "rival")
        try:
            yield found
        finally:
            keys.forget()
            door._script.cache_clear()
            webhooks._acks.cache_clear()
    os.environ.clear()
    os.environ.update(before)


def money(amount: str, currency: str = "EUR") -> dict[str, Any]:
    return {"shop": {"amount": amount, "currency": currency}}


def order(name: str = "M-1", **more: Any) -> dict[str, Any]:
    """Two tees and a mug: 2 x 19.90 + 8.50 + 4.90 shipping = 53.20, tax included."""
    lines = [
        {"id": f"{name}-1", "sku": "WB-TEE", "title": "Tee", "quantity": "2", "unit_price": money("19.90")},
        {"id": f"{name}-2", "sku": "WB-MUG", "title": "Mug", "quantity": "1", "unit_price": money("8.50")},
    ]
    sums = {"lines": "48.30", "discounts": "0", "shipping": "4.90", "charges": "0", "tax": "0", "total": "53.20"}
    home = {"name": "Ana Example", "line1": "Musterweg 5", "city": "Köln", "postcode": "50667", "country": "DE"}
    return {
        "id": name,
        "number": f"#{name}",
        "placed_at": "2026-11-20T10:00:00+01:00",
        "currency": "EUR",
        "taxes_included": True,
        "lines": lines,
        "shipping_lines": [{"id": f"{name}-s", "title": "Standard", "price": money("4.90"), "code": "standard"}],
        "totals": {what: money(amount) for what, amount in sums.items()},
        "shipping": {**home, "email": "ana@example.com"},
        "payments": [
            {"id": f"{name}-p", "kind": "sale", "tender": "card", "gateway": "card", "amount": money("53.20")}
        ],
        "payment_status": "paid",
        **more,
    }


@pytest.fixture
def houses(market: Market) -> Any:
    """The market with two stores and a supplier (tests/api/houses.py), each with a key for its own place."""
    from tests.api.houses import RULES, Houses
    from tests.orders.places import in_force

    in_force(RULES)
    keys = {name: market.partner(f"{name} desk", "", locations=(name,)) for name in ("alpha", "beta", "maker")}
    return Houses(market, **keys)
