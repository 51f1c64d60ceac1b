"""Orders over OData V4: addresses are those of partners, and what cannot be deleted is rejected and called otherwise."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.kit.errors import Rejected, Transient
from connectors.kit.http import Answer
from connectors.sap_s4hana import errors
from connectors.sap_s4hana.mapping.asks import ORDER as ENTITY
from connectors.sap_s4hana.mapping.asks import Ask
from connectors.sap_s4hana.simulator import CUSTOMER, WHAT
from tests.contract import samples
from tests.contract.samples import ORDER

V4 = {"sales_order_api": "v4"}
BOOKED = replace(ORDER, note="Please ring")


def booked(company, order=BOOKED):
    return company.do(lambda erp: erp.book(order, key="b"))


def test_an_order_goes_out_as_numbers_and_days_to_partners_of_its_addresses(world):
    company = world(V4)
    number = booked(company)
    sent = next(one for one in company.bench.exchanges if one.operation == "sales_order.SalesOrder.create")
    body = json.loads(sent.request, parse_float=Decimal)
    tee = body["_Item"][0]
    assert (tee["Product"], tee["RequestedQuantity"], tee["Plant"]) == ("TG11", 2, "1710")
    assert tee["_ItemPricingElement"][0]["ConditionRateAmount"] == Decimal("39.8")
    assert body["CustomerPurchaseOrderDate"] == "2026-03-02"
    (order,) = company.state("salesOrders")
    assert (order["SalesOrder"], order["SoldToParty"]) == (number, CUSTOMER)
    partners = {one["Customer"]: one for one in company.state("partners")}
    ship_to = next(one for one in order["partners"] if one["PartnerFunction"] == "SH")
    assert partners[ship_to["Customer"]]["LastName"]
    assert company.effects()["sales_order_total"] == {"SHOP-1001": "57.36"}
    assert not any("API_SALES_ORDER_SRV" in one.url for one in company.bench.exchanges)


def test_two_orders_to_one_address_share_its_partner_and_a_worker_who_knows_nothing_finds_all(world):
    company = world(V4)
    booked(company)
    booked(company.elsewhere())
    booked(company.elsewhere(), replace(BOOKED, id="1002", number="#1002"))
    effects = company.effects()
    assert set(effects["customer"].values()) == {1}
    assert effects["sales_order"] == {"SHOP-1001": 1, "SHOP-1002": 1}


def test_what_is_shipped_where_it_is_billed_is_one_partner_looked_up_once(world):
    company = world(V4)
    booked(company, replace(BOOKED, billing=BOOKED.shipping))
    (order,) = company.state("salesOrders")
    assert len({one["Customer"] for one in order["partners"]}) == 1
    assert company.operations().count("business_partner.A_BusinessPartner.list") == 1


def test_another_address_is_another_partner_and_nothing_else_is_asked_twice(world):
    company = world(V4)
    booked(company)
    (before,) = company.state("salesOrders")
    company.do(lambda erp: erp.amend(samples.amended(BOOKED), key="a"))
    (order,) = company.state("salesOrders")
    moved = {one["PartnerFunction"]: one["Customer"] for one in order["partners"]}
    assert moved["SH"] != next(one["Customer"] for one in before["partners"] if one["PartnerFunction"] == "SH")
    assert order["items"][0]["RequestedQuantity"] == "1"
    assert order["texts"][0]["LongText"] == "Ring twice"
    writes = len(company.operations(write=True))
    company.do(lambda erp: erp.amend(samples.amended(BOOKED), key="a"))
    assert len(company.operations(write=True)) == writes


def test_what_sap_prices_otherwise_is_rejected_and_named_otherwise_and_booked_anew_when_that_is_mended(world):
    """Here the type for the freight does not count, until the account names another."""
    company = world(V4, {"conditions": {**WHAT, "ZFRT": "header_none"}})
    with pytest.raises(Rejected) as met:
        booked(company)
    assert met.value.code == "total_differs"
    (given_up,) = company.state("salesOrders")
    assert {one["SalesDocumentRjcnReason"] for one in given_up["items"]} == {"50"}
    assert given_up["PurchaseOrderByCustomer"] == f"SHOP-1001/X{given_up['SalesOrder']}"
    settings = company.bench.account.settings
    mended = {**settings, "conditions": {**settings["conditions"], "shipping": "ZFEE"}}
    company.bench.account = replace(company.bench.account, settings=mended)
    assert booked(company) != given_up["SalesOrder"]
    (listed,) = company.connector.booked(samples.NOW, samples.NOW.replace(year=2100))
    assert (listed.reference, str(listed.total.amount)) == ("SHOP-1001", "57.36")
    assert "sales_order.SalesOrder.delete" not in company.operations()


def test_a_cancelled_order_stays_with_a_reason(world):
    company = world(V4)
    number = booked(company)
    assert company.do(lambda erp: erp.cancel(BOOKED, key="c")) == number
    assert company.do(lambda erp: erp.cancel(BOOKED, key="c")) == number
    assert company.effects()["cancelled"] == {"SHOP-1001": 1}


def test_a_server_that_gives_less_than_is_asked_for_hides_nothing(world):
    company = world(V4, {"rows_at_most": 1})
    for n in range(3):
        booked(company, replace(BOOKED, id=str(2000 + n), number=f"#{2000 + n}"))
    listed = [one.reference for one in company.connector.booked(samples.NOW, samples.NOW.replace(year=2100))]
    assert listed == ["SHOP-2000", "SHOP-2001", "SHOP-2002"]
    company.do(lambda erp: erp.cancel(replace(BOOKED, id="2001", number="#2001"), key="c"))
    assert company.effects()["cancelled"] == {"SHOP-2001": 1}
    assert len(company.connector.orders.standing("2").items) == 2


def test_a_change_of_a_state_that_somebody_else_left_behind_is_tried_again(world):
    company = world(V4)
    number = booked(company)
    stale = company.connector.orders.get(number)["__metadata"]["etag"]
    ask = Ask("PATCH", ENTITY, {"SalesOrder": number}, {"ShippingCondition": "02"}, stale)
    company.connector.orders.ask(ask)
    with pytest.raises(Transient):
        company.connector.orders.ask(ask)


def test_of_a_v4_refusal_the_first_error_counts_and_not_the_warning_before_it():
    details = [
        {"code": "VP/112", "message": "Pricing is incomplete", "@SAP__common.numericSeverity": 3},
        {
            "code": "V1/382",
            "message": "Material X is not defined",
            "target": "_Item/Product",
            "@SAP__common.numericSeverity": 4,
        },
    ]
    body = json.dumps({"error": {"code": "VP/112", "message": "Pricing is incomplete", "details": details}})
    found = errors.sorted_trouble(Answer(400, {}, body.encode(), write=True), "sales order")
    assert isinstance(found, Rejected)
    assert (found.code, found.field) == ("V1/382", "_Item/Product")
