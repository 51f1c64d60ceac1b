"""What comes back with its money is authorized, received into stock and credited, each once and to the cent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.canonical.order import Discount, Totals
from connectors.canonical.payment import Tender
from connectors.canonical.returns import Return, ReturnLine, ReturnStatus
from connectors.kit.errors import Rejected
from connectors.netsuite.simulator import DEMO_SETTINGS
from tests.connectors.netsuite import orders
from tests.connectors.netsuite.orders import ORDER, back, eur
from tests.contract import samples

PAID = orders.paid_by(ORDER, ("card", Tender.CARD, "57.36"))
TEE, MUG = ORDER.lines
SETTINGS = {"returns": "authorization", "billing": "invoice", "deposits": "all"}


@pytest.fixture
def shipped(world):
    def make(order=PAID, **settings):
        stock = {"1001": {"1": "10", "2": "0"}, "1002": {"1": "3", "2": "0"}}
        netsuite = world(settings={**SETTINGS, **settings}, simulator={"stock": stock})
        netsuite.drive(netsuite.connector.book(order, key="k"))
        for one in samples.parcels(order):
            netsuite.drive(netsuite.connector.record_shipment(order, one, key=one.id))
        return netsuite

    return make


def returned(line, count, subtotal, tax, location="shop"):
    return replace(back(line, count, subtotal, tax), restock=True, location=location)


def give_back(netsuite, *refunds, order=PAID):
    for one in refunds:
        netsuite.drive(netsuite.connector.record_refund(order, one, key=one.id))
    return netsuite.effects()


def on_hand(netsuite):
    return {key: row["onhand"] for key, row in netsuite.simulator.memory.table("stock").items()}


def states(netsuite):
    return [one["status"] for one in netsuite.simulator.memory.table("returnAuthorization").values()]


def test_a_returned_piece_is_authorized_received_where_it_came_in_and_credited(shipped):
    netsuite = shipped()
    one = orders.refund("r1", ("card", "20.71"), lines=(returned(TEE, 1, "17.40", "3.31"),))
    effects = give_back(netsuite, one, one)
    assert effects["return"] == {"shop-1001-ra-r1": 1}
    assert effects["received"] == {"shop-1001-rr-r1": {"1001@2": "1"}}
    assert effects["credit_memo_total"] == {"shop-1001-r-r1": "20.71"}
    assert effects["refunded"] == {"shop-1001-r-r1/21": "20.71"}
    assert on_hand(netsuite) == {"1001@1": "8", "1001@2": "1", "1002@1": "2", "1002@2": "0"}
    assert states(netsuite) == ["G"]


def test_what_stays_with_the_customer_and_the_shipping_are_credited_beside_it(shipped):
    netsuite = shipped(items={**DEMO_SETTINGS["items"], "credit": "9003"})
    lines = (returned(MUG, 1, "8.50", "1.62", "main"), back(TEE, 1, "17.40", "3.30"))
    one = orders.refund("r1", ("card", "36.65"), lines=lines, more=(orders.SHIPPING,))
    effects = give_back(netsuite, one)
    assert effects["received"] == {"shop-1001-rr-r1": {"1002@1": "1"}}
    assert effects["credit_memo_total"] == {"shop-1001-r-r1": "36.65"}
    assert states(netsuite) == ["G"]


def test_without_an_item_for_what_stays_nothing_is_sent(shipped):
    netsuite = shipped()
    lines = (returned(MUG, 1, "8.50", "1.62"), back(TEE, 1, "17.40", "3.30"))
    with pytest.raises(Rejected) as refused:
        give_back(netsuite, orders.refund("r1", ("card", "30.82"), lines=lines))
    assert (refused.value.code, refused.value.field) == ("not_configured", "settings.items.credit")
    assert netsuite.effects()["return"] == {}


def test_what_never_left_is_no_return(world):
    netsuite = world(settings={**SETTINGS, "deposits": "none"})
    netsuite.drive(netsuite.connector.book(PAID, key="k"))
    one = orders.refund("r1", ("card", "10.12"), lines=(returned(MUG, 1, "8.50", "1.62"),))
    effects = give_back(netsuite, one)
    assert effects["return"] == {}
    assert effects["credit_memo_total"] == {"shop-1001-r-r1": "10.12"}


@pytest.mark.parametrize("tax", ["details", "item"])
def test_of_an_order_with_a_discount_of_its_own_only_what_came_back_is_credited(shipped, tax):
    totals = Totals(eur("48.30"), eur("7.00"), eur("4.90"), eur("0.00"), eur("9.16"), eur("55.36"))
    bare = replace(ORDER, discounts=(Discount(eur("2.00"), code="X"),), totals=totals)
    order = orders.paid_by(bare, ("card", Tender.CARD, "55.36"))
    netsuite = shipped(order, tax=tax)
    first = orders.refund("r1", ("card", "20.00"), lines=(returned(TEE, 1, "16.69", "3.31"),))
    second = orders.refund("r2", ("card", "19.99"), lines=(returned(TEE, 1, "16.69", "3.30"),))
    effects = give_back(netsuite, first, second, order=order)
    assert effects["credit_memo_total"] == {"shop-1001-r-r1": "20.00", "shop-1001-r-r2": "19.99"}
    assert sum(Decimal(one) for one in effects["refunded"].values()) == Decimal("39.99")
    assert states(netsuite) == ["G", "G"]


def test_a_piece_is_returned_once(shipped):
    """A second authorization of the same piece is refused by NetSuite, and a person is asked."""
    netsuite = shipped()
    one = orders.refund("r1", ("card", "10.12"), lines=(returned(MUG, 1, "8.50", "1.62"),))
    two = orders.refund("r2", ("card", "10.12"), lines=(returned(MUG, 1, "8.50", "1.62"),))
    give_back(netsuite, one)
    with pytest.raises(Rejected) as refused:
        give_back(netsuite, two)
    assert refused.value.field == "item.items[0].quantity"
    assert netsuite.effects()["credit_memo"] == {"shop-1001-r-r1": 1}


OPERATIONS = (
    "salesOrder.returnAuthorization returnAuthorization.itemReceipt returnAuthorization.creditMemo "
    "returnAuthorization.get customerRefund.upsert"
).split()


@pytest.mark.parametrize("kind", ["commit_then_drop", "truncated", "throttle"])
def test_each_record_of_a_return_is_once_whatever_becomes_of_the_answer(shipped, kind):
    netsuite = shipped()
    netsuite.bad_days(*({"kind": kind, "operations": [one], "times": 1, "value": 0} for one in OPERATIONS))
    one = orders.refund("r1", ("card", "10.12"), lines=(returned(MUG, 1, "8.50", "1.62"),))
    netsuite.drive_again(lambda: netsuite.connector.record_refund(PAID, one, key="r"), settles=0.0)
    effects = netsuite.effects()
    assert effects["return"] == {"shop-1001-ra-r1": 1}
    assert effects["received"] == {"shop-1001-rr-r1": {"1002@2": "1"}}
    assert effects["refunded"] == {"shop-1001-r-r1/21": "10.12"}
    assert on_hand(netsuite)["1002@2"] == "1"
    assert {call.operation for call in netsuite.simulator.calls if call.fault} == set(OPERATIONS)


def came(*lines, name="WB-1001-R1", location="shop"):
    """Goods that came back: (line, how many, condition)."""
    told = tuple(ReturnLine(one.id, Decimal(n), "", one.sku, Decimal(n), how) for one, n, how in lines)
    return Return(name, ReturnStatus.RECEIVED, told, name, at=orders.NOW, location=location, origin="hub")


KEPT = {"conditions": {"quarantined": "8", "scrapped": "9"}}


def record(netsuite, *returned):
    for one in returned:
        netsuite.drive(netsuite.connector.record_return(PAID, one, key=one.id))
    return netsuite.effects()


def test_goods_without_money_come_in_by_condition_and_nothing_is_to_be_credited(shipped):
    netsuite = shipped(**KEPT)
    for condition in ("8", "9"):
        netsuite.tell("/_sim/stock", {"item": "1001", "location": condition, "available": "0"})
    exchange = came((TEE, 1, "sellable"), (TEE, 1, "quarantined"), (MUG, 1, "sellable"))
    effects = record(netsuite, exchange, exchange)
    assert effects["received"] == {
        "shop-1001-rr-WB-1001-R1-quarantined": {"1001@8": "1"},
        "shop-1001-rr-WB-1001-R1-sellable": {"1001@2": "1", "1002@2": "1"},
    }
    assert effects["return"] == {"shop-1001-ra-WB-1001-R1": 1}
    assert effects["credit_memo"] == effects["customer_refund"] == {}
    assert states(netsuite) == ["H"]
    assert on_hand(netsuite) == {
        "1001@1": "8", "1001@2": "1", "1001@8": "1", "1001@9": "0", "1002@1": "2", "1002@2": "1",
    }  # fmt: skip
    for one in (came((TEE, 1, "scrapped")), came((TEE, 1, "scrapped"))):
        netsuite.drive(netsuite.connector.record_disposition(PAID, one, key="d"))
    assert (on_hand(netsuite)["1001@8"], on_hand(netsuite)["1001@9"]) == ("0", "1")


def test_pieces_leave_quarantine_in_parts(shipped):
    """One of two is sellable, later the other is, too: each part once, however often it is told."""
    netsuite = shipped(**KEPT)
    netsuite.tell("/_sim/stock", {"item": "1001", "location": "8", "available": "0"})
    record(netsuite, came((TEE, 2, "quarantined")))
    for key in ("first", "first", "second", "second"):
        netsuite.drive(netsuite.connector.record_disposition(PAID, came((TEE, 1, "sellable")), key=key))
    assert (on_hand(netsuite)["1001@8"], on_hand(netsuite)["1001@2"]) == ("0", "2")
    assert len(netsuite.effects()["transferred"]) == 2


def test_what_may_not_be_sold_lies_among_nothing_that_may(shipped):
    netsuite = shipped()
    with pytest.raises(Rejected) as refused:
        record(netsuite, came((TEE, 1, "quarantined")))
    assert refused.value.field == "settings.conditions.quarantined"
    assert netsuite.effects()["return"] == {}


def test_an_account_without_authorizations_books_no_goods_without_money(shipped):
    netsuite = shipped(returns="credit")
    assert netsuite.drive(netsuite.connector.record_return(PAID, came((TEE, 1, "sellable")), key="r")) == ""
    assert netsuite.effects()["return"] == {}


def test_a_line_that_the_order_does_not_have_is_named(shipped):
    netsuite = shipped()
    with pytest.raises(Rejected) as refused:
        record(netsuite, came((replace(TEE, id="else"), 1, "sellable")))
    assert (refused.value.code, refused.value.field) == ("line_unknown", "lines[0].line_id")
