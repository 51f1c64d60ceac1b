"""Square before a whole hub: tills that come late, goods that come back, and a parcel, over the real journal and Acme's books."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from connectors.kit.receiver import Incoming
from connectors.square.simulator import create
from connectors.square.webhook import RECEIVER
from tests.connectors.square.contract import CREDENTIALS
from tests.contract.bench import _served
from tests.joined import join, ship
from tests.world import World, world

ACCOUNT = """
[stores]
connector = "square"
base_url = "{address}"
timeout = 2.0
credentials = {credentials}
webhook_secrets = ["SQ_KEY"]
settings = {{ merchant_id = "MERCHANT1" }}
codes = {{ sku = "same", location = "same" }}
"""
NAMES = "{ " + ", ".join(f'{name} = "SQ_{name.upper()}"' for name in CREDENTIALS) + " }"
ROUTE = """
[[route]]
name = "orders of the stores"
kind = "order"
when = { account = "stores" }
roles = { channel = "stores", erp = "erp", warehouse = "warehouse", notify = "letters" }
"""


@dataclass
class Stores:
    """`world` has Acme as web shop, ERP, warehouse and letter writer; the simulated Square sells beside it."""

    world: World
    told: int = 0

    def post(self, path: str, body: Any) -> Any:
        return self.world.ask("stores", "POST", path, json=body)

    def news(self) -> list[dict[str, Any]]:
        """Events that Square sent since the last time."""
        rows = self.world.ask("stores", "GET", "/_sim/deliveries")
        new, self.told = rows[self.told :], len(rows)
        return list(new)

    def hear(self, news: list[dict[str, Any]]) -> None:
        """Events arrive, as the receiver accepts them once their signature is proved."""
        from app.journal.accept import accept

        for one in news:
            told = RECEIVER.identify(Incoming("POST", "", {}, {}, one["body"].encode()))
            accept("stores", told.delivery_id, told.topic, {}, one["body"].encode())

    def poll(self) -> str:
        """The next window of the poll has come; the last one ended hours ago. One that found no answer (a busy machine) begins again from
        where it was, as in a hub: the sales of its window are late, not lost."""
        from app.database import transaction
        from tasks.feeds import poll

        with transaction() as tx:
            tx.execute(text("UPDATE cursors SET reached = reached - interval '2 hours'"))
        for _ in range(5):
            with transaction() as tx:
                tx.execute(text("UPDATE cursors SET at = at - interval '1 day' WHERE account = 'stores'"))
            said = poll.run()
            if re.search(r"stores: \d+ new(,|$)", said):
                return said
        raise AssertionError(f"the poll of the stores finds no answer: {said}")

    def booked(self) -> dict[str, int]:
        rows: dict[str, int] = self.world.effects("erp")["bookings"]
        return {name.removeprefix("stores-"): count for name, count in rows.items() if name.startswith("stores-")}

    def order(self, name: str) -> Any:
        return next(one for one in self.world.ask("stores", "GET", "/_sim/orders") if one["id"] == name)


@pytest.fixture
def stores(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Stores]:

    before = dict(os.environ)
    folder = tmp_path / "config"
    with ExitStack() as stack:
        simulator = create({**CREDENTIALS, "webhook_url": "http://hub.invalid/hooks/stores", "paused": True})
        address = stack.enter_context(_served(simulator))
        made = stack.enter_context(world(folder, database_url, redis_url))
        made.simulators["stores"], made.addresses["stores"] = simulator, address
        os.environ.update(
            {f"SQ_{name.upper()}": value for name, value in CREDENTIALS.items()}, SQ_KEY="key-of-the-tests"
        )
        skus = ("WB-TEE", "WB-MUG", "WB-CAP", "WB-BAG", "WB-TEA")
        join(made, ("stores",), ACCOUNT.format(address=address, credentials=NAMES), ROUTE, skus)
        yield Stores(made)
    os.environ.clear()
    os.environ.update(before)


def when(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_another_version_than_asked_for_is_an_alarm(stores: Stores) -> None:
    """Square names in every answer the version that it speaks; well again, the case is closed."""
    from tasks.feeds import watch

    found = "SELECT count(*) FROM cases WHERE code = 'version_served' AND account = 'stores' AND status = 'open'"
    watch.run()
    assert stores.world.one(found) == 0
    stores.world.ask("stores", "PUT", "/_sim/version", json={"serves": "2027-01-20"})
    watch.run()
    assert stores.world.one(found) == 1
    (row,) = stores.world.rows("SELECT sentence, owner FROM cases WHERE code = 'version_served'")
    assert "2027-01-20" in row.sentence
    assert "2025-08-20" in row.sentence
    assert row.owner == "engineering"
    stores.world.ask("stores", "PUT", "/_sim/version", json={"serves": ""})
    watch.run()
    assert stores.world.one(found) == 0


def test_a_batch_from_a_till_that_was_offline(stores: Stores) -> None:
    """Two days of sales arrive at once, out of order, twice, some never told: each is booked once, and nothing is shipped."""
    rng, names = random.Random(5), []
    for n in range(12):
        at = when(60 - 4 * n)
        spec = {"kind": "offline", "created_at": at, "updated_at": at, "silent": n % 4 == 3, "tip": n * 10}
        names.append(stores.post("/_sim/orders", spec)[0]["id"])
    news = stores.news() * 2
    rng.shuffle(news)
    stores.hear(news)
    stores.world.pump()
    assert len(stores.booked()) == 9
    stores.poll()
    stores.world.pump()
    stores.poll()
    stores.world.pump()
    assert stores.booked() == dict.fromkeys(names, 1)
    assert not stores.world.effects("warehouse")["requests"]
    assert stores.world.settled()


def test_a_poll_that_finds_no_answer_loses_no_sale(stores: Stores) -> None:
    """Nobody told of the sale, and the list answers once with a fault, once in the middle of a body, once not at all: then it is there."""
    from tasks.feeds import poll

    at = when(20)
    name = stores.post("/_sim/orders", {"kind": "offline", "created_at": at, "updated_at": at, "silent": True})[0]["id"]
    for kind in ("unavailable", "truncated", "drop"):
        stores.world.bad_day("stores", kind, operations=("orders.search",), times=1)
        assert " new" not in poll.run().split("stores: ")[1].split(", ")[0]
        stores.world.pump()
        assert not stores.booked()
    stores.poll()
    stores.world.pump()
    assert stores.booked() == {name: 1}
    assert stores.world.one("SELECT count(*) FROM events WHERE recovered") == 1
    assert stores.world.settled()


def test_a_parcel_of_an_order_from_the_web(stores: Stores) -> None:
    """Booked, acknowledged, sent in two parcels: Square knows number, parcels and end; its echoes start nothing."""
    name = stores.post("/_sim/orders", {"kind": "freight"})[0]["id"]
    stores.hear(stores.news())
    stores.world.pump()
    assert stores.order(name)["metadata"]["waybill_erp_number"]
    assert stores.order(name)["fulfillments"][0]["state"] == "RESERVED"
    for line, sku, quantity in (("line-1", "WB-TEE", "2"), ("line-2", "WB-MUG", "1")):
        ship(stores.world, name, [{"line": line, "sku": sku, "quantity": quantity}])
        stores.hear(stores.news())
        stores.world.pump()
    assert stores.order(name)["state"] == "COMPLETED"
    assert stores.order(name)["fulfillments"][0]["shipment_details"]["tracking_number"]
    assert sum(stores.world.effects("erp")["deliveries"].values()) == 2
    stores.poll()
    stores.world.pump()
    assert sum(stores.world.effects("erp")["deliveries"].values()) == 2
    assert stores.booked() == {name: 1}
    assert stores.world.settled()


def test_staff_give_an_order_up(stores: Stores) -> None:
    """A paid order whose fulfilment is cancelled in Square: nothing leaves any more, and what was asked of the warehouse is taken back."""
    name = stores.post("/_sim/orders", {"kind": "plain"})[0]["id"]
    stores.hear(stores.news())
    stores.world.pump()
    stores.post(f"/_sim/orders/{name}/moves", {"fulfillment_state": "CANCELED"})
    stores.hear(stores.news())
    stores.world.pump()
    assert len(stores.world.effects("warehouse")["cancelled"]) == 1
    assert stores.world.one("SELECT state FROM subjects WHERE external_id = :id", id=name) == "cancelled"
    assert stores.world.settled()


def test_an_open_ticket_waits_for_its_money(stores: Stores) -> None:
    name = stores.post("/_sim/orders", {"kind": "plain", "payment": "none"})[0]["id"]
    stores.hear(stores.news())
    stores.world.pump(until=lambda: not stores.world.turn())
    assert not stores.booked()
    assert stores.world.one("SELECT count(*) FROM subjects WHERE external_id = :id", id=name) == 1


def test_brought_back_to_another_store(stores: Stores) -> None:
    """The return, its refunds and the payments' changes all tell of it: the books are credited once."""
    sold = stores.post("/_sim/orders", {"kind": "split"})[0]["id"]
    stores.hear(stores.news())
    stores.world.pump()
    back = stores.post(f"/_sim/orders/{sold}/returns", {"lines": {"line-1": 1}})
    stores.hear(stores.news())
    stores.post("/_sim/refunds/settlement", {"state": "COMPLETED"})
    stores.hear(stores.news())
    stores.world.pump()
    stores.poll()
    stores.world.pump()
    assert stores.world.effects("erp")["credits"] == {f"stores-{back['id']}": 1}
    assert stores.booked() == {sold: 1}
    assert stores.world.settled()


