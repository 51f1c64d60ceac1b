"""The simulated site refuses what the vendor's contract refuses, and forgets nothing when it starts again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.kit.errors import Rejected
from connectors.salesforce_commerce.simulator import create
from tests.connectors.salesforce_commerce.conftest import MakeShop
from tests.connectors.salesforce_commerce.contract import CONTRACT, bench, read_order
from tests.contract.bench import _served
from tests.contract.system import System

EVENT = {
    "id": "ship-1",
    "occurredAt": "2026-03-02T09:30:00.000Z",
    "type": "shipped",
    "lineItems": [{"id": "a", "quantity": 1}],
    "trackingNumber": "JD1",
    "trackingUrl": "https://tracking.example.com/JD1",
}


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    settings = {**CONTRACT.simulator, "path": str(tmp_path / "site.jsonl")}
    with _served(create(settings)) as address:
        system = System(address)
        number = system.post("/_sim/orders", {"kind": "order_promotion_net"})[0]["orderNo"]
        bench(system).connector().client.set_status(number, "export-status", "exported")
        before, effects = read_order(system, number), system.get("/_sim/effects")
    with _served(create(settings)) as address:
        system = System(address)
        assert read_order(system, number) == before
        assert system.get("/_sim/effects") == effects
        assert system.post("/_sim/orders", {})[0]["orderNo"] != number


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"fulfillmentEvent": {**EVENT, "trackingUrl": ""}}, "fulfillmentEvent.trackingUrl"),
        ({"fulfillmentEvent": {**EVENT, "lineItems": []}}, "fulfillmentEvent.lineItems"),
        (
            {"fulfillmentEvent": {**EVENT, "lineItems": [{"id": "a", "quantity": -1}]}},
            "fulfillmentEvent.lineItems[0].quantity",
        ),
        ({"fulfillmentEvent": {**EVENT, "carier": "dhl"}}, "fulfillmentEvent.carier"),
        ({"fulfillmentEvent": EVENT, "adjustment": {}}, ""),
        ({}, ""),
    ],
)
def test_an_event_that_the_contract_does_not_have_is_refused(shop: MakeShop, event: dict[str, Any], field: str) -> None:
    at = shop()
    order = at.place()
    with pytest.raises(Rejected) as met:
        at.connector.client.tell(order.id, event)
    assert met.value.field == field
    assert at.effects("event") == {}


@pytest.mark.parametrize(("which", "value"), [("export-status", "sent"), ("status", "done"), ("shipping-status", "")])
def test_a_status_that_there_is_not_is_refused(shop: MakeShop, which: str, value: str) -> None:
    at = shop()
    order = at.place()
    with pytest.raises(Rejected) as met:
        at.connector.client.set_status(order.id, which, value)
    assert met.value.field == "status"


def test_only_custom_attributes_are_set(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    with pytest.raises(Rejected):
        at.connector.client.set_custom(order.id, {"externalOrderNo": "SO-1"})


def test_what_is_placed_never_goes_back(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    for value in ("created", "failed"):
        with pytest.raises(Rejected):
            at.connector.client.set_status(order.id, "status", value)


def test_another_sites_orders_are_not_told(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.settings(site="Elsewhere")
    assert at.connector.client.order(order.id) is None


def test_too_many_rows_are_not_asked_for(shop: MakeShop) -> None:
    at = shop()
    at.settings(page_size=5000)
    assert list(at.connector.products())
    limits = {call["body"].partition('"limit":')[2].partition(",")[0] for call in at.system.calls("products.search")}
    assert limits == {"200"}
