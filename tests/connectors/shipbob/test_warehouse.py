"""The warehouse ships by itself and tells it: once, twice, late, or never, and then the polls find it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask, Response, request

from connectors.canonical.returns import Return
from connectors.canonical.shipment import Shipment, ShipmentStatus
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.canonical.stock import Lot
from connectors.kit.capabilities import Fetcher, Fulfiller, Message, Poller, StockKeeper, Subscriber
from connectors.kit.errors import NotOffered, Rejected, Transient, Unreadable
from connectors.kit.receiver import Incoming, Secret
from connectors.kit.simulator import serve
from connectors.registry import read
from connectors.shipbob.simulator import create
from connectors.shipbob.webhook import RECEIVER
from tests.connectors.shipbob.conftest import FIXTURES, SECRET, House, MakeHouse, line, order, run, until


@dataclass
class Hub:
    """What stands where the hub would: proves and identifies each delivery, and answers as it is told."""

    address: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[Message] = field(default_factory=list)

    def receive(self) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        told = Incoming("POST", request.url, {}, headers, request.get_data())
        RECEIVER.prove(told, (Secret("S", SECRET),), datetime.now(UTC))
        identity = RECEIVER.identify(told)
        self.got.append(Message(identity.topic, identity.delivery_id, told.body))
        return Response(status=self.answers.pop(0) if self.answers else 200)

    def topics(self) -> list[str]:
        return [message.topic for message in self.got]


@pytest.fixture
def hub() -> Iterator[Hub]:
    app, made = Flask("hub"), Hub()
    app.post("/hooks/shipbob-test")(made.receive)
    with running(app) as address:
        made.address = f"{address}/hooks/shipbob-test"
        yield made


@contextmanager
def running(app: Flask) -> Iterator[str]:
    server = serve(app, "127.0.0.1", 0)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def shipped(at: House, message: Message) -> list[Shipment]:
    told = read(at.connection.account, message)
    return [one.document for one in told if isinstance(one, Snapshot) and isinstance(one.document, Shipment)]


def ask_for(at: House, reference: str = "WB-1") -> None:
    run(at.shipbob.request(order(), key=f"k-{reference}", reference=reference))


def test_it_plays_what_its_manifest_offers(house: MakeHouse) -> None:
    for capability in (Fulfiller, StockKeeper, Poller, Fetcher, Subscriber):
        assert isinstance(house().shipbob, capability)


def test_shipped_by_itself_and_told(house: MakeHouse, hub: Hub) -> None:
    at = house(webhook_url=hub.address, ship_after=0.05, deliver_after=0.05)
    ask_for(at)
    until(lambda: "order.shipment.delivered" in hub.topics())
    assert hub.topics() == ["order.shipped", "order.shipment.delivered"]
    (first,), (second,) = (shipped(at, message) for message in hub.got)
    assert (first.status, second.status) == (ShipmentStatus.SHIPPED, ShipmentStatus.DELIVERED)
    (parcel,) = at.effects()["WB-1"]["shipments"]
    assert (parcel["lines"], parcel["trackings"]) == ({"MUG-1": 2, "MUG-2": 1}, [first.trackings[0].number])


def test_in_two_parts(house: MakeHouse, hub: Hub) -> None:
    at = house(webhook_url=hub.address, ship_after=0.05, partial_share=1, payload="order")
    ask_for(at)
    until(lambda: len(hub.got) == 2)
    told = {shipment.id: shipment for message in hub.got for shipment in shipped(at, message)}
    assert sum((one.quantity for shipment in told.values() for one in shipment.lines), Decimal(0)) == 3
    assert len({shipment.trackings[0].number for shipment in told.values()}) == 2
    assert at.effects()["WB-1"]["status"] == "Fulfilled"


def test_part_by_part_on_demand(house: MakeHouse) -> None:
    at = house()
    ask_for(at)
    at.tell("ship", reference_id="WB-1", lines={"MUG-1": 1})
    assert at.effects()["WB-1"]["status"] == "PartiallyFulfilled"
    at.tell("ship", reference_id="WB-1")
    assert len(at.effects()["WB-1"]["shipments"]) == 2
    whole: dict[str, int] = {}
    for parcel in at.effects()["WB-1"]["shipments"]:
        for sku, quantity in parcel["lines"].items():
            whole[sku] = whole.get(sku, 0) + quantity
    assert whole == at.effects()["WB-1"]["lines"]


def test_freight_carries_two_numbers(house: MakeHouse) -> None:
    at = house(freight_share=1)
    ask_for(at)
    at.tell("ship", reference_id="WB-1")
    (message,) = at.shipbob.changed(
        "shipment", datetime.now(UTC) - timedelta(minutes=1), datetime.now(UTC) + timedelta(minutes=1)
    )
    assert len(shipped(at, message)[0].trackings) == 2


# ---- webhooks


def test_twice_under_the_same_id(house: MakeHouse, hub: Hub) -> None:
    at = house(webhook_url=hub.address, duplicate_share=1)
    ask_for(at)
    at.tell("ship", reference_id="WB-1")
    until(lambda: len(hub.got) == 2)
    assert len({message.delivery_id for message in hub.got}) == 1
    assert hub.got[0] == hub.got[1]


def test_again_until_it_is_taken(house: MakeHouse, hub: Hub) -> None:
    at = house(webhook_url=hub.address, retry_factor=0.01)
    hub.answers = [503, 500]
    ask_for(at)
    at.tell("ship", reference_id="WB-1")
    until(lambda: len(hub.got) == 2)
    at.tell("deliver", reference_id="WB-1")
    until(lambda: "order.shipment.delivered" in hub.topics())
    statuses = [
        attempt["status"] for attempt in at.ask("deliveries")["attempts"] if attempt["topic"] == "order.shipped"
    ]
    assert statuses[:2] == [503, 500]


def test_switched_off_after_the_last_try(house: MakeHouse, hub: Hub) -> None:
    at = house(webhook_url=hub.address, retry_factor=0.0)
    hub.answers = [500] * 8
    ask_for(at)
    at.tell("ship", reference_id="WB-1")
    until(lambda: not any(at.shipbob.subscriptions().values()))
    assert len(hub.got) == 8


def test_out_of_order(house: MakeHouse, hub: Hub) -> None:
    at = house(webhook_url=hub.address, reorder_share=1, reorder_seconds=1.0)
    ask_for(at)
    at.tell("ship", reference_id="WB-1")
    at.sim.settings["reorder_share"] = 0
    at.tell("deliver", reference_id="WB-1")
    until(lambda: len(hub.got) == 2)
    assert hub.topics() == ["order.shipment.delivered", "order.shipped"]
    versions = [
        told.version
        for message in hub.got
        for told in read(at.connection.account, message)
        if isinstance(told, Snapshot)
    ]
    assert versions[0] > versions[1]


def test_never_sent_but_found_by_asking(house: MakeHouse, hub: Hub) -> None:
    at = house(webhook_url=hub.address, lost_share=1)
    since = datetime.now(UTC)
    ask_for(at)
    at.tell("ship", reference_id="WB-1")
    assert len(at.ask("deliveries")["never_sent"]) == 1
    (message,) = at.shipbob.changed("shipment", since, datetime.now(UTC) + timedelta(seconds=1))
    assert shipped(at, message)[0].status is ShipmentStatus.SHIPPED
    assert hub.got == []


def test_out_of_stock_and_on_hold(house: MakeHouse, hub: Hub) -> None:
    at = house(webhook_url=hub.address, stock={"MUG-1": 1, "MUG-2": 5})
    ask_for(at)
    until(lambda: hub.topics() == ["order.shipment.exception"])
    at.tell("stock", sku="MUG-1", on_hand=5)
    at.tell("hold", reference_id="WB-1")
    until(lambda: hub.topics() == ["order.shipment.exception", "order.shipment.on_hold"])


# ---- polls


def test_every_page_ties_included(house: MakeHouse) -> None:
    at = house()
    since = datetime.now(UTC)
    for number in range(7):
        ask_for(at, f"WB-{number}")
    for size in (2, 3, 7, 250):
        found = list(at.with_settings(page_size=size).changed("shipment", since, datetime.now(UTC)))
        assert len({message.delivery_id for message in found}) == 7, size


def test_only_the_window(house: MakeHouse) -> None:
    at = house()
    ask_for(at)
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert list(at.shipbob.changed("shipment", later, later + timedelta(minutes=1))) == []


def test_the_same_content_is_the_same_delivery(house: MakeHouse) -> None:
    at = house()
    since, upto = datetime.now(UTC), datetime.now(UTC) + timedelta(minutes=1)
    ask_for(at)
    first, second = (list(at.shipbob.changed("shipment", since, upto)) for _ in range(2))
    assert first == second
    at.tell("ship", reference_id="WB-1")
    assert next(iter(at.shipbob.changed("shipment", since, upto))).delivery_id != first[0].delivery_id


def test_fetched_by_id(house: MakeHouse) -> None:
    at = house()
    ask_for(at)
    number = str(at.effects()["WB-1"]["ids"][0])
    fetched = at.shipbob.fetch(Pointer("shipment", number))
    assert fetched is not None
    assert shipped(at, fetched)[0].status is ShipmentStatus.PENDING
    assert at.shipbob.fetch(Pointer("shipment", "1")) is None


def test_no_such_list(house: MakeHouse) -> None:
    with pytest.raises(NotOffered):
        house().shipbob.changed("prices", datetime.now(UTC), datetime.now(UTC))


def test_a_poll_that_breaks_is_tried_later(house: MakeHouse) -> None:
    at = house()
    at.fault("truncated")
    with pytest.raises(Transient):
        list(at.shipbob.changed("shipment", datetime.now(UTC), datetime.now(UTC)))


def test_a_list_that_moves_is_walked_until_it_rests(house: MakeHouse) -> None:
    at = house()
    since, times = datetime(2026, 11, 20, tzinfo=UTC), [f"2026-11-20T10:0{n}:00.000000Z" for n in range(7)]
    placed = {str(at.tell("orders", updated_at=one)["id"]) for one in times}
    at.fault("page_shift")
    found = at.with_settings(page_size=3).changed("shipment", since, since + timedelta(days=1))
    assert {
        told.id for message in found for told in read(at.connection.account, message) if isinstance(told, Snapshot)
    } == placed


def test_stock_that_comes_back_to_a_number_is_told_again(house: MakeHouse) -> None:
    at, told = house(stock={"MUG-1": 5}), []
    for minute, pieces in enumerate((5, 4, 5)):
        at.tell("stock", sku="MUG-1", on_hand=pieces)
        until_ = datetime(2026, 11, 20, 10, minute, tzinfo=UTC)
        told += list(at.shipbob.changed("stock", until_ - timedelta(minutes=1), until_))
        assert next(iter(at.shipbob.changed("stock", until_ - timedelta(minutes=1), until_))) == told[-1]
    assert len({message.delivery_id for message in told}) == 3


# ---- stock


def test_stock_of_all_pages(house: MakeHouse) -> None:
    at = house(stock={f"MUG-{number}": number for number in range(1, 6)})
    levels = [level for level in at.with_settings(page_size=2).stock() if level.location == "11"]
    assert {level.sku: level.available for level in levels} == {
        f"MUG-{number}": Decimal(number) for number in range(1, 6)
    }


def test_stock_of_those_asked_for(house: MakeHouse) -> None:
    at = house(stock={"MUG-1": 5, "MUG-10": 7})
    assert {level.sku for level in at.shipbob.stock(["MUG-1"])} == {"MUG-1"}
    assert {level.sku for level in at.shipbob.stock([f"MUG-{number}" for number in range(8)])} == {"MUG-1"}
    assert list(at.shipbob.stock(["NONE"])) == []


def test_lots_of_the_stock_and_of_what_left(house: MakeHouse) -> None:
    """ShipBob's `lot_date` may be the day of making: what is on the shelf has no last day, what was picked has."""
    at = house(stock={"MUG-1": 5, "MUG-2": 5})
    lots = {
        "A": {"pieces": 1, "date": "2027-01-01T00:00:00Z"},
        "B": {"pieces": 4, "date": "2027-03-01T00:00:00Z"},
    }
    at.tell("stock", sku="MUG-1", on_hand=5, lots=lots)
    assert all(not level.lots for level in at.shipbob.stock()), "not asked for"

    def there() -> dict[tuple[str, str], tuple[Lot, ...]]:
        return {
            (one.sku, one.location): one.lots for one in at.with_settings(lots=True, page_size=1).stock() if one.lots
        }

    assert there() == {("MUG-1", "11"): (Lot("A", Decimal(1)), Lot("B", Decimal(4)))}
    ask_for(at)
    at.tell("ship", reference_id="WB-1")
    assert there() == {("MUG-1", "11"): (Lot("B", Decimal(3)),)}
    (message,) = at.shipbob.changed("shipment", datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC))
    (told,) = (one.document for one in read(at.connection.account, message) if isinstance(one, Snapshot))
    first = next(line for line in told.lines if line.sku == "MUG-1")
    assert first.quantity == 2
    assert first.lots == (Lot("A", Decimal(1), date(2027, 1, 1)), Lot("B", Decimal(1), date(2027, 3, 1)))


