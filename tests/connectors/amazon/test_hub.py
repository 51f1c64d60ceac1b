"""Orders of a simulated Amazon through the whole hub: over its queue and poll into the books, shipped, told, counted there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.amazon.simulator import create
from connectors.kit.simulator import Simulator
from tests.connectors.amazon.contract import CREDENTIALS, SETTINGS
from tests.contract.system import System
from tests.joined import anew, join, look, ship
from tests.orders.test_returns import ask, count
from tests.world import World, world

ROUTES = """
[[route]]
name = "orders"
kind = "order"
when = { account = "amazon" }
roles = { channel = "amazon", erp = "erp", warehouse = "warehouse", notify = "letters" }

[[route]]
name = "stock"
kind = "stock"
when = { account = "warehouse" }
roles = { publish = ["amazon"] }
"""


@dataclass
class Hub:
    """A hub whose channel is a seller's account at Amazon; books, warehouse and letters are Acme's."""

    world: World
    system: System
    simulator: Simulator

    def place(self, *kinds: str, at: str = "") -> list[str]:
        times = {"created_at": at, "updated_at": at} if at else {}
        specs = [{"kind": kind, **times} for kind in kinds]
        return [str(one["id"]) for one in self.system.post("/_sim/orders", specs)]

    def look(self) -> str:
        """The next window of the poll has come, and the queue is looked at."""
        return look()

    def hear(self) -> None:
        """What Amazon tells arrives and is worked through."""
        self.look()
        self.world.pump()

    def effects(self, kind: str) -> dict[str, Any]:
        told: dict[str, Any] = self.system.get("/_sim/effects")[kind]
        return told

    def books(self, kind: str) -> dict[str, Any]:
        told: dict[str, Any] = self.world.effects("erp").get(kind, {})
        return told

    def ship(self, order: str, lines: list[dict[str, str]] | None = None) -> None:
        """The warehouse sends a parcel, and its webhook arrives."""
        ship(self.world, order, lines or ())


@pytest.fixture
def hub(
    request: pytest.FixtureRequest, tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hub]:
    """A parameter is settings of the simulator."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(f"AMAZON_{name.upper()}", value)
    with ExitStack() as stack:
        simulator = create({"generous": 1000, **getattr(request, "param", {})})
        system = System(stack.enter_context(simulator.served()))
        queue = system.get("/_sim/queue")
        made = stack.enter_context(world(tmp_path / "config", database_url, redis_url))
        credentials = ", ".join(f'{name} = "AMAZON_{name.upper()}"' for name in CREDENTIALS)
        account = (
            f'\n[amazon]\nconnector = "amazon"\nbase_url = "{system.address}"\n'
            f"credentials = {{ {credentials} }}\n[amazon.settings]\n"
            f'seller_id = "{SETTINGS["seller_id"]}"\nmarketplaces = {SETTINGS["marketplaces"]!r}\ncurrency = "EUR"\n'
            f'queue_url = "{queue["url"]}"\nqueue_arn = "{queue["arn"]}"\nqueue_region = "eu-west-1"\n'
            "feed_again = 0.1\n"
        )
        (made.folder / "routes.toml").write_text(ROUTES)
        join(made, ("amazon",), account, skus=("WB-TEE", "WB-MUG"))
        yield Hub(made, system, simulator)


AGO = f"{datetime.now(UTC) - timedelta(hours=6):%Y-%m-%dT%H:%M:%SZ}"
KEPT = ("plain", "tax_beside", "promotion", "gift", "business", "tip")


def subscribe() -> None:
    from tasks.feeds import watch

    assert watch.mend("amazon") == ["ORDER_CHANGE"]


def test_orders_out_of_the_queue_are_booked_once_and_acknowledged(hub: Hub) -> None:
    """Six orders of ours, one of Amazon's own, one unpaid, one of another channel: seven are booked, six acknowledged."""
    subscribe()
    ours = hub.place(*KEPT)
    theirs = hub.place("amazon")
    hub.place("pending", "elsewhere")
    hub.hear()
    assert hub.books("bookings") == {f"amazon-{name}": 1 for name in (*ours, *theirs)}
    assert {name.split("/")[0] for name in hub.effects("acknowledged")} == set(ours)
    assert len(hub.world.effects("warehouse")["requests"]) == len(ours)
    assert hub.world.settled()
    assert hub.world.one("SELECT count(*) FROM steps WHERE name = 'acknowledge_order' AND state = 'skipped'") == 1


