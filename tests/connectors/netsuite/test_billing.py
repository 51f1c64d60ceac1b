"""What left is billed once, the bills of an order sum to it, and its deposits pay them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.canonical.order import Charge, ChargeKind, Discount, Totals
from connectors.canonical.payment import Tender
from connectors.kit.errors import Rejected
from tests.connectors.netsuite import orders
from tests.connectors.netsuite.orders import ORDER, back, eur
from tests.contract import samples

PAID = orders.paid_by(ORDER, ("gift_card", Tender.GIFT_CARD, "20.00"), ("card", Tender.CARD, "37.36"))
TEE, MUG = ORDER.lines
BILLS = {"billing": "invoice", "deposits": "all"}


@pytest.fixture
def billing(world):
    def make(order=PAID, simulator=None, **settings):
        netsuite = world(settings={**BILLS, **settings}, simulator=simulator)
        netsuite.drive(netsuite.connector.book(order, key="k"))
        return netsuite

    return make


def ship(netsuite, order, *shipments):
    for one in shipments:
        netsuite.drive(netsuite.connector.record_shipment(order, one, key=one.id))
    return netsuite.effects()


def status(netsuite):
    (record,) = netsuite.simulator.memory.table("salesOrder").values()
    return record["status"]


def billed(effects):
    return sum((Decimal(total) for total in effects["invoice_total"].values()), Decimal(0))


def test_each_parcel_is_billed_once_and_the_deposits_pay_all(billing):
    netsuite = billing()
    first, second = samples.parcels(ORDER)
    effects = ship(netsuite, PAID, first, first, second, second)
    papers = {one["tranId"] for one in netsuite.simulator.memory.table("invoice").values()}
    assert {number for (kind, _), number in netsuite.known.ids.items() if kind == "invoice"} == papers
    assert len(papers) == 2, "a return is found by the number on the invoice"
    assert effects["invoice"] == {"shop-1001-i-warehouse-1001-f1": 1, "shop-1001-i-warehouse-1001-f2": 1}
    assert effects["invoice_total"] == {
        "shop-1001-i-warehouse-1001-f1": "26.53",  # 19.90 - 2.50 + 3.30 tax, and shipping 4.90 + 0.93
        "shop-1001-i-warehouse-1001-f2": "30.83",
    }
    assert set(effects["owed"].values()) == {"0.00"}
    assert set(effects["deposit_left"].values()) == {"0.00"}
    assert status(netsuite) == "G"


def test_where_netsuite_applies_deposits_by_itself_none_is_applied_twice(billing):
    netsuite = billing(simulator={"applies_deposits": True})
    effects = ship(netsuite, PAID, *samples.parcels(ORDER))
    assert set(effects["owed"].values()) == {"0.00"}
    assert "customerDeposit.depositApplication" not in netsuite.operations()


def test_by_default_billing_is_netsuites_own(world):
    netsuite = world()
    netsuite.drive(netsuite.connector.book(PAID, key="k"))
    assert ship(netsuite, PAID, *samples.parcels(ORDER))["invoice"] == {}


def awkward():
    """Three pieces at 9.99 less 1.00, two at 0.35, a fee, an order discount of 3.33: nothing divides evenly."""
    lines = (
        replace(TEE, quantity=Decimal(3), current_quantity=Decimal(3), unit_price=eur("9.99"),
                discounts=(Discount(eur("1.00")),), taxes=(replace(TEE.taxes[0], amount=eur("5.50")),)),
        replace(MUG, quantity=Decimal(2), current_quantity=Decimal(2), unit_price=eur("0.35"),
                taxes=(replace(MUG.taxes[0], amount=eur("0.13")),)),
    )  # fmt: skip
    fee = Charge(ChargeKind.FEE, "Wrapping", eur("2.00"), (replace(TEE.taxes[0], amount=eur("0.38")),))
    totals = Totals(eur("30.67"), eur("4.33"), eur("4.90"), eur("2.00"), eur("6.94"), eur("40.18"))
    bare = replace(ORDER, lines=lines, charges=(fee,), discounts=(Discount(eur("3.33"), code="X"),), totals=totals)
    return orders.paid_by(bare, ("card", Tender.CARD, "40.18"))


@pytest.mark.parametrize("tax", ["details", "item"])
def test_bills_of_one_piece_each_sum_to_the_order(billing, tax):
    order = awkward()
    netsuite = billing(order, tax=tax)
    parcels = [orders.shipment(f"t{n}", ("1001-1", 1)) for n in range(3)]
    parcels += [orders.shipment(f"m{n}", ("1001-2", 1)) for n in range(2)]
    effects = ship(netsuite, order, *parcels)
    assert len(effects["invoice_total"]) == 5
    assert billed(effects) == Decimal("40.18")
    assert set(effects["owed"].values()) == {"0.00"}
    assert status(netsuite) == "G"


@pytest.mark.parametrize("lost", [False, True])
def test_a_bill_that_netsuite_sums_otherwise_is_a_persons_matter(billing, lost):
    netsuite = billing(simulator={"bill_drift": "0.02"})
    if lost:
        netsuite.bad_day("commit_then_drop", operations=["salesOrder.invoice"], times=1)
    with pytest.raises(Rejected) as refused:
        ship(netsuite, PAID, samples.parcels(ORDER)[0])
    assert (refused.value.code, refused.value.field) == ("total_differs", "total")
    assert "-0.02" in refused.value.sentence
    assert len(netsuite.effects()["invoice"]) == 1


def test_money_for_what_never_left_goes_out_of_the_deposits(billing):
    netsuite = billing()
    first, _ = samples.parcels(ORDER)
    ship(netsuite, PAID, first)
    rest = orders.refund("r1", ("card", "30.83"), lines=(back(TEE, 1, "17.40", "3.31"), back(MUG, 1, "8.50", "1.62")))
    for _ in range(2):
        netsuite.drive(netsuite.connector.record_refund(PAID, rest, key="r"))
    effects = netsuite.effects()
    assert effects["credit_memo"] == {}
    assert effects["refunded"] == {"shop-1001-r-r1/21": "30.83"}
    assert set(effects["deposit_left"].values()) == {"0.00"}
    assert set(effects["owed"].values()) == {"0.00"}


def test_an_order_that_never_left_is_refunded_through_each_tender(billing):
    netsuite = billing()
    lines = (back(TEE, 2, "34.80", "6.61"), back(MUG, 1, "8.50", "1.62"))
    whole = orders.refund("r1", ("gift_card", "20.00"), ("card", "37.36"), lines=lines, more=(orders.SHIPPING,))
    netsuite.drive(netsuite.connector.record_refund(PAID, whole, key="r"))
    effects = netsuite.effects()
    assert effects["credit_memo"] == {}
    assert effects["refunded"] == {"shop-1001-r-r1/21": "37.36", "shop-1001-r-r1/22": "20.00"}


def test_a_refund_that_broke_between_its_tenders_stays_on_its_way(billing):
    """The first tender's money is gone from its deposit by then: what is left must not look like a credit."""
    netsuite = billing()
    whole = orders.refund("r1", ("card", "37.36"), ("gift_card", "20.00"))
    writes = netsuite.connector.record_refund(PAID, whole, key="r")
    next(writes).send()
    netsuite.drive(netsuite.connector.record_refund(PAID, whole, key="r"))
    effects = netsuite.effects()
    assert effects["credit_memo"] == {}
    assert set(effects["customer_refund"].values()) == {1}
    assert set(effects["deposit_left"].values()) == {"0.00"}


