"""Tokens of half an hour, rates and load, refusals, and which door is asked in which version."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from connectors.kit.account import Account
from connectors.kit.errors import Ambiguous, Rejected, Throttled, Transient, Unauthorized
from connectors.kit.http import Answer
from connectors.salesforce_commerce.auth import LOGIN, login_url
from connectors.salesforce_commerce.refusals import SHED, sorted_out
from tests.connectors.salesforce_commerce.conftest import MakeShop
from tests.connectors.salesforce_commerce.contract import CREDENTIALS
from tests.connectors.salesforce_commerce.test_writes import DHL, level, sent, tag


def test_a_token_names_the_tenant_and_the_scopes_at_scapi_and_nothing_at_the_instance(shop: MakeShop) -> None:
    at = shop()
    at.place()
    at.connector.publish_stock([], key="k").send([level("WB-TEE", "7")])
    asked = [one for one in at.spoken if one.path == "/dwsso/oauth2/access_token"]
    forms = [parse_qs(one.body.decode()) for one in asked]
    assert forms[0]["grant_type"] == ["client_credentials"]
    assert forms[0]["scope"] == ["SALESFORCE_COMMERCE_API:zzwb_001 sfcc.orders.rw sfcc.products"]
    assert "scope" not in forms[-1]
    name, _, secret = base64.b64decode(asked[0].headers["authorization"].removeprefix("Basic ")).decode().partition(":")
    assert (name, secret) == ("client-of-the-tests", "a+secret%3A+of%2Fthe+tests%2B1")


def test_fifty_workers_at_expiry_buy_one_token_for_each_door(
    shop: MakeShop, shared_tokens: Callable[[str], Any]
) -> None:
    at = shop()
    at.bench.tokens = shared_tokens("site")
    order = at.place()
    at.connector.publish_stock([], key="k").send([level("WB-TEE", "7")])
    at.system.post("/_sim/tokens/expiry")
    before = len(at.system.calls("oauth.token"))

    def ask(number: int) -> object:
        connector = at.connector
        return connector.client.order(order.id) if number % 2 else connector.instance.record("main", "WB-TEE")

    with ThreadPoolExecutor(50) as pool:
        assert all(pool.map(ask, range(50)))
    assert len(at.system.calls("oauth.token")) - before == 2


def test_a_token_that_ends_soon_is_bought_anew_before(shop: MakeShop) -> None:
    """Two minutes before its half hour is over."""
    at = shop(token_seconds=121)
    order = at.place()
    at.connector.client.order(order.id)
    known, until = at.bench.tokens.values["scapi"]
    assert known
    assert until - time.monotonic() < 1.5


def test_a_client_that_is_refused_pauses_the_account(shop: MakeShop) -> None:
    at = shop()
    at.bench.account = replace(at.bench.account, credentials={**CREDENTIALS, "client_secret": "wrong-secret"})
    with pytest.raises(Unauthorized) as met:
        at.connector.client.order("1")
    assert met.value.code == "invalid_client"
    assert "wrong-secret" not in str(met.value)


def test_a_right_that_is_missing_is_said(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.bench.account = replace(
        at.bench.account, settings={**at.bench.account.settings, "organization": "f_ecom_zzwb_002"}
    )
    at.bench.tokens.values.clear()
    with pytest.raises(Unauthorized) as met:
        at.connector.client.order(order.id)
    assert met.value.code == "invalid_scope"


def test_where_each_door_is() -> None:
    account = Account("a", "salesforce_commerce", "https://abcd1234.api.commercecloud.salesforce.com", CREDENTIALS)
    assert login_url(account) == LOGIN
    assert (
        login_url(replace(account, settings={"login_url": "https://login.example.com/"})) == "https://login.example.com"
    )
    assert login_url(replace(account, base_url="http://127.0.0.1:9")) == "http://127.0.0.1:9"


def test_the_instance_may_be_at_another_host_and_no_other(shop: MakeShop) -> None:
    at, other = shop(), shop()
    at.settings(instance_url=other.system.address, login_url=other.system.address)
    at.connector.publish_stock([], key="k").send([level("WB-TEE", "7")])
    assert other.effects("stock")["WB-TEE@main"] == "7 pieces"
    assert at.effects("stock")["WB-TEE@main"] == "1000 pieces"
    connection = at.bench.connection()
    with pytest.raises(Rejected):
        connection.http.call("GET", f"{other.system.address}/x", operation="none")


def test_every_call_names_its_version_and_the_correlation(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.done(at.connector.confirm_shipment(order, sent(order, 1, DHL), key="k"))
    at.connector.publish_stock([], key="k").send([level("WB-TEE", "7")])
    at.connector.publish_prices([], key="k").send([tag("WB-TEE", "21.50")])
    doors = {
        "/checkout/orders/v1/",
        "/product/products/v1/",
        "/s/-/dw/data/v25_6/",
        "/dwsso/",
        "/on/demandware.servlet/webdav/",
    }
    met = {next((door for door in doors if one.path.startswith(door)), one.path) for one in at.spoken}
    assert met == doors - {"/product/products/v1/"}
    behind = [one for one in at.spoken if not one.path.startswith("/dwsso/")]
    assert all(one.headers["correlation-id"] for one in behind if one.headers.get("x-correlation-id"))


# ---- load and rates


def test_load_that_is_shed_is_no_try_and_holds_everybody_back(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.system.put("/_sim/load", {"percent": 100})
    with pytest.raises(Throttled) as met:
        at.connector.client.order(order.id)
    assert (met.value.code, met.value.retry_after) == ("load_shed", SHED)
    assert at.blocked == [SHED]


def test_above_ninety_percent_we_hold_back_although_we_were_served(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.system.put("/_sim/load", {"percent": 85})
    assert at.connector.client.order(order.id)
    assert at.blocked == []
    at.system.put("/_sim/load", {"percent": 93})
    assert at.connector.client.order(order.id)
    assert at.blocked == [3.0]


def test_a_rate_that_is_used_up_waits_as_it_is_told(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.system.bad_day("throttle", operations=["orders.get"], value=7, times=1)
    with pytest.raises(Throttled) as met:
        at.connector.client.order(order.id)
    assert met.value.retry_after == 7
    assert at.blocked == [7.0]


# ---- refusals

PROBLEM = "https://api.commercecloud.salesforce.com/documentation/error/v1/errors/"


def refused(status: int, body: object = None, write: bool = True, **headers: str) -> object:
    raw = json.dumps(body).encode() if body is not None else b"<html>busy</html>"
    return sorted_out(Answer(status, headers, raw, write))


def problem(kind: str, detail: str = "Words.") -> dict[str, str]:
    return {"type": f"{PROBLEM}{kind}", "title": "T", "detail": detail}


def fault(kind: str) -> dict[str, object]:
    return {"_v": "25.6", "fault": {"type": kind, "message": "Words."}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, problem("bad-request"), Rejected, "http_400"),
        (401, problem("unauthorized"), Unauthorized, "http_401"),
        (403, problem("forbidden"), Unauthorized, "http_403"),
        (404, problem("order-not-found"), Rejected, "unknown_order"),
        (404, fault("InventoryListNotFoundException"), Rejected, "unknown_location"),
        (404, fault("JobNotFoundException"), Rejected, "no_import"),
        (400, fault("JobAlreadyRunningException"), Transient, "busy"),
        (409, fault("ConflictException"), Transient, "busy"),
        (409, problem("undo-fail-order"), Rejected, "not_reopened"),
        (413, None, Rejected, "http_413"),
        (429, None, Throttled, "throttled"),
        (500, None, Ambiguous, "http_500"),
        (503, None, Transient, "http_503"),
        (504, None, Ambiguous, "http_504"),
    ],
)
def test_what_each_refusal_makes_the_hub_do(status: int, body: object, kind: type, code: str) -> None:
    found = refused(status, body)
    assert type(found) is kind
    assert getattr(found, "code", "") == code


def test_a_read_that_broke_is_asked_again() -> None:
    assert type(refused(504, write=False)) is Transient


def test_shed_load_is_told_from_a_system_that_is_down() -> None:
    found = refused(503, None, sfdc_load="97")
    assert isinstance(found, Throttled)
    assert found.retry_after == SHED
    named = refused(503, None, **{"sfdc_load": "97", "retry-after": "4"})
    assert isinstance(named, Throttled)
    assert named.retry_after == 4


def test_a_refusal_names_the_field_that_its_words_name() -> None:
    words = "Decoding of the property with path '$.fulfillmentEvent.carrier' failed because it is too long."
    found = refused(400, problem("bad-request", words))
    assert isinstance(found, Rejected)
    assert found.field == "fulfillmentEvent.carrier"
    assert words in found.sentence
