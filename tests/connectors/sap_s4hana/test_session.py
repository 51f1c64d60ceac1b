"""A CSRF token is worth nothing without its cookies; when both end, fifty writers fetch one new pair."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from connectors.kit.errors import Transient, Unauthorized
from connectors.kit.http import Answer
from connectors.sap_s4hana import session
from tests.contract.samples import ORDER

THREADS = 50


def test_a_session_serves_reads_without_and_writes_with_one_fetch(world):
    company = world()
    list(company.connector.stock(["WB-TEE"]))
    assert "session.fetch" not in company.operations()
    company.do(lambda erp: erp.book(ORDER, key="b"))
    company.do(lambda erp: erp.cancel(ORDER, key="c"))
    assert company.operations().count("session.fetch") == 1


def test_fifty_writers_meet_an_ended_session_and_one_fetches(world, shared_tokens):
    company = world()
    company.bench.tokens = shared_tokens("sap")
    company.bench.account = replace(company.bench.account, timeout=30.0)  # fifty at once, on whatever machine
    orders = [replace(ORDER, id=str(2000 + n), number=f"#{2000 + n}") for n in range(THREADS)]
    company.do(lambda erp: erp.book(ORDER, key="b"))
    company.system.post("/_sim/sessions/ends")
    before = company.operations().count("session.fetch")
    connector = company.connector

    def book(order):
        write = next(connector.book(order, key=order.id))
        return write.send()

    with ThreadPoolExecutor(THREADS) as pool:
        assert len(set(pool.map(book, orders))) == THREADS
    assert company.operations().count("session.fetch") - before == 1
    assert all(count == 1 for count in company.effects()["sales_order"].values())


def test_a_session_that_ends_between_two_writes_is_noticed_by_nobody(world):
    company = world()
    company.do(lambda erp: erp.book(ORDER, key="b"))
    company.system.post("/_sim/sessions/ends")
    company.do(lambda erp: erp.cancel(ORDER, key="c"))
    assert company.met == []
    assert company.operations().count("session.fetch") == 2


def test_sessions_that_never_last_are_waited_for(world):
    company = world(simulator={"session_seconds": 0})
    write = next(company.connector.book(ORDER, key="b"))
    with pytest.raises(Transient) as met:
        write.send()
    assert met.value.code == "csrf"
    assert company.state("salesOrders") == []


def test_a_wrong_password_is_unauthorised_and_says_where_to_look(world):
    company = world()
    company.bench.account = replace(company.bench.account, credentials={"user": "WAYBILL_COMM", "password": "old"})
    with pytest.raises(Unauthorized) as met:
        company.do(lambda erp: erp.book(ORDER, key="b"))
    assert met.value.owner == "integration desk"
    assert "communication arrangement" in met.value.remedy


@pytest.mark.parametrize(
    ("header", "sent"),
    [
        ("a=1; path=/", "a=1"),
        ("a=1; path=/; secure, SAP_SESSIONID_X=Zm9v==; path=/; HttpOnly", "a=1; SAP_SESSIONID_X=Zm9v=="),
        ("lb=node2; expires=Wed, 21 Oct 2026 07:28:00 GMT; path=/, sap-usercontext=sap-client=100; path=/",
         "lb=node2; sap-usercontext=sap-client=100"),
        ("", ""),
    ],
)  # fmt: skip
def test_of_cookies_only_name_and_value_are_sent_back(header, sent):
    assert session._cookies({"set-cookie": header}) == sent


def test_only_a_403_that_asks_for_a_token_is_an_ended_session():
    assert session.expired(Answer(403, {"x-csrf-token": "Required"}, b""))
    assert not session.expired(Answer(403, {}, b""))
    assert not session.expired(Answer(401, {"x-csrf-token": "Required"}, b""))