def test_what_was_billed_is_credited(billing):
    netsuite = billing()
    ship(netsuite, PAID, *samples.parcels(ORDER))
    one = orders.refund("r1", ("card", "10.12"), lines=(back(MUG, 1, "8.50", "1.62"),))
    netsuite.drive(netsuite.connector.record_refund(PAID, one, key="r"))
    assert netsuite.effects()["credit_memo_total"] == {"shop-1001-r-r1": "10.12"}


def test_what_one_tender_paid_whole_is_sold_for_cash(billing):
    order = orders.paid_by(ORDER, ("card", Tender.CARD, "57.36"))
    netsuite = billing(order, billing="cash_sale")
    effects = ship(netsuite, order, *samples.parcels(ORDER), *samples.parcels(ORDER))
    assert effects["deposit"] == effects["invoice"] == {}
    assert set(effects["cash_sale"].values()) == {1}
    assert sum(Decimal(total) for total in effects["cash_sale_total"].values()) == Decimal("57.36")
    assert {one["paymentOption"]["id"] for one in netsuite.simulator.memory.table("cashSale").values()} == {"21"}


def test_what_two_tenders_paid_is_invoiced_also_where_others_are_sold_for_cash(billing):
    netsuite = billing(billing="cash_sale")
    effects = ship(netsuite, PAID, *samples.parcels(ORDER))
    assert effects["cash_sale"] == {}
    assert billed(effects) == Decimal("57.36")
    assert set(effects["owed"].values()) == {"0.00"}