def test_the_return_arrives_before_the_sale(stores: Stores) -> None:
    """The store that took it back was online, the one that sold it was not."""
    sold = stores.post("/_sim/orders", {"kind": "cash"})[0]["id"]
    sale = stores.news()
    back = stores.post(f"/_sim/orders/{sold}/returns", {"lines": {"line-2": 1}})
    stores.post("/_sim/refunds/settlement", {"state": "COMPLETED"})
    stores.hear([one for one in stores.news() if one["topic"].startswith("order.")])
    stores.world.pump()
    assert not stores.booked()
    stores.hear(sale)
    stores.world.pump()
    assert stores.booked() == {sold: 1}
    assert stores.world.effects("erp")["credits"] == {f"stores-{back['id']}": 1}


def test_goods_of_the_web_shop_come_back_to_a_till(stores: Stores) -> None:
    """Staff type in the waybill number: the word reaches that order, and who may say it decides the authority, not the mapping.
    Without a number a person looks."""
    order = stores.world.order()
    stores.world.pump()
    waybill = stores.world.one("SELECT waybill FROM subjects WHERE external_id = :id", id=order["id"])
    lines = [{"sku": "WB-TEE", "quantity": 1, "price": 1990}]
    stores.news()
    for reference in (waybill, ""):
        stores.post("/_sim/returns", {"lines": lines, "reference": reference})
        stores.hear([one for one in stores.news() if one["topic"] == "order.created"])
        stores.world.pump()
    rows = stores.world.rows(
        "SELECT state, reason FROM events WHERE account = 'stores' AND topic = 'api/order' ORDER BY id"
    )
    assert [row.state for row in rows][-1] == "quarantined"
    assert "nobody knows what came back" in rows[-1].reason
    cases = {row.kind for row in stores.world.rows("SELECT kind FROM cases")}
    assert len(rows) == 2
    assert {"quarantined"} < cases
    assert not stores.world.effects("erp")["credits"]


