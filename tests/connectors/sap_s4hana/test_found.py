"""What was done and not answered is found by its name or its state alone: nothing is written to learn it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.connectors.netsuite.orders import shipment
from tests.contract import samples
from tests.contract.samples import ORDER

BOOKED = replace(ORDER, note="Please ring")
BACK = samples.goods_back(ORDER, "sellable", "quarantined")
REFUND = replace(samples.refund(ORDER), lines=(replace(samples.refund(ORDER).lines[0], restock=True),))
ACTS = {
    "book": lambda erp: erp.book(BOOKED, key="b"),
    "amend": lambda erp: erp.amend(samples.amended(BOOKED), key="a"),
    "ship": lambda erp: erp.record_shipment(BOOKED, shipment("f1", ("1001-1", 1)), key="s"),
    "ship the mug": lambda erp: erp.record_shipment(BOOKED, shipment("f2", ("1001-2", 1)), key="s2"),
    "refund": lambda erp: erp.record_refund(BOOKED, REFUND, key="r"),
    "return": lambda erp: erp.record_return(BOOKED, BACK, key="g"),
    "dispose": lambda erp: erp.record_disposition(BOOKED, samples.looked_at(ORDER), key="d"),
    "cancel": lambda erp: erp.cancel(BOOKED, key="c"),
}


BEFORE = {"dispose": "return", "refund": "ship the mug"}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("settings", [{"customer_match": "email"}, {"sales_order_api": "v4"}], ids=["v2", "v4"])
def test_a_worker_who_knows_nothing_finds_what_was_done(world, settings, act):
    company = world(settings)
    company.do(ACTS["book"])
    if act in BEFORE:
        company.do(ACTS[BEFORE[act]])
    before = ACTS[act](company.elsewhere().connector)
    if act != "book":  # not there before it is done
        assert unfound(before)
    company.do(ACTS[act])
    written, writes = len(company.operations(write=True)), ACTS[act](company.elsewhere().connector)
    write, found = next(writes), []
    while write is not None:
        found.append(write.find())
        assert found[-1], f"{write.name} is not found"
        try:
            write = writes.send(found[-1])
        except StopIteration:
            write = None
    assert len(company.operations(write=True)) == written


def unfound(writes) -> bool:
    """Whether anything of it is not there: what is looked up first (an address's partner) may be."""
    write = next(writes)
    while (found := write.find()) is not None:
        try:
            write = writes.send(found)
        except StopIteration:
            return False
    return True
