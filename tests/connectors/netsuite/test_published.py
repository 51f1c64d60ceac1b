"""What we ask and what the simulator answers, held against what NetSuite publishes of its records (2026.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import simplejson

from connectors.canonical.payment import Tender
from connectors.kit.errors import Rejected
from connectors.kit.http import Exchange
from tests.connectors.counting import Counted
from tests.connectors.netsuite import orders, published
from tests.connectors.netsuite.conftest import CODES, CREDENTIALS, World, connected, played_with
from tests.connectors.netsuite.orders import ORDER
from tests.contract import samples

FACTS = Path("../shared/specs/netsuite/record_rest_v1_2026_1_contract.json")
pytestmark = pytest.mark.skipif(
    not FACTS.exists(), reason="../shared/specs/netsuite is not here: nothing to hold our requests against"
)
RECORD = "/services/rest/record/v1"
UNTOLD = ("customer", "itemFulfillment", "creditMemo")  # records that no facts here name the fields of
OURS = (*UNTOLD, *published.BODIES)
AUTHORIZED = {"returns": "authorization", "conditions": {"quarantined": "8"}}
BILLED = {"billing": "invoice", "deposits": "all"}


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    return json.loads(FACTS.read_text())


@pytest.fixture(scope="module")
def exchanges() -> list[Exchange]:
    """Everything said in an order's life, a refusal and a job included."""
    said: list[Exchange] = []
    for settings in ({}, {"gift_cards": "redemption"}, {"respond_async": True}):
        played = played_with({"stock": {"1001": {"1": "5"}}, "job_seconds": 0.05})
        with played.served() as address:
            said += whole_life(connected(played, address, settings, CODES, 5.0, None, CREDENTIALS))
    for life, settings in (
        (paid_before, BILLED),
        (for_cash, {"billing": "cash_sale"}),
        (come_back, AUTHORIZED),
        (bought, {}),
    ):
        played = played_with({})
        with played.served() as address:
            codes = {**CODES, "supplier": {"maker": "71"}}
            said += life(connected(played, address, settings, codes, 5.0, None, CREDENTIALS))
    return said


def paid_before(netsuite: World) -> list[Exchange]:
    """An order whose deposits pay its bill, one that is refunded out of them, and a credit of what was billed."""
    paid = orders.paid_by(ORDER, ("gift_card", Tender.GIFT_CARD, "20.00"), ("card", Tender.CARD, "37.36"))
    netsuite.drive(netsuite.connector.book(paid, key="b"))
    first, second = samples.parcels(ORDER)
    netsuite.drive(netsuite.connector.record_shipment(paid, first, key="s1"))
    never_left = orders.refund("r1", ("card", "10.12"), lines=(orders.back(ORDER.lines[1], 1, "8.50", "1.62"),))
    netsuite.drive(netsuite.connector.record_refund(paid, never_left, key="r1"))
    netsuite.drive(netsuite.connector.record_shipment(paid, second, key="s2"))
    netsuite.drive(netsuite.connector.record_refund(paid, samples.refund(ORDER), key="r2"))
    for record in ("depositApplication", "customerRefund", "customerDeposit"):
        for held in netsuite.simulator.memory.table(record):
            assert netsuite.connector._client.get(record, held, lines=True)
    return netsuite.exchanges


def come_back(netsuite: World) -> list[Exchange]:
    """A piece that left comes back into stock with its money, another without and into quarantine first."""
    netsuite.drive(netsuite.connector.book(ORDER, key="b"))
    for one in samples.parcels(ORDER):
        netsuite.drive(netsuite.connector.record_shipment(ORDER, one, key=one.id))
    netsuite.drive(netsuite.connector.record_refund(ORDER, samples.refund(ORDER), key="r"))
    whole = samples.goods_back(ORDER, "quarantined", "sellable")
    quarantined = whole.lines[0]
    back = replace(whole, lines=(quarantined,))
    netsuite.drive(netsuite.connector.record_return(ORDER, back, key="g"))
    looked_at = replace(back, lines=(replace(quarantined, condition="sellable"),))
    netsuite.drive(netsuite.connector.record_disposition(ORDER, looked_at, key="d"))
    for record in ("itemReceipt", "inventoryTransfer"):
        for held in netsuite.simulator.memory.table(record):
            assert netsuite.connector._client.get(record, held, lines=True)
    return netsuite.exchanges


def bought(netsuite: World) -> list[Exchange]:
    """What a supplier sends is bought of him, brought down and received."""
    netsuite.drive(netsuite.connector.book(ORDER, key="b"))
    told = {"supplier": "maker", "reference": "WB-1-F1"}
    netsuite.drive(netsuite.connector.record_purchase(samples.part(ORDER), key="p", **told))
    netsuite.drive(netsuite.connector.amend_purchase(samples.part(ORDER, less=1), key="a", **told))
    netsuite.drive(netsuite.connector.record_receipt(samples.part(ORDER), samples.parcels(ORDER)[0], key="r", **told))
    return netsuite.exchanges


