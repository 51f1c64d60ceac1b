"""Orders of a shop through the whole hub into a simulated NetSuite, where a booking takes several calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from app.database import engine
from connectors.netsuite import simulator
from tests.connectors.netsuite.conftest import CODES, CREDENTIALS, played_with
from tests.world import World, fresh_process, warm, world


@pytest.fixture
def netsuite(tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Acme in every role but the books, which NetSuite keeps; what people call an order has to be read there (settings.number)."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(f"NETSUITE_{name.upper()}", value)
    played = played_with({})
    with played.served() as address, world(tmp_path / "config", database_url, redis_url) as made:
        made.simulators["erp"], made.addresses["erp"] = played, address
        _configure(made.folder / "accounts.toml", address)
        engine().dispose()
        fresh_process()
        warm()
        for kind, rows in CODES.items():
            for ours, theirs in rows.items():
                made.code("erp", kind, ours, theirs)
        yield made


def _configure(accounts: Path, address: str) -> None:
    """NetSuite under the name that Acme's books had."""
    before, _, rest = accounts.read_text().partition("[erp]\n")
    settings = {**simulator.DEMO_SETTINGS, "number": "tranId"}
    told = "\n".join(f"{name} = {_toml(value)}" for name, value in settings.items())
    credentials = ", ".join(f'{name} = "NETSUITE_{name.upper()}"' for name in CREDENTIALS)
    mapped = ", ".join(f'{kind} = "mapped"' for kind in ("sku", "payment_method"))
    books = f'[erp]\nconnector = "netsuite"\nbase_url = "{address}"\ncredentials = {{ {credentials} }}\ncodes = {{ {mapped} }}\n'
    others = rest.partition("\n[")[2]
    accounts.write_text(f"{before}{books}[erp.settings]\n{told}\n[{others}")


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{name}" = {_toml(one)}' for name, one in value.items()) + " }"
    return json.dumps(value)


def test_money_back_is_credited_to_an_order_that_was_made_though_a_cancellation_overtook_the_rest_of_its_booking(
    netsuite: World,
) -> None:
    """The sales order stands there, what comes after it does not: the order is cancelled there, and its refund credited."""
    netsuite.bad_day("erp", "throttle", operations=("salesOrder.get",), value=0)
    order = netsuite.order()
    netsuite.pump(until=lambda: netsuite.one("SELECT count(*) FROM calls WHERE name = 'sales_order'") == 1)
    refund = netsuite.ask("shop", "POST", f"/_sim/orders/{order['id']}/refunds", json={})
    gone = netsuite.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={})
    netsuite.deliver("order.cancelled", {**gone, "refunds": [refund]})
    netsuite.turn()
    netsuite.good_day("erp")
    netsuite.pump()
    told = netsuite.ask("erp", "GET", "/_sim/effects")
    name = f"shop-{order['id']}"
    assert told["sales_order"] == {name: 1}
    assert list(told["cancelled"]) == [name]
    assert netsuite.one("SELECT state FROM steps WHERE name = 'book_order'") == "cancelled"
    assert sum(Decimal(one) for one in told["refunded"].values()) == Decimal(refund["total"]), told["refunded"]
