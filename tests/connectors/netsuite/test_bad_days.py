"""Whatever the network and NetSuite do to an answer, the books hold each effect once."""

from __future__ import annotations

import pytest

from connectors.canonical.payment import Tender
from tests.connectors.netsuite import orders
from tests.connectors.netsuite.orders import ORDER
from tests.contract import samples

# kind of bad day, how, and how long after sending a look-up counts
LOST = (
    ("commit_then_drop", {}, 0.0),
    ("commit_late", {"value": 0.15}, 0.3),
    ("drop", {}, 0.0),
    ("truncated", {}, 0.0),
    ("wrong_type", {}, 0.0),
    ("broken", {}, 0.0),
    ("unavailable", {}, 0.0),
    ("throttle", {"value": 0}, 0.0),
    ("throttle_silent", {}, 0.0),
    ("refuse_auth", {}, 0.0),
)
WRITES = (
    "customer.upsert salesOrder.upsert customerDeposit.upsert salesOrder.update salesOrder.itemFulfillment creditMemo.upsert "
    "customerRefund.upsert"
).split()
READS = "suiteql salesOrder.get itemFulfillment.get".split()
PAID = orders.paid_by(ORDER, ("gift_card", Tender.GIFT_CARD, "20.00"), ("card", Tender.CARD, "37.36"))


def life(netsuite, settles=0.0):
    """An order's whole life: booked, changed, shipped in part, refunded."""
    steps = (
        lambda: netsuite.connector.book(PAID, key="b"),
        lambda: netsuite.connector.amend(samples.amended(PAID), key="a"),
        lambda: netsuite.connector.record_shipment(PAID, orders.shipment("f1", ("1001-2", 1)), key="s"),
        lambda: netsuite.connector.record_refund(PAID, samples.refund(ORDER), key="r"),
        lambda: netsuite.connector.cancel(PAID, key="c"),
    )
    for step in steps:
        netsuite.drive_again(step, settles)
    return netsuite.effects()


def billed(netsuite, settles=0.0):
    """An order paid before: a parcel is billed, the rest refunded out of its deposits."""
    first, _ = samples.parcels(ORDER)
    rest = orders.refund("r1", ("card", "10.12"), lines=(orders.back(ORDER.lines[1], 1, "8.50", "1.62"),))
    steps = (
        lambda: netsuite.connector.book(PAID, key="b"),
        lambda: netsuite.connector.record_shipment(PAID, first, key="s"),
        lambda: netsuite.connector.record_refund(PAID, rest, key="r"),
    )
    for step in steps:
        netsuite.drive_again(step, settles)
    return netsuite.effects()


BILLED = "salesOrder.invoice customerDeposit.depositApplication customerRefund.upsert".split()
UNSURE = [one for one in LOST if one[0] in ("commit_then_drop", "commit_late", "truncated", "throttle")]


@pytest.mark.parametrize(("kind", "how", "settles"), UNSURE, ids=[kind for kind, *_ in UNSURE])
def test_a_bill_and_what_pays_it_are_once_whatever_becomes_of_the_answer(world, kind, how, settles):
    settings = {"billing": "invoice", "deposits": "all"}
    netsuite = world(settings=settings)
    netsuite.bad_days(*({"kind": kind, "operations": [one], "times": 1, **how} for one in BILLED))
    found = billed(netsuite, settles)
    assert found["invoice_total"] == {"shop-1001-i-warehouse-1001-f1": "26.53"}
    assert found["owed"] == {"shop-1001-i-warehouse-1001-f1": "0.00"}
    assert found["deposit_left"] == {"shop-1001-d-1001-p0": "0.00", "shop-1001-d-1001-p1": "20.71"}
    assert found["refunded"] == {"shop-1001-r-r1/21": "10.12"}
    assert {call.operation for call in netsuite.simulator.calls if call.fault} == set(BILLED)


@pytest.fixture(scope="module")
def good():
    return {}


@pytest.mark.parametrize(("kind", "how", "settles"), LOST, ids=[kind for kind, *_ in LOST])
def test_every_call_of_an_orders_life_meets_a_bad_day_once(world, good, kind, how, settles):
    if not good:
        good.update(life(world()))
    assert good["sales_order"] == {"shop-1001": 1}
    assert good["cancelled"] == {"shop-1001": 1}
    netsuite = world()
    netsuite.bad_days(*({"kind": kind, "operations": [one], "times": 1, **how} for one in (*WRITES, *READS)))
    assert life(netsuite, settles) == good
    assert {call.operation for call in netsuite.simulator.calls if call.fault} == {*WRITES, *READS}


def test_an_answer_that_takes_too_long_is_looked_up(world):
    netsuite = world(timeout=0.3)
    netsuite.bad_day("slow", operations=["salesOrder.upsert"], times=1, value=0.6)
    netsuite.drive(netsuite.connector.book(ORDER, key="k"), settles=0.7)
    assert netsuite.effects()["sales_order"] == {"shop-1001": 1}


def test_a_put_that_comes_twice_does_not_double_the_lines(world):
    netsuite = world()
    for _ in range(3):
        netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    (record,) = netsuite.simulator.memory.table("salesOrder").values()
    assert len(record["lines"]) == 3