def for_cash(netsuite: World) -> list[Exchange]:
    netsuite.drive(netsuite.connector.book(ORDER, key="b"))
    netsuite.drive(netsuite.connector.record_shipment(ORDER, samples.parcels(ORDER)[0], key="s"))
    return netsuite.exchanges


def whole_life(netsuite: World) -> list[Exchange]:
    paid = orders.paid_by(ORDER, ("gift_card", Tender.GIFT_CARD, "20.00"), ("card", Tender.CARD, "37.36"))
    netsuite.drive(netsuite.connector.book(paid, key="b"))
    netsuite.drive(netsuite.connector.amend(samples.amended(paid), key="a"))
    netsuite.drive(netsuite.connector.record_shipment(paid, orders.shipment("f1", ("1001-2", 1)), key="s"))
    netsuite.drive(netsuite.connector.record_refund(paid, samples.refund(ORDER), key="r"))
    netsuite.drive(netsuite.connector.cancel(paid, key="c"))
    list(netsuite.connector.stock())
    with pytest.raises(Rejected):
        netsuite.drive(netsuite.connector.record_shipment(paid, orders.shipment("f2", ("1001-2", 1)), key="s2"))
    return netsuite.exchanges


def paths(facts: Mapping[str, Any]) -> dict[str, re.Pattern[str]]:
    """Method and path of each published operation of a sales order: "PATCH /salesOrder/{id}" -> a pattern."""
    known: dict[str, re.Pattern[str]] = {}
    for told, targets in facts["operations"].items():
        methods, path = told.split(" ")[:2]
        for method in methods.split("|"):
            one = re.escape(path).replace(r"\{id\}", "[^/]+")
            ends = "|".join(re.escape(target.split(" ")[0]) for target in targets) if isinstance(targets, list) else ""
            known[f"{method} {path}"] = re.compile(one.replace(r"\{target\}", f"(?:{ends})"))
    return known


def test_every_call_about_a_sales_order_is_a_published_operation(facts, exchanges):
    known = paths(facts)
    asked = {
        (one.method, urlsplit(one.url).path.removeprefix(RECORD))
        for one in exchanges
        if f"{RECORD}/salesOrder" in one.url
    }
    assert asked
    for method, path in asked:
        assert any(name.startswith(f"{method} ") and shape.fullmatch(path) for name, shape in known.items()), (
            method,
            path,
        )


def test_every_other_service_is_where_it_is_published(facts, exchanges):
    told = " ".join(facts["other_services"].values())
    for one in exchanges:
        path = urlsplit(one.url).path
        if path.startswith(RECORD):
            assert path.split("/")[5] in ("salesOrder", *OURS)
            continue
        assert re.sub(r"/job/\d+.*", "/job/", path) in told, path


def test_every_transform_is_a_published_one(facts, exchanges):
    known = published.TRANSFORMS | {"salesOrder": facts["operations"]["POST /salesOrder/{id}/!transform/{target}"]}
    made = [
        urlsplit(one.url).path.removeprefix(f"{RECORD}/").split("/") for one in exchanges if "/!transform/" in one.url
    ]
    assert len({(source, target) for source, _, _, target in made}) >= 3
    for source, _, _, target in made:
        assert target in known[source], f"{source} makes no {target}"


def hold_other(kind: str, body: Mapping[str, Any], where: str) -> None:
    hold(body, published.BODIES[kind], where)
    for name, known in published.ROWS[kind].items():
        for row in body.get(name, {}).get("items", ()):
            hold(row, known, f"{where}.{name}")


def about(one: Exchange) -> str:
    """The record that an exchange writes or reads: a transform's is its target."""
    first, _, second = one.operation.partition(".")
    return second if second in published.BODIES else first


@pytest.mark.parametrize("kind", published.BODIES)
def test_other_records_too_have_published_fields_of_the_published_types(exchanges, kind):
    ours = [one for one in exchanges if about(one) == kind]
    sent = [simplejson.loads(one.request, use_decimal=True) for one in ours if one.method in ("PUT", "POST", "PATCH")]
    told = [simplejson.loads(one.answer, use_decimal=True) for one in ours if one.method == "GET" and one.status == 200]
    assert sent
    assert told
    for body in sent:
        hold_other(kind, body, "sent")
    for body in told:
        hold_other(kind, body, "told")


