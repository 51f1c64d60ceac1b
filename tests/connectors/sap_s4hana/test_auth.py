"""A communication user by OAuth 2.0: one token for all workers, bought anew at its end, and Basic only at the token service."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.kit.errors import Unauthorized
from connectors.sap_s4hana import auth
from tests.connectors.sap_s4hana.contract import CREDENTIALS
from tests.contract.samples import ORDER

OAUTH = {"authentication": "oauth"}
CLOUD = {"logon": "oauth"}


def test_reads_writes_and_the_session_go_under_one_token(world):
    company = world(OAUTH, CLOUD)
    list(company.connector.stock(["WB-TEE"]))
    company.do(lambda erp: erp.book(ORDER, key="b"))
    assert company.operations().count("oauth.token") == 1
    assert not any(CREDENTIALS["password"].encode() in one.request + one.answer for one in company.bench.exchanges)


def test_a_token_that_ends_between_two_writes_is_noticed_by_nobody_and_nothing_is_done_twice(world):
    company = world({**OAUTH, "sales_order_api": "v4"}, CLOUD)
    company.do(lambda erp: erp.book(ORDER, key="b"))
    company.system.post("/_sim/tokens/ends")
    company.do(lambda erp: erp.cancel(ORDER, key="c"))
    assert company.met == []
    assert company.operations().count("oauth.token") == 2
    assert company.effects()["cancelled"] == {"SHOP-1001": 1}


def test_token_and_session_may_end_at_once(world):
    company = world(OAUTH, CLOUD)
    company.do(lambda erp: erp.book(ORDER, key="b"))
    company.system.post("/_sim/tokens/ends")
    company.system.post("/_sim/sessions/ends")
    company.do(lambda erp: erp.cancel(ORDER, key="c"))
    assert company.met == []
    assert company.operations().count("session.fetch") == 2


def test_a_token_is_bought_anew_before_its_end(world):
    company = world(OAUTH, {**CLOUD, "token_seconds": 1200})
    token, seconds = auth.access_token(company.connector.connection)
    assert token
    assert seconds == 1200 - auth.MARGIN


def test_a_wrong_secret_is_unauthorised_and_says_where_to_look(world):
    company = world(OAUTH, CLOUD)
    company.bench.account = replace(company.bench.account, credentials={**CREDENTIALS, "password": "old"})
    with pytest.raises(Unauthorized) as met:
        company.do(lambda erp: erp.book(ORDER, key="b"))
    assert (met.value.code, met.value.owner) == ("invalid_client", "integration desk")
    assert "OAuth 2.0" in met.value.remedy


def test_a_tenant_that_takes_tokens_alone_refuses_basic(world):
    company = world(simulator=CLOUD)
    with pytest.raises(Unauthorized):
        list(company.connector.stock(["WB-TEE"]))


def test_a_token_service_elsewhere_is_asked_where_the_account_names_it(world):
    company = world(OAUTH, CLOUD)
    own = company.bench.account
    elsewhere = f"{company.system.address.replace('127.0.0.1', 'localhost')}{auth.PATH}"
    company.bench.account = replace(own, settings={**own.settings, "token_url": elsewhere})
    list(company.connector.stock(["WB-TEE"]))
    (bought,) = [one for one in company.bench.exchanges if one.operation == "oauth.token"]
    assert bought.url == elsewhere
