"""What BigCommerce tells when it is asked: an order out of its parts, lists, hooks, its quota and its refusals."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from connectors import registry
from connectors.bigcommerce.refusals import complaints
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.kit.errors import Rejected, Throttled, Transient, Unauthorized
from connectors.kit.limiter import Limiter
from tests.connectors.bigcommerce.conftest import MakeShop, Shop

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HOOK = "https://hub.example.com/hooks/bigcommerce"


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def asked(at: Shop) -> list[str]:
    return [call["operation"] for call in at.system.calls()]


# ---- orders


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("untaxed", ["products", "transactions", "refunds"]),
        ("coupon", ["products", "taxes", "coupons", "transactions", "refunds"]),
        ("authorized", ["products", "taxes", "transactions"]),
    ],
)
def test_only_what_can_be_there_is_asked_for(shop: MakeShop, kind: str, parts: list[str]) -> None:
    at = shop()
    at.place(kind)
    wanted = ["refunds.list" if part == "refunds" else f"orders.{part}" for part in parts]
    assert asked(at) == ["orders.get", *wanted, "orders.get"]


def test_an_empty_page_is_204(shop: MakeShop) -> None:
    at = shop()
    order = at.place("untaxed")
    assert at.connector.client.order_rows(order.id, "coupons") == []
    assert list(at.connector.changed("order", soon(), soon())) == []
    assert {one.status for one in at.spoken if one.path.endswith(("coupons", "/v2/orders"))} == {204}


def test_an_order_that_changes_while_it_is_read_is_read_again(shop: MakeShop) -> None:
    """Its lines are edited between header and products: the torn order never reaches the hub."""
    at = shop()
    number = at.system.post("/_sim/orders", {"created_at": "2026-01-01T00:00:00+00:00"})[0]["id"]
    store_calls = at.simulator.answer
    edits: list[str] = []

    def answer(name: str, write: bool, act: Any) -> Any:
        said = store_calls(name, write, act)
        if name == "orders.products" and not edits:
            edits.append("once")
            requests.post(f"{at.system.address}/_sim/orders/{number}/edit", json={"lines": {"WB-MUG": 5}}, timeout=5)
        return said

    at.simulator.answer = answer  # type: ignore[method-assign]
    message = at.connector.fetch(Pointer("order", str(number)))
    assert message is not None
    (reading,) = registry.read(at.bench.account, message)
    assert isinstance(reading, Snapshot)
    assert asked(at).count("orders.products") == 2
    assert [line.quantity for line in reading.document.lines] == [2, 5]  # type: ignore[union-attr]


def test_an_order_that_never_rests_is_left_for_later(shop: MakeShop) -> None:
    at = shop()
    number = at.system.post("/_sim/orders", {"created_at": "2026-01-01T00:00:00+00:00"})[0]["id"]
    told = at.connector.client.order(str(number))
    seconds = iter(range(10))
    connector = at.connector
    connector.client.order = lambda name: {**told, "date_modified": str(next(seconds))}  # type: ignore[method-assign]
    with pytest.raises(Transient) as met:
        connector.fetch(Pointer("order", str(number)))
    assert met.value.code == "order_moves"


def test_a_poll_of_what_is_known_says_the_same_version(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.move(order, "ship")
    fetched = at.connector.fetch(Pointer("order", order.id))
    assert fetched is not None
    (listed,) = at.connector.changed("order", LONG_AGO, soon())
    (whole,) = registry.read(at.bench.account, fetched)
    (row,) = registry.read(at.bench.account, listed)
    assert isinstance(row, Pointer)
    assert isinstance(whole, Snapshot)
    assert (row.id, row.version) == (whole.id, whole.version)


def test_the_way_of_an_order(shop: MakeShop) -> None:
    """Placed, edited, shipped in part, refunded, cancelled by the shop: each is seen when it is fetched again."""
    at = shop()
    order = at.place()
    assert order.cancelled_at is None
    at.move(order, "edit", lines={"WB-TEE": 1}, note="Ring twice")
    edited = at.again(order)
    assert ([line.quantity for line in edited.lines], edited.note) == ([1, 1], "Ring twice")
    at.move(order, "ship", lines={order.lines[1].id: 0}, number="JD1")
    assert [one.trackings[0].number for one in at.again(order).shipments] == ["JD1"]
    at.move(order, "refund", lines={"WB-MUG": 1}, reason="Broken")
    (refund,) = at.again(order).refunds
    assert refund.payments
    assert at.again(order).payment_status == "partially refunded"
    at.move(order, "archive")
    assert ("archived", "true") in at.again(order).attributes
    other = at.place()
    at.move(other, "cancel")
    assert at.again(other).cancelled_at is not None


# ---- hooks


def test_hooks_are_made_once_and_woken(shop: MakeShop) -> None:
    at = shop()
    scopes = ["store/order/created", "store/order/updated"]
    at.connector.subscribe(scopes, HOOK)
    at.connector.subscribe(scopes, HOOK)
    assert at.connector.subscriptions() == dict.fromkeys(scopes, True)
    at.system.post("/_sim/hooks/18048287/deactivation")
    assert sorted(at.connector.subscriptions().values()) == [False, True]
    at.connector.subscribe(scopes, HOOK)
    assert at.connector.subscriptions() == dict.fromkeys(scopes, True)
    assert (len(at.system.calls("hooks.create")), len(at.system.calls("hooks.update"))) == (2, 1)


def test_a_hook_elsewhere_is_no_hook_of_ours(shop: MakeShop) -> None:
    at = shop()
    at.connector.subscribe(["store/order/created"], "https://other.example.com/hooks")
    at.connector.subscribe(["store/order/created"], HOOK)
    assert len(at.system.calls("hooks.create")) == 2


def test_a_hook_that_lives_elsewhere_hides_no_dead_one_of_ours(shop: MakeShop) -> None:
    at = shop()
    scope, elsewhere = "store/order/created", "https://other.example.com/hooks"
    at.connector.subscribe([scope], HOOK)
    assert at.connector.subscribed_at() == {scope: {HOOK}}
    at.system.post("/_sim/hooks/18048287/deactivation")
    at.connector.subscribe([scope], elsewhere)
    assert at.connector.subscriptions() == {scope: True}
    assert at.connector.subscribed_at() == {scope: {elsewhere}}
    at.connector.subscribe([scope], HOOK)
    assert at.connector.subscribed_at() == {scope: {HOOK, elsewhere}}


def test_an_address_must_be_https(shop: MakeShop) -> None:
    at = shop(allow_http=False)
    with pytest.raises(Rejected) as met:
        at.connector.subscribe(["store/order/created"], "http://hub.example.com/hooks")
    assert "port 443" in met.value.sentence


# ---- quota and refusals


def test_the_last_call_of_a_window_stops_everybody_until_it_ends(shop: MakeShop) -> None:
    at = shop(quota=3, window=20)
    client = at.connector.client
    assert client.order("1") is None
    assert at.blocked == []
    at.system.put("/_sim/quota", {"spend": 1})  # other software
    assert client.order("1") is None
    (wait,) = at.blocked
    assert 15 < wait <= 20
    with pytest.raises(Throttled) as met:
        client.order("1")
    assert met.value.retry_after is not None
    assert 15 < met.value.retry_after <= 20
    assert not met.value.daily


def test_429_without_the_quotas_headers_is_the_platforms_load(shop: MakeShop) -> None:
    at = shop()
    at.system.bad_day("throttle_silent", times=1)
    with pytest.raises(Throttled) as met:
        at.connector.client.order("1")
    assert met.value.retry_after is None
    assert "too busy" in met.value.sentence
    assert at.blocked == []


def test_the_manifests_window_is_never_exceeded(shop: MakeShop, limiter: Any) -> None:
    """148 calls at once, and not one more: the real limiter by the manifest, counted by the store's own quota."""
    at = shop(quota=150, window=30)
    at.bench.limits = real = limiter("bigcommerce")
    assert isinstance(real, Limiter)
    real.warm("tried")
    client = at.connector.client
    for _ in range(148):
        client.order("1")
    with pytest.raises(Throttled) as met:
        client.order("1")
    assert met.value.retry_after is not None
    assert at.system.put("/_sim/quota", {})["refused"] == 0


def test_a_token_that_is_refused(shop: MakeShop) -> None:
    at = shop(access_token="another-token-altogether")
    with pytest.raises(Unauthorized):
        at.connector.client.order("1")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            [{"status": 400, "message": "The field 'status_id' is invalid."}],
            [("", "The field 'status_id' is invalid.")],
        ),
        (
            {"status": 422, "title": "JSON data is missing or invalid", "errors": {"name": "error.path.missing"}},
            [("name", "JSON data is missing or invalid (error.path.missing)")],
        ),
        (
            {"data": [{"status": 422, "title": "Unable to provide store credit"}]},
            [("", "Unable to provide store credit")],
        ),
        ({"batch_errors": [{"data": {"sku": "A"}, "field_errors": {"sku": "unknown"}}]}, [("sku", "unknown")]),
        ({"title": "Plain"}, [("", "Plain")]),
        ({}, []),
        ("text", []),
        (None, []),
    ],
)
def test_every_shape_of_refusal(body: Any, said: list[tuple[str, str]]) -> None:
    assert list(complaints(json.dumps(body).encode())) == said
    assert list(complaints(b"<html>")) == []
