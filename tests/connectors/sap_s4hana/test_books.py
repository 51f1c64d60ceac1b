"""An order's life in SAP: booked once, changed, rejected, delivered piece by piece, returned and credited."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from connectors.canonical.stock import Lot
from connectors.kit.errors import Missing, Rejected
from connectors.kit.writes import Doubled
from connectors.sap_s4hana.odata import instant
from tests.connectors.netsuite.orders import shipment
from tests.contract import samples
from tests.contract.samples import ORDER

BOOKED = replace(ORDER, note="Please ring")


def booked(company, order=BOOKED):
    return company.do(lambda erp: erp.book(order, key="b"))


def test_an_order_is_one_document_with_lines_money_addresses_and_note(world):
    company = world()
    number = booked(company)
    (order,) = company.state("salesOrders")
    assert (order["SalesOrder"], order["PurchaseOrderByCustomer"]) == (number, "SHOP-1001")
    tee, mug = order["items"]
    assert (tee["Material"], tee["RequestedQuantity"], tee["ProductionPlant"], tee["StorageLocation"]) == (
        "TG11", "2", "1710", "171A",
    )  # fmt: skip
    prices = {one["ConditionType"]: one["ConditionRateValue"] for one in tee["prices"]}
    assert prices == {"PMP0": "39.8", "ZDSC": "-5", "ZTAX": "6.61"}
    assert mug["PurchaseOrderByCustomer"] == "1001-2"
    ship_to = next(one for one in order["partners"] if one["PartnerFunction"] == "SH")
    assert (ship_to["address"]["CityName"], ship_to["address"]["Country"]) == ("Köln", "DE")
    assert order["texts"][0]["LongText"] == "Please ring"
    assert company.effects()["sales_order_total"] == {"SHOP-1001": "57.36"}


@pytest.mark.parametrize("api", ["v2", "v4"])
def test_the_order_bears_the_day_whose_exchange_rate_counts(world, api):
    """The day it was placed, in the company's time zone, whenever it is booked; a change keeps it."""
    company = world(settings={"sales_order_api": api, "time_zone": "Pacific/Auckland"})
    late = replace(BOOKED, placed_at=BOOKED.placed_at.replace(hour=23))
    booked(company, late)
    later = replace(samples.amended(late), placed_at=late.placed_at + timedelta(days=300))
    company.do(lambda erp: erp.amend(later, key="a"))
    (order,) = company.state("salesOrders")
    assert instant(order["PricingDate"]).date() == late.placed_at.date() + timedelta(days=1)


def test_a_partner_is_made_once_for_an_address_and_found_by_its_mark_alone(world):
    company = world(settings={"customer_match": "email"})
    booked(company)
    booked(company.elsewhere(), replace(ORDER, id="1002", number="#1002"))
    assert list(company.effects()["customer"].values()) == [1]
    assert len({one["SoldToParty"] for one in company.state("salesOrders")}) == 1
    assert not any("@" in one.url or "%40" in one.url for one in company.bench.exchanges)


def test_two_records_of_one_order_are_told_of(world):
    """SAP refuses no second purchase order number: what a person typed in is found beside ours."""
    company = world()
    booked(company)
    document = company.state("salesOrders")[0]
    company.bench.exchanges.clear()
    elsewhere = company.elsewhere()
    body = next(one for one in [next(elsewhere.connector.book(BOOKED, key="x"))] if one.name == "sales_order")
    from connectors.sap_s4hana.door import ORDERS
    from connectors.sap_s4hana.mapping import sales_order

    twice = sales_order.placed(BOOKED, elsewhere.connector.policy).body(
        document["SoldToParty"], elsewhere.connector.policy
    )
    elsewhere.connector.client.create(ORDERS, "A_SalesOrder", twice)
    found = body.find()
    assert isinstance(found, Doubled)
    assert company.effects()["sales_order"] == {"SHOP-1001": 2}


def test_what_is_not_mapped_parks_before_anything_is_sent(world):
    company = world(codes={"sku": {"WB-TEE": "TG11"}})
    with pytest.raises(Missing) as met:
        booked(company)
    assert (met.value.kind, met.value.value) == ("sku", "WB-MUG")
    assert company.operations() == []


