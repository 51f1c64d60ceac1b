"""Shipments become item fulfilments: of what left, once each, never more than was ordered."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.canonical.shipment import Tracking
from connectors.kit.errors import Missing, Rejected
from tests.connectors.netsuite import orders
from tests.connectors.netsuite.orders import ORDER
from tests.contract import samples


@pytest.fixture
def booked(world):
    netsuite = world(simulator={"stock": {"1001": {"1": "10"}, "1002": {"1": "3"}}, "locations": ["1", "2"]})
    netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    return netsuite


def ship(netsuite, order, *shipments):
    for one in shipments:
        netsuite.drive(netsuite.connector.record_shipment(order, one, key=one.id))


def test_partial_shipments_sum_to_the_order(booked):
    ship(booked, ORDER, *samples.parcels(ORDER))
    effects = booked.effects()
    assert set(effects["fulfilment"].values()) == {1}
    assert len(effects["fulfilment"]) == 2
    assert effects["shipped"] == {"shop-1001": {"1001": "2", "1002": "1"}}
    (order,) = booked.simulator.memory.table("salesOrder").values()
    assert order["status"] == "F"


def test_the_first_parcel_leaves_the_rest_open(booked):
    first, _ = samples.parcels(ORDER)
    ship(booked, ORDER, first)
    assert booked.effects()["shipped"] == {"shop-1001": {"1001": "1"}}
    (order,) = booked.simulator.memory.table("salesOrder").values()
    assert order["status"] == "D"


def test_the_same_shipment_told_thrice_is_one(booked):
    first, _ = samples.parcels(ORDER)
    ship(booked, ORDER, first, first, first)
    assert list(booked.effects()["fulfilment"].values()) == [1]
    assert booked.effects()["shipped"] == {"shop-1001": {"1001": "1"}}


def test_more_than_was_ordered_is_refused_with_its_line(booked):
    with pytest.raises(Rejected) as refused:
        ship(booked, ORDER, orders.shipment("f9", ("1001-1", 3)))
    assert (refused.value.code, refused.value.field) == ("USER_ERROR", "item.items[0].quantity")
    assert booked.effects()["fulfilment"] == {}


def test_a_shipment_of_what_was_never_ordered_names_it(booked):
    with pytest.raises(Rejected) as refused:
        ship(booked, ORDER, orders.shipment("f9", ("WB-CAP", 1), by_sku=True))
    assert (refused.value.code, refused.value.field) == ("line_unknown", "lines[0].sku")


def test_where_only_the_sku_is_known_the_open_lines_take_it_in_their_order(world):
    netsuite, order = world(), orders.same_sku_twice()
    netsuite.drive(netsuite.connector.book(order, key="k"))
    ship(
        netsuite,
        order,
        orders.shipment("f1", ("WB-TEE", 3), by_sku=True),
        orders.shipment("f2", ("WB-TEE", 2), by_sku=True),
    )
    (record,) = netsuite.simulator.memory.table("salesOrder").values()
    assert [Decimal(line["quantityFulfilled"]) for line in record["lines"]] == [2, 3]


@pytest.mark.parametrize("settings", [{}, {"line_field": "custcol_waybill_line"}])
def test_two_lines_of_one_sku_are_told_apart(world, settings):
    netsuite, order = world(settings=settings), orders.same_sku_twice()
    netsuite.drive(netsuite.connector.book(order, key="k"))
    ship(netsuite, order, orders.shipment("f1", ("b", 3)))
    (record,) = netsuite.simulator.memory.table("salesOrder").values()
    assert [line.get("quantityFulfilled") for line in record["lines"]] == [None, "3"]


def test_each_parcel_has_its_tracking_number(booked):
    first, _ = samples.parcels(ORDER)
    weighed = Tracking("JD1", "dhl", weight_grams=Decimal(907))
    two = replace(first, trackings=(weighed, Tracking("JD2", "dhl")))
    ship(booked, ORDER, two)
    (made,) = booked.simulator.memory.table("itemFulfillment").values()
    assert [one["packageTrackingNumber"] for one in made["package"]] == ["JD1", "JD2"]
    assert [one["packageWeight"] for one in made["package"]] == ["2.00", "1.00"]


def test_what_ships_leaves_the_stock_of_its_place(booked):
    ship(booked, ORDER, *samples.parcels(ORDER))
    levels = {(one.sku, one.location): one.on_hand for one in booked.connector.stock()}
    assert levels == {("WB-TEE", "main"): 8, ("WB-MUG", "main"): 2}


def test_a_place_without_a_cross_reference_parks_the_shipment(booked):
    first, _ = samples.parcels(ORDER)
    with pytest.raises(Missing) as parked:
        ship(booked, ORDER, replace(first, location="elsewhere"))
    assert (parked.value.kind, parked.value.value) == ("location", "elsewhere")


def test_a_shipment_of_an_order_that_was_never_booked_says_so(world):
    netsuite = world()
    with pytest.raises(Rejected) as refused:
        ship(netsuite, ORDER, samples.parcels(ORDER)[0])
    assert refused.value.code == "not_booked"