@pytest.mark.parametrize("line_field", ["", "custcol_line"])
def test_a_discount_stays_with_its_line_when_another_is_given_up_on_the_way(billing, line_field):
    """Three discounted articles; one left, one is given up: what is left of the order is billed to the cent."""
    cap = replace(MUG, id="1001-3", sku="WB-CAP", discounts=(Discount(eur("1.00"), code="C"),))
    mug = replace(MUG, discounts=(Discount(eur("2.00"), code="M"),))
    lines = (TEE, replace(mug, taxes=(replace(MUG.taxes[0], amount=eur("1.24")),)),
             replace(cap, taxes=(replace(MUG.taxes[0], amount=eur("1.43")),)))  # fmt: skip
    totals = Totals(eur("56.80"), eur("8.00"), eur("4.90"), eur("0.00"), eur("10.21"), eur("63.91"))
    order = orders.paid_by(replace(ORDER, lines=lines, totals=totals), ("card", Tender.CARD, "63.91"))
    netsuite = billing(order, line_field=line_field)
    ship(netsuite, order, orders.shipment("f1", ("1001-1", 2)))
    kept = replace(totals, total=eur("56.17"))
    without = replace(order, lines=(lines[0], replace(lines[1], current_quantity=Decimal(0)), lines[2]), current=kept)
    netsuite.drive(netsuite.connector.amend(without, key="a"))
    effects = ship(netsuite, without, orders.shipment("f2", ("1001-3", 1)))
    assert effects["sales_order_total"] == {"shop-1001": "56.17"}
    assert list(effects["invoice_total"].values()) == ["47.24", "8.93"]
    assert status(netsuite) == "G"


LATE = samples.received(ORDER)  # 3.20 through the card, after the order was booked


def test_a_payment_that_comes_later_is_a_deposit_and_one_that_was_booked_is_found(billing):
    netsuite = billing()
    for one in (LATE, LATE, PAID.payments[1]):
        netsuite.drive(netsuite.connector.record_payment(PAID, one, key=one.id))
    deposits = netsuite.effects()["deposit"]
    assert deposits == {"shop-1001-d-1001-p0": "20.00", "shop-1001-d-1001-p1": "37.36", "shop-1001-d-1001-late": "3.20"}


def test_a_payment_after_the_bill_pays_what_is_open_of_it(billing):
    paid = orders.paid_by(ORDER, ("card", Tender.CARD, "54.16"))
    netsuite = billing(paid)
    first, second = samples.parcels(ORDER)
    assert set(ship(netsuite, paid, first, second)["owed"].values()) == {"0.00", "3.20"}
    shipped = replace(paid, shipments=(first, second))
    for _ in range(2):
        netsuite.drive(netsuite.connector.record_payment(shipped, LATE, key="p"))
    effects = netsuite.effects()
    assert set(effects["owed"].values()) == {"0.00"}
    assert effects["deposit_left"]["shop-1001-d-1001-late"] == "0.00"


def test_of_a_tender_that_the_account_keeps_no_books_of_nothing_is_written(billing):
    netsuite = billing(deposits="gift_cards")
    assert netsuite.drive(netsuite.connector.record_payment(PAID, LATE, key="p")) == ""
    assert list(netsuite.effects()["deposit"]) == ["shop-1001-d-1001-p0"]


def test_an_order_without_shipping_is_billed_without_it(billing):
    totals = replace(ORDER.totals, shipping=eur("0"), tax=eur("8.23"), total=eur("51.53"))
    bare = replace(ORDER, shipping_lines=(), totals=totals)
    order = orders.paid_by(bare, ("card", Tender.CARD, "51.53"))
    effects = ship(billing(order), order, *samples.parcels(order))
    assert billed(effects) == Decimal("51.53")