def test_what_was_approved_is_taken_with_the_last_parcel(stores: Stores) -> None:
    """Square takes a payment whole or not at all: it waits for the last parcel, and its own word on it changes nothing more."""
    from config.reader import config
    from tasks.feeds import moved

    (stores.world.folder / "money.toml").write_text('[accounts.stores]\ncapture = "shipment"\nrefund = "hub"\n')
    config.cache_clear()
    name = stores.post("/_sim/orders", {"kind": "freight", "payment": "authorized"})[0]["id"]
    stores.hear(stores.news())
    stores.world.pump()
    taken = []
    for line, sku, quantity in (("line-1", "WB-TEE", "2"), ("line-2", "WB-MUG", "1")):
        ship(stores.world, name, [{"line": line, "sku": sku, "quantity": quantity}])
        moved.run()
        stores.world.pump()
        taken.append(list(stores.world.effects("stores")["capture"].values()))
        state = "SELECT state FROM order_states WHERE machine = 'payment'"
        assert stores.world.one(state) == ("captured" if sku == "WB-MUG" else "authorised")
    assert taken == [[], [1]]
    stores.hear(stores.news())
    stores.world.pump()
    moved.run()
    assert stores.world.one("SELECT count(*) FROM money_moves") == 1, "nothing was taken too much, so nothing goes back"
    assert stores.world.one("SELECT count(*) FROM cases WHERE status <> 'resolved'") == 0
    assert stores.world.settled()


def test_a_listed_sale_that_is_not_there_yet_is_asked_for_again(stores: Stores) -> None:
    """A list may be ahead of what it lists. The row is known from then on, so no later poll brings it: it is asked for until it is there,
    and where that lasts too long, a person is told. News of it takes the place of what was given up."""
    ago = {"kind": "till", "silent": True, "created_at": when(1), "updated_at": when(1)}
    name = stores.post("/_sim/orders", ago)[0]["id"]
    table = stores.world.simulators["stores"].memory.table("orders")
    stores.poll()
    hidden = table.pop(name)
    stores.world.turn()
    stores.world.pump(until=lambda: stores.world.one("SELECT count(*) FROM attempts WHERE outcome = 'retry'") == 1)
    assert stores.world.events() == {"running": 1}
    table[name] = hidden
    stores.world.pump()
    assert stores.booked() == {name: 1}

    late = stores.post("/_sim/orders", ago)[0]["id"]
    stores.poll()
    hidden = table.pop(late)
    stores.world.pump()
    (case,) = stores.world.rows("SELECT code, sentence, owner FROM cases WHERE status <> 'resolved'")
    assert (case.code, case.owner) == ("not_there", "integration desk")
    assert late in case.sentence
    assert stores.world.one("SELECT count(*) FROM steps WHERE state = 'dead'") == 1
    table[late] = hidden
    stores.poll()  # this very row is known
    stores.world.pump()
    assert stores.booked() == {name: 1}
    stores.post(f"/_sim/orders/{late}/moves", {"note": "found"})
    stores.hear(stores.news())
    stores.world.pump()
    assert stores.booked() == {name: 1, late: 1}
    assert not stores.world.one("SELECT count(*) FROM cases WHERE status <> 'resolved'")
    assert stores.world.settled()
