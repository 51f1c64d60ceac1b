"""An order is booked in NetSuite once, for its customer, with its total."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from connectors.canonical.order import Charge, ChargeKind
from connectors.canonical.payment import Tender
from connectors.canonical.product import ProductKind
from connectors.kit.errors import Missing, Rejected
from tests.connectors.netsuite import orders
from tests.connectors.netsuite.orders import ORDER, eur


def test_an_order_booked_twice_is_one_order(world):
    netsuite = world()
    first = netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    second = netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    assert first == second == "SO10001"
    effects = netsuite.effects()
    assert effects["sales_order"] == {"shop-1001": 1}
    assert effects["sales_order_total"] == {"shop-1001": "57.36"}
    assert list(effects["customer"].values()) == [1]


def test_the_cross_reference_is_the_internal_id_and_the_number_what_people_call_it(world):
    netsuite = world()
    number = netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    found = netsuite.known.id("order", ORDER.id)
    assert found.isdigit()
    assert number.startswith("SO")
    plain = world(settings={"number": "id"})
    assert plain.drive(plain.connector.book(ORDER, key="k")) == plain.known.id("order", ORDER.id)


def test_an_unmapped_sku_parks_the_order_before_anything_is_sent(world):
    netsuite = world()
    unmapped = replace(ORDER, lines=(replace(ORDER.lines[0], sku="WB-NEW"), *ORDER.lines[1:]))
    with pytest.raises(Missing) as parked:
        netsuite.drive(netsuite.connector.book(unmapped, key="k"))
    assert (parked.value.kind, parked.value.value) == ("sku", "WB-NEW")
    assert netsuite.operations() == []


def test_a_customer_that_netsuite_refuses_is_a_rejection_with_field_sentence_and_remedy(world):
    netsuite = world(simulator={"refused_emails": ["Ana@Example.com"]})
    with pytest.raises(Rejected) as refused:
        netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    assert (refused.value.code, refused.value.field) == ("USER_ERROR", "email")
    assert "credit hold" in refused.value.sentence
    assert refused.value.remedy
    assert refused.value.owner
    assert netsuite.effects()["sales_order"] == {}


def test_an_item_that_netsuite_lost_is_named_by_its_path(world):
    netsuite = world(codes={"sku": {"WB-TEE": "7777", "WB-MUG": "1002"}})
    with pytest.raises(Rejected) as refused:
        netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    assert (refused.value.code, refused.value.field) == ("INVALID_CONTENT", "item.items[0].item")


def test_a_currency_that_nobody_configured_is_never_booked_as_another(world):
    netsuite = world(settings={"currencies": {}, "base_currency": "USD"})
    with pytest.raises(Rejected) as refused:
        netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    assert (refused.value.code, refused.value.field) == ("not_configured", "settings.currencies.EUR")
    assert netsuite.operations() == []


@pytest.mark.parametrize(
    ("base", "stated", "rate"),
    [("USD", "1.0834567891", "1.08345679"), ("EUR", "1.0834567891", None), ("USD", None, None)],
)
def test_the_order_bears_its_own_day_and_the_rate_that_it_states(world, base, stated, rate):
    """NetSuite takes the rate of the transaction's date; one that the channel states takes its place, in another currency than the base."""
    netsuite = world(settings={"base_currency": base, "time_zone": "Pacific/Auckland"})
    late = replace(ORDER, placed_at=ORDER.placed_at.replace(hour=23), exchange_rate=Decimal(stated) if stated else None)
    netsuite.drive(netsuite.connector.book(late, key="k"))
    (asked,) = [one for one in netsuite.exchanges if one.method in ("PUT", "POST") and "/salesOrder" in one.url]
    body = json.loads(asked.request, parse_float=Decimal)
    assert body["tranDate"] == f"{late.placed_at.date() + timedelta(days=1):%Y-%m-%d}"
    assert body.get("exchangeRate") == (Decimal(rate) if rate else None)