def test_stock_follows_the_orders(house: MakeHouse) -> None:
    at = house(stock={"MUG-1": 5, "MUG-2": 5})

    def mug() -> list[object]:
        level = next(level for level in at.shipbob.stock(["MUG-1"]) if level.location == "11")
        return [level.available, level.on_hand, level.reserved]

    ask_for(at)
    assert mug() == [3, 5, 2]
    at.tell("ship", reference_id="WB-1")
    assert mug() == [3, 3, 0]
    ask_for(at, "WB-2")
    run(at.shipbob.cancel_request(order(), key="k", reference="WB-2"))
    assert mug() == [3, 3, 0]


def test_polled_stock_is_read(house: MakeHouse) -> None:
    at = house(stock={"MUG-1": 5})
    (message,) = at.shipbob.changed("stock", datetime.now(UTC), datetime.now(UTC))
    told = [one for one in read(at.connection.account, message) if isinstance(one, Snapshot)]
    assert [one.kind for one in told] == ["stock", "stock"]


# ---- subscriptions


def test_subscribed_once(house: MakeHouse, hub: Hub) -> None:
    at = house()
    assert at.shipbob.subscriptions() == {}
    at.shipbob.subscribe(["order.shipped", "order.shipment.delivered"], hub.address)
    at.shipbob.subscribe(["order.shipped", "order.shipment.cancelled"], hub.address)
    assert at.shipbob.subscriptions() == {
        "order.shipped": True,
        "order.shipment.delivered": True,
        "order.shipment.cancelled": True,
    }
    assert len(at.ask("state")["webhooks"]) == 2
    ask_for(at)
    at.tell("ship", reference_id="WB-1")
    until(lambda: hub.topics() == ["order.shipped"])
    assert SECRET not in repr(at.exchanges)


