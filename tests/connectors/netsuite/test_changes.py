"""A booked order is changed and cancelled as far as it has not shipped."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.canonical.order import Discount
from connectors.kit.errors import Rejected
from tests.connectors.netsuite import orders
from tests.connectors.netsuite.orders import ORDER, eur
from tests.contract import samples

TEE, MUG = ORDER.lines


@pytest.fixture
def booked(world):
    netsuite = world()
    netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    return netsuite


def record(netsuite):
    (found,) = netsuite.simulator.memory.table("salesOrder").values()
    return found


def test_a_change_brings_quantities_money_address_and_note(booked):
    booked.drive(booked.connector.amend(samples.amended(ORDER), key="a"))
    held = record(booked)
    assert [line.get("quantity") for line in held["lines"]] == [1, None, 1]
    assert held["shippingAddress"]["addr1"] == "Neue Gasse 7"
    assert held["memo"] == "Ring twice"
    # half of the first line's 34.80 and 6.61 less: 57.36 - 17.40 - 3.305, in cents
    assert abs(Decimal(booked.effects()["sales_order_total"]["shop-1001"]) - Decimal("36.655")) < Decimal("0.01")


def test_what_an_order_no_longer_has_is_taken_from_its_header(world):
    netsuite = world()
    voucher = replace(
        ORDER,
        discounts=(Discount(eur("3.00"), code="V"),),
        note="Call",
        totals=replace(ORDER.totals, total=eur("54.36")),
    )
    netsuite.drive(netsuite.connector.book(voucher, key="k"))
    assert netsuite.effects()["sales_order_total"] == {"shop-1001": "54.36"}
    plain = replace(ORDER, shipping_lines=(), totals=replace(ORDER.totals, total=eur("51.53")))
    netsuite.drive(netsuite.connector.amend(plain, key="a"))
    assert netsuite.effects()["sales_order_total"] == {"shop-1001": "51.53"}
    assert record(netsuite)["memo"] == ""


def test_the_same_change_twice_adds_no_line(booked):
    added = replace(MUG, id="new", sku="WB-CAP", title="Cap")
    total = replace(ORDER.totals, total=eur("67.48"))
    changed = replace(ORDER, lines=(*ORDER.lines, added), totals=total)
    for _ in range(2):
        booked.drive(booked.connector.amend(changed, key="a"))
    assert len(record(booked)["lines"]) == 4
    assert booked.effects()["sales_order_total"] == {"shop-1001": "67.48"}


def test_a_change_that_does_not_make_the_channels_current_total_is_not_sent(booked):
    wrong = replace(samples.amended(ORDER), current=replace(ORDER.totals, total=eur("30.00")))
    with pytest.raises(Rejected) as refused:
        booked.drive(booked.connector.amend(wrong, key="a"))
    assert refused.value.code == "total_differs"
    assert "salesOrder.update" not in booked.operations()


@pytest.mark.parametrize("stated", ["36.64", "36.65", "36.66", "36.67"])
def test_a_change_that_the_channel_rounded_anew_ends_at_its_total(booked, stated):
    """Half of 34.80 and of 6.61: a discount and a tax, each rounded by the channel as it likes."""
    changed = replace(samples.amended(ORDER), current=replace(ORDER.totals, total=eur(stated)))
    booked.drive(booked.connector.amend(changed, key="a"))
    assert booked.effects()["sales_order_total"] == {"shop-1001": stated}


def test_what_was_refunded_is_no_change_of_the_order(booked):
    less = replace(ORDER.lines[1], current_quantity=Decimal(0))
    current = replace(ORDER.totals, total=eur("47.24"))
    refunded = replace(ORDER, lines=(TEE, less), refunds=(samples.refund(ORDER),), current=current)
    booked.drive(booked.connector.amend(refunded, key="a"))
    assert booked.effects()["sales_order_total"] == {"shop-1001": "57.36"}


def test_after_a_shipment_lines_are_changed_one_by_one_and_keep_what_shipped(booked):
    booked.drive(booked.connector.record_shipment(ORDER, orders.shipment("f1", ("1001-1", 1)), key="s"))
    gone = replace(MUG, current_quantity=Decimal(0))
    added = replace(MUG, id="new", sku="WB-CAP", title="Cap")
    changed = replace(ORDER, lines=(TEE, gone, added), totals=replace(ORDER.totals, total=eur("67.48")))
    for _ in range(2):
        booked.drive(booked.connector.amend(changed, key="a"))
    lines = record(booked)["lines"]
    assert [(line["item"]["id"], line.get("quantityFulfilled"), line.get("isClosed", False)) for line in lines] == [
        ("1001", "1", False), ("9001", None, False), ("1002", None, True), ("1003", None, False),
    ]  # fmt: skip
    assert booked.effects()["sales_order_total"] == {"shop-1001": "57.36"}


def test_what_has_shipped_is_not_taken_away(booked):
    booked.drive(booked.connector.record_shipment(ORDER, orders.shipment("f1", ("1001-1", 2)), key="s"))
    with pytest.raises(Rejected) as refused:
        booked.drive(booked.connector.amend(samples.amended(ORDER), key="a"))
    assert refused.value.code == "shipped"


def test_a_cancelled_order_is_closed_line_by_line_and_stays_so(booked):
    for _ in range(2):
        booked.drive(booked.connector.cancel(ORDER, key="c"))
    assert booked.effects()["cancelled"] == {"shop-1001": 1}
    assert record(booked)["status"] == "H"
    assert booked.operations().count("salesOrder.update") == 1


def test_nothing_ships_of_a_cancelled_order(booked):
    booked.drive(booked.connector.cancel(ORDER, key="c"))
    with pytest.raises(Rejected):
        booked.drive(booked.connector.record_shipment(ORDER, samples.parcels(ORDER)[0], key="s"))


def test_a_cancellation_after_a_partial_shipment_closes_the_rest(booked):
    booked.drive(booked.connector.record_shipment(ORDER, orders.shipment("f1", ("1001-1", 2)), key="s"))
    booked.drive(booked.connector.cancel(ORDER, key="c"))
    closed = {line["item"]["id"]: bool(line.get("isClosed")) for line in record(booked)["lines"]}
    assert closed["1002"] is True
    assert closed["1001"] is False


def test_an_order_that_has_shipped_is_not_cancelled(booked):
    for one in samples.parcels(ORDER):
        booked.drive(booked.connector.record_shipment(ORDER, one, key=one.id))
    with pytest.raises(Rejected) as refused:
        booked.drive(booked.connector.cancel(ORDER, key="c"))
    assert refused.value.code == "shipped"
    assert booked.effects()["cancelled"] == {}
