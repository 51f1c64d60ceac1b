"""An order in Business Central from its booking to its credit: each effect once, counted at the company itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.business_central.mapping import changes, sales_order
from connectors.business_central.simulator import GONE, HELD
from connectors.canonical.order import Charge, ChargeKind, Discount, Totals
from connectors.canonical.payment import PaymentStatus, Tender
from connectors.kit.errors import Missing, Rejected, Transient
from tests.connectors.netsuite.orders import guest, paid_by, refund, shipment
from tests.contract import samples
from tests.contract.samples import NOW, ORDER, eur

NAME = "SHOP-1001"


def ship_all(company):
    booked(company)
    company.do(lambda erp: erp.record_shipment(ORDER, shipment("f1", ("1001-1", 2), ("1001-2", 1)), key="s"))


def booked(company, order=ORDER):
    return company.do(lambda erp: erp.book(order, key="b"))


def test_an_order_is_booked_with_lines_discounts_shipping_and_taxes_of_its_total(world):
    company = world()
    assert booked(company) == "S-ORD101001"
    (order,) = company.state("salesOrders")
    lines = {line["description2"]: line for line in order["lines"]}
    assert lines["1001-1"]["lineObjectNumber"] == "WB-TEE"
    assert (lines["1001-1"]["quantity"], lines["1001-1"]["unitPrice"], lines["1001-1"]["discountAmount"]) == (
        "2",
        "19.9",
        "5",
    )
    assert lines["1001-1/t0"]["lineObjectNumber"] == "22700"  # the tax is the channel's, on its own account
    assert {line["taxCode"] for line in lines.values()} == {"NOTAX"}
    assert lines["ship/0"]["lineObjectNumber"] == "40410"
    assert (order["totalAmountIncludingTax"], order["currencyCode"]) == ("57.36", "EUR")
    assert (order["shipToCity"], order["sellToCity"]) == ("Köln", "Köln")


def test_an_order_bears_the_day_whose_exchange_rate_counts(world):
    """Business Central takes the rate of the posting date: the day the order was placed, in the company's time zone, and a change keeps it."""
    company = world(settings={"time_zone": "Pacific/Auckland"})
    late = replace(ORDER, placed_at=ORDER.placed_at.replace(hour=23))
    booked(company, late)
    company.do(
        lambda erp: erp.amend(replace(late, note="Ring twice", placed_at=late.placed_at + timedelta(days=300)), key="a")
    )
    (order,) = company.state("salesOrders")
    day = f"{late.placed_at.date() + timedelta(days=1):%Y-%m-%d}"
    assert (order["postingDate"], order["orderDate"]) == (day, day)


def test_an_order_booked_twice_is_one_order_also_by_a_worker_that_knows_nothing(world):
    company = world()
    first = booked(company)
    assert booked(company.elsewhere()) == first
    assert company.effects()["sales_order"] == {NAME: 1}


def test_an_unmapped_sku_parks_the_order_before_anything_is_sent(world):
    company = world()
    unmapped = replace(ORDER, lines=(replace(ORDER.lines[0], sku="WB-NEW"), *ORDER.lines[1:]))
    with pytest.raises(Missing):
        booked(company, unmapped)
    assert company.operations() == []


def test_twenty_guests_at_once_with_one_address_are_one_customer(world):
    company = world()
    guests = [guest(f"G{n}", email) for n, email in enumerate(("Ana@Example.com", " ana@example.com ") * 10)]
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda one: booked(company.elsewhere(), one), guests))
    told = company.effects()
    assert list(told["customer"].values()) == [1]
    assert sum(told["sales_order"].values()) == 20


def test_a_customer_that_somebody_makes_just_now_is_waited_for(world):
    """The number is taken, but the list does not show whose it is yet: a moment later it does, and nobody has to look at it."""
    company = world()
    company.system.put("/_sim/faults", [{"kind": "index_late", "value": 0.6}])
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: booked(company.elsewhere(), guest(f"H{n}", "bea@example.com")), range(6)))
    told = company.effects()
    assert list(told["customer"].values()) == [1]
    assert sum(told["sales_order"].values()) == 6


