"""What a supplier sends to our customer is bought, received and shipped in NetSuite, each once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.canonical.money import Money
from connectors.kit.errors import Missing, Rejected
from tests.connectors.netsuite.conftest import CODES
from tests.connectors.netsuite.orders import ORDER
from tests.contract import samples

PART = samples.part(ORDER)
SUPPLIER = {"supplier": "maker", "reference": "WB-1001-F1"}
FIRST, SECOND = samples.parcels(ORDER)


@pytest.fixture
def books(world):
    def make(**settings):
        codes = {**CODES, "supplier": {"maker": "71"}, "location": {**CODES["location"], "dropship": "5"}}
        stock = {"1001": {"1": "0", "5": "0"}, "1002": {"1": "0", "5": "0"}}
        chosen = {"dropship_location": "5", **settings}
        netsuite = world(settings=chosen, codes=codes, simulator={"vendors": ["71"], "stock": stock})
        netsuite.drive(netsuite.connector.book(ORDER, key="k"))
        return netsuite

    return make


def buy(netsuite, part=PART):
    return netsuite.drive(netsuite.connector.record_purchase(part, key="p", **SUPPLIER))


def arrive(netsuite, *shipments):
    for one in shipments:
        netsuite.drive(netsuite.connector.record_receipt(PART, one, key=one.id, **SUPPLIER))
    return netsuite.effects()


def held(netsuite):
    (record,) = netsuite.simulator.memory.table("purchaseOrder").values()
    return record


def test_pieces_are_bought_at_what_they_cost_and_once(books):
    netsuite = books()
    assert buy(netsuite) == buy(netsuite) == netsuite.known.id("purchase", PART.id)
    assert netsuite.effects()["purchase"] == {"po-WB-1001-F1": [["1001", "2", False], ["1002", "1", False]]}
    record = held(netsuite)
    assert (record["entity"]["id"], record["currency"]["id"], record["location"]["id"]) == ("71", "1", "5")
    assert [row["rate"] for row in record["lines"]] == ["7.25", "7.25"]


def test_what_the_supplier_sent_comes_in_where_such_deliveries_pass_through(books):
    netsuite = books()
    buy(netsuite)
    effects = arrive(netsuite, FIRST, FIRST, SECOND)
    assert list(effects["received"].values()) == [{"1001@5": "1"}, {"1001@5": "1", "1002@5": "1"}]
    assert held(netsuite)["status"] == "F"
    for one in (FIRST, SECOND):  # and leaves from there
        netsuite.drive(netsuite.connector.record_shipment(ORDER, replace(one, location="dropship"), key=one.id))
    stock = netsuite.simulator.memory.table("stock")
    assert (stock["1001@5"]["onhand"], stock["1002@5"]["onhand"], stock["1001@1"]["onhand"]) == ("0", "0", "0")


def test_what_he_does_not_send_is_taken_off_and_more_than_he_sent_cannot_be(books):
    netsuite = books()
    buy(netsuite)
    less = samples.part(ORDER, less=1)
    without = replace(less, lines=(less.lines[0], replace(less.lines[1], current_quantity=Decimal(0))))
    for _ in range(2):
        netsuite.drive(netsuite.connector.amend_purchase(without, key="a", **SUPPLIER))
    assert netsuite.effects()["purchase"] == {"po-WB-1001-F1": [["1001", "1", False], ["1002", "1", True]]}
    arrive(netsuite, FIRST)
    with pytest.raises(Rejected) as refused:
        netsuite.drive(netsuite.connector.cancel_purchase(PART, key="c", **SUPPLIER))
    assert refused.value.code == "received"
    none = replace(less, lines=tuple(replace(line, current_quantity=Decimal(0)) for line in less.lines))
    with pytest.raises(Rejected) as refused:
        netsuite.drive(netsuite.connector.amend_purchase(none, key="b", **SUPPLIER))
    assert refused.value.code == "received"


def test_a_purchase_that_was_refused_is_closed(books):
    netsuite = books()
    buy(netsuite)
    for _ in range(2):
        netsuite.drive(netsuite.connector.cancel_purchase(PART, key="c", **SUPPLIER))
    assert held(netsuite)["status"] == "H"
    assert netsuite.operations().count("purchaseOrder.update") == 1


def test_an_unknown_supplier_parks_and_costs_in_two_currencies_are_a_persons_matter(books):
    netsuite = books()
    before = netsuite.operations()
    with pytest.raises(Missing) as parked:
        netsuite.drive(netsuite.connector.record_purchase(PART, supplier="else", reference="R", key="p"))
    assert (parked.value.kind, parked.value.value) == ("supplier", "else")
    mixed = replace(PART, lines=(PART.lines[0], replace(PART.lines[1], unit_cost=Money(Decimal(9), "USD"))))
    with pytest.raises(Rejected) as refused:
        buy(netsuite, mixed)
    assert refused.value.code == "currencies_mixed"
    assert netsuite.operations() == before


def test_what_was_never_bought_is_not_received(books):
    with pytest.raises(Rejected) as refused:
        arrive(books(), FIRST)
    assert refused.value.code == "not_booked"


@pytest.mark.parametrize("kind", ["commit_then_drop", "truncated"])
def test_each_record_of_a_purchase_is_once_whatever_becomes_of_the_answer(books, kind):
    netsuite = books()
    asked = ["purchaseOrder.upsert", "purchaseOrder.update", "purchaseOrder.itemReceipt"]
    netsuite.bad_days(*({"kind": kind, "operations": [one], "times": 1} for one in asked))
    steps = (
        lambda: netsuite.connector.record_purchase(PART, key="p", **SUPPLIER),
        lambda: netsuite.connector.amend_purchase(samples.part(ORDER, less=1), key="a", **SUPPLIER),
        lambda: netsuite.connector.record_receipt(PART, FIRST, key="r", **SUPPLIER),
    )
    for step in steps:
        netsuite.drive_again(step, 0.0)
    effects = netsuite.effects()
    assert effects["purchase"] == {"po-WB-1001-F1": [["1001", "1", False], ["1002", "1", False]]}
    assert list(effects["received"].values()) == [{"1001@5": "1"}]
    assert {call.operation for call in netsuite.simulator.calls if call.fault} == set(asked)
