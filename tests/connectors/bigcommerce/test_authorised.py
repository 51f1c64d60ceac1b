"""What was authorised at BigCommerce is taken whole and once, though the store does it in its own time, or the provider says no."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.order import Order
from connectors.canonical.payment import PaymentKind, Takes
from connectors.kit.errors import Rejected
from connectors.kit.writes import Job
from tests.connectors.bigcommerce.conftest import MakeShop, Shop
from tests.contract import samples
from tests.contract.driver import Driver


def kinds(order: Order) -> list[tuple[PaymentKind, str]]:
    return [(one.kind, one.parent_id) for one in order.payments]


def capture(at: Shop, order: Order, key: str = "k") -> Any:
    return at.connector.capture(order, samples.capture(order), key=key)


def test_it_is_taken_whole_and_its_transaction_names_what_authorised_it(shop: MakeShop) -> None:
    at = shop()
    order = at.place("authorized")
    (held,) = order.payments
    assert held.takes is Takes.WHOLE
    taken = at.done(capture(at, order))
    after = at.again(order)
    assert kinds(after) == [(PaymentKind.AUTHORISATION, ""), (PaymentKind.CAPTURE, held.id)]
    assert (after.payments[1].id, after.payments[1].amount) == (taken, held.amount)
    assert at.done(capture(at, order)) == taken, "asked for again it is the one that was made"
    part = replace(samples.capture(order), amount=MoneyBag(Money(Decimal("1.00"), "EUR")))
    with pytest.raises(Rejected) as met:
        at.done(at.connector.capture(order, part, key="k"))
    assert met.value.code == "whole_only"
    assert list(at.effects("capture").values()) == [1]


def test_while_the_store_works_on_it_nobody_asks_again(shop: MakeShop) -> None:
    at = shop()
    order = at.place("authorized")
    at.move(order, "provider", mood="slow")
    write = next(capture(at, order))
    job = write.send()
    assert isinstance(job, Job)
    assert write.poll is not None
    assert (write.find(), write.send(), write.poll(job.id)) == (None, job, job)
    assert at.again(order).payments[0].kind is PaymentKind.AUTHORISATION
    at.move(order, "provider", mood="")
    assert write.poll(job.id) == write.find() == at.again(order).payments[1].id
    assert len(at.system.calls("payments.capture")) == 1


def test_a_lost_answer_is_looked_up(shop: MakeShop) -> None:
    at = shop()
    order = at.place("authorized")
    at.system.bad_day("commit_then_drop", operations=("payments.capture",), times=1)
    lost = Driver(at.bench.known, settles=0.01)
    taken = lost.finish(lambda: capture(at, order))
    assert lost.met
    assert at.again(order).payments[1].id == taken
    assert len(at.system.calls("payments.capture")) == 1


def test_what_the_provider_declines_is_refused_and_can_be_asked_again(shop: MakeShop) -> None:
    at = shop()
    order = at.place("authorized")
    at.move(order, "provider", mood="declines")
    with pytest.raises(Rejected) as met:
        at.done(capture(at, order))
    assert met.value.code == "declined"
    at.move(order, "provider", mood="")
    assert at.done(capture(at, order)) == at.again(order).payments[1].id


def test_where_no_transactions_are_listed_the_orders_word_counts(shop: MakeShop) -> None:
    """The payment is made of the header: it turns from an authorisation into a sale under its own name."""
    at = shop()
    order = at.place("authorized", transactions=False)
    (held,) = order.payments
    assert (held.kind, held.takes) == (PaymentKind.AUTHORISATION, Takes.WHOLE)
    assert at.done(capture(at, order)) == held.id
    (sold,) = at.again(order).payments
    assert (sold.id, sold.kind, sold.amount) == (held.id, PaymentKind.SALE, held.amount)


def test_what_is_paid_already_is_refused(shop: MakeShop) -> None:
    at = shop()
    order = at.place("authorized")
    at.system.post(f"/_sim/orders/{order.id}/cancel", {})
    at.simulator.memory.table("orders")[order.id]["payment"] = "void"
    with pytest.raises(Rejected):
        at.done(capture(at, order))


@pytest.mark.parametrize("transactions", [True, False])
def test_an_authorisation_is_let_go_once_though_the_store_takes_its_time(shop: MakeShop, transactions: bool) -> None:
    at = shop()
    order = at.place("authorized", transactions=transactions)
    at.move(order, "provider", mood="slow")
    write = next(at.connector.void(order, samples.void(order), key="v"))
    job = write.send()
    assert isinstance(job, Job)
    assert write.poll is not None
    assert (write.find(), write.poll(job.id)) == (None, job)
    at.move(order, "provider", mood="")
    released = write.poll(job.id)
    assert released == write.find() == write.send() == at.again(order).payments[-1].id
    assert at.again(order).payments[-1].kind is PaymentKind.VOID
    assert len(at.system.calls("payments.void")) == 1
    with pytest.raises(Rejected):
        at.done(capture(at, order))