def test_a_change_moves_quantity_money_address_and_note_and_nothing_else(world):
    company = world()
    booked(company)
    changed = samples.amended(BOOKED)
    company.do(lambda erp: erp.amend(changed, key="a"))
    (order,) = company.state("salesOrders")
    tee = order["items"][0]
    assert tee["RequestedQuantity"] == "1"
    assert {one["ConditionType"]: one["ConditionRateValue"] for one in tee["prices"]}["PMP0"] == "19.9"
    assert (
        next(one for one in order["partners"] if one["PartnerFunction"] == "SH")["address"]["StreetName"]
        == "Neue Gasse 7"
    )
    assert order["texts"][0]["LongText"] == "Ring twice"
    before = len(company.operations(write=True))
    company.do(lambda erp: erp.amend(changed, key="a"))
    assert len(company.operations(write=True)) == before  # it stands so: nothing is asked


def test_a_removed_line_is_rejected_and_a_new_one_added(world):
    company = world()
    booked(company)
    first, second = ORDER.lines
    extra = replace(first, id="1001-3", quantity=Decimal(1), current_quantity=Decimal(1), discounts=(), taxes=())
    changed = replace(BOOKED, lines=(first, replace(second, current_quantity=Decimal(0)), extra))
    company.do(lambda erp: erp.amend(changed, key="a"))
    (order,) = company.state("salesOrders")
    assert [one["SalesDocumentRjcnReason"] for one in order["items"]] == ["", "50", ""]
    assert order["items"][2]["PurchaseOrderByCustomer"] == "1001-3"


def test_a_cancelled_order_stays_with_a_reason_and_is_known_by_it(world):
    company = world()
    number = booked(company)
    assert company.do(lambda erp: erp.cancel(BOOKED, key="c")) == number
    assert company.effects()["cancelled"] == {"SHOP-1001": 1}
    assert company.do(lambda erp: erp.cancel(BOOKED, key="c")) == number


def test_what_is_delivered_is_neither_cancelled_nor_changed(world):
    company = world()
    booked(company)
    company.do(lambda erp: erp.record_shipment(BOOKED, shipment("f1", ("1001-1", 2), ("1001-2", 1)), key="s"))
    for act in (lambda erp: erp.cancel(BOOKED, key="c"), lambda erp: erp.amend(samples.amended(BOOKED), key="a")):
        with pytest.raises(Rejected) as met:
            company.do(act)
        assert met.value.code == "shipped"


def test_of_a_half_delivered_order_the_rest_is_rejected(world):
    company = world()
    booked(company)
    company.do(lambda erp: erp.record_shipment(BOOKED, shipment("f1", ("1001-1", 2)), key="s"))
    company.do(lambda erp: erp.cancel(BOOKED, key="c"))
    (order,) = company.state("salesOrders")
    assert [one["SalesDocumentRjcnReason"] for one in order["items"]] == ["", "50"]


def test_parcels_are_deliveries_with_their_tracking_and_take_the_stock(world):
    company = world()
    booked(company)
    for parcel in samples.parcels(BOOKED):
        company.do(lambda erp, parcel=parcel: erp.record_shipment(BOOKED, parcel, key="s"))
    first, second = company.state("deliveries")
    assert first["BillOfLading"] == "JD000001"
    assert [one["ActualDeliveryQuantity"] for one in first["items"]] == ["1"]
    assert [one["ActualDeliveryQuantity"] for one in second["items"]] == ["1", "1"]
    assert set(company.effects()["goods_issue"].values()) == {1}
    left = {one.sku: one.on_hand for one in company.connector.stock()}
    assert left == {"WB-TEE": Decimal(5), "WB-MUG": Decimal(7)}


def test_half_a_line_told_again_by_a_worker_who_knows_nothing_leaves_once(world):
    """SAP would take a second half: only our name of the shipment tells that it is the same."""
    company = world()
    booked(company)
    for who in (company, company.elsewhere()):
        who.do(lambda erp: erp.record_shipment(BOOKED, shipment("f1", ("1001-1", 1)), key="s"))
    assert set(company.effects()["fulfilment"].values()) == {1}
    assert {one.sku: one.on_hand for one in company.connector.stock()}["WB-TEE"] == Decimal(6)
    assert company.operations().count("outbound_delivery.PostGoodsIssue.call") == 1


