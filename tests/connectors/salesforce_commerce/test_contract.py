"""What Commerce Cloud publishes: every operation of ours, asked by the real client and answered by the simulator."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from connectors.canonical.snapshot import Pointer
from connectors.kit.simulator import Simulator
from connectors.kit.writes import BatchItem
from connectors.registry import manifests
from connectors.salesforce_commerce.instance import IMPEX
from connectors.salesforce_commerce.simulator import table
from connectors.salesforce_commerce.simulator_imports import Imports
from connectors.salesforce_commerce.simulator_site import Site
from tests.connectors.counting import Counted
from tests.connectors.salesforce_commerce.conftest import MakeShop, Shop
from tests.connectors.salesforce_commerce.contract import ORGANIZATION
from tests.connectors.salesforce_commerce.openapi import (
    SPECS,
    complaints,
    needs_spec,
    operation,
    published,
    schema_errors,
    xsd,
)
from tests.contract import samples
from tests.contract.cases import CONNECTORS

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
# Answered by the simulator although no operation of ours needs it: an account may set it by hand.
UNUSED = {"orders.external-status"}


def rows() -> tuple[tuple[str, str, str], ...]:
    """(name, method, address) of every operation that the simulator answers behind a token."""
    site = Site(Simulator("none"))
    found = table(site, Imports(site), ORGANIZATION)
    return tuple((name, method, re.sub(r"<[^>]+>", "1", rule)) for rule, name, method, _, _, _ in found)


PUBLISHED = [row for row in rows() if published(row[2])]


@needs_spec
@pytest.mark.parametrize(("name", "method", "path"), PUBLISHED, ids=lambda one: str(one))
def test_every_operation_is_published(name: str, method: str, path: str) -> None:
    operation(method, path)


def play_it_all(shop: Shop) -> None:
    """Everything that our client can ask, over HTTP."""
    shop.settings(number_attribute="c_erpNumber", confirm=True, complete_shipped=True, create_records=True)
    at, order = shop.connector, shop.place("order_promotion_net")
    shop.done(at.acknowledge(order, number="SO-1", key="k1"))
    first, second = samples.parcels(order)
    shop.done(at.confirm_shipment(order, first, key="k2"), find_first=True)
    order = replace(order, shipments=(first,))
    shop.done(at.confirm_shipment(order, second, key="k3"), find_first=True)
    shop.done(at.cancel_sale(shop.place(), key="k4"), find_first=True)
    levels = [BatchItem(one, "k") for one in samples.levels(("WB-TEE", "WB-MUG", "WB-GONE"))]
    assert at.publish_stock([], key="k5").send(levels) == ["WB-TEE@main", "WB-MUG@main", "WB-GONE@main"]
    prices = [BatchItem(one, "k") for one in samples.prices(("WB-TEE", "WB-MUG"), "EUR")]
    batch = at.publish_prices([], key="k6")
    assert batch.send(prices) == ["WB-TEE@site-prices", "WB-MUG@site-prices"]
    assert batch.find(prices[0]) == "WB-TEE@site-prices"
    ask_it_all(shop)


def ask_it_all(shop: Shop) -> None:
    at, soon = shop.connector, datetime.now(UTC) + timedelta(hours=1)
    assert list(at.changed("order", LONG_AGO, soon))
    assert at.fetch(Pointer("order", "99999999")) is None
    assert list(at.stock(["WB-TEE"]))
    assert list(at.stock())
    assert list(at.products())
    assert list(at.products(LONG_AGO))
    assert [one.amount.amount for one in at.prices(["WB-TEE"])]


@pytest.mark.counting
@needs_spec
def test_every_request_and_every_answer_keeps_to_the_contract(shop: MakeShop, counted: Counted) -> None:
    """The fixture holds all that was said, and every file, against the contract; here it is counted that nothing was left out."""
    at = shop(import_seconds=0.3)
    play_it_all(at)
    asked = {call["operation"] for call in at.system.calls()} - {"oauth.token"}
    wanted = {name for name, _, _ in rows()} - UNUSED
    assert asked == wanted, f"never asked: {wanted - asked}; not in the table: {asked - wanted}"
    files = Counter(operation(method, path).file for name, method, path in PUBLISHED if name not in UNUSED)
    print()
    for file, count in sorted(files.items()):
        print(f"{file:28} {count:2} operations asked and answered")
    print(f"{'pricebook.xsd':28}  1 file a price book")
    beside = {name for name, _, path in rows() if not published(path)}
    counted("operations", files)
    counted(
        "facts",
        {
            "Account Manager's token: RFC 6749": 1,
            "WebDAV of imports; a price book's file keeps to xsd/pricebook.xsd": len(beside),
        },
    )


@needs_spec
def test_the_contract_is_really_asked(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.done(at.connector.confirm_shipment(order, samples.parcels(order)[0], key="k"))
    seen = next(one for one in at.spoken if one.path.endswith("oms-status-events"))
    listed = next(one for one in at.spoken if one.method == "GET")
    spoiled = (
        replace(seen, headers={}),
        replace(seen, query={}),
        replace(seen, query={**seen.query, "notify": "1"}),
        replace(seen, body=seen.body.replace(b'"quantity":1', b'"quantity":"1"')),
        replace(seen, body=seen.body.replace(b'"occurredAt":"2026-03-02T', b'"occurredAt":"2026-03-02 ')),
        replace(seen, body=seen.body.replace(b'"carrier"', b'"carier"')),
        replace(seen, body=b"{"),
        replace(seen, status=204),
        replace(seen, answer=b'{"id": 1}'),
        replace(listed, answer=listed.answer.replace(b'"orderNo"', b'"orderNumber"')),
        replace(listed, answer=listed.answer.replace(b'"net"', b'"both"').replace(b'"gross"', b'"both"')),
    )
    assert list(complaints(seen)) == []
    assert list(complaints(listed)) == []
    for one in spoiled:
        assert one not in (seen, listed)
        assert list(complaints(one)), one


@needs_spec
def test_the_price_books_schema_is_really_asked(shop: MakeShop) -> None:
    at = shop()
    batch = at.connector.publish_prices([], key="k")
    batch.send([BatchItem(one, "k") for one in samples.prices(("WB-TEE",), "EUR")])
    (file,) = at.system.get("/_sim/imports")["files"]
    whole = file.partition("?>")[2]
    assert xsd("pricebook").is_valid(whole)
    for spoiled in (whole.replace("EUR", "Euro"), whole.replace("amount", "price"), whole.replace("21.50", "21,50")):
        assert not xsd("pricebook").is_valid(spoiled)


@needs_spec
@pytest.mark.parametrize(
    "path", sorted((CONNECTORS / "salesforce_commerce" / "fixtures").glob("*.json")), ids=lambda one: one.stem
)
def test_our_fixtures_are_shaped_as_published(path: object) -> None:
    found = schema_errors("orders-oas-1.5.2.yaml", "Order", json.loads(path.read_text()))  # type: ignore[attr-defined]
    assert found == []


@needs_spec
def test_what_is_absent_is_really_absent() -> None:
    """No operation of the Orders API moves money or writes a shipment; no operation of either API writes a price."""
    orders = yaml.safe_load((SPECS / "orders-oas-1.5.2.yaml").read_text())["paths"]
    writes = {path.rpartition("/")[2] for path, told in orders.items() if {"put", "post", "patch"} & set(told)}
    assert not [name for name in writes if re.search("refund|capture|return|tracking|shipments$", name)]
    data = json.loads((SPECS / "ocapi-data-api.json").read_text())["paths"]
    assert not [path for path in data if re.search("price_?book|/prices", path)]
    assert "give_back" in manifests()["salesforce_commerce"].absent
    assert IMPEX.endswith("Impex/src/instance")
