"""What we ask over HTTP and what the simulator answers, held against SAP's own OpenAPI exports, of V2 and of V4.

Where a service has no saved export (business partner, customer return, credit memo request), the derived files and the README
say what is known; test_operations_by_contract prints which operation is covered by what.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.canonical.order import Order
from connectors.kit.errors import Rejected
from connectors.kit.http import Exchange
from connectors.sap_s4hana.simulator import WHAT
from tests.connectors.counting import Counted
from tests.connectors.sap_s4hana import conftest
from tests.connectors.sap_s4hana.openapi import DERIVED, EXPORTS, checked, contract, here, hold, schema_of, split
from tests.contract import samples
from tests.contract.samples import ORDER


@pytest.fixture(scope="module")
def exchanges() -> list[Exchange]:
    """Everything said in an order's life, under both ways of finding customers and over V4, refusals included."""
    said: list[Exchange] = []
    for settings in ({}, {"customer_match": "email"}, {"sales_order_api": "v4"}):
        made = conftest.world.__wrapped__()  # type: ignore[attr-defined]
        companies = next(made)
        said += life(companies(settings)) + mispriced(
            companies(settings, {"conditions": {**WHAT, "ZFRT": "header_none"}})
        )
        made.close()
    return said


def edit(company: conftest.World, order: Order) -> None:
    """A line comes and goes, a discount goes and comes, somebody else is to be billed."""
    company.do(lambda erp: erp.book(order, key="e"))
    first, second = order.lines[0], replace(order.lines[1], current_quantity=Decimal(0))
    extra = replace(first, id="1004-3", discounts=(), taxes=())
    plain = replace(order, lines=(replace(first, discounts=()), second, extra), billing=ORDER.billing)
    company.do(lambda erp: erp.amend(plain, key="e1"))
    gone = replace(extra, current_quantity=Decimal(0))
    company.do(lambda erp: erp.amend(replace(plain, lines=(first, second, gone)), key="e2"))


def mispriced(company: conftest.World) -> list[Exchange]:
    with pytest.raises(Rejected):
        company.do(lambda erp: erp.book(ORDER, key="b"))
    return company.bench.exchanges


def life(company: conftest.World) -> list[Exchange]:
    order = replace(ORDER, discounts=(), note="Please ring")
    company.do(lambda erp: erp.book(order, key="b"))
    company.do(lambda erp: erp.amend(replace(samples.amended(order), note="Ring twice", shipping_lines=()), key="a"))
    company.do(lambda erp: erp.amend(order, key="a2"))
    for parcel in samples.parcels(order):
        company.do(lambda erp, parcel=parcel: erp.record_shipment(order, parcel, key="s"))
    company.do(lambda erp: erp.record_refund(order, samples.refund(order), key="r"))
    back = replace(samples.goods_back(order, "sellable", "quarantined"), id="goods-alone")
    company.do(lambda erp: erp.record_return(order, back, key="g"))
    company.do(lambda erp: erp.record_disposition(order, replace(samples.looked_at(order), id="goods-alone"), key="d"))
    other = replace(ORDER, id="1002", number="#1002")
    company.do(lambda erp: erp.book(other, key="b2"))
    company.do(lambda erp: erp.amend(replace(other, note="New"), key="a3"))
    company.do(lambda erp: erp.cancel(other, key="c"))
    edit(company, replace(ORDER, id="1004", number="#1004", billing=None))
    list(company.connector.stock())
    list(company.connector.products())
    list(company.connector.prices(["WB-TEE"]))
    list(company.connector.booked(samples.NOW, samples.NOW.replace(year=2100)))
    with pytest.raises(Rejected):
        company.do(lambda erp: erp.cancel(order, key="c2"))
    company.bench.codes = replace(
        company.bench.codes, table={**company.bench.codes.table, "sku": {"WB-TEE": "NO", "WB-MUG": "NO"}}
    )
    with pytest.raises(Rejected):
        company.do(lambda erp: erp.book(replace(ORDER, id="1003", number="#1003"), key="b3"))
    return company.bench.exchanges


