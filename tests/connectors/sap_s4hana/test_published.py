"""What we ask over HTTP and what the simulator answers, held against SAP's own OpenAPI exports.

Where a service has no saved export (business partner, customer return, credit memo request), the derived files and the README
say what is known; test_operations_by_contract prints which operation is covered by what.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import yaml

from connectors.kit.errors import Rejected
from connectors.kit.http import Exchange
from tests.connectors.counting import Counted
from tests.connectors.sap_s4hana import conftest
from tests.contract import samples
from tests.contract.samples import ORDER

SPECS = Path("../shared/specs/sap_s4hana")
here = pytest.mark.skipif(
    not SPECS.is_dir(), reason="../shared is absent: the vendor's contracts are not in the project"
)
ROOT = "/sap/opu/odata/sap/"
EXPORTS = {
    "API_SALES_ORDER_SRV": "API_SALES_ORDER_SRV.json",
    "API_OUTBOUND_DELIVERY_SRV;v=0002": "API_OUTBOUND_DELIVERY_SRV_0002.json",
    "API_MATERIAL_STOCK_SRV": "API_MATERIAL_STOCK_SRV.json",
}
DERIVED = {
    "API_CUSTOMER_RETURN_SRV": "derived_sap-sd-customer-return.yml",
    "API_CREDIT_MEMO_REQUEST_SRV": "derived_sap-sd-credit-memo-request.yml",
}
# Known from public copies of the metadata, and in the README as unverified: the derivation leaves them out on create.
BEYOND = {"PurchaseOrderByCustomer", "TransactionCurrency", "to_PricingElement"}
# The exports call every key required on create although SAP numbers these by itself.
NUMBERED = {"SalesOrder", "SalesOrderItem", "PricingProcedureStep", "PricingProcedureCounter", "DeliveryDocument"}
KEYED = re.compile(r"(\w+)='[^']*'")


@cache
def contract(service: str) -> dict[str, Any]:
    if service in EXPORTS:
        return json.loads((SPECS / EXPORTS[service]).read_text())
    return yaml.safe_load((SPECS / DERIVED[service]).read_text())


@pytest.fixture(scope="module")
def exchanges() -> list[Exchange]:
    """Everything said in an order's life, under both ways of finding customers, refusals included."""
    said: list[Exchange] = []
    for settings in ({}, {"customer_match": "email"}):
        made = conftest.world.__wrapped__()  # type: ignore[attr-defined]
        company = next(made)(settings)
        said += life(company)
        made.close()
    return said


def life(company: conftest.World) -> list[Exchange]:
    order = replace(ORDER, discounts=(), note="Please ring")
    company.do(lambda erp: erp.book(order, key="b"))
    company.do(lambda erp: erp.amend(replace(samples.amended(order), note="Ring twice", shipping_lines=()), key="a"))
    company.do(lambda erp: erp.amend(order, key="a2"))
    for parcel in samples.parcels(order):
        company.do(lambda erp, parcel=parcel: erp.record_shipment(order, parcel, key="s"))
    company.do(lambda erp: erp.record_refund(order, samples.refund(order), key="r"))
    other = replace(ORDER, id="1002", number="#1002")
    company.do(lambda erp: erp.book(other, key="b2"))
    company.do(lambda erp: erp.amend(replace(other, note="New"), key="a3"))
    company.do(lambda erp: erp.cancel(other, key="c"))
    list(company.connector.stock())
    list(company.connector.booked(samples.NOW, samples.NOW.replace(year=2100)))
    with pytest.raises(Rejected):
        company.do(lambda erp: erp.cancel(order, key="c2"))
    company.bench.codes = replace(
        company.bench.codes, table={**company.bench.codes.table, "sku": {"WB-TEE": "NO", "WB-MUG": "NO"}}
    )
    with pytest.raises(Rejected):
        company.do(lambda erp: erp.book(replace(ORDER, id="1003", number="#1003"), key="b3"))
    return company.bench.exchanges


def split(exchange: Exchange) -> tuple[str, str]:
    """(service, path below it)."""
    service, _, path = unquote(urlsplit(exchange.url).path).removeprefix(ROOT).partition("/")
    return service, path


def template(service: str, path: str) -> str:
    """The address of the contract that a request's address is."""
    entity = KEYED.sub(lambda found: f"{found[1]}='{{{found[1]}}}'", path)
    single = re.sub(r"\('[^']*'\)", "('{}')", entity)
    for known in contract(service)["paths"]:
        if re.sub(r"\('\{\w+\}'\)", "('{}')", known) == f"/{single}":
            return known
    raise AssertionError(f"{service} has no path {path}")


