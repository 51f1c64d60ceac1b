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
    "customer.upsert salesOrder.upsert customerDeposit.upsert salesOrder.update salesOrder.transform creditMemo.upsert "
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
