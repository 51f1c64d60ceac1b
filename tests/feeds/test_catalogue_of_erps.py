"""What each ERP's own simulator says of items and prices reaches the shop by the same feed, with its names for our SKUs learnt on the way."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
import requests

from config.reader import HERE
from connectors.kit.simulator import Simulator
from tests.connectors.business_central.contract import CREDENTIALS as BUSINESS_CENTRAL
from tests.connectors.netsuite.conftest import CREDENTIALS as NETSUITE
from tests.connectors.sap_s4hana.contract import CREDENTIALS as SAP
from tests.feeds.conftest import Feed
from tests.feeds.test_catalogue import look
from tests.joined import join


@dataclass(frozen=True)
class Erp:
    """An ERP's account as shipped, its simulator's `goods`, how somebody changes there what the tee costs, and blocks the mug;
    `names` are its cross references, `whole` the seconds between looks at everything."""

    connector: str
    account: str
    credentials: Mapping[str, str]
    goods: Mapping[str, Any]
    change: Callable[[Simulator, str], None]
    names: Mapping[str, str]
    whole: int = 86400


def _netsuite(played: Simulator, address: str) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    for number, sku, price, off in (("1001", "WB-TEE", "18.5", False), ("1002", "WB-MUG", "8.50", True)):
        told = {"id": number, "sku": sku, "modified": now, "prices": {"1/1": {"1": price}}, "inactive": off}
        requests.post(f"{address}/_sim/items", json=told, timeout=5).raise_for_status()


def _business_central(played: Simulator, address: str) -> None:
    for told in ({"number": "WB-TEE", "unitPrice": 18.5}, {"number": "WB-MUG", "unitPrice": 8.5, "blocked": True}):
        requests.post(f"{address}/_sim/items", json=told, timeout=5).raise_for_status()


def _sap(played: Simulator, address: str) -> None:
    """A condition record changes without its material."""
    prices = played.memory.table("prices")
    for number, row in [*prices.items()]:
        if row["Material"] == "WB-TEE":
            played.memory.put("prices", number, {**row, "ConditionRateValue": "18.50"})
    changed = f"/Date({int(datetime.now(UTC).timestamp() * 1000)}+0000)/"
    mug = played.memory.table("products")["WB-MUG"]
    played.memory.put("products", "WB-MUG", {**mug, "IsMarkedForDeletion": True, "LastChangeDateTime": changed})


LONG_AGO = (datetime.now(UTC) - timedelta(days=9)).strftime("%Y-%m-%d %H:%M:%S")
MANY = tuple(f"WB-{n:02}" for n in range(20))
ERPS = (
    Erp(
        "netsuite",
        "netsuite-main",
        NETSUITE,
        {
            "items": {
                str(1001 + n): {"sku": sku, "modified": LONG_AGO, "prices": {"1/1": {"1": price}}}
                for n, (sku, price) in enumerate(
                    [("WB-TEE", "19.90"), ("WB-MUG", "8.50"), *((s, "5.00") for s in MANY)]
                )
            }
        },
        _netsuite,
        {"WB-TEE": "1001", "WB-MUG": "1002"},
    ),
    Erp(
        "business_central",
        "business-central-main",
        BUSINESS_CENTRAL,
        {"items": dict.fromkeys(("WB-TEE", "WB-MUG", *MANY), 7)},
        _business_central,
        {"WB-TEE": "WB-TEE", "WB-MUG": "WB-MUG"},
    ),
    Erp(
        "sap_s4hana",
        "sap-s4hana-main",
        SAP,
        {
            "items": dict.fromkeys(("WB-TEE", "WB-MUG", *MANY), 7),
            "prices": {"WB-TEE": "19.90", "WB-MUG": "8.50", **dict.fromkeys(MANY, "5")},
        },
        _sap,
        {"WB-TEE": "WB-TEE", "WB-MUG": "WB-MUG"},
        whole=0,
    ),
)


@pytest.fixture(params=ERPS, ids=[one.connector for one in ERPS])
def played(request: pytest.FixtureRequest, feed: Feed) -> Iterator[tuple[Feed, Erp, Simulator, str]]:
    erp: Erp = request.param
    simulator: Simulator = import_module(f"connectors.{erp.connector}.simulator").create(
        {**erp.credentials, **erp.goods}
    )
    with simulator.served() as address:
        shipped = (HERE / "accounts.toml").read_text()
        mine = "".join(re.findall(rf"^\[{erp.account}[\].][^\n]*\n(?:[^\[\n#][^\n]*\n|\n)*", shipped, re.MULTILINE))
        prefix = erp.account.upper().replace("-", "_")
        os.environ[f"{prefix}_URL"] = address
        os.environ.update({f"{prefix}_{name.upper()}": value for name, value in erp.credentials.items()})
        with (feed.world.folder / "prices.toml").open("a") as policy:
            policy.write(f"\n[sources.{erp.account}]\nevery = 0\nwhole = {erp.whole}\n")
        join(feed.world, (erp.account,), mine)
        yield feed, erp, simulator, address


def test_an_erps_items_and_prices_reach_the_shop(played: tuple[Feed, Erp, Simulator, str]) -> None:
    feed, erp, simulator, address = played
    if erp.connector == "business_central":  # items of its simulator cost nothing until somebody says so
        for number in ("WB-TEE", "WB-MUG", *MANY):
            price = {"WB-TEE": 19.9, "WB-MUG": 8.5}.get(number, 5)
            requests.post(
                f"{address}/_sim/items", json={"number": number, "unitPrice": price}, timeout=5
            ).raise_for_status()
    first = look(feed)
    assert (first["kind"], first["state"], first["prices"]) == ("whole", "done", 22)
    names = {
        row.ours: row.theirs
        for row in feed.world.rows(
            "SELECT ours, theirs FROM codes WHERE account = :name AND ours IN ('WB-TEE', 'WB-MUG')", name=erp.account
        )
    }
    assert names == erp.names
    assert {"WB-TEE": "19.9", "WB-MUG": "8.5"}.items() <= feed.shown().items()
    erp.change(simulator, address)
    second = look(feed)
    assert (second["kind"], second["blocked"]) == ("whole" if erp.whole == 0 else "changed", 1)
    assert feed.shown()["WB-TEE"] == "18.5"
    assert "WB-MUG" not in feed.prices()
    blocked = feed.world.one("SELECT sentence FROM cases WHERE code = 'item_blocked'")
    assert blocked == f"WB-MUG is blocked in {erp.account}: channels may still offer it."
