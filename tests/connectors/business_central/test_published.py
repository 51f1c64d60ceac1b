"""What we ask and what the simulator answers, held against what Microsoft publishes of API v2.0.

No contract of v2.0 is saved for machines: the OpenAPI files in ../shared are of v1.0. So fields and types are held
against published.json (the manual's own tables of v2.0), that against the pages saved in ../shared, and addresses against
the OpenAPI where v1.0 has them; test_operations_by_contract prints which is which.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import simplejson

from connectors import registry
from connectors.business_central.simulator import COMPANY, TENANT
from connectors.business_central.simulator_fields import FIELDS
from connectors.business_central.webhook import RECEIVER
from connectors.canonical.payment import Tender
from connectors.kit.capabilities import Message
from connectors.kit.errors import Rejected
from connectors.kit.http import Exchange
from tests.connectors.business_central.inbox import hub
from tests.connectors.counting import Counted
from tests.connectors.netsuite.orders import paid_by, shipment
from tests.contract import samples
from tests.contract.samples import ORDER

HERE = Path(__file__).parent
FACTS: dict[str, dict[str, str]] = {
    k: v for k, v in json.loads((HERE / "published.json").read_text()).items() if k != "_"
}
SPECS, SAMPLES = Path("../shared/specs/d365_business_central"), Path("../shared/samples/d365_business_central")
BASE = f"/v2.0/{TENANT}/Production/api/v2.0"
ROOT = f"{BASE}/companies({COMPANY})/"
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
KEYED = re.compile(r"\([0-9a-fA-F-]{36}\)")
NAMES = {"salesOrders": "salesOrder", "salesOrderLines": "salesOrderLine", "salesCreditMemos": "salesCreditMemo",
         "salesCreditMemoLines": "salesCreditMemoLine", "salesInvoices": "salesInvoice", "salesShipments": "salesShipment",
         "customers": "customer", "items": "item", "journalLines": "journalLine", "customerPayments": "customerPayment"}  # fmt: skip
# What v1.0 had not: named by the v2.0 pages in published.json, the manual's page on $batch, or the AL pages.
V1 = "BCOpenApiSpecification.json (v1.0) for addresses, the manual's tables of v2.0 for fields"
V2 = "new in API v2.0: the manual's pages"
NEW_IN_V2 = {"salesShipments", "Microsoft.NAV.shipAndInvoice", "Microsoft.NAV.post"}


@pytest.fixture(scope="module")
def exchanges() -> list[Exchange]:
    """Everything said in an order's life, a refusal included, under both ways of reckoning taxes."""
    from tests.connectors.business_central import conftest

    said: list[Exchange] = []
    for settings in ({"payments": "all"}, {"tax": "engine", "tax_code": "VAT19"}):
        made = conftest.world.__wrapped__()  # type: ignore[attr-defined]
        company = next(made)(settings, {}, {"payment_method": {"card": "bank:CARDS", "gift_card": "22800"}})
        said += life(company)
        made.close()
    return said


def life(company: Any) -> list[Exchange]:
    paid = paid_by(ORDER, ("gift_card", Tender.GIFT_CARD, "20.00"), ("card", Tender.CARD, "37.36"))
    company.do(lambda erp: erp.book(paid, key="b"))
    company.do(lambda erp: erp.amend(replace(paid, note="Ring twice"), key="a"))
    for parcel in samples.parcels(ORDER):
        company.do(lambda erp, parcel=parcel: erp.record_shipment(paid, parcel, key="s"))
    company.do(lambda erp: erp.record_refund(paid, samples.refund(ORDER), key="r"))
    company.do(lambda erp: erp.record_return(paid, samples.goods_back(ORDER, "sellable", "quarantined"), key="g"))
    company.do(lambda erp: erp.record_payment(paid, samples.received(ORDER), key="p"))
    other = replace(paid, id="1002", number="#1002")
    company.do(lambda erp: erp.book(other, key="b2"))
    company.do(lambda erp: erp.cancel(other, key="c"))
    list(company.connector.stock())
    list(company.connector.prices(["WB-TEE"]))
    list(company.connector.products())
    list(company.connector.booked(samples.NOW, datetime.now(UTC)))
    listen(company)
    with pytest.raises(Rejected):
        company.do(lambda erp: erp.record_shipment(paid, shipment("f9", ("1001-2", 9)), key="s9"))
    return company.bench.exchanges