def test_a_subscription_that_lives_elsewhere_is_none_of_ours(house: MakeHouse, hub: Hub) -> None:
    at = house(retry_factor=0.0)
    elsewhere = "https://other.example.com/hooks"
    at.shipbob.subscribe(["order.shipped"], hub.address)
    assert at.shipbob.subscribed_at() == {"order.shipped": {hub.address}}
    hub.answers = [500] * 8
    ask_for(at)
    at.tell("ship", reference_id="WB-1")
    until(lambda: not any(at.shipbob.subscriptions().values()))
    at.shipbob.subscribe(["order.shipped"], elsewhere)
    assert at.shipbob.subscriptions() == {"order.shipped": True}
    assert at.shipbob.subscribed_at() == {"order.shipped": {elsewhere}}


def test_subscription_refused(house: MakeHouse) -> None:
    at = house(allow_http=False)
    with pytest.raises(Rejected):
        at.shipbob.subscribe(["order.shipped"], "http://hub.example/hooks/x")


# ---- memory


def test_a_restart_forgets_nothing(tmp_path: Path, house: MakeHouse) -> None:
    memory = str(tmp_path / "shipbob.jsonl")
    at = house(path=memory, stock={"MUG-1": 5})
    ask_for(at)
    again = create({"path": memory, "stock": {"MUG-1": 5}, "ship_after": 0.01})
    until(lambda: again.warehouse.by_reference("WB-1")[0]["status"] == "Fulfilled")
    assert len(again.memory.table("inventory")) == 2