def test_what_amazon_sends_itself_is_booked_as_sent_and_asked_of_nobody(hub: Hub) -> None:
    """Booked, its delivery booked once Amazon has sent it; no warehouse, no shelf of ours, no word to Amazon."""
    subscribe()
    (name,) = [str(one["id"]) for one in hub.system.post("/_sim/orders", {"kind": "amazon", "status": "UNSHIPPED"})]
    hub.hear()
    assert hub.books("bookings") == {f"amazon-{name}": 1}
    assert not hub.books("deliveries")
    hub.system.post(f"/_sim/orders/{name}/amazon", {})
    hub.hear()
    assert sum(hub.books("deliveries").values()) == 1
    assert not hub.world.effects("warehouse")["requests"]
    assert not hub.world.one("SELECT count(*) FROM reservations")
    assert not hub.system.calls("orders.confirm")
    assert not hub.system.calls("feeds.create")
    assert hub.world.settled()


def test_what_left_is_told_to_amazon_and_its_echo_starts_nothing(hub: Hub) -> None:
    """Confirmed once with its number; the notification of our own package books no second delivery (pain 21)."""
    subscribe()
    (name,) = hub.place("plain")
    hub.hear()
    hub.ship(name)
    assert len(hub.effects("package")) == 1
    assert sum(hub.books("deliveries").values()) == 1
    hub.hear()
    assert sum(hub.books("deliveries").values()) == 1
    assert list(hub.effects("package").values()) == [1]
    assert hub.world.settled()


def test_orders_whose_notification_never_came_are_found_by_the_poll(hub: Hub) -> None:
    """Nobody subscribed, so nothing is told: the list of changes finds all, once, and says so."""
    names = hub.place(*KEPT, at=AGO)
    hub.hear()
    hub.hear()
    assert hub.books("bookings") == {f"amazon-{name}": 1 for name in names}
    assert hub.world.one("SELECT count(*) FROM events WHERE recovered") == len(names)


def test_a_quota_that_is_used_up_keeps_nothing_in_the_queue(hub: Hub) -> None:
    """searchOrders refuses: notifications are taken all the same, and the poll begins again from its old place."""
    subscribe()
    late = hub.place("plain", at=AGO)  # its notification comes with the others
    hub.system.bad_day("throttle", operations=["orders.search"], times=1, value=60)
    told = hub.look()
    hub.world.pump()
    assert "1 new; Amazon's quota for this operation is used up." in told
    assert hub.books("bookings") == {f"amazon-{name}": 1 for name in late}
    assert not hub.world.one("SELECT count(*) FROM cursors WHERE account = 'amazon' AND kind = 'order'")


@pytest.mark.parametrize("hub", [{"duplicates": 0.2, "reordered": 0.2, "never_sent": 0.1}], indirect=True)
def test_a_crowd_of_orders_on_bad_days_is_neither_lost_nor_doubled(hub: Hub) -> None:
    """Sixty orders; notifications twice, out of order or never; answers lost, refused, garbled: counted at both ends."""
    subscribe()
    specs = {"count": 60, "seed": 7}
    placed = hub.system.post("/_sim/orders", specs)
    for one in placed:  # as if placed an hour ago, so that the list of changes has what no notification told
        hub.simulator.memory.table("orders")[one["id"]].update(created=AGO, updated=AGO)
    days = [
        {
            "kind": "commit_then_drop",
            "operations": ["feeds.create", "orders.confirm"],
            "chance": 0.15,
            "writes_only": True,
        },
        {"kind": "unavailable", "chance": 0.05},
        {"kind": "throttle", "operations": ["orders.get", "orders.confirm"], "chance": 0.05, "value": 0},
    ]
    hub.system.put("/_sim/faults", days)
    hub.hear()
    own = [one["id"] for one in placed if one["by"] == "MERCHANT"]
    for name in own:
        reference = hub.world.one("SELECT waybill FROM subjects WHERE external_id = :id", id=name)
        hub.world.deliver(
            "shipment.sent",
            hub.world.ask("warehouse", "POST", f"/_sim/requests/{reference}/shipments", json={}),
            account="warehouse",
        )
    hub.world.pump()
    hub.system.good_day()
    hub.hear()
    assert {call["fault"] for call in hub.system.calls()} >= {"commit_then_drop", "unavailable", "throttle"}
    assert hub.world.one("SELECT count(*) FROM events WHERE recovered")
    assert hub.books("bookings") == {f"amazon-{one['id']}": 1 for one in placed}
    assert {name.split("/")[0]: count for name, count in hub.effects("acknowledged").items()} == dict.fromkeys(own, 1)
    assert {name.split("/")[0]: count for name, count in hub.effects("package").items()} == dict.fromkeys(own, 1)
    assert len(hub.books("deliveries")) == len(placed)
    assert set(hub.books("deliveries").values()) == {1}
    assert hub.world.settled()


