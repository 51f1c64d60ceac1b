"""A simulated Shopify shop and the whole hub: its webhooks looked after, its version watched."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.shopify.conftest import TOKEN
from tests.contract.bench import served
from tests.contract.system import System
from tests.joined import join, ship
from tests.world import World, world

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

    def ship(self, order: str) -> None:
        """The warehouse sends everything, and its webhook arrives."""
        ship(self.world, order)
        self.hear()

    def receive(self, order: str, number: str, pieces: int, disposition: str = "restock") -> None:
        """Somebody counts what came back of the order's first line at our warehouse."""
        from app.database import transaction
        from app.orders import returning
        from tasks.feeds import returned

        document = self.document(order)
        with transaction() as tx:
            counted = {document.lines[0].id: (Decimal(pieces), disposition)}
            returning.receive(tx, number, document, counted, location="main", who="wanda")
        returned.run()
        self.world.pump()

    def returns(self) -> list[tuple[str, str, str, Any]]:
        rows = self.world.rows("SELECT number, state, payer, refunds FROM return_requests ORDER BY id")
        return [tuple(row) for row in rows]

    def waiting(self) -> list[str]:
        rows = self.world.rows("SELECT kind, part FROM deadlines WHERE state = 'open' AND kind IN ('return', 'refund')")
        return sorted(f"{row.kind} {row.part}" for row in rows)

    def case(self, code: str) -> Any:
        return self.world.one("SELECT max(status) FROM cases WHERE code = :code AND account = 'store'", code=code)

    def document(self, order: str) -> Any:
        """The order as the hub knows it."""
        from app.database import transaction
        from app.journal import subjects

        with transaction() as tx:
            return subjects.lock(tx, "order", "store", order).document


@contextmanager
def joined(
    tmp_path: Path,
    database_url: str,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    skus: Sequence[str],
    more: str = "",
) -> Iterator[tuple[World, System]]:
    """A hub with the shop as its channel, and the shop; `more` routes beside that of its orders."""
    monkeypatch.setenv("STORE_TOKEN", TOKEN)
    monkeypatch.setenv("STORE_SECRET", "s-1")
    with ExitStack() as stack:
        told = {"access_token": TOKEN, "senders": 0, "tell_stock": False, "webhook_url": f"{ELSEWHERE}/hooks/store"}
        shop = stack.enter_context(served("shopify", told))
        made = stack.enter_context(world(tmp_path / "config", database_url, redis_url))
        (made.folder / "routes.toml").write_text(ROUTES + more)
        join(made, ("store",), ACCOUNT.format(address=shop.address), skus=skus)
        yield made, shop