def test_under_the_rule_always_new_each_order_has_its_own_customer(world):
    company = world(settings={"customer_match": "always_new"})
    for n in range(3):
        booked(company, guest(f"G{n}", "ana@example.com"))
    assert len(company.effects()["customer"]) == 3


def test_a_customer_that_somebody_made_is_found_by_address_which_stands_in_no_url(world):
    company = world()
    booked(company, guest("G1", "ana@example.com"))
    other = world(settings={"customer_numbers": "series"})
    booked(other)
    booked(other, replace(ORDER, id="1002", number="#1002"))
    assert len(other.effects()["customer"]) == 1
    assert not any("example.com" in call["path"] for call in other.system.calls())


def test_a_refused_customer_is_a_rejection_with_a_remedy(world):
    company = world(simulator={"refused_emails": [samples.EMAIL]})
    with pytest.raises(Rejected) as refused:
        booked(company)
    assert "credit hold" in refused.value.sentence
    assert "CorrelationId" not in refused.value.sentence
    assert refused.value.owner == "finance"


def test_what_business_central_reckons_otherwise_is_removed_again_and_refused_with_the_difference(world):
    """A company whose "tax-free" code is not: the order would be dearer than the channel's."""
    company = world(simulator={"rates": {"NOTAX": "1"}})
    with pytest.raises(Rejected) as refused:
        booked(company)
    assert (refused.value.code, refused.value.field) == ("total_differs", "totals.total")
    assert "-0.57 EUR differ" in refused.value.sentence
    assert company.state("salesOrders") == []


def test_parts_that_do_not_make_the_total_are_never_sent(world):
    company = world()
    wrong = replace(ORDER, totals=replace(ORDER.totals, total=eur("57.40")))
    with pytest.raises(Rejected) as refused:
        booked(company, wrong)
    assert refused.value.code == "total_differs"
    assert company.operations() == []


def test_an_account_that_nobody_named_is_a_setting_to_make(world):
    company = world(settings={"accounts": {"tax": "22700", "shipping": "40410"}})
    tipped = replace(
        ORDER,
        charges=(Charge(ChargeKind.TIP, "Tip", eur("1.00")),),
        totals=replace(ORDER.totals, charges=eur("1.00"), total=eur("58.36")),
    )
    with pytest.raises(Rejected) as refused:
        booked(company, tipped)
    assert (refused.value.code, refused.value.field) == ("not_configured", "settings.accounts.tip")


def test_an_order_discount_and_a_gift_card_used(world):
    """The discount is a line of its own; a gift card is a tender: a payment in the journal, the total stays."""
    company = world(settings={"payments": "gift_cards"})
    voucher = replace(
        paid_by(ORDER, ("gift_card", Tender.GIFT_CARD, "20.00"), ("card", Tender.CARD, "34.36")),
        discounts=(Discount(eur("3.00"), code="BYE"),),
        totals=Totals(eur("48.30"), eur("8.00"), eur("4.90"), eur("0.00"), eur("9.16"), eur("54.36")),
    )
    booked(company, voucher)
    told = company.effects()
    assert told["sales_order_total"] == {NAME: "54.36"}
    assert list(told["payment"].values()) == ["20"]
    (payment,) = company.state("customerPayments")
    assert Decimal(payment["amount"]) < 0  # API v2.0: "The amount should be a negative number"


# ---- changes


def test_a_change_is_one_transaction_and_a_second_time_none(world):
    company = world()
    booked(company)
    changed = samples.amended(ORDER)
    company.do(lambda erp: erp.amend(changed, key="a"))
    company.do(lambda erp: erp.amend(changed, key="a"))
    assert company.operations().count("batch.write") == 1
    (order,) = company.state("salesOrders")
    lines = {line["description2"]: line for line in order["lines"]}
    assert lines["1001-1"]["quantity"] == "1"
    assert lines["note/0"]["description"] == "Ring twice"
    assert order["shipToAddressLine1"] == "Neue Gasse 7"


def test_a_change_that_meets_another_is_tried_anew_from_what_stands(world):
    """Somebody changes the order between our look and our transaction: 409, nothing done, then done."""
    company = world()
    booked(company)
    erp, (order,) = company.connector, company.state("salesOrders")
    stale = erp.client.get(f"salesOrders({order['id']})", expand="salesOrderLines")
    company.do(lambda erp: erp.amend(samples.amended(ORDER), key="a"))
    with pytest.raises(Transient) as met:
        erp.client.batch(
            changes.towards(stale, sales_order.placed(replace(ORDER, note="Hurry"), erp.policy)), "sales order"
        )
    assert met.value.code == "Request_EntityChanged"
    assert Decimal(company.state("salesOrders")[0]["totalAmountIncludingTax"]) < Decimal("57.36")