def hold(spec: Mapping[str, Any], schema: Mapping[str, Any], value: Any, where: str, loose: bool = False) -> None:
    """A value against a schema: type, length, pattern, required but numbered, and no property that is not published."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        hold(spec, spec["components"]["schemas"][name], value, f"{where}<{name}>", loose)
        return
    if "allOf" in schema:
        hold(spec, schema["allOf"][0], value, where, loose)
        return
    if value is None:
        assert schema.get("nullable") or loose, f"{where} is null"
    elif schema.get("type") == "array":
        assert isinstance(value, list), where
        for n, one in enumerate(value):
            hold(spec, schema["items"], one, f"{where}[{n}]", loose)
    elif schema.get("type") == "object":
        _object(spec, schema, value, where, loose)
    else:
        _scalar(schema, value, where)


def _object(spec: Mapping[str, Any], schema: Mapping[str, Any], value: Any, where: str, loose: bool) -> None:
    assert isinstance(value, dict), f"{where} is {value!r}"
    missing = {*schema.get("required", ())} - {*value} - NUMBERED
    assert not missing or loose, f"{where} lacks {missing}"
    for name, one in value.items():
        if name == "__metadata" or (isinstance(one, dict) and "__deferred" in one):
            continue
        known = schema.get("properties", {})
        assert name in known or (loose and name in BEYOND) or "properties" not in schema, (
            f"{where}: {name} is not published"
        )
        if name in known and not (loose and name.startswith("to_")):
            hold(spec, known[name], one, f"{where}.{name}", loose)


def _scalar(schema: Mapping[str, Any], value: Any, where: str) -> None:
    kinds = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}
    assert isinstance(value, kinds[schema.get("type", "string")]), f"{where} is {value!r}"
    if isinstance(value, str):
        assert len(value) <= schema.get("maxLength", len(value)), f"{where} is too long"
        if schema.get("format") == "decimal":
            assert re.fullmatch(r"-?\d+(\.\d+)?", value), f"{where} is no Edm.Decimal: {value}"
            scale = schema.get("x-sap-scale")
            assert scale is None or len(value.partition(".")[2]) <= scale, f"{where} has too many decimals"
        if "Date(" in str(schema.get("example", "")):
            assert re.fullmatch(r"/Date\(-?\d+\)/", value), f"{where} is no date: {value}"
        if "pattern" in schema:
            assert re.fullmatch(schema["pattern"], value), f"{where} is {value}"


def schema_of(operation: Mapping[str, Any]) -> Any:
    return operation["requestBody"]["content"]["application/json"]["schema"]


def checked(exchange: Exchange) -> str:
    """Holds one request and its answer against the export; gives method and path of the contract."""
    service, path = split(exchange)
    spec, known = contract(service), template(service, path)
    operation = spec["paths"][known][exchange.method.lower()]
    where = f"{exchange.method} {service}{known}"
    _query(spec, spec["paths"][known], operation, exchange, where)
    if exchange.request and exchange.method != "GET":
        hold(spec, schema_of(operation), json.loads(exchange.request), where)
    if exchange.status >= 400:
        hold(spec, spec["components"]["schemas"]["error"], json.loads(exchange.answer), f"{where} {exchange.status}")
        return f"{exchange.method} {known}"
    told = operation["responses"][str(exchange.status)]
    if "content" in told:
        hold(spec, told["content"]["application/json"]["schema"], json.loads(exchange.answer), f"{where} answer")
    return f"{exchange.method} {known}"


def _query(
    spec: Mapping[str, Any], path: Mapping[str, Any], operation: Mapping[str, Any], exchange: Exchange, where: str
) -> None:
    told = [*path.get("parameters", ()), *operation.get("parameters", ())]
    known = {}
    for one in told:
        found = spec["components"]["parameters"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        known[found["name"]] = found
    asked = dict(parse_qsl(urlsplit(exchange.url).query))
    assert set(asked) <= set(known), f"{where}: {set(asked) - set(known)} is not published"
    missing = {name for name, one in known.items() if one.get("required") and one["in"] == "query"} - set(asked)
    assert not missing, f"{where} lacks {missing}"
    for name, value in asked.items():
        schema = known[name]["schema"]
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        if schema.get("type") == "array":
            allowed = schema["items"]["enum"]
            assert set(value.split(",")) <= set(allowed), f"{where}: {name}={value}"
        elif schema.get("type") == "string":
            _scalar(schema, value, f"{where}?{name}")


@here
def test_every_call_is_as_saps_exports_say(exchanges):
    seen = Counter(checked(one) for one in exchanges if split(one)[0] in EXPORTS and split(one)[1])
    wanted = {
        "POST /A_SalesOrder", "POST /A_OutbDeliveryHeader", "POST /PickAllItems", "POST /PostGoodsIssue", "GET /A_MaterialStock",
        "PATCH /A_SalesOrderItem(SalesOrder='{SalesOrder}',SalesOrderItem='{SalesOrderItem}')",
    }  # fmt: skip
    assert wanted <= set(seen)


@here
def test_writes_are_as_the_derived_files_say_but_for_what_the_readme_names(exchanges):
    seen = 0
    for one in exchanges:
        service, path = split(one)
        if service in DERIVED and one.method == "POST":
            spec = contract(service)
            body = schema_of(spec["paths"][f"/{path}"]["post"])
            hold(spec, body, json.loads(one.request), path, loose=True)
            seen += 1
    assert seen == 4  # a return and a request, in two companies


def test_every_write_bears_its_token_and_every_change_the_state_it_is_of(exchanges):
    for one in exchanges:
        if one.method == "GET":
            continue
        assert one.request_headers["x-csrf-token"] == "***"
        assert one.request_headers["cookie"] == "***"
        if one.method in ("PATCH", "DELETE") or "Post" in one.url or "Pick" in one.url:
            assert one.request_headers["if-match"]
        if one.method == "PATCH":
            assert set(json.loads(one.request)) == {"d"}


NONE = "API_BUSINESS_PARTNER: public client code"


@pytest.mark.counting
@here
def test_operations_by_contract(exchanges, counted: Counted):
    """Told: how many operations are covered by which contract."""
    covered: dict[str, set[str]] = {}
    for one in exchanges:
        service, _ = split(one)
        against = EXPORTS.get(service) or DERIVED.get(service) or NONE
        covered.setdefault(against, set()).add(one.operation)
    published = {name: len(covered[name]) for name in covered if name in EXPORTS.values()}
    derived = {
        f"{name}: derived, no export of SAP's": len(covered[name]) for name in covered if name in DERIVED.values()
    }
    beside = {NONE: len(covered.get(NONE, ()))}
    counted("operations", published)
    counted("facts", {**derived, **beside})
    assert sum(len(one) for name, one in covered.items() if name in EXPORTS.values()) >= 19