@pytest.mark.counting
def test_operations_by_contract(facts, exchanges, counted: Counted):
    """Of a sales order the facts name fields, of all else addresses and envelopes; the table says how many of each."""
    asked = {one.operation for one in exchanges}
    held = {f"salesOrder.{name}" for name in ("get", "update", "upsert")}  # a transform's body is another record's
    assert held <= asked
    browser = {one.operation for one in exchanges if about(one) in published.BODIES}
    counted(
        "operations",
        {
            f"{FACTS.name}: addresses and fields": len(held),
            f"{FACTS.name}: addresses only": len(asked - held - browser),
            "REST API Browser 2026.1 (transcribed in the tests): addresses and fields": len(browser),
        },
    )


def test_query_parameters_and_headers_are_published_ones(facts, exchanges):
    headers = {name.lower() for name in facts["headers"]} | {"prefer"}
    for one in exchanges:
        assert set(parse_qs(urlsplit(one.url).query)) <= set(facts["query_parameters"]), one.url
        assert {name for name in one.request_headers if name.startswith("x-netsuite")} <= headers
        key = one.request_headers.get("x-netsuite-idempotency-key")
        assert (key is not None) == (one.request_headers.get("prefer") == "respond-async")


def fields(facts: Mapping[str, Any], name: str) -> dict[str, str]:
    """Field -> published type; "orderStatus.id" stands for a reference called orderStatus."""
    return {one.partition(".")[0]: "ref" if "." in one else told for one, told in facts[name].items()}


FITS: dict[str, type | tuple[type, ...]] = {
    "string": str, "number": object, "boolean": bool, "date": str, "datetime": str, "int64": int,
    "ref": Mapping, "sublist": Mapping, "subrecord": Mapping, "{id,refName}": Mapping,
}  # fmt: skip


def hold(body: Mapping[str, Any], known: Mapping[str, str], where: str) -> None:
    for name, value in body.items():
        if name in ("links", "id") or name.startswith("custcol"):
            continue
        assert name in known, f"{where}.{name} is no published field"
        told = known[name].split("(")[0]
        assert isinstance(value, FITS[told]), f"{where}.{name}: {value!r} is no {told}"
        if told == "number":
            assert not isinstance(value, str | bool | Mapping), f"{where}.{name}: {value!r}"


def hold_order(facts: Mapping[str, Any], body: Mapping[str, Any], where: str) -> None:
    hold(body, fields(facts, "salesOrder") | {"item": "sublist", "taxDetails": "sublist"}, where)
    for row in body.get("item", {}).get("items", ()):
        hold(row, fields(facts, "salesOrder.item.items[]"), f"{where}.item")
    for row in body.get("giftCertRedemption", {}).get("items", ()):
        assert set(row) <= {*facts["salesOrder.giftCertRedemption.items[]"], "links"}
    assert len({name for row in body.get("taxDetails", {}).get("items", ()) for name in row}) <= 14
    places = {one.partition("{")[0] for one in facts["salesOrder.shippingAddress|billingAddress"]}
    for name in ("shippingAddress", "billingAddress"):
        assert set(body.get(name, {})) <= {*places, "links"}


def bodies(exchanges: list[Exchange], kind: str, methods: str) -> Iterator[Any]:
    for one in exchanges:
        if one.operation.startswith(f"{kind}.") and one.method in methods and "/!transform/" not in one.url:
            yield simplejson.loads(one.request if one.method != "GET" else one.answer, use_decimal=True)


def test_what_we_send_as_a_sales_order_has_published_fields_of_the_published_types(facts, exchanges):
    sent = list(bodies(exchanges, "salesOrder", "PUT PATCH"))
    assert len(sent) >= 6
    for body in sent:
        hold_order(facts, body, "sent")


def test_what_the_simulator_answers_as_a_sales_order_too(facts, exchanges):
    told = [body for body in bodies(exchanges, "salesOrder", "GET") if "o:errorDetails" not in body]
    assert told
    for body in told:
        hold_order(facts, body, "told")


def test_errors_have_the_published_shape(facts, exchanges):
    refused = [one for one in exchanges if one.status >= 400]
    assert {one.status for one in refused} >= {400, 404}
    for one in refused:
        body = json.loads(one.answer)
        assert set(body) <= set(facts["nsError"])
        assert body["status"] == one.status
        assert all(set(detail) <= set(facts["nsError"]["o:errorDetails"][0]) for detail in body["o:errorDetails"])


def test_lists_come_in_the_published_envelope(facts, exchanges):
    pages = [json.loads(one.answer) for one in exchanges if one.operation == "suiteql"]
    lines = [body["item"] for body in bodies(exchanges, "salesOrder", "GET") if "items" in body.get("item", {})]
    assert pages
    assert lines
    for envelope in (*pages, *lines):
        assert set(envelope) == set(facts["collection_envelope"])