def listen(company: Any) -> None:
    """A subscription made and renewed, an item told of, fetched, and found by the poll."""
    with hub() as (address, taken):
        company.connector.subscribe(["items"], address)
        company.connector.subscribe(["items"], address)
        assert company.connector.subscriptions() == {"items": True}
        item = company.system.post("/_sim/items", {"number": "WB-NEW", "unitPrice": 21})["id"]
        company.system.post("/_sim/notify", {"entity": "items", "id": item})
    told = RECEIVER.identify(taken[0])
    message = Message(told.topic, told.delivery_id, taken[0].body)
    (pointer,) = registry.read(company.bench.account, message)
    assert company.connector.fetch(pointer) is not None
    assert list(company.connector.changed("product", samples.NOW, datetime.now(UTC)))
    for row in company.state("subscriptions"):
        hold(
            "subscription", {name: value for name, value in row.items() if name != "etag"}, "a subscription", sent=False
        )


def requests(exchanges: list[Exchange]) -> Iterator[tuple[str, str, Mapping[str, str], Any, Any]]:
    """(method, path below the company, headers, body, answer), those inside a $batch one by one."""
    for one in exchanges:
        path = urlsplit(one.url).path
        body, told = _json(one.request), _json(one.answer)
        if path == f"{BASE}/$batch":
            assert set(body) == {"requests"}
            for inner, answered in zip(body["requests"], told["responses"], strict=True):
                assert set(inner) <= {"id", "method", "url", "headers", "body"}
                assert set(answered) <= {"id", "status", "headers", "body"}
                assert inner["url"].startswith(f"companies({COMPANY})/")
                below = inner["url"].removeprefix(f"companies({COMPANY})/").partition("?")[0]
                headers = {name.lower(): value for name, value in inner["headers"].items()}
                yield inner["method"], below, headers, inner.get("body"), answered.get("body")
        elif path.startswith(ROOT):
            yield one.method, path.removeprefix(ROOT), one.request_headers, body, told


def _json(raw: bytes) -> Any:
    return simplejson.loads(raw, use_decimal=True) if raw.strip().startswith(b"{") else None


def entity(path: str) -> str:
    """The entity of an address; empty for a bound action."""
    last = KEYED.sub("", path).rpartition("/")[2]
    return NAMES.get(last, "")


def hold(name: str, body: Mapping[str, Any], where: str, sent: bool) -> None:
    for field, value in body.items():
        if field.startswith("@odata"):
            continue
        assert field in FACTS[name], f"{where}: {field} is no published field of {name}"
        kind, _, only = FACTS[name][field].partition(" ")
        assert not (sent and only), f"{where}: {field} of {name} is read-only"
        if kind == "lines":
            for row in value:
                if name != "salesShipment":  # the manual has a page of its own for its lines, which we only count
                    hold(f"{name}Line", row, where, sent)
        else:
            assert fits(kind, value), f"{where}: {field}={value!r} is no {kind}"


def fits(kind: str, value: Any) -> bool:
    if kind in ("decimal", "integer"):
        return not isinstance(value, bool | str)
    if kind == "boolean":
        return isinstance(value, bool)
    pattern = {"GUID": GUID, "date": re.compile(r"\d{4}-\d\d-\d\d"), "datetime": DATETIME}.get(kind)
    return isinstance(value, str) and (pattern is None or bool(pattern.fullmatch(value)))


def test_what_we_send_has_published_writable_fields_of_the_published_types(exchanges):
    counted: Counter[str] = Counter()
    for method, path, _, body, _ in requests(exchanges):
        if body is not None and entity(path):
            hold(entity(path), body, f"{method} {path}", sent=True)
            counted[entity(path)] += 1
    assert set(counted) >= {
        "salesOrder",
        "salesOrderLine",
        "salesCreditMemo",
        "customer",
        "journalLine",
        "customerPayment",
    }


def test_what_the_simulator_answers_too(exchanges):
    counted: Counter[str] = Counter()
    for method, path, _, _, told in requests(exchanges):
        if not told or "error" in told or not entity(path):
            continue
        for row in told.get("value", [told]):
            hold(entity(path), row, f"answer of {method} {path}", sent=False)
            counted[entity(path)] += 1
    assert set(counted) >= set(NAMES.values()) - {"salesCreditMemoLine"}