def test_more_than_is_open_cannot_be_shipped(house: MakeHouse) -> None:
    at = house()
    run(at.shipbob.request(order(line(1)), key="k", reference="WB-1"))
    with pytest.raises(AssertionError, match="open there"):
        at.tell("ship", reference_id="WB-1", lines={"MUG-1": 3})


def test_what_came_back_is_told_with_what_became_of_it_and_found_by_the_poll(house: MakeHouse, hub: Hub) -> None:
    at = house(webhook_url=hub.address, stock={"MUG-1": 5, "MUG-2": 5})
    ask_for(at)
    (parcel,) = at.tell("ship", reference_id="WB-1")
    items = [
        {"sku": "MUG-1", "action": "Restock", "quantity": 1, "reason": "Unopened"},
        {"sku": "MUG-1", "action": "Dispose", "quantity": 1, "reason": "Broken"},
    ]
    at.tell("returns", items=items, reference_id="WB-1-R1", of="WB-1")
    until(lambda: "return.completed" in hub.topics())
    (webhook,) = [message for message in hub.got if message.topic == "return.completed"]
    (polled,) = at.shipbob.changed("return", datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC))
    (told,), (found,) = read(at.connection.account, webhook), read(at.connection.account, polled)
    assert told == found
    assert isinstance(told, Snapshot)
    assert (told.kind, told.reference) == ("return", "WB-1-R1")
    assert isinstance(told.document, Return)
    lines = [(line.sku, line.received_quantity, line.condition, line.reason) for line in told.document.lines]
    assert lines == [("MUG-1", 1, "sellable", "Unopened"), ("MUG-1", 1, "scrapped", "Broken")]
    assert told.document.location == "11"
    assert told.document.clues[-1] == parcel["tracking"]["tracking_number"]
    on_hand = at.sim.warehouse.shelves.item({"reference_id": "MUG-1", "name": ""})["locations"]["11"]["on_hand"]
    assert on_hand == 4, "5 less 2 that left, and one of them back on the shelf"


def test_what_came_of_a_return_is_never_guessed(house: MakeHouse) -> None:
    at, body = house(), json.loads((FIXTURES / "return.completed__three_conditions.json").read_text())
    body["inventory"][0]["action_taken"][0]["action"] = "Donate"
    with pytest.raises(Unreadable) as wrong:
        read(at.connection.account, Message("return.completed", "d", json.dumps(body).encode()))
    assert wrong.value.field == "inventory[0].action_taken[0].action"
