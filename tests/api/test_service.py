"""Customer service of `make run` goes through the order's page: what it allows, the store counts in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from werkzeug.serving import make_server

from tests.api.conftest import Market, order


@pytest.fixture
def address(market: Market) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, market.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_a_return_is_allowed_on_the_page_and_counted_by_the_store(market: Market, address: str) -> None:
    from local.story.life import back
    from local.story.life.partner import Partner
    from local.story.life.service import Service

    store = Partner(address, "koeln", locations=("store",))
    life = cast(Any, SimpleNamespace(service=Service(address), store=store, store_at="store"))
    waybill = market.mine.place(order())
    market.world.pump()
    back.allowed_by_the_desk(life, "market", "M-1", "WB-TEE")
    assert market.world.one("SELECT count(*) FROM return_requests") == 0, "nothing has left"
    parcel = market.world.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={})
    market.world.deliver("shipment.sent", parcel, account="warehouse")
    market.world.pump()
    back.allowed_by_the_desk(life, "market", "M-1", "WB-TEE")
    (row,) = market.world.rows("SELECT number, state, location FROM return_requests")
    assert tuple(row) == (f"{waybill}-R1", "restocked", "store")
    assert market.world.one("SELECT who FROM audit WHERE action = 'ask for return'") == "customer-service"
