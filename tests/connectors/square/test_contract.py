"""What Square publishes: every operation of ours, asked by the real client and answered by the simulator."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from connectors.canonical.snapshot import Pointer
from connectors.kit.simulator import Simulator
from connectors.kit.writes import BatchItem
from connectors.registry import manifests
from connectors.square.client import VERSION
from connectors.square.mapping import TOPICS
from connectors.square.simulator_api import operations
from connectors.square.simulator_store import Store
from tests.connectors.counting import Counted
from tests.connectors.square.conftest import MakeSeller, Seller
from tests.connectors.square.openapi import WEBHOOKS, complaints, named, needs_spec, operation, published
from tests.contract import samples
from tests.contract.cases import CONNECTORS

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ADDRESS = "https://hub.example.com/hooks/square"


def table() -> tuple[tuple[str, str, str], ...]:
    """(name, method, address) of every operation that the simulator answers, which is every one that we ask for."""
    store = Store(Simulator("none"), lambda *told: None, ("LOC1",), 1)
    rows = tuple((name, method, re.sub(r"<[^>]+>", "1", rule)) for rule, name, method, _, _ in operations(store))
    return (*rows, ("oauth.token", "POST", "/oauth2/token"))


@needs_spec
@pytest.mark.parametrize(("name", "method", "path"), table(), ids=lambda one: str(one))
def test_every_operation_is_published(name: str, method: str, path: str) -> None:
    assert operation(method, path)["x-release-status"] in ("PUBLIC", "BETA")


def play_it_all(at: Seller) -> None:
    """Everything that our client can ask, over HTTP."""
    who = at.system.post("/_sim/customers", {"given_name": "Ana", "email_address": "ana@example.com"})["id"]
    order, to = at.place("freight", customer_id=who), at.connector
    at.done(to.acknowledge(order, number="SO-1", key="k1"), find_first=True)
    for part in samples.parcels(order):
        at.done(to.confirm_shipment(order, part, key=part.id), find_first=True)
    at.done(to.give_back(order, samples.refund(order), key="k2"), find_first=True)
    for how in ("authorized", "two_cards"):
        held = at.place("plain", payment=how)
        at.done(to.capture(held, samples.capture(held), key=how), find_first=True)
    held = at.place("plain", payment="authorized")
    at.done(to.void(held, samples.void(held), key="void"), find_first=True)
    at.done(to.cancel_sale(at.place(), key="k3"), find_first=True)
    to.publish_stock([], key="k4").send([BatchItem(one, "k") for one in samples.levels(("WB-TEE", "WB-MUG"))])
    for place in ("", "LOC1"):
        at.settings(price_location=place)
        prices = [BatchItem(one, "k") for one in samples.prices(("WB-TEE",), "EUR")]
        batch = at.connector.publish_prices([], key="k5")
        assert [str(one) for one in batch.send(prices)]
        assert batch.find(prices[0])
    ask_it_all(at, order.id)
    assert {one.sku for one in at.connector.products()} >= {"WB-TEE", "WB-MUG"}
    assert list(at.connector.products(LONG_AGO))
    assert list(at.connector.prices(["WB-TEE"]))


def ask_it_all(at: Seller, order: str) -> None:
    to, soon = at.connector, datetime.now(UTC) + timedelta(hours=1)
    back = at.system.post(f"/_sim/orders/{at.rung_up('split')}/returns", {"lines": {"line-1": 1}})
    sold = back["returns"][0]["source_order_id"]
    for name in (order, sold, back["id"]):
        assert to.fetch(Pointer("order", name))
    assert to.fetch(Pointer("order", "nobody")) is None
    at.settings(locations=[])
    assert list(at.connector.changed("order", LONG_AGO, soon))
    (level,) = list(to.stock(["WB-TEE"]))
    assert to.fetch(Pointer("stock", f"{level.item_id}@LOC1"))
    assert list(to.stock())
    to.subscribe(["order.created"], ADDRESS)
    to.subscribe(["order.created", "order.updated"], ADDRESS)
    assert to.subscriptions()["order.updated"]


@pytest.mark.counting
@needs_spec
def test_every_request_and_every_answer_keeps_to_the_contract(seller: MakeSeller, counted: Counted) -> None:
    """The fixture holds all that was said against the contract; here it is counted that nothing was left out."""
    at = seller()
    play_it_all(at)
    asked = {call["operation"] for call in at.system.calls()}
    wanted = {name for name, _, _ in table()}
    assert asked == wanted, f"never asked: {wanted - asked}; not in the table: {asked - wanted}"
    areas = Counter(name.partition(".")[0] for name in wanted)
    print()
    for area, count in sorted(areas.items()):
        print(f"api.json {area:12} {count:2} operations asked and answered")
    print(f"api.json {'together':12} {sum(areas.values()):2} of {len(wanted)}")
    counted("operations", {"api.json": len(wanted)})


@needs_spec
def test_the_contract_is_really_asked(seller: MakeSeller) -> None:
    at = seller()
    order = at.place()
    at.done(at.connector.confirm_shipment(order, samples.parcels(order)[0], key="k"))
    seen = next(one for one in at.spoken if one.method == "PUT")
    asked = json.loads(seen.body)
    asked["order"]["fulfillments"][0]["line_item_application"] = "ALL"
    spoiled = (
        replace(seen, headers={}),
        replace(seen, query={"notify": "1"}),
        replace(seen, body=seen.body.replace(b'"fulfillments"', b'"fulfillment"')),
        replace(seen, body=json.dumps(asked).encode()),
        replace(seen, body=b"{"),
        replace(seen, answer=seen.answer.replace(b'"version":', b'"version":"x","was":')),
        replace(seen, status=418),
    )
    assert list(complaints(seen)) == []
    for one in spoiled:
        assert one != seen
        assert list(complaints(one)), one


@needs_spec
def test_topics_are_published() -> None:
    told = yaml.load(WEBHOOKS.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))["components"]["messages"]
    known = {one["name"] for one in told.values()}
    ours = {topic for topic in TOPICS if not topic.startswith("api/")}
    manifest = manifests()["square"]
    assert ours <= known
    assert set(manifest.subscribes) == ours
    assert set(manifest.topics) == set(TOPICS)


@needs_spec
def test_the_version_is_that_of_the_contract() -> None:
    header = next(one for one in published()["x-fern-global-headers"] if one["header"] == "Square-Version")
    assert manifests()["square"].version == VERSION
    assert f'"{VERSION}"' in header["type"]


PARTS = {
    "order": "Order",
    "payments": "Payment",
    "refunds": "PaymentRefund",
    "returns": "Order",
    "customer": "Customer",
    "variations": "CatalogObject",
}


@needs_spec
@pytest.mark.parametrize(
    "path", sorted((CONNECTORS / "square" / "fixtures").glob("api_order__*.json")), ids=lambda one: one.stem
)
def test_our_fixtures_are_shaped_as_published(path: object) -> None:
    """The parts of a fetched order, each against the type that it is of."""
    body = json.loads(path.read_text())  # type: ignore[attr-defined]
    assert set(body) == set(PARTS)
    for part, kind in PARTS.items():
        rows = body[part] if isinstance(body[part], list) else [body[part]] if body[part] else []
        found = [f"{part}: {error.message}" for row in rows for error in named(kind).iter_errors(row)]
        assert found == []