def test_one_refused_line_undoes_the_whole_change(world):
    company = world()
    booked(company)
    before = company.effects()
    added = replace(ORDER.lines[1], id="1001-3", sku="WB-GONE")
    more = replace(
        ORDER,
        lines=(*ORDER.lines, added),
        totals=replace(ORDER.totals, lines=eur("56.80"), tax=eur("10.78"), total=eur("67.48")),
        note="Hurry",
    )
    company.bench.codes = replace(
        company.bench.codes,
        table={**company.bench.codes.table, "sku": {"WB-TEE": "WB-TEE", "WB-MUG": "WB-MUG", "WB-GONE": "NOWHERE"}},
    )
    with pytest.raises(Rejected) as refused:
        company.do(lambda erp: erp.amend(more, key="a"))
    assert refused.value.code == "Internal_InvalidTableRelation"
    assert company.effects() == before


def test_a_cancelled_order_is_deleted_and_twice_is_once(world):
    company = world()
    booked(company)
    for _ in range(2):
        company.do(lambda erp: erp.cancel(ORDER, key="c"))
    assert company.effects()["cancelled"] == {NAME: 1}


def test_what_has_shipped_whole_is_not_cancelled(world):
    company = world()
    booked(company)
    company.do(lambda erp: erp.record_shipment(ORDER, shipment("f1", ("1001-1", 2), ("1001-2", 1)), key="s"))
    with pytest.raises(Rejected) as refused:
        company.do(lambda erp: erp.cancel(ORDER, key="c"))
    assert refused.value.code == "shipped"


def test_of_a_part_shipped_order_the_rest_is_cancelled_and_what_is_posted_stays(world):
    company = world()
    booked(company)
    company.do(lambda erp: erp.record_shipment(ORDER, shipment("f1", ("1001-2", 1)), key="s"))
    company.do(lambda erp: erp.cancel(ORDER, key="c"))
    told = company.effects()
    assert told["cancelled"] == {NAME: 1}
    assert told["shipped"] == {NAME: {"WB-MUG": "1"}}


# ---- shipments


def test_what_is_invoiced_whole_takes_a_note_as_done_and_refuses_another_sum(world):
    """A note, or pieces that came back and are credited, amend nothing of an order that is posted; what would is said."""
    company = world()
    booked(company)
    company.do(lambda erp: erp.record_shipment(ORDER, shipment("f1", ("1001-1", 2), ("1001-2", 1)), key="s"))
    before = company.effects()
    company.do(lambda erp: erp.amend(replace(ORDER, note="Ring twice"), key="a1"))
    assert company.effects() == before
    with pytest.raises(Rejected) as refused:
        company.do(lambda erp: erp.amend(samples.amended(ORDER), key="a2"))
    assert refused.value.code == "shipped"
    assert company.effects() == before


def test_two_shipments_are_two_postings_whose_invoices_sum_to_the_order(world):
    """Shipping is billed with the first; the cent that rounding parts would add goes to the account for rounding."""
    company = world()
    booked(company)
    first, second = samples.parcels(ORDER)
    company.do(lambda erp: erp.record_shipment(ORDER, first, key="s1"))
    assert company.effects()["shipped"] == {NAME: {"WB-TEE": "1"}}
    company.do(lambda erp: erp.record_shipment(ORDER, second, key="s2"))
    told = company.effects()
    assert told["shipped"] == {NAME: {"WB-TEE": "2", "WB-MUG": "1"}}
    assert set(told["fulfilment"].values()) == {1}
    assert len(told["invoice"]) == 2
    assert told["invoiced"] == {NAME: "57.36"}
    named = {company.state("salesInvoices")[n]["number"] for n in range(2)}
    kept = {number for (kind, _), number in company.bench.known.ids.items() if kind == "invoice"}
    assert kept == named, "a return is found by the number on the invoice"
    assert company.state("salesOrders") == []  # an order that is invoiced whole is gone


