"""A simulated Shopify shop and the whole hub: its webhooks looked after, its version watched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.shopify.conftest import TOKEN
from tests.contract.bench import served
from tests.contract.system import System
from tests.world import World, fresh_process, world

ACCOUNT = """
[store]
connector = "shopify"
base_url = "{address}"
credentials = {{ access_token = "STORE_TOKEN" }}
webhook_secrets = ["STORE_SECRET"]
settings = {{ shop = "waybill-demo.myshopify.com", currency = "EUR" }}
"""
ROUTES = """
[[route]]
name = "orders"
kind = "order"
when = { account = "store" }
roles = { channel = "store", erp = "erp", warehouse = "warehouse", notify = "letters" }
"""
ELSEWHERE = "http://127.0.0.1:9"


@dataclass
class Hub:
    """A hub whose channel is a Shopify shop; books, warehouse and letters are Acme's."""

    world: World
    shop: System
    heard: set[str] = field(default_factory=set)

    def place(self, **spec: Any) -> str:
        number = str(self.shop.post("/_sim/orders", spec)[0]["id"])
        self.hear()
        return number

    def change(self, order: str, what: str, **asked: Any) -> None:
        """Staff or customers do something, and every webhook of it arrives."""
        self.shop.post(f"/_sim/orders/{order}/{what}", asked)
        self.hear()

    def hear(self) -> None:
        from app.journal.accept import accept

        for one in self.shop.get("/_sim/deliveries?body=1"):
            if one["id"] not in self.heard:
                self.heard.add(one["id"])
                accept("store", one["id"], one["topic"], {}, one["body"].encode())
        self.world.pump()

    def case(self, code: str) -> Any:
        return self.world.one("SELECT max(status) FROM cases WHERE code = :code AND account = 'store'", code=code)

    def document(self, order: str) -> Any:
        """The order as the hub knows it."""
        from app.database import transaction
        from app.journal import subjects

        with transaction() as tx:
            return subjects.lock(tx, "order", "store", order).document


@pytest.fixture
def hub(tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("STORE_TOKEN", TOKEN)
    monkeypatch.setenv("STORE_SECRET", "s-1")
    with ExitStack() as stack:
        told = {"access_token": TOKEN, "senders": 0, "tell_stock": False, "webhook_url": f"{ELSEWHERE}/hooks/store"}
        shop = stack.enter_context(served("shopify", told))
        made = stack.enter_context(world(tmp_path / "config", database_url, redis_url))
        accounts = made.folder / "accounts.toml"
        accounts.write_text(accounts.read_text() + ACCOUNT.format(address=shop.address))
        (made.folder / "routes.toml").write_text(ROUTES)
        from app.database import engine
        from tasks.engine.connecting import limiter

        engine().dispose()
        fresh_process()
        for name in ("store", "shop", "erp", "warehouse", "letters"):
            limiter().warm(name)
        for sku in ("WB-TEE", "WB-MUG", "WB-CAP"):
            made.code("erp", "sku", sku, sku)
        yield Hub(made, shop)


def test_another_version_than_asked_for_is_an_alarm(hub: Hub) -> None:
    """Fall forward: the oldest version that is still served answers, and says so in a header; well again, the case is closed."""
    from tasks.feeds import watch

    watch.run()
    assert hub.case("version_served") is None
    hub.shop.put("/_sim/versions", {"served": ["2026-10", "2027-01"]})
    watch.run()
    assert hub.case("version_served") == "open"
    row = hub.world.rows("SELECT sentence, owner FROM cases WHERE code = 'version_served'")[0]
    assert "2026-10" in row.sentence
    assert "2026-07" in row.sentence
    assert row.owner == "engineering"
    hub.shop.put("/_sim/versions", {"served": ["2026-07", "2026-10"]})
    watch.run()
    assert hub.case("version_served") == "resolved"


def test_subscriptions_that_are_gone_or_go_elsewhere_are_registered_anew(hub: Hub) -> None:
    """Removed by Shopify, or sending to an address that the hub has left: both are off, until an operator has them registered."""
    from app.accounts import errands
    from app.database import transaction
    from app.journal.reading import subscriptions
    from tasks.feeds import watch

    os.environ["PUBLIC_URL"] = ELSEWHERE
    watch.mend("store")
    watch.run()
    assert hub.case("subscription_off") is None
    os.environ["PUBLIC_URL"] = "http://127.0.0.1:10"
    watch.run()
    assert hub.case("subscription_off") == "open"
    with transaction() as tx:
        assert not any(one.alive for one in subscriptions.of(tx, "store"))
        (asked,) = errands.register(tx, "store", "olga", "the hub moved")
    assert watch.errand(asked.id).startswith("registered: fulfillments/create")
    assert hub.case("subscription_off") == "resolved"
    with transaction() as tx:
        assert all(one.alive for one in subscriptions.of(tx, "store"))
    os.environ.pop("PUBLIC_URL")
    there = hub.shop.get("/_sim/effects")["subscription"]
    assert there["ORDERS_CREATE http://127.0.0.1:10/hooks/store"] == 1
    audited = hub.world.rows("SELECT who, object, reason FROM audit WHERE action = 'register webhooks'")
    assert [(row.who, row.object, row.reason) for row in audited] == [("olga", "account:store", "the hub moved")]