def test_an_item_that_leaves_another_plant_is_moved_there_first(world):
    company = world(
        codes={"location": {"main": "1710/171A", "shop": "1720/172A"}},
        simulator={"items": {"TG11": {"1720/172A": 3}, "TG12": 1}},
    )
    booked(company)
    left = replace(shipment("f1", ("1001-1", 2)), location="shop")
    company.do(lambda erp: erp.record_shipment(BOOKED, left, key="s"))
    (delivery,) = company.state("deliveries")
    assert [(one["Plant"], one["StorageLocation"]) for one in delivery["items"]] == [("1720", "172A")]
    levels = {(one.sku, one.location): one.on_hand for one in company.connector.stock(["WB-TEE"])}
    assert levels == {("WB-TEE", "shop"): Decimal(1)}


def test_stock_is_told_with_its_batches(world):
    company = world(simulator={"items": {"TG11": 2, "TG12": 1}})
    for batch, more in (("B-1", 1), ("B-2", 4)):
        told = {"material": "TG11", "place": "1710/171A", "more": more, "batch": batch}
        company.system.post("/_sim/stock", told)
    booked(company)
    company.do(lambda erp: erp.record_shipment(BOOKED, shipment("f1", ("1001-1", 2)), key="s"))
    levels = {one.sku: (one.on_hand, one.lots) for one in company.connector.stock()}
    assert levels["WB-TEE"] == (Decimal(5), (Lot("B-2", Decimal(3)),)), "two of seven left, from the batches first"
    assert levels["WB-MUG"][1] == ()


def test_a_parcel_known_by_sku_is_laid_on_the_items_of_it(world):
    company = world()
    booked(company)
    company.do(lambda erp: erp.record_shipment(BOOKED, shipment("f1", ("WB-TEE", 2), by_sku=True), key="s"))
    (delivery,) = company.state("deliveries")
    assert [one["ReferenceSDDocumentItem"] for one in delivery["items"]] == ["10"]
    with pytest.raises(Rejected) as met:
        company.do(lambda erp: erp.record_shipment(BOOKED, shipment("f2", ("NOT-OURS", 1), by_sku=True), key="s"))
    assert (met.value.code, met.value.field) == ("line_unknown", "lines[0].sku")


def test_more_than_is_open_is_refused_by_sap_in_plain_words(world):
    company = world()
    booked(company)
    with pytest.raises(Rejected) as met:
        company.do(lambda erp: erp.record_shipment(BOOKED, shipment("f1", ("1001-2", 9)), key="s"))
    assert met.value.sentence.startswith("SAP refuses this delivery: Only 1 of item 20")
    assert met.value.owner == "logistics"


def test_who_has_no_address_is_a_partner_in_the_accounts_country(world):
    company = world(settings={"customer_match": "email"})
    booked(company, replace(BOOKED, billing=None, shipping=None))
    (partner,) = company.state("partners")
    assert company.state("salesOrders")[0]["SoldToParty"] == partner["Customer"]
    nowhere = world(settings={"customer_match": "email", "country": ""})
    with pytest.raises(Rejected) as met:
        booked(nowhere, replace(BOOKED, billing=None, shipping=None))
    assert (met.value.code, met.value.field) == ("not_configured", "settings.country")
    assert nowhere.operations() == []


def test_what_a_shop_hands_over_leaves_its_own_storage_location_and_not_the_warehouses(world):
    company = world(codes={"location": {"main": "1710/171A", "till": "1710/171S"}})
    order = replace(BOOKED, lines=tuple(replace(one, location="till") for one in BOOKED.lines))
    booked(company, order)
    company.do(lambda erp: erp.record_shipment(order, replace(shipment("f1", ("1001-1", 2)), location="till"), key="s"))
    levels = {one.location: one.on_hand for one in company.connector.stock(["WB-TEE"])}
    assert levels == {"main": Decimal(7), "till": Decimal(-2)}
