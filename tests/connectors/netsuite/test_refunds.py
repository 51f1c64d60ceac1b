"""Refunds become one credit memo and one customer refund for each tender, to the cent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.canonical.order import Tax, Totals
from connectors.canonical.payment import PaymentStatus, Tender
from connectors.kit.errors import Rejected
from connectors.netsuite.simulator import DEMO_SETTINGS
from tests.connectors.netsuite import orders
from tests.connectors.netsuite.conftest import CODES
from tests.connectors.netsuite.orders import ORDER, back, eur
from tests.contract import samples

PAID = orders.paid_by(ORDER, ("gift_card", Tender.GIFT_CARD, "20.00"), ("card", Tender.CARD, "37.36"))
TEE, MUG = ORDER.lines


@pytest.fixture
def booked(world):
    netsuite = world()
    netsuite.drive(netsuite.connector.book(PAID, key="k"))
    return netsuite


def give_back(netsuite, *refunds):
    for one in refunds:
        netsuite.drive(netsuite.connector.record_refund(PAID, one, key=one.id))
    return netsuite.effects()


def test_a_refund_through_two_tenders_is_one_credit_and_two_payments(booked):
    lines = (back(TEE, 2, "34.80", "6.61"), back(MUG, 1, "8.50", "1.62"))
    one = orders.refund("r1", ("gift_card", "20.00"), ("card", "37.36"), lines=lines, more=(orders.SHIPPING,))
    effects = give_back(booked, one, one)
    assert effects["credit_memo_total"] == {"shop-1001-r-r1": "57.36"}
    assert effects["refunded"] == {"shop-1001-r-r1/21": "37.36", "shop-1001-r-r1/22": "20.00"}
    assert set(effects["customer_refund"].values()) == {1}


def test_partial_refunds_sum_to_what_was_paid(booked):
    first = orders.refund("r1", ("card", "20.71"), lines=(back(TEE, 1, "17.40", "3.31"),))
    second = orders.refund("r2", ("card", "16.65"), ("gift_card", "4.05"), lines=(back(TEE, 1, "17.40", "3.30"),))
    third = orders.refund("r3", ("gift_card", "15.95"), lines=(back(MUG, 1, "8.50", "1.62"),), more=(orders.SHIPPING,))
    effects = give_back(booked, first, second, third)
    by_tender: dict[str, Decimal] = {}
    for key, amount in effects["refunded"].items():
        tender = key.rpartition("/")[2]
        by_tender[tender] = by_tender.get(tender, Decimal(0)) + Decimal(amount)
    assert by_tender == {"21": Decimal("37.36"), "22": Decimal("20.00")}


def test_a_refund_that_names_no_lines_is_an_adjustment(booked):
    effects = give_back(booked, orders.refund("r1", ("card", "5.00")))
    assert effects["credit_memo_total"] == {"shop-1001-r-r1": "5.00"}


def test_money_that_has_not_moved_yet_is_not_booked(booked):
    effects = give_back(booked, orders.pending(orders.refund("r1", ("card", "5.00"))))
    assert effects["credit_memo"] == {}
    assert effects["customer_refund"] == {}


def test_a_refund_that_is_only_promised_is_not_booked(booked):
    promised = replace(orders.refund("r1", ("card", "5.00")), status=PaymentStatus.PENDING)
    assert give_back(booked, promised)["credit_memo"] == {}


def test_lines_that_do_not_make_the_money_are_not_sent(booked):
    before = booked.operations().count("creditMemo.upsert")
    with pytest.raises(Rejected) as refused:
        give_back(booked, orders.refund("r1", ("card", "11.00"), lines=(back(MUG, 1, "8.50", "1.62"),)))
    assert (refused.value.code, refused.value.field) == ("total_differs", "total")
    assert "10.12" in refused.value.sentence
    assert booked.operations().count("creditMemo.upsert") == before


def test_a_refund_without_transactions_goes_to_the_only_tender(world):
    netsuite = world()
    netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    one = samples.refund(ORDER)
    bare = type(one)(one.id, one.total, one.lines, origin="shop")
    netsuite.drive(netsuite.connector.record_refund(ORDER, bare, key="r"))
    assert netsuite.effects()["refunded"] == {"shop-1001-r-1001-r/21": "10.12"}


def test_of_two_tenders_none_is_guessed(booked):
    one = samples.refund(ORDER)
    bare = type(one)(one.id, one.total, one.lines, origin="shop")
    with pytest.raises(Rejected) as refused:
        give_back(booked, bare)
    assert refused.value.code == "tender_unknown"


def test_what_does_not_come_back_is_credited_on_the_item_for_that(world):
    netsuite = world(settings={"items": {**DEMO_SETTINGS["items"], "credit": "9010"}})
    netsuite.drive(netsuite.connector.book(PAID, key="k"))
    give_back(netsuite, orders.refund("r1", ("card", "10.12"), lines=(back(MUG, 1, "8.50", "1.62"),)))
    (memo,) = netsuite.simulator.memory.table("creditMemo").values()
    assert memo["lines"][0]["item"]["id"] == "9010"


def test_more_than_six_tenders_are_a_persons_matter(booked):
    many = orders.refund("r1", *((f"tender-{n}", "1.00") for n in range(7)))
    with pytest.raises(Rejected) as refused:
        give_back(booked, many)
    assert refused.value.code == "too_many_tenders"


def test_of_a_line_with_several_taxes_each_gets_its_share_back(world):
    """State 1.00 and county 0.26 on two pieces: with one of them go 0.63 back, shared as charged."""
    codes = {**CODES, "tax_code": {"state": "905", "county": "906"}}
    netsuite = world(settings={"tax_code": ""}, codes=codes)
    state, county = (
        Tax("State", eur("1.00"), Decimal("0.0588"), code="state"),
        Tax("County", eur("0.26"), code="county"),
    )
    mugs = replace(MUG, quantity=Decimal(2), current_quantity=Decimal(2), taxes=(state, county))
    totals = Totals(eur("17.00"), eur("0"), eur("0"), eur("0"), eur("1.26"), eur("18.26"))
    bare = replace(ORDER, lines=(mugs,), shipping_lines=(), totals=totals)
    order = orders.paid_by(bare, ("card", Tender.CARD, "18.26"))
    netsuite.drive(netsuite.connector.book(order, key="k"))
    one = orders.refund("r1", ("card", "9.13"), lines=(back(mugs, 1, "8.50", "0.63"),))
    netsuite.drive(netsuite.connector.record_refund(order, one, key="r"))
    (memo,) = netsuite.simulator.memory.table("creditMemo").values()
    assert [(row["taxCode"]["id"], row["taxAmount"]) for row in memo["taxDetails"]] == [
        ("905", "0.50"),
        ("906", "0.13"),
    ]
    assert {row["taxBasis"] for row in memo["taxDetails"]} == {"8.50"}