def test_a_shipment_recorded_again_by_a_worker_that_knows_nothing_is_one(world):
    company = world()
    booked(company)
    parcel = shipment("f1", ("1001-1", 1))
    for _ in range(2):
        company.elsewhere().do(lambda erp: erp.record_shipment(ORDER, parcel, key="s"))
    told = company.effects()
    assert list(told["fulfilment"].values()) == [1]
    assert told["shipped"] == {NAME: {"WB-TEE": "1"}}


def test_a_posting_whose_answer_and_shipment_are_late_is_not_made_twice(world):
    company = world()
    booked(company)
    company.system.put(
        "/_sim/faults",
        [
            {"kind": "commit_then_drop", "operations": ["salesOrders.shipAndInvoice"], "times": 1},
            {"kind": "index_late", "value": 0.8},
        ],
    )
    company.do(lambda erp: erp.record_shipment(ORDER, shipment("f1", ("1001-1", 1)), key="s"))
    assert company.operations().count("salesOrders.shipAndInvoice") == 1
    assert company.effects()["shipped"] == {NAME: {"WB-TEE": "1"}}


def test_pieces_known_by_sku_alone_fall_on_the_open_lines(world):
    company = world()
    booked(company)
    company.do(lambda erp: erp.record_shipment(ORDER, shipment("f1", ("WB-MUG", 1), by_sku=True), key="s"))
    assert company.effects()["shipped"] == {NAME: {"WB-MUG": "1"}}


def test_more_than_is_open_is_refused_and_nothing_leaves(world):
    company = world()
    booked(company)
    with pytest.raises(Rejected) as refused:
        company.do(lambda erp: erp.record_shipment(ORDER, shipment("f1", ("1001-2", 5)), key="s"))
    assert "cannot ship more than 1" in refused.value.sentence
    assert company.effects()["shipped"] == {}


# ---- credits


def test_a_refund_is_a_posted_credit_memo_and_a_journal_line_for_each_tender(world):
    company = world(codes={"payment_method": {"card": "bank:CARDS", "gift_card": "22800"}})
    booked(company)
    company.do(lambda erp: erp.record_shipment(ORDER, shipment("f1", ("1001-1", 2), ("1001-2", 1)), key="s"))
    lines = (samples.refund(ORDER).lines[0],)
    back = refund("r1", ("card", "8.12"), ("gift_card", "2.00"), lines=lines)
    stock = {one["number"]: one["inventory"] for one in company.state("items")}
    for _ in range(2):
        company.elsewhere().do(lambda erp: erp.record_refund(ORDER, back, key="r"))
    told = company.effects()
    assert list(told["credit_memo_posted"].values()) == [1]
    assert list(told["credit_memo_total"].values()) == ["10.12"]
    assert sorted(told["refunded"].values()) == ["2", "8.12"]
    by_account = {one["balancingAccountNumber"]: one["balanceAccountType"] for one in company.state("journalLines")}
    assert by_account == {"CARDS": "Bank Account", "22800": "G/L Account"}
    after = {one["number"]: one["inventory"] for one in company.state("items")}
    assert Decimal(after["WB-MUG"]) == Decimal(stock["WB-MUG"]) + 1  # restocked


def test_a_refund_of_what_does_not_come_back_moves_no_stock(world):
    company = world()
    booked(company)
    line = replace(samples.refund(ORDER).lines[0], restock=False)
    company.do(lambda erp: erp.record_refund(ORDER, refund("r1", ("card", "10.12"), lines=(line,)), key="r"))
    assert {one["number"]: one["inventory"] for one in company.state("items")} == {"WB-TEE": "7", "WB-MUG": "8"}


def test_money_that_has_not_moved_is_not_booked(world):
    company = world()
    booked(company)
    promised = replace(samples.refund(ORDER), status=PaymentStatus.PENDING)
    assert company.do(lambda erp: erp.record_refund(ORDER, promised, key="r")) == ""
    assert company.effects()["credit_memo"] == {}


