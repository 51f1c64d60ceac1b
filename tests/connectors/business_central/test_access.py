"""Tokens, limits, errors, and that no id leads elsewhere."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from connectors.business_central import errors
from connectors.business_central.auth import LOGIN, login_url
from connectors.business_central.client import Ask
from connectors.kit.account import Account
from connectors.kit.errors import Ambiguous, Rejected, Throttled, Transient, Unauthorized
from connectors.kit.http import Answer
from tests.connectors.business_central.contract import CREDENTIALS
from tests.contract.samples import ORDER


def refused(status: int, code: str = "", message: str = "Words.", write: bool = True, **headers: str) -> object:
    body = json.dumps({"error": {"code": code, "message": f"{message}  CorrelationId:  1f."}}) if code else "<html>"
    return errors.sorted_trouble(Answer(status, headers, body.encode(), write), "sales order")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "BadRequest", Rejected),
        (400, "Application_DialogException", Rejected),
        (400, "Internal_EntityWithSameKeyExists", Rejected),
        (400, "Internal_ServerError", Transient),
        (401, "Authentication_InvalidCredentials", Unauthorized),
        (403, "Authorization_PermissionDenied", Rejected),
        (404, "BadRequest_ResourceNotFound", Rejected),
        (408, "", Ambiguous),
        (409, "Request_EntityChanged", Transient),
        (429, "", Throttled),
        (500, "Internal_ServerError", Ambiguous),
        (503, "", Transient),
        (504, "", Ambiguous),
    ],
)
def test_what_each_refusal_makes_the_hub_do(status, code, kind):
    found = refused(status, code)
    assert type(found) is kind
    assert "CorrelationId" not in str(found)


def test_a_timed_out_read_is_asked_again():
    assert type(refused(408, write=False)) is Transient


def test_a_refusal_names_the_field_that_its_message_names():
    found = refused(400, "BadRequest", "The property 'quantiti' does not exist on type 'Microsoft.NAV.salesOrderLine'.")
    assert (found.field, found.owner) == ("quantiti", "integration desk")


def test_an_address_in_a_message_is_not_repeated():
    assert "ana@example.com" not in str(refused(400, "Application_DialogException", "E-mail ana@example.com is bad."))


def test_retry_after_is_kept_by_all_and_without_it_nobody_calls_for_ten_seconds(world):
    company = world()
    list(company.connector.prices(["WB-TEE"]))
    company.system.bad_day("throttle", value=9, times=1)
    with pytest.raises(Throttled) as met:
        list(company.connector.prices(["WB-TEE"]))
    assert met.value.retry_after == 9
    company.system.bad_day("throttle_silent", times=1)
    with pytest.raises(Throttled):
        list(company.connector.prices(["WB-TEE"]))
    assert company.bench.limits.blocked == [9, 10.0]


def test_more_than_wait_at_the_vendors_door_are_told_429(world):
    company = world(simulator={"at_once": 2, "queue": 3, "latency": 0.15})
    list(company.connector.prices(["WB-TEE"]))

    def call(_: int) -> str:
        try:
            return str(len(list(company.connector.prices(["WB-TEE"]))))
        except Throttled as busy:
            return busy.code

    with ThreadPoolExecutor(12) as pool:
        told = list(pool.map(call, range(12)))
    gate = company.system.get("/_sim/gate")
    assert gate["peak"] <= 2
    assert told.count("throttled") == gate["refused"] > 0


def test_a_wrong_secret_pauses_the_account_and_says_what_to_look_at(world):
    company = world(credentials={**CREDENTIALS, "client_secret": "another"})
    with pytest.raises(Unauthorized) as met:
        company.do(lambda erp: erp.book(ORDER, key="b"))
    assert met.value.code == "invalid_client"
    assert "another" not in f"{met.value.sentence}{met.value.remedy}"


def test_tokens_are_bought_at_microsofts_door_for_the_vendors_host_only():
    vendor = Account("a", "business_central", "https://api.businesscentral.dynamics.com")
    assert login_url(vendor) == LOGIN
    assert login_url(replace(vendor, base_url="https://erp.example.com/")) == "https://erp.example.com"
    assert (
        login_url(replace(vendor, settings={"login_url": "https://login.example.com/"})) == "https://login.example.com"
    )


def test_no_id_leads_elsewhere(world):
    company = world()
    company.bench.known.ids["order", ORDER.id] = "../../evil"
    with pytest.raises(Rejected) as met:
        company.do(lambda erp: erp.amend(ORDER, key="a"))
    assert met.value.code == "bad_id"
    assert company.operations() == []


def test_another_companys_or_environments_address_is_refused(world):
    company = world(settings={"environment": "Sandbox"})
    with pytest.raises(Rejected):
        company.do(lambda erp: erp.book(ORDER, key="b"))


def test_a_batch_without_a_change_reads_and_one_that_fails_says_which(world):
    company = world()
    company.do(lambda erp: erp.book(ORDER, key="b"))
    told = company.connector.client.batch([Ask("GET", "items?$filter=number eq 'WB-TEE'")], "item")
    assert [row["number"] for row in told[0]["value"]] == ["WB-TEE"]
    with pytest.raises(Rejected) as met:
        company.connector.client.batch([Ask("GET", "items?$filter=colour eq 'red'")], "item")
    assert met.value.code == "BadRequest"