@pytest.fixture
def hub(tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with joined(tmp_path, database_url, redis_url, monkeypatch, ("WB-TEE", "WB-MUG", "WB-CAP")) as (made, shop):
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


TEES = {"lines": [{"sku": "WB-TEE", "quantity": 2}]}


def test_a_return_that_the_shop_keeps_is_expected_counted_and_paid_by_the_shop(hub: Hub) -> None:
    """Asked for at Shopify, allowed there: the hub waits for the goods, counts them, and the shop's refund pays it. The same pieces, told
    by both, came back once."""
    order = hub.place(**TEES)
    hub.ship(order)
    hub.change(order, "return", lines=[{"sku": "WB-TEE", "quantity": 1, "reason": "too-big"}])
    (row,) = hub.returns()
    number = row[0]
    assert row[1] == "requested"
    assert hub.waiting() == []
    hub.change(order, "return_approve")
    assert hub.returns()[0][1] == "authorised"
    assert hub.waiting() == [f"return {number}"]
    hub.receive(order, number, 1)
    state, payer, refunds = hub.returns()[0][1:]
    assert (state, payer) == ("restocked", "channel")
    assert [Decimal(amount) for _, amount in refunds] == [Decimal("23.68")]
    assert hub.waiting() == [f"refund {number}"]
    hub.change(order, "process")
    assert hub.returns()[0][1] == "refunded"
    hub.change(order, "return_close")
    assert hub.waiting() == []
    from app.orders.standing import life_of

    life = life_of(hub.document(order)).lines[0]
    assert (life.shipped, life.received, life.restocked) == (2, 1, 1)
    assert hub.world.one("SELECT count(*) FROM cases WHERE status = 'open'") == 0


def test_what_the_shop_declines_ends_or_takes_up_again_is_so_here(hub: Hub) -> None:
    order = hub.place(**TEES)
    hub.ship(order)
    one_tee = [{"sku": "WB-TEE", "quantity": 1}]
    hub.change(order, "return", lines=one_tee)
    hub.change(order, "return_decline", reason="FINAL_SALE")
    hub.change(order, "return", lines=one_tee, open=True)
    hub.change(order, "return_cancel")
    hub.change(order, "return", lines=one_tee, open=True)
    hub.change(order, "return_close")
    assert [row[1] for row in hub.returns()] == ["declined", "cancelled", "closed"]
    assert hub.waiting() == []
    hub.change(order, "return_reopen")
    assert [row[1] for row in hub.returns()] == ["declined", "cancelled", "authorised"]
    assert hub.waiting() == [f"return {hub.returns()[2][0]}"]
    hub.change(order, "process")
    assert hub.returns()[2][1] == "authorised", "paid before the goods were counted here"
    hub.receive(order, hub.returns()[2][0], 1)
    assert hub.returns()[2][1:] == ("restocked", "channel", [])
    assert hub.waiting() == []
    assert hub.world.one("SELECT count(*) FROM cases WHERE status = 'open'") == 0


def test_an_exchange_goes_out_in_the_same_order(hub: Hub) -> None:
    """A tee for a cap: the shop sets the cap off against the tee and adds it to the order; the hub changes the order, places none, and the
    money is the shop's."""
    order = hub.place(**TEES)
    hub.ship(order)
    one_tee = [{"sku": "WB-TEE", "quantity": 1}]
    hub.change(order, "return", lines=one_tee, exchange=[{"sku": "WB-CAP", "quantity": 1}], open=True)
    hub.receive(order, hub.returns()[0][0], 1)
    assert hub.returns()[0][1:] == ("restocked", "channel", [])
    hub.change(order, "process")
    document = hub.document(order)
    assert [(line.sku, line.current_quantity) for line in document.lines] == [("WB-TEE", 1), ("WB-CAP", 1)]
    (refund,) = document.refunds
    assert refund.total.shop.amount == Decimal("23.68") - Decimal("16.66")
    assert hub.world.one("SELECT count(*) FROM subjects WHERE kind = 'order'") == 1
    assert hub.world.one("SELECT count(*) FROM return_requests") == 1
    dead = hub.world.rows("SELECT name, code FROM steps WHERE state = 'dead'")
    assert [tuple(row) for row in dead] == [("withdraw_fulfilment", "shipped")], (
        "the parcel has left: a person has the cap sent"
    )


@pytest.mark.parametrize("lost", [False, True])
def test_an_order_is_cancelled_in_the_shop_by_the_hub_once(hub: Hub, lost: bool) -> None:
    """Its job is polled, its webhook undoes the rest; a lost answer in between asks for no second job."""
    from app.database import transaction
    from app.journal import subjects
    from app.orders import cancelling
    from connectors.canonical.order import CancelReason
    from tasks.feeds import deadlines

    order, other = hub.place(**TEES), hub.place(**TEES)
    hub.ship(other)
    if lost:
        hub.shop.bad_day("commit_then_drop", operations=["orderCancel"], times=1)
    with transaction() as tx:
        waybill = subjects.lock(tx, "order", "store", order).waybill
        cancelling.ask(tx, waybill, CancelReason.DECLINED, "olga", "the bank says no")
    deadlines.run()
    hub.hear()
    told = hub.shop.get("/_sim/effects")
    assert len(told["cancelled"]) == 1
    assert hub.shop.get(f"/_sim/orders/{order}")["cancel_reason"] == "declined"
    hub.hear()
    assert hub.world.effects("erp")["cancelled"] == {f"bookings store-{order}": 1}
    assert len(hub.world.effects("warehouse")["cancelled"]) == 1
    assert hub.document(order).cancelled_at is not None
    assert len(hub.shop.calls("orderCancel")) == 1
    outcomes = hub.world.outcomes("cancel_sale")
    assert (outcomes[0], outcomes[-1]) == (("unknown", "found") if lost else ("submitted", "done"))
    assert hub.world.settled()