def test_every_change_says_the_state_that_it_changes(exchanges):
    changes = [
        (method, path, headers) for method, path, headers, _, _ in requests(exchanges) if method in ("PATCH", "DELETE")
    ]
    assert len(changes) > 5
    for method, path, headers in changes:
        assert headers.get("if-match"), f"{method} {path} has no If-Match"
    batches = [one for one in exchanges if one.operation == "batch.write"]
    assert all(one.request_headers.get("isolation") == "snapshot" for one in batches)
    headers_first = [json.loads(one.request)["requests"][0] for one in batches]
    assert all(one["headers"]["If-Match"].startswith("W/") for one in headers_first if one["method"] == "PATCH")


def test_records_are_named_by_systemid_and_queries_by_odata(exchanges):
    for method, path, _, _, _ in requests(exchanges):
        keys = re.findall(r"\(([^()]*)\)", path)
        assert all(GUID.fullmatch(key) for key in keys), f"{method} {path}"
    for one in exchanges:
        assert set(parse_qs(urlsplit(one.url).query)) <= {"$filter", "$expand", "$count", "$skiptoken", "$orderby"}


def test_a_subscription_is_made_and_renewed_with_published_fields(exchanges):
    """Its bodies hold the shared secret and are kept nowhere: the simulator refuses a field that is not in its table, which is the manual's."""
    acts = Counter(one.operation for one in exchanges if one.operation.startswith("subscriptions."))
    assert acts["subscriptions.create"] == acts["subscriptions.update"] == 2  # in two companies
    assert set(FIELDS["subscription"]) == set(FACTS["subscription"])
    writable = {name for name, (_, may) in FIELDS["subscription"].items() if may}
    assert not {name for name in writable if FACTS["subscription"][name].endswith(" ro")}


def test_errors_have_the_published_shape(exchanges):
    bodies = [_json(one.answer) for one in exchanges if one.status >= 400]
    bodies += [told for _, _, _, _, told in requests(exchanges) if told and "error" in told]
    assert bodies
    for body in bodies:
        assert set(body) == {"error"}
        assert set(body["error"]) == {"code", "message"}


@pytest.mark.skipif(not SAMPLES.exists(), reason="../shared is not here: no saved page to hold published.json against")
def test_our_table_of_fields_is_the_manuals():
    for page, name in (("salesorderline", "salesOrderLine"), ("item", "item"), ("customerpayment", "customerPayment")):
        text = (SAMPLES / f"dynamics_{page}.md").read_text()
        rows = re.findall(r"^\|(\w+)\|([\w.]*)\|", text, re.MULTILINE)
        saved = {field: kind for field, kind in rows if field not in ("Property",)}
        assert set(saved) == set(FACTS[name]), name
        for field, kind in saved.items():
            own = FACTS[name][field].partition(" ")[0]
            assert kind in (own, "") or kind.startswith("NAV."), f"{name}.{field}: {kind}"


@pytest.mark.counting
@pytest.mark.skipif(not SPECS.exists(), reason="../shared/specs is not here: no contract to hold our addresses against")
def test_operations_by_contract(exchanges, counted: Counted):
    """Every address is one of the v1.0 OpenAPI's, or named as new in v2.0; the table says how many of each."""
    saved = json.loads((SPECS / "BCOpenApiSpecification.json").read_text())["paths"]
    known = {
        (re.sub(r"\([^()]*\)", "()", path).removeprefix("/companies()/"), method)
        for path, one in saved.items()
        for method in one
    }
    table: Counter[tuple[str, str]] = Counter()
    for method, path, _, _, _ in requests(exchanges):
        plain = KEYED.sub("()", path)
        last = plain.rpartition("/")[2].removesuffix("()")
        in_v1 = (plain, method.lower()) in known
        assert in_v1 or last in NEW_IN_V2, f"{method} {plain} stands in no contract"
        table[f"{method} {plain}", V1 if in_v1 else V2] += 1
    print()
    for (operation, contract), count in sorted(table.items()):
        print(f"{operation:60} {contract:50} {count:4}")
    assert sum(1 for _, contract in table if contract == V1) > len(table) / 2
    found = Counter(contract for _, contract in table)
    counted("operations", {V1: found[V1]})
    beside = {one.operation.partition(".")[0] for one in exchanges if not urlsplit(one.url).path.startswith(ROOT)}
    counted("facts", {V2: found[V2], "token, $batch, subscriptions: the manual's pages": len(beside)})