def test_an_order_whose_parts_do_not_make_its_total_is_not_sent(world):
    netsuite = world()
    wrong = replace(ORDER, totals=replace(ORDER.totals, total=eur("57.40")))
    with pytest.raises(Rejected) as refused:
        netsuite.drive(netsuite.connector.book(wrong, key="k"))
    assert (refused.value.code, refused.value.field) == ("total_differs", "totals.total")
    assert "+0.04 EUR" in refused.value.sentence
    assert netsuite.operations() == []


@pytest.mark.parametrize(("rule", "customers"), [("email", 1), ("always_new", 20)])
def test_twenty_guests_of_one_address_at_once_are_as_many_customers_as_the_rule_says(world, rule, customers):
    netsuite = world(settings={"customer_match": rule}, simulator={"concurrency": 100})
    variants = ["guest@example.com", "Guest@Example.com", " guest@example.com "]
    guests = [orders.guest(str(n), variants[n % 3]) for n in range(20)]
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda one: netsuite.drive(netsuite.connector.book(one, key=one.id)), guests))
    effects = netsuite.effects()
    assert len(effects["customer"]) == customers
    assert set(effects["customer"].values()) == {1}
    assert len(effects["sales_order"]) == 20


def test_a_known_customer_is_used_and_not_overwritten(world):
    netsuite = world()
    books = netsuite.simulator.memory
    books.put("customer", "77", {"id": "77", "email": "ana@example.com", "lastName": "As the ERP writes it"})
    netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    assert books.table("customer")["77"]["lastName"] == "As the ERP writes it"
    assert netsuite.effects()["customer"] == {"ana@example.com": 1}
    assert "customer.upsert" not in netsuite.operations()


def test_the_rule_one_books_every_order_on_one_customer(world):
    netsuite = world(settings={"customer_match": "one", "customer": "88"})
    netsuite.simulator.memory.put("customer", "88", {"id": "88", "lastName": "Web shop"})
    netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    assert netsuite.effects()["customer"] == {"88": 1}


def test_a_late_search_index_makes_no_second_customer(world):
    netsuite = world()
    netsuite.bad_day("index_late", value=30)
    for one in (ORDER, replace(ORDER, id="1002", number="#1002")):
        netsuite.drive(netsuite.connector.book(one, key=one.id))
    assert list(netsuite.effects()["customer"].values()) == [1]
    assert len(netsuite.effects()["sales_order"]) == 2


def test_gift_cards_are_tenders_and_the_total_stays_whole(world):
    netsuite = world()
    order = orders.paid_by(ORDER, ("gift_card", Tender.GIFT_CARD, "20.00"), ("card", Tender.CARD, "37.36"))
    for _ in range(2):
        netsuite.drive(netsuite.connector.book(order, key="k"))
    effects = netsuite.effects()
    assert effects["sales_order_total"] == {"shop-1001": "57.36"}
    assert effects["deposit"] == {"shop-1001-d-1001-p0": "20.00"}


def test_netsuites_own_gift_certificates_lower_what_is_due_as_netsuite_does(world):
    netsuite = world(settings={"gift_cards": "redemption"})
    order = orders.paid_by(ORDER, ("gift_card", Tender.GIFT_CARD, "20.00"), ("card", Tender.CARD, "37.36"))
    netsuite.drive(netsuite.connector.book(order, key="k"))
    assert netsuite.effects()["sales_order_total"] == {"shop-1001": "37.36"}
    assert netsuite.effects()["deposit"] == {}


def test_all_payments_are_deposits_where_the_account_wants_it(world):
    netsuite = world(settings={"deposits": "all"})
    order = orders.paid_by(ORDER, ("gift_card", Tender.GIFT_CARD, "20.00"), ("card", Tender.CARD, "37.36"))
    netsuite.drive(netsuite.connector.book(order, key="k"))
    assert sorted(netsuite.effects()["deposit"].values()) == ["20.00", "37.36"]


