"""The hub as it is shipped, receivers killed in the middle: what a partner was answered for is there once, and it is told once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.direct.simulator import create
from tests.api.conftest import Market, order
from tests.api.test_tills import sale
from tests.api.test_webhooks import PRIVATE, Listening
from tests.hub import Hub, hub, until

ORDERS = 24


@pytest.fixture
def running(market: Market, tmp_path: Path) -> Iterator[Hub]:
    with hub(tmp_path / "hub") as made:
        made.web()
        made.worker()
        made.beat()
        yield made


def post(running: Hub, market: Market, path: str, body: Any, key: str) -> requests.Response:
    """As a partner does it: the same request under the same key until it is answered."""
    headers = {"Authorization": f"Bearer {market.mine.token}", "Idempotency-Key": key}
    end = time.monotonic() + 90
    while time.monotonic() < end:
        try:
            answer = requests.post(f"{running.address}/api/v1{path}", json=body, headers=headers, timeout=5)
        except requests.RequestException:
            time.sleep(0.1)
            continue
        if answer.status_code < 500:
            return answer
        time.sleep(0.1)
    raise AssertionError("not answered")


@pytest.mark.parametrize("market", [PRIVATE], indirect=True)
def test_receivers_are_killed_while_partners_order(market: Market, running: Hub) -> None:
    simulator = create({})
    with simulator.served() as address:
        listening = Listening(market, simulator, address)
        assert listening.subscribe(["order.accepted"]).status_code == 201
        with ThreadPoolExecutor(6) as crowd:
            asked = [
                crowd.submit(post, running, market, "/orders", order(f"H-{n}"), f"order-{n}") for n in range(ORDERS)
            ]
            for answered in (5, 14):
                until(60, lambda least=answered: sum(one.done() for one in asked) >= least)
                running.kill("web")
                running.web()
            answers = [one.result() for one in asked]
        assert {answer.status_code for answer in answers} == {202}
        sales = [sale(n, f"2026-11-20T10:{n:02}:00+01:00") for n in (3, 1, 2)]
        posted = post(running, market, "/tills/T1/sales", {"sales": sales, "first": 1}, "sales")
        assert posted.json()["posted"] == 3
        until(120, lambda: len(market.world.effects("erp")["bookings"]) == ORDERS + 3, market.world)
        until(120, lambda: len(listening.done) == ORDERS + 3, market.world)
    assert set(market.world.effects("erp")["bookings"].values()) == {1}
    assert set(listening.done.values()) == {1}
    kept = market.world.one("SELECT count(*) FROM subjects WHERE kind = 'order'")
    assert kept == ORDERS + 3
    assert len({answer.json()["waybill"] for answer in answers}) == ORDERS
