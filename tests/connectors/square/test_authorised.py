"""What was approved at Square is completed whole and once; several payments of an order are taken together."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind, Takes
from connectors.kit.errors import Rejected
from tests.connectors.square.conftest import MakeSeller, Seller
from tests.contract.driver import Driver


def whole(held: Payment, number: str = "WB1-M1") -> Payment:
    return replace(held, id=number, kind=PaymentKind.CAPTURE, parent_id=held.id)


def capture(at: Seller, order: Order, n: int = 0) -> Any:
    return at.connector.capture(order, whole(order.payments[n]), key=f"k{n}")


def test_a_payment_is_completed_and_stays_what_it_was(seller: MakeSeller) -> None:
    at = seller()
    order = at.place(payment="authorized")
    (held,) = order.payments
    assert (held.kind, held.takes) == (PaymentKind.AUTHORISATION, Takes.WHOLE)
    assert at.done(capture(at, order)) == held.id
    (sold,) = at.again(order).payments
    assert (sold.id, sold.kind, sold.amount) == (held.id, PaymentKind.SALE, held.amount)
    assert at.done(capture(at, order)) == held.id
    assert len(at.system.calls("payments.complete")) == 1


def test_a_part_is_refused_before_anything_is_asked(seller: MakeSeller) -> None:
    """An order's payments must come to its total: a lesser one could not be completed."""
    at = seller()
    order = at.place(payment="authorized")
    part = replace(whole(order.payments[0]), amount=MoneyBag(Money(Decimal("1.00"), "EUR")))
    with pytest.raises(Rejected) as met:
        at.done(at.connector.capture(order, part, key="k"))
    assert met.value.code == "whole_only"
    assert at.effects("capture") == {}


def test_several_payments_of_an_order_are_taken_together(seller: MakeSeller) -> None:
    at = seller()
    order = at.place(payment="two_cards")
    assert len(order.payments) == 2
    for n in (0, 1):
        assert at.done(capture(at, order, n)) == order.payments[n].id
    assert [one.kind for one in at.again(order).payments] == [PaymentKind.SALE] * 2
    assert (len(at.system.calls("orders.pay")), at.system.calls("payments.complete")) == (1, [])
    assert list(at.effects("capture").values()) == [1, 1]


def test_a_payment_in_the_place_of_one_that_did_not_fit_is_taken_with_the_rest(seller: MakeSeller) -> None:
    """The first try named other payments: under its key Square would refuse these for ever."""
    at = seller()
    order = at.place(payment="two_cards")
    memory = at.simulator.memory
    right = memory.table("payments")[order.payments[1].id]
    tip = {"amount": right["total_money"]["amount"] + 100, "currency": "EUR"}
    memory.put("payments", right["id"], {**right, "total_money": tip})
    with pytest.raises(Rejected, match="does not match"):
        at.done(capture(at, order))
    memory.put("payments", right["id"], {**right, "status": "CANCELED"})
    memory.put("payments", "again", {**right, "id": "again"})
    raw = memory.table("orders")[order.id]
    tender = {**raw["tenders"][1], "id": "again", "payment_id": "again"}
    memory.put("orders", order.id, {**raw, "tenders": [*raw["tenders"], tender]})
    assert at.done(capture(at, order)) == order.payments[0].id
    assert memory.table("payments")["again"]["status"] == "COMPLETED"


@pytest.mark.parametrize(("how", "operation"), [("authorized", "payments.complete"), ("two_cards", "orders.pay")])
def test_a_lost_answer_is_looked_up(seller: MakeSeller, how: str, operation: str) -> None:
    at = seller()
    order = at.place(payment=how)
    at.system.bad_day("commit_then_drop", operations=(operation,), times=1)
    lost = Driver(at.bench.known, settles=0.01)
    assert lost.finish(lambda: capture(at, order)) == order.payments[0].id
    assert lost.met
    assert len(at.system.calls(operation)) == 1


def test_one_that_the_seller_cancelled_is_refused(seller: MakeSeller) -> None:
    at = seller()
    order = at.place(payment="authorized")
    payments = at.simulator.memory.table("payments")
    payments[order.payments[0].id] = {**payments[order.payments[0].id], "status": "CANCELED"}
    with pytest.raises(Rejected) as met:
        at.done(capture(at, order))
    assert "canceled" in met.value.sentence


def test_a_payment_is_let_go_once_and_not_after_it_was_taken(seller: MakeSeller) -> None:
    at = seller()
    order, sold = at.place(payment="authorized"), at.place(payment="authorized")
    (held,) = order.payments
    at.system.bad_day("commit_then_drop", operations=("payments.cancel",), times=1)
    lost = Driver(at.bench.known, settles=0.01)
    released = replace(held, id="WB1-M2", kind=PaymentKind.VOID, parent_id=held.id)
    assert lost.finish(lambda: at.connector.void(order, released, key="v")) == held.id
    assert (bool(lost.met), len(at.system.calls("payments.cancel"))) == (True, 1)
    (gone,) = at.again(order).payments
    assert (gone.id, gone.kind, gone.amount) == (held.id, PaymentKind.VOID, held.amount)
    at.done(capture(at, sold))
    taken = replace(sold.payments[0], id="WB2-M2", kind=PaymentKind.VOID, parent_id=sold.payments[0].id)
    with pytest.raises(Rejected) as met:
        at.done(at.connector.void(sold, taken, key="w"))
    assert met.value.code == "captured"
