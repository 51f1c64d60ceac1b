"""The simulated shop tells what happened as Shopify does, bad days included."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.kit.errors import Forged
from connectors.kit.receiver import Incoming, Secret
from connectors.shopify.webhook import RECEIVER
from tests.connectors.shopify.conftest import TOKEN, Inbox
from tests.connectors.shopify.test_writes import items, placed, publish, shipped, tee
from tests.contract.bench import Bench, served
from tests.contract.driver import drive
from tests.contract.system import System

pytestmark = pytest.mark.parametrize("shop", [{"senders": 2, "secret": "s-1", "timeout": 60}], indirect=True)


def waited(for_what: Callable[[], Any], looks: int = 2000) -> Any:
    """Looks fifty times a second. What is counted are looks, not seconds: a machine that stands still for a minute (all of them, shop and
    inbox too) costs one look, where a clock would say that it did not come."""
    for _ in range(looks):
        if found := for_what():
            return found
        time.sleep(0.02)
    raise AssertionError(f"it did not come in {looks} looks: {for_what()!r}")


def settled(shop: System) -> list[dict[str, Any]]:
    """All deliveries, once none is waiting."""

    def all_done() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = shop.get("/_sim/deliveries")
        return [] if any(one["state"] == "waiting" for one in rows) else rows

    found: list[dict[str, Any]] = waited(all_done)
    return found


def incoming(headers: dict[str, str], body: bytes) -> Incoming:
    return Incoming("POST", "https://hub.example.com", {}, headers, body)


def test_an_order_is_told_and_signed(shop: System, inbox: Inbox) -> None:
    shop.put("/_sim/webhooks", {"url": inbox.url})
    shop.post("/_sim/orders", {})
    settled(shop)
    assert Counter(inbox.topics()) == {"inventory_levels/update": 2, "orders/create": 1, "orders/paid": 1}
    for headers, body in inbox.came:
        assert RECEIVER.prove(incoming(headers, body), [Secret("now", "s-1")], datetime.now(UTC)) == "now"
        assert RECEIVER.identify(incoming(headers, body)).delivery_id


@pytest.mark.parametrize(
    ("change", "asked", "topics"),
    [
        ("fulfil", {}, {"fulfillments/create", "orders/fulfilled", "orders/updated"}),
        (
            "fulfil",
            {"lines": [{"sku": "WB-TEE", "quantity": 1}]},
            {"fulfillments/create", "orders/partially_fulfilled", "orders/updated"},
        ),
        ("cancel", {}, {"orders/cancelled", "refunds/create", "orders/updated"}),
        ("refund", {"amount": "1.00"}, {"refunds/create", "orders/updated"}),
        ("edit", {"add": [{"sku": "WB-CAP", "quantity": 1}]}, {"orders/edited", "orders/updated"}),
    ],
)
def test_what_happens_is_told(shop: System, inbox: Inbox, change: str, asked: Any, topics: set[str]) -> None:
    (order,) = shop.post("/_sim/orders", {})
    shop.put("/_sim/webhooks", {"url": inbox.url})
    shop.post(f"/_sim/orders/{order['id']}/{change}", asked)
    settled(shop)
    assert set(inbox.topics()) == topics


def test_our_own_writes_come_back(shop: System, inbox: Inbox, bench: Bench) -> None:
    """An echo of each: the metafield, the fulfilment, the stock level."""
    order = placed(shop, bench)
    shop.put("/_sim/webhooks", {"url": inbox.url})
    drive(bench.connector().acknowledge(order, number="SO-7", key="k"))
    drive(bench.connector().confirm_shipment(order, shipped(tee(2)), key="k"))
    publish(bench, items(WB_TEE=5))
    settled(shop)
    told = Counter(inbox.topics())
    assert told["orders/updated"] == 2
    assert told["fulfillments/create"] == told["orders/partially_fulfilled"] == told["inventory_levels/update"] == 1


def test_bad_days(shop: System, inbox: Inbox) -> None:
    """Twice, forged, never sent, late: each as often as it was asked for, and told apart."""
    habits = {"duplicates": 0.3, "forged": 0.2, "never_sent": 0.2, "reordered": 0.4, "hold": 0.2}
    shop.put("/_sim/webhooks", {"url": inbox.url, "topics": ["orders/create"], **habits})
    shop.post("/_sim/orders", [{} for _ in range(40)])
    sent = settled(shop)
    states = Counter(one["state"] for one in sent)
    assert states["never_sent"] > 2
    assert sum(1 for one in sent if one["copy_of"]) > 4
    forged = {one["id"] for one in sent if one["forged"]}
    assert len(forged) > 2
    seen, refused = Counter[str](), set()
    for headers, body in inbox.came:
        seen[headers["x-shopify-webhook-id"]] += 1
        try:
            RECEIVER.prove(incoming(headers, body), [Secret("now", "s-1")], datetime.now(UTC))
        except Forged:
            refused.add(headers["x-shopify-webhook-id"])
    assert refused == forged
    assert max(seen.values()) == 2
    order_of_coming = [body for headers, body in inbox.came]
    assert order_of_coming != sorted(order_of_coming), "some overtake others"


def test_tries_again_with_the_same_body_and_id(shop: System, inbox: Inbox) -> None:
    inbox.answers = [500, 503]
    shop.put("/_sim/webhooks", {"url": inbox.url, "topics": ["orders/create"], "retries": [0.05, 0.05, 0.05]})
    shop.post("/_sim/orders", {})
    (delivery,) = settled(shop)
    assert [one["status"] for one in delivery["attempts"]] == [500, 503, 200]
    assert len({(headers["x-shopify-webhook-id"], body) for headers, body in inbox.came}) == 1


def test_a_subscription_that_fails_too_often_is_gone(shop: System, inbox: Inbox, bench: Bench) -> None:
    bench.connector().subscribe(["orders/create"], inbox.url)
    inbox.answers = [500] * 20
    shop.put("/_sim/webhooks", {"retries": [0.02, 0.02]})
    shop.post("/_sim/orders", {})
    (delivery,) = settled(shop)
    assert (delivery["state"], len(delivery["attempts"])) == ("failed", 3)
    assert not bench.connector().subscriptions()["orders/create"]


def test_a_rotation(shop: System, inbox: Inbox) -> None:
    """For a while the old secret signs some."""
    shop.put("/_sim/webhooks", {"url": inbox.url, "topics": ["orders/create"]})
    shop.post("/_sim/secrets", {"secret": "s-2", "old_share": 0.5})
    shop.post("/_sim/orders", [{} for _ in range(12)])
    settled(shop)
    both = [Secret("new", "s-2"), Secret("old", "s-1")]
    signers = {RECEIVER.prove(incoming(headers, body), both, datetime.now(UTC)) for headers, body in inbox.came}
    assert signers == {"new", "old"}


def test_the_contract_is_enforced(shop: System) -> None:
    """What Shopify refuses, this shop refuses: no key, no changeFromQuantity, a used key, too much, no token."""
    base = {
        "inventoryItemId": "gid://shopify/InventoryItem/3000001000001",
        "locationId": "gid://shopify/Location/70001",
    }
    row = {**base, "quantity": 5, "changeFromQuantity": None}

    def set_(rows: list[Any], directive: str = '@idempotent(key: "k")', token: str = TOKEN) -> Any:
        call = f"inventorySetQuantities(input: $input) {directive} {{ userErrors {{ code field }} }}"
        text = f"mutation($input: InventorySetQuantitiesInput!) {{ {call} }}"
        wanted = {"input": {"name": "available", "reason": "correction", "quantities": rows}}
        return requests.post(
            f"{shop.address}/admin/api/2026-07/graphql.json",
            json={"query": text, "variables": wanted},
            headers={"X-Shopify-Access-Token": token},
            timeout=5,
        )

    assert set_([row], token="x").status_code == 401
    assert set_([row], directive="").json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert set_([row], directive='@idempotent(key: " ")').json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    absent = {**base, "quantity": 5}
    assert set_([absent]).json()["errors"][0]["extensions"]["code"] == "INVALID_FIELD_ARGUMENTS"
    assert set_([row] * 251).json()["errors"][0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"
    assert set_([row]).json()["data"]["inventorySetQuantities"]["userErrors"] == []
    mismatch = set_([{**row, "quantity": 6}]).json()["data"]["inventorySetQuantities"]["userErrors"]
    assert mismatch[0]["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"


def test_a_restart_forgets_nothing(shop: System, tmp_path: Path) -> None:
    """Orders, numbers and stock are as they were; the next order has the next number."""
    settings = {"memory": str(tmp_path / "shop.jsonl"), "senders": 0}
    with served("shopify", settings) as before:
        (order,) = before.post("/_sim/orders", {"kind": "gift_card_tender"})
        before.post(f"/_sim/orders/{order['id']}/refund", {"lines": [{"sku": "WB-TEE", "quantity": 1}]})
        held = before.get("/_sim/effects")
    with served("shopify", settings) as after:
        assert after.get("/_sim/effects") == held
        assert after.post("/_sim/orders", {})[0]["name"] == "#1002"