def test_counts_of_the_warehouse_reach_the_listings(hub: Hub) -> None:
    """Told once: a count that is there already costs no write; what Amazon sends itself is refused, owned and asked no more."""
    from tasks.feeds import publish

    hub.system.post("/_sim/listings", {"sku": "WB-FBA", "channel": "AMAZON_EU"})
    for sku, available in (("WB-TEE", "40"), ("WB-MUG", "30"), ("WB-FBA", "9")):
        level = {"id": f"lev-{sku}", "sku": sku, "location": "main", "available": available, "on_hand": available}
        hub.world.deliver("stock.changed", {**level, "updated_at": "2030-01-01T00:00:00.000000Z"}, account="warehouse")
    hub.world.pump()
    for _ in range(2):
        publish.run()
        hub.world.pump()
    told = {"WB-TEE/DEFAULT": "40 pieces", "WB-MUG/DEFAULT": "30 pieces", "WB-FBA/AMAZON_EU": "None pieces"}
    assert hub.effects("stock") == told
    assert len(hub.system.calls("listings.patch")) == 2
    assert hub.world.one("SELECT owner FROM cases WHERE code = 'stock_refused'")


def test_a_buyer_who_cancels_releases_what_was_booked(hub: Hub) -> None:
    subscribe()
    (name,) = hub.place("plain")
    hub.hear()
    hub.system.post(f"/_sim/orders/{name}/cancel", {})
    hub.hear()
    assert len(hub.books("cancelled")) == 1
    assert len(hub.world.effects("warehouse")["cancelled"]) == 1
    assert hub.world.settled()


def credited(hub: Hub) -> list[tuple[str, list[tuple[str, str]]]]:
    """(total, (line, pieces) of each) of what the books credited."""
    found = hub.world.ask("erp", "GET", "/_sim/state").get("credits", {}).values()
    return [
        (one["body"]["total"], [(line["line"], line["quantity"]) for line in one["body"]["lines"]]) for one in found
    ]


def test_what_the_seller_gives_back_by_hand_is_credited_once(hub: Hub) -> None:
    """In Seller Central, and no notification tells of it: two like refunds, and a claim that Amazon grants. The poll finds each, once."""
    subscribe()
    lines = [{"sku": "WB-TEE", "quantity": 2, "tax": "6.36"}, {"sku": "WB-MUG", "price": "8.50", "tax": "1.36"}]
    (name,) = [str(one["id"]) for one in hub.system.post("/_sim/orders", {"lines": lines})]
    hub.hear()
    hub.ship(name)
    tee, mug = (item["id"] for item in hub.system.get("/_sim/orders")[0]["items"])
    for asked in (
        {"quantities": {tee: 1}, "at": AGO},
        {"quantities": {tee: 1}, "at": f"{AGO[:17]}59+00:00"},
        {"quantities": {mug: 1}, "at": AGO, "kind": "claim"},
    ):
        hub.system.post(f"/_sim/orders/{name}/refunds", asked)
    for _ in range(3):
        hub.hear()
    booked = [("19.90", [(tee, "1")]), ("19.90", [(tee, "1")]), ("8.50", [(mug, "1")])]
    assert sorted(credited(hub)) == booked
    assert set(hub.books("credits").values()) == {1}
    assert (
        hub.world.one(
            "SELECT count(*) FROM runs WHERE flow = 'object_fetched' AND detail->'pointer'->>'kind' = 'refund'"
        )
        == 1
    )
    assert not hub.effects("refund"), "nothing is given back by us for it"
    assert hub.world.settled()