def test_tips_fees_duties_and_rounding_are_lines_of_their_items(world):
    netsuite = world()
    charges = (
        Charge(ChargeKind.TIP, "Tip", eur("3.00")),
        Charge(ChargeKind.FEE, "Wrapping", eur("2.50"), taxes=(replace(ORDER.lines[0].taxes[0], amount=eur("0.48")),)),
        Charge(ChargeKind.DUTY, "Duty", eur("1.10")),
    )
    total = replace(ORDER.totals, charges=eur("6.60"), tax=eur("9.64"), total=eur("64.40"))
    order = replace(ORDER, charges=charges, totals=total, rounding=eur("-0.04"))
    netsuite.drive(netsuite.connector.book(order, key="k"))
    assert netsuite.effects()["sales_order_total"] == {"shop-1001": "64.40"}
    (record,) = netsuite.simulator.memory.table("salesOrder").values()
    by_item = {line["item"]["id"]: Decimal(line["amount"]) for line in record["lines"]}
    assert {by_item[key] for key in ("9002", "9003", "9004", "9005")} == {
        Decimal("2.50"), Decimal("3.00"), Decimal("1.10"), Decimal("-0.04"),
    }  # fmt: skip


def test_a_line_that_its_source_rounded_is_booked_at_that_sum(world):
    netsuite = world()
    tee, mug = ORDER.lines
    weighed = replace(tee, quantity=Decimal("1.345"), unit_price=eur("3.99"), gross=eur("5.37"), discounts=(), taxes=())
    totals = replace(ORDER.totals, total=eur("21.32"))
    order = replace(ORDER, lines=(weighed, mug), totals=totals)
    netsuite.drive(netsuite.connector.book(order, key="k"))
    assert netsuite.effects()["sales_order_total"] == {"shop-1001": "21.32"}


def test_a_bundles_parts_cost_nothing_beside_it(world):
    netsuite = world()
    tee, mug = ORDER.lines
    bundle = replace(tee, kind=ProductKind.BUNDLE)
    part = replace(mug, id="part", sku="WB-CAP", bundle_id=tee.id, unit_price=eur("9.99"), taxes=())
    netsuite.drive(netsuite.connector.book(replace(ORDER, lines=(bundle, part, mug)), key="k"))
    assert netsuite.effects()["sales_order_total"] == {"shop-1001": "57.36"}


def test_lines_without_a_sku_have_a_configured_item_or_are_missing(world):
    tee, mug = ORDER.lines
    engraving = replace(ORDER, lines=(replace(tee, sku="", title="Engraving"), mug))
    netsuite = world()
    netsuite.drive(netsuite.connector.book(engraving, key="k"))
    assert netsuite.effects()["sales_order_total"] == {"shop-1001": "57.36"}
    bare = world(settings={"items": {"discount": "9001"}})
    with pytest.raises(Missing) as parked:
        bare.drive(bare.connector.book(engraving, key="k"))
    assert parked.value.value == "Engraving"


def test_taxes_as_one_line_where_the_account_books_them_so(world):
    netsuite = world(settings={"tax": "item"})
    netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    (record,) = netsuite.simulator.memory.table("salesOrder").values()
    assert "taxDetails" not in record
    assert netsuite.effects()["sales_order_total"] == {"shop-1001": "57.36"}


def test_a_missing_item_for_discounts_is_a_matter_of_settings(world):
    netsuite = world(settings={"items": {}})
    with pytest.raises(Rejected) as refused:
        netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    assert (refused.value.code, refused.value.field) == ("not_configured", "settings.items.discount")


def test_no_secret_and_no_address_stands_in_urls_or_headers(world):
    netsuite = world()
    netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    for one in netsuite.exchanges:
        told = f"{one.url} {one.request_headers} {one.answer_headers}"
        assert "example.com" not in told
        assert "***" in told or one.operation == "oauth.token"
        assert b"client_assertion" not in one.request
        assert b"access_token" not in one.answer
