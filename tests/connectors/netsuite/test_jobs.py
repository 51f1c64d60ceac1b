"""Orders booked as asynchronous jobs: one job for each key, polled to its end."""

from __future__ import annotations

import pytest

from connectors.kit.errors import Rejected
from connectors.kit.writes import Job
from tests.connectors.netsuite.orders import ORDER


def test_a_job_is_polled_until_the_order_is_there(world):
    netsuite = world(settings={"respond_async": True})
    assert netsuite.drive(netsuite.connector.book(ORDER, key="k")) == "SO10001"
    assert netsuite.effects()["sales_order"] == {"shop-1001": 1}
    assert netsuite.effects()["sales_order_total"] == {"shop-1001": "57.36"}


def test_the_same_key_twice_is_the_same_job(world):
    netsuite = world(settings={"respond_async": True}, simulator={"job_seconds": 30})
    jobs = []
    for _ in range(2):
        writes = netsuite.connector.book(ORDER, key="k")
        customer = next(writes)
        write = writes.send(customer.send())
        jobs.append(write.send())
    assert jobs[0] == jobs[1]
    assert isinstance(jobs[0], Job)
    assert {call.status for call in netsuite.simulator.calls if call.operation == "salesOrder.upsert"} == {202, 400}


def test_a_lost_202_is_found_when_the_job_is_done(world):
    netsuite = world(settings={"respond_async": True}, simulator={"job_seconds": 0.05})
    netsuite.bad_day("commit_then_drop", operations=["salesOrder.upsert"], times=1)
    netsuite.drive(netsuite.connector.book(ORDER, key="k"), settles=0.1)
    assert netsuite.effects()["sales_order"] == {"shop-1001": 1}
    assert netsuite.operations().count("salesOrder.upsert") == 1


def test_a_retry_after_the_cause_is_gone_is_not_told_the_old_refusal(world):
    netsuite = world(settings={"respond_async": True}, codes={"sku": {"WB-TEE": "7777", "WB-MUG": "1002"}})
    with pytest.raises(Rejected):
        netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    netsuite.tell("/_sim/items", {"id": "7777", "sku": "WB-TEE"})
    assert netsuite.drive(netsuite.connector.book(ORDER, key="k")) == "SO10001"
    assert netsuite.effects()["sales_order"] == {"shop-1001": 1}


def test_a_job_that_fails_is_a_refusal_with_its_reason(world):
    netsuite = world(settings={"respond_async": True}, codes={"sku": {"WB-TEE": "7777", "WB-MUG": "1002"}})
    with pytest.raises(Rejected) as refused:
        netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    assert (refused.value.code, refused.value.field) == ("INVALID_CONTENT", "item.items[0].item")