def test_of_an_order_cancelled_before_it_was_invoiced_only_the_money_is_noted(world):
    company = world()
    booked(company)
    gone = replace(ORDER, cancelled_at=NOW)
    company.do(lambda erp: erp.cancel(gone, key="c"))
    company.do(lambda erp: erp.record_refund(gone, refund("r1", ("card", "57.36")), key="r"))
    told = company.effects()
    assert told["credit_memo"] == {}
    assert list(told["refunded"].values()) == ["57.36"]


def test_a_refund_whose_parts_do_not_make_its_money_is_refused(world):
    company = world()
    booked(company)
    wrong = refund("r1", ("card", "10.00"), lines=samples.refund(ORDER).lines)
    with pytest.raises(Rejected) as refused:
        company.do(lambda erp: erp.record_refund(ORDER, wrong, key="r"))
    assert refused.value.code == "total_differs"
    assert company.effects()["credit_memo"] == {}


def test_goods_without_money_come_in_where_their_condition_says_and_no_money_moves(world):
    company = world()
    ship_all(company)
    before = company.effects()
    back = samples.goods_back(ORDER, "scrapped", "quarantined")
    company.do(lambda erp: erp.record_return(ORDER, back, key="g"))
    company.elsewhere().do(lambda erp: erp.record_return(ORDER, back, key="g"))
    effects = company.effects()
    ((name, goods),) = effects["goods_back"].items()
    assert "/G" in name
    assert goods == {f"WB-TEE {GONE}": "1", f"WB-MUG {HELD}": "1"}
    assert effects["credit_memo_total"] == {name: "0"}
    assert effects["refunded"] == before["refunded"]
    again = replace(back, id="WB-2-R1")
    unheld = world(settings={"quarantine": ""})
    ship_all(unheld)
    with pytest.raises(Rejected) as refused:
        unheld.do(lambda erp: erp.record_return(ORDER, again, key="g"))
    assert (refused.value.code, refused.value.field) == ("not_configured", "settings.quarantine")
    assert unheld.effects()["credit_memo"] == {}


def test_a_later_payment_is_noted_once_and_what_the_booking_noted_is_found(world):
    company = world(settings={"payments": "all"})
    company.do(lambda erp: erp.book(ORDER, key="b"))
    booked = company.effects()["payment"]
    for one in (ORDER.payments[0], samples.received(ORDER), samples.received(ORDER)):
        company.elsewhere().do(lambda erp, one=one: erp.record_payment(ORDER, one, key="p"))
    later = company.effects()["payment"]
    assert {name: later[name] for name in booked} == booked
    assert [amount for name, amount in later.items() if name not in booked] == ["3.2"]
    quiet = world()
    quiet.do(lambda erp: erp.book(ORDER, key="b"))
    assert quiet.do(lambda erp: erp.record_payment(ORDER, samples.received(ORDER), key="p")) == ""
    assert quiet.effects()["payment"] == {}, "an account that notes no payments notes no later ones"


def listed(company, since=timedelta(minutes=1), until=timedelta(minutes=1)):
    now = datetime.now(UTC)
    return {one.reference: one for one in company.connector.booked(now - since, now + until)}


def test_an_order_is_listed_while_it_is_open_when_part_of_it_left_and_when_it_is_invoiced_whole(world):
    company = world()
    booked(company)
    (order,) = company.state("salesOrders")
    opened = listed(company)[NAME]
    assert (opened.id, opened.total.amount, opened.total.currency) == (order["id"], Decimal("57.36"), "EUR")
    first, rest = samples.parcels(ORDER)
    company.do(lambda erp: erp.record_shipment(ORDER, first, key="s1"))
    assert listed(company)[NAME] == opened  # its invoice is no second booking
    company.do(lambda erp: erp.record_shipment(ORDER, rest, key="s2"))
    assert listed(company) == {NAME: replace(opened, total=None)}


def test_an_order_changed_after_a_window_is_listed_where_it_was_placed_about_then(world):
    company = world()
    placed_long_ago = replace(ORDER, id="2", placed_at=datetime.now(UTC) - timedelta(days=100))
    for order in (replace(ORDER, id="1", placed_at=datetime.now(UTC) - timedelta(days=1)), placed_long_ago):
        booked(company, order)
    past = {"since": timedelta(days=2), "until": -timedelta(hours=1)}
    assert set(listed(company, **past)) == {"SHOP-1"}
    assert set(listed(company)) == {"SHOP-1", "SHOP-2"}