@here
def test_every_call_is_as_saps_exports_say(exchanges):
    seen = Counter(checked(one) for one in exchanges if split(one)[0] in EXPORTS and split(one)[1])
    wanted = {
        "POST /A_SalesOrder", "POST /A_OutbDeliveryHeader", "POST /PickAllItems", "POST /PostGoodsIssue", "GET /A_MaterialStock",
        "POST /A_ReturnsDeliveryHeader", "POST /PutawayAllItems", "POST /PostGoodsReceipt", "POST /A_MaterialDocumentHeader",
        "GET /A_MaterialDocumentHeader", "PATCH /A_SalesOrderItem(SalesOrder='{SalesOrder}',SalesOrderItem='{SalesOrderItem}')",
        "POST /A_SalesOrder('{SalesOrder}')/to_Item", "DELETE /A_SalesOrder('{SalesOrder}')",
        "POST /A_SalesOrderItem(SalesOrder='{SalesOrder}',SalesOrderItem='{SalesOrderItem}')/to_PricingElement",
    }  # fmt: skip
    assert wanted <= set(seen)
    over_v4 = {
        "GET /SalesOrder", "POST /SalesOrder", "GET /SalesOrder/{salesOrder}", "PATCH /SalesOrder/{salesOrder}",
        "POST /SalesOrder/{SalesOrder}/_Item", "POST /SalesOrder/{SalesOrder}/_PricingElement", "GET /SalesOrderItem",
        "POST /SalesOrder/{SalesOrder}/_Text", "PATCH /SalesOrderItem/{SalesOrder}/{salesOrderItem}",
        "PATCH /SalesOrderPartner/{SalesOrder}/{PartnerFunction}", "PATCH /SalesOrderText/{SalesOrder}/{Language}/{LongTextID}",
        "POST /SalesOrderItem/{SalesOrder}/{SalesOrderItem}/_ItemPricingElement", "POST /SalesOrder/{SalesOrder}/_Partner",
        "DELETE /SalesOrderItemPricingElement/{SalesOrder}/{SalesOrderItem}/{PricingProcedureStep}/{PricingProcedureCounter}",
        "PATCH /SalesOrderItemPricingElement/{SalesOrder}/{SalesOrderItem}/{PricingProcedureStep}/{PricingProcedureCounter}",
        "DELETE /SalesOrderPricingElement/{SalesOrder}/{PricingProcedureStep}/{PricingProcedureCounter}",
    }  # fmt: skip
    assert over_v4 <= set(seen)


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
    assert seen == 9  # two returns (with money, and goods alone) and a request, in three companies


def test_every_write_bears_its_token_and_every_change_the_state_it_is_of(exchanges):
    for one in exchanges:
        if one.method == "GET":
            continue
        assert one.request_headers["x-csrf-token"] == "***"
        assert one.request_headers["cookie"] == "***"
        if one.method in ("PATCH", "DELETE") or any(act in one.url for act in ("Post", "Pick", "Putaway")):
            assert one.request_headers["if-match"]
        if one.method == "PATCH" and "/odata4/" not in one.url:
            assert set(json.loads(one.request)) == {"d"}


NONE = "API_BUSINESS_PARTNER: public client code"
PUBLIC = "API_PRODUCT_SRV, API_SLSPRICINGCONDITIONRECORD_SRV: names of public copies of their metadata"
CATALOGUE = ("API_PRODUCT_SRV", "API_SLSPRICINGCONDITIONRECORD_SRV")


@pytest.mark.counting
@here
def test_operations_by_contract(exchanges, counted: Counted):
    """Told: how many operations are covered by which contract."""
    covered: dict[str, set[str]] = {}
    for one in exchanges:
        service, _ = split(one)
        against = EXPORTS.get(service) or DERIVED.get(service) or (PUBLIC if service in CATALOGUE else NONE)
        covered.setdefault(against, set()).add(one.operation)
    published = {name: len(covered[name]) for name in covered if name in EXPORTS.values()}
    derived = {
        f"{name}: derived, no export of SAP's": len(covered[name]) for name in covered if name in DERIVED.values()
    }
    beside = {told: len(covered.get(told, ())) for told in (NONE, PUBLIC)}
    counted("operations", published)
    counted("facts", {**derived, **beside})
    assert sum(len(one) for name, one in covered.items() if name in EXPORTS.values()) >= 19