def test_what_the_hub_gives_back_comes_home_and_starts_nothing(hub: Hub) -> None:
    """A return that the hub pays by feed is credited once: its event, under whatever charges Amazon puts it, is an echo. Goodwill by hand is not."""
    from config.reader import config
    from tasks.feeds import moved

    (hub.world.folder / "money.toml").write_text('[accounts.amazon]\nrefund = "hub"\n')
    config.cache_clear()
    subscribe()
    lines = [{"sku": "WB-TEE", "quantity": 2, "tax": "6.36"}]
    (name,) = [str(one["id"]) for one in hub.system.post("/_sim/orders", {"lines": lines})]
    hub.hear()
    hub.ship(name)
    line = hub.system.get("/_sim/orders")[0]["items"][0]["id"]
    count(ask({"lines": [{"id": line}]}).number, line, 1, "scrap")
    for _ in range(3):
        moved.run()
        hub.world.pump()
    assert hub.effects("refund") == {f"{name}/Principal/19.90": 1}
    assert credited(hub) == [("19.90", [(line, "1")])]
    for refund in hub.simulator.memory.table("orders")[name]["refunds"]:
        refund["at"] = AGO  # as if posted some hours ago, so that the list has it
    runs = hub.world.one("SELECT count(*) FROM runs WHERE flow <> 'object_fetched'")
    hub.hear()
    assert hub.system.calls("finances.order")
    assert hub.world.one("SELECT count(*) FROM runs WHERE flow <> 'object_fetched'") == runs
    hub.system.post(f"/_sim/orders/{name}/refunds", {"goodwill": "3.00", "at": AGO})
    hub.hear()
    assert sorted(total for total, _ in credited(hub)) == ["19.90", "3.00"]
    assert hub.effects("refund") == {f"{name}/Principal/19.90": 1}
    assert hub.world.settled()


def test_a_lost_answer_of_a_feed_and_of_a_package_is_looked_up(hub: Hub) -> None:
    """Both were done and their answers lost: one acknowledgement, one package, and nothing sent twice."""
    subscribe()
    hub.system.bad_day("commit_then_drop", operations=["feeds.create", "orders.confirm"], times=1, writes_only=True)
    (name,) = hub.place("plain")
    hub.hear()
    hub.system.bad_day("commit_then_drop", operations=["orders.confirm"], times=1, writes_only=True)
    hub.ship(name)
    assert list(hub.effects("acknowledged").values()) == [1]
    assert list(hub.effects("package").values()) == [1]
    assert [len(hub.system.calls(one)) for one in ("feeds.create", "orders.confirm")] == [1, 1]
    assert hub.world.settled()


@pytest.mark.parametrize(("days", "alarmed"), [(91, False), (90, True), (29, True), (6, True)])
def test_the_end_of_v0_alarms_only_who_still_reads_by_it(hub: Hub, days: int, alarmed: bool) -> None:
    """Pain 40b: 90, 30 and 7 days before; an account of the new version has no day to fear."""
    from app.database import transaction
    from tasks.feeds import watch

    today = date(2027, 3, 27) - timedelta(days=days)
    cases = "SELECT count(*) FROM cases WHERE code = 'sunset'"
    with transaction() as tx:
        watch._sunset(tx, "amazon", today)
    assert not hub.world.one(cases)
    accounts = hub.world.folder / "accounts.toml"
    accounts.write_text(accounts.read_text() + 'orders = "v0"\n')
    anew()
    with transaction() as tx:
        watch._sunset(tx, "amazon", today)
    assert bool(hub.world.one(cases)) is alarmed


def test_an_account_that_is_only_polled_misses_no_subscription(hub: Hub) -> None:
    """Its orders are found by the list of changes; nobody is told that notifications fail to come."""
    from tasks.feeds import watch

    cases = "SELECT count(*) FROM cases WHERE code = 'subscription_off' AND account = 'amazon'"
    assert "amazon: 1 subscriptions are off" in watch.run()
    assert hub.world.one(cases) == 1
    accounts = hub.world.folder / "accounts.toml"
    lines = [line for line in accounts.read_text().splitlines() if not line.startswith("queue_")]
    accounts.write_text("\n".join([*lines, ""]))
    anew()
    assert "amazon" not in watch.run()
    assert not hub.world.one(f"{cases} AND status <> 'resolved'")
    names = hub.place("plain", at=AGO)
    hub.hear()
    assert hub.books("bookings") == {f"amazon-{name}": 1 for name in names}
