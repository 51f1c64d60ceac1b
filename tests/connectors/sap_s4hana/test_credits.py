"""What goes back in SAP: goods by a return, money by a request for each tender; and how refusals and stock are read."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.canonical.payment import Tender
from connectors.canonical.returns import RefundLine
from connectors.kit import names
from connectors.kit.errors import NotOffered, Rejected, Transient
from connectors.kit.http import Answer
from connectors.sap_s4hana import errors
from connectors.sap_s4hana.simulator import GONE, HELD, MAIN, SHOP, TILL
from tests.connectors.netsuite.orders import paid_by, pending, refund, shipment
from tests.contract import samples
from tests.contract.samples import ORDER, eur

BOOKED = replace(ORDER, note="Please ring")


def booked(company, order=BOOKED):
    return company.do(lambda erp: erp.book(order, key="b"))


def test_goods_come_back_by_a_return_and_money_by_a_request_for_each_tender(world):
    company = world()
    order = paid_by(BOOKED, ("gift_card", Tender.GIFT_CARD, "20.00"), ("card", Tender.CARD, "37.36"))
    booked(company, order)
    company.do(lambda erp: erp.record_shipment(order, shipment("f1", ("1001-2", 1)), key="s"))
    line = replace(samples.refund(order).lines[0], restock=True)
    told = refund("r1", ("gift_card", "4.12"), ("card", "6.00"), lines=(line,))
    company.do(lambda erp: erp.record_refund(order, told, key="r"))
    effects = company.effects()
    assert effects["return"] == {names.of_refund(order, told): 1}
    assert effects["returned"] == {names.of_refund(order, told): {"TG12": "1"}}
    assert effects["refunded"] == {
        names.of_tender(order, told, "card"): "6.00",
        names.of_tender(order, told, "gift_card"): "4.12",
    }
    assert sum(Decimal(one["tax"]) for one in company.state("credits")) == Decimal("1.62")


def test_pieces_that_never_left_do_not_come_back(world):
    """Two tees, of which one has left: of the three that two refunds put back on the shelf one comes back, once; money goes back for all."""
    company = world()
    booked(company)
    company.do(lambda erp: erp.record_shipment(BOOKED, shipment("f1", ("1001-1", 1)), key="s"))
    before = stocked(company)
    told = samples.refund(BOOKED)
    tee = RefundLine("1001-1", Decimal(1), eur("8.50"), eur("1.62"), restock=True, sku="WB-TEE")
    first, second = (replace(told, id=name, lines=(tee,)) for name in ("r1", "r2"))
    order = replace(BOOKED, refunds=(first, second))
    for one in (second, first):
        company.do(lambda erp, one=one: erp.record_refund(order, one, key=one.id))
    assert list(company.effects()["returned"].values()) == [{"TG11": "1"}]
    assert stocked(company) == {**before, f"TG11 {MAIN}": "7"}
    assert len(company.state("credits")) == 2


def test_money_that_has_not_moved_yet_is_not_booked(world):
    company = world()
    booked(company)
    assert company.do(lambda erp: erp.record_refund(BOOKED, pending(samples.refund(BOOKED)), key="r")) == ""
    assert company.state("credits") == []


def test_a_refund_whose_parts_do_not_make_it_is_refused(world):
    company = world()
    booked(company)
    told = samples.refund(BOOKED)
    off = replace(told, lines=(replace(told.lines[0], subtotal=eur("8.00")),))
    with pytest.raises(Rejected) as met:
        company.do(lambda erp: erp.record_refund(BOOKED, off, key="r"))
    assert met.value.code == "total_differs"
    assert company.state("credits") == company.state("returns") == []


def test_blocked_stock_is_on_hand_and_not_for_sale_and_a_customers_own_is_none(world):
    company = world()
    company.system.post("/_sim/stock", {"material": "TG11", "place": "1710/171A", "more": "3", "kind": "07"})
    (level,) = company.connector.stock(["WB-TEE"])
    assert (level.on_hand, level.unsellable, level.location) == (Decimal(10), Decimal(3), "main")


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, '{"error":{"code":"V1/042","message":{"lang":"en","value":"Sales document 42 is currently being processed by user JSMITH"}}}',
         Transient, "Somebody works on this sales order"),
        (412, "{}", Transient, "Somebody else has just changed"),
        (400, ('{"error":{"code":"SY/530","message":{"lang":"en","value":"An exception was raised"},"innererror":{"errordetails":'
         '[{"code":"V1/382","message":"Material X is not defined for sales org.1710","propertyref":"Material","severity":"error"}]}}}'),
         Rejected, "SAP refuses this sales order: Material X is not defined for sales org.1710"),
        (400, '{"error":{"code":"V1/999","message":"Refused for a@example.com by user JSMITH"}}', Rejected, "(e-mail)"),
        (403, '{"error":{"code":"/IWFND/CM_MGW/403","message":{"lang":"en","value":"No authorization"}}}', Rejected, "No authorization"),
        (404, "<html>", Rejected, "404"),
    ],
)  # fmt: skip
def test_what_sap_says_is_sorted_by_what_is_to_be_done(status, body, kind, said):
    found = errors.sorted_trouble(Answer(status, {}, body.encode(), write=True), "sales order")
    assert type(found) is kind
    assert said in str(found)
    assert "JSMITH" not in str(found)
    assert "@" not in str(found)


def test_money_of_an_order_that_was_never_booked_goes_to_whom_it_would_have_been(world):
    company = world(settings={"customer_match": "email"})
    with pytest.raises(Rejected) as met:
        company.do(lambda erp: erp.record_refund(BOOKED, samples.refund(BOOKED), key="r"))
    assert met.value.code == "not_booked"
    booked(company, replace(BOOKED, id="1002", number="#1002"))
    company.do(lambda erp: erp.record_refund(BOOKED, samples.refund(BOOKED), key="r"))
    (request,) = company.state("credits")
    assert request["SoldToParty"] == company.state("salesOrders")[0]["SoldToParty"]


def test_goods_without_money_are_a_return_at_the_plant_of_their_condition_and_no_request(world):
    company = world()
    booked(company)
    back = samples.goods_back(ORDER, "sellable", "quarantined")
    for erp in (company, company.elsewhere()):
        erp.do(lambda erp: erp.record_return(BOOKED, back, key="g"))
    ((name, pieces),) = company.effects()["returned_at"].items()
    assert name.startswith("SHOP-1001/G")
    assert pieces == {"TG11 1710": "1", "TG12 1790": "1"}
    assert company.effects()["return"] == {name: 1}
    assert not company.state("credits")
    unheld = world(settings={"quarantine": ""})
    booked(unheld)
    with pytest.raises(Rejected) as refused:
        unheld.do(lambda erp: erp.record_return(BOOKED, back, key="g"))
    assert (refused.value.code, refused.value.field) == ("not_configured", "settings.quarantine")
    assert not unheld.state("returns")


def stocked(company):
    """Material and place -> pieces in unrestricted use, where the company holds any."""
    return {
        f"{one['Material']} {one['place']}": one["quantity"] for one in company.state("stock") if one["quantity"] != "0"
    }


def test_what_came_back_is_in_stock_where_it_was_put_and_moved_from_there_once_it_was_looked_at(world):
    """One tee for sale, one mug in quarantine; the mug may be sold after all. A worker who knows nothing does none of it again."""
    company = world()
    booked(company)
    back, looked = samples.goods_back(ORDER, "sellable", "quarantined"), samples.looked_at(ORDER)
    before = stocked(company)
    for erp in (company, company.elsewhere()):
        erp.do(lambda erp: erp.record_return(BOOKED, back, key="g"))
    ((name, count),) = company.effects()["goods_receipt"].items()
    assert (name, count) == (names.of_return(BOOKED, back), 1)
    came = {**before, f"TG11 {MAIN}": "8", f"TG12 {HELD}": "1"}
    assert stocked(company) == came
    for erp in (company, company.elsewhere()):
        erp.do(lambda erp: erp.record_disposition(BOOKED, looked, key="d"))
    assert company.effects()["moved"] == {f"301 1 TG12 {HELD} -> {MAIN}": 1}
    assert stocked(company) == {**before, f"TG11 {MAIN}": "8", f"TG12 {MAIN}": "9"}


@pytest.mark.parametrize(
    ("settings", "moved"),
    [
        ({}, f"301 1 TG12 {HELD} -> {GONE}"),
        ({"scrap": "1790/SCRP"}, f"311 1 TG12 {HELD} -> 1790/SCRP"),
        ({"scrap": "", "scrap_cost_center": "4110"}, f"551 1 TG12 {HELD} ->"),
    ],
)
def test_what_is_thrown_away_goes_to_its_place_or_out_of_stock(world, settings, moved):
    company = world(settings=settings, simulator={"places": (MAIN, SHOP, TILL, HELD, "1790/SCRP", GONE)})
    booked(company)
    back, looked = samples.goods_back(ORDER, "sellable", "quarantined"), samples.looked_at(ORDER)
    company.do(lambda erp: erp.record_return(BOOKED, back, key="g"))
    gone = replace(looked, lines=tuple(replace(line, condition="scrapped") for line in looked.lines))
    company.do(lambda erp: erp.record_disposition(BOOKED, gone, key="d"))
    assert company.effects()["moved"] == {moved: 1}
    (document,) = company.state("moves")
    assert document["items"][0].get("CostCenter", "") == settings.get("scrap_cost_center", "")
    assert f"TG12 {HELD}" not in stocked(company)


def test_pieces_that_are_not_there_are_not_moved(world):
    """Somebody took them in SAP meanwhile: SAP refuses, and a person of the warehouse is told in its words."""
    company = world()
    booked(company)
    back, looked = samples.goods_back(ORDER, "sellable", "quarantined"), samples.looked_at(ORDER)
    company.do(lambda erp: erp.record_return(BOOKED, back, key="g"))
    company.system.post("/_sim/stock", {"material": "TG12", "place": HELD, "more": "-1"})
    with pytest.raises(Rejected) as met:
        company.do(lambda erp: erp.record_disposition(BOOKED, looked, key="d"))
    assert (met.value.code, met.value.owner) == ("M7/021", "logistics")
    assert not company.state("moves")


def test_where_the_warehouse_receives_in_sap_the_hub_makes_the_return_alone(world):
    company = world(settings={"goods_receipt": "sap"})
    booked(company)
    back = samples.goods_back(ORDER, "sellable", "quarantined")
    company.do(lambda erp: erp.record_return(BOOKED, back, key="g"))
    assert company.effects()["return"]
    assert not company.state("arrivals")
    with pytest.raises(NotOffered):
        company.do(lambda erp: erp.record_disposition(BOOKED, samples.looked_at(ORDER), key="d"))
