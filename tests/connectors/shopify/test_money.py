"""Shopify moves money by our word: captured parcel by parcel and given back through its transactions, once, whatever the day is like."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind, Takes, Tender
from connectors.canonical.returns import Refund, RefundLine
from connectors.kit.account import Account
from connectors.kit.errors import NotOffered, Rejected
from tests.connectors.shopify.conftest import CODES, TOKEN
from tests.connectors.shopify.contract import fetched
from tests.contract.bench import Bench, MemoryCodes
from tests.contract.driver import Driver, drive
from tests.contract.system import System


@pytest.fixture
def bench(shop: System) -> Bench:
    settings = {"currency": "EUR", "transactions": True, "location": "70001"}
    return Bench(Account("tried", "shopify", shop.address, {"access_token": TOKEN}, settings), MemoryCodes(CODES))


def order(shop: System, **spec: Any) -> Order:
    return fetched(shop, token=TOKEN, **spec)


def take(sold: Order, amount: str, number: str = "WB1-M1") -> Payment:
    held = sold.payments[0]
    bag = MoneyBag(Money(Decimal(amount), "EUR"))
    return replace(held, id=number, kind=PaymentKind.CAPTURE, amount=bag, parent_id=held.id)


def back(sold: Order, amount: str, *, restock: bool = True, parent: str | None = None, name: str = "WB1-R1") -> Refund:
    bag, nothing = MoneyBag(Money(Decimal(amount), "EUR")), MoneyBag(Money(Decimal(0), "EUR"))
    paid = sold.payments[0]
    line = RefundLine(sold.lines[0].id, Decimal(1), bag, nothing, restock, "main" if restock else "")
    one = replace(paid, id="p", kind=PaymentKind.REFUND, amount=bag, parent_id=paid.id if parent is None else parent)
    if parent == "":
        one = replace(one, tender=Tender.STORE_CREDIT, gateway="store_credit")
    return Refund(name, bag, (line,), payments=(one,))


def captured(shop: System) -> list[str]:
    return list(shop.get("/_sim/effects")["capture"].values())


def test_an_authorisation_is_taken_in_parts_and_never_above_itself(shop: System, bench: Bench) -> None:
    sold = order(shop, status="authorized")
    assert [one.kind for one in sold.payments] == [PaymentKind.AUTHORISATION]
    whole = sold.payments[0].amount.shop.amount
    first = drive(bench.connector().capture(sold, take(sold, "10.00"), key="a"))
    drive(bench.connector().capture(sold, take(sold, str(whole - 10), "WB1-M2"), key="b"))
    assert captured(shop) == ["10.00", str(whole - 10)]
    with pytest.raises(Rejected) as refused:
        drive(bench.connector().capture(sold, take(sold, "0.01", "WB1-M3"), key="c"))
    assert "exceeds" in refused.value.sentence
    again = order(shop, status="authorized")
    assert shop.get("/_sim/orders")[0]["financial_status"] == "paid"
    assert first != again.payments[0].id


def test_a_lost_capture_is_found_and_not_taken_for_another_of_the_same_amount(shop: System, bench: Bench) -> None:
    sold = order(shop, status="authorized")
    driver = Driver(bench.known, settles=0.01)
    first = driver.finish(lambda: bench.connector().capture(sold, take(sold, "10.00"), key="a"))
    shop.bad_day("commit_then_drop", writes_only=True, times=1)
    lost = Driver(bench.known, settles=0.01)
    second = lost.finish(lambda: bench.connector().capture(sold, take(sold, "10.00", "WB1-M2"), key="b"))
    shop.good_day()
    shop.bad_day("drop", writes_only=True, times=1)
    third = Driver(bench.known, settles=0.01).finish(
        lambda: bench.connector().capture(sold, take(sold, "10.00", "WB1-M3"), key="c")
    )
    assert len({first, second, third}) == 3
    assert captured(shop) == ["10.00"] * 3


def test_where_an_authorisation_can_be_captured_once_the_second_is_refused(shop: System, bench: Bench) -> None:
    sold = order(shop, status="authorized", gateway="authorize_net")
    drive(bench.connector().capture(sold, take(sold, "10.00"), key="a"))
    with pytest.raises(Rejected):
        drive(bench.connector().capture(sold, take(sold, "10.00", "WB1-M2"), key="b"))


def test_a_refund_goes_through_its_transaction_and_its_lines_come_back_or_not(shop: System, bench: Bench) -> None:
    sold = order(shop)
    drive(bench.connector().give_back(sold, back(sold, "19.90"), key="a"))
    drive(bench.connector().give_back(sold, back(sold, "19.90"), key="a"), find_first=True)
    drive(bench.connector().give_back(sold, back(sold, "1.00", restock=False, name="WB1-R2"), key="b"))
    (told,) = [shop.get(f"/_sim/orders/{sold.id}")]
    assert [[t["amount"] for t in one["transactions"]] for one in told["refunds"]] == [["19.90"], ["1.00"]]
    assert [one["refund_line_items"][0]["restock_type"] for one in told["refunds"]] == ["return", "no_restock"]
    assert told["refunds"][0]["note"] == "Refund [WB1-R1]"
    with pytest.raises(Rejected):
        drive(bench.connector().give_back(sold, back(sold, "9999.00", name="WB1-R3"), key="c"))


def test_what_goes_back_through_no_transaction_is_store_credit_or_refused(shop: System, bench: Bench) -> None:
    sold = order(shop)
    drive(bench.connector().give_back(sold, back(sold, "5.00", parent=""), key="a"))
    assert shop.get("/_sim/orders")[0]["refunds"] == {"shopify_store_credit": "5.00"}
    lost = back(sold, "5.00", parent="", name="WB1-R2")
    card = replace(lost, payments=(replace(lost.payments[0], tender=Tender.CARD),))
    with pytest.raises(Rejected) as refused:
        drive(bench.connector().give_back(sold, card, key="b"))
    assert refused.value.code == "no_transaction"


def test_how_often_an_authorisation_may_be_taken_is_read_where_it_is_told(shop: System) -> None:
    assert order(shop, status="authorized").payments[0].takes is Takes.PARTS
    assert order(shop, status="authorized", gateway="authorize_net").payments[0].takes is Takes.ONCE
    assert order(shop, status="authorized", listed=False).payments[0].takes is Takes.ONCE, "its totals do not say it"


def test_what_was_read_without_transactions_is_moved_through_those_that_are_there(shop: System, bench: Bench) -> None:
    """An order from before the account wanted them: its payment is made of the totals, and bears no transaction's id."""
    sold = order(shop, status="authorized", listed=False)
    whole = sold.payments[0].amount.shop.amount
    assert sold.payments[0].id == f"{sold.id}-shopify_payments"
    shop.bad_day("commit_then_drop", writes_only=True, times=1)
    lost = Driver(bench.known, settles=0.01)
    first = lost.finish(lambda: bench.connector().capture(sold, take(sold, "10.00"), key="a"))
    shop.good_day()
    assert lost.met
    drive(bench.connector().capture(sold, take(sold, str(whole - 10), "WB1-M2"), key="b"))
    assert captured(shop) == ["10.00", str(whole - 10)]
    refund = back(sold, str(whole - 1), restock=False)
    drive(bench.connector().give_back(sold, refund, key="c"))
    (made,) = shop.get(f"/_sim/orders/{sold.id}")["refunds"]
    assert [one["amount"] for one in made["transactions"]] == [str(whole - 10), "9.00"], "the newest first"
    assert [str(one["parent_id"]) == first for one in made["transactions"]] == [False, True]
    with pytest.raises(Rejected) as refused:
        drive(bench.connector().give_back(sold, replace(refund, id="WB1-R2"), key="d"))
    assert refused.value.code == "no_transaction"


def test_in_two_currencies_money_moves_in_the_customers(shop: System, bench: Bench) -> None:
    sold = order(shop, kind="presentment", status="authorized")
    held = sold.payments[0].amount
    assert held.presentment is not None
    payment = replace(take(sold, "1.00"), amount=held)
    drive(bench.connector().capture(sold, payment, key="a"))
    assert captured(shop) == [str(held.presentment.amount)]


def let_go(sold: Order) -> Payment:
    held = sold.payments[0]
    return replace(held, id="WB1-M7", kind=PaymentKind.VOID, parent_id=held.id)


@pytest.mark.parametrize("listed", [True, False])
def test_an_authorisation_is_let_go_once_and_not_after_it_was_taken_of(
    shop: System, bench: Bench, listed: bool
) -> None:
    sold = order(shop, status="authorized", listed=listed)
    shop.bad_day("commit_then_drop", writes_only=True, times=1)
    lost = Driver(bench.known, settles=0.01)
    released = lost.finish(lambda: bench.connector().void(sold, let_go(sold), key="a"))
    shop.good_day()
    assert lost.met
    assert drive(bench.connector().void(sold, let_go(sold), key="a"), find_first=True) == released
    assert list(shop.get("/_sim/effects")["void"].values()) == [str(sold.payments[0].amount.shop.amount)]
    with pytest.raises(Rejected):
        drive(bench.connector().void(sold, let_go(sold), key="b"))
    taken = order(shop, status="authorized", listed=listed)
    drive(bench.connector().capture(taken, take(taken, "1.00"), key="c"))
    with pytest.raises(NotOffered):
        drive(bench.connector().void(taken, let_go(taken), key="d"))


def test_what_the_provider_declines_is_neither_taken_nor_let_go(shop: System, bench: Bench) -> None:
    """Shopify answers such a transaction without any error: its status alone says so, then and when it is looked up."""
    sold = order(shop, status="authorized", gateway="declining_payments")
    asked = (
        lambda: bench.connector().capture(sold, take(sold, "1.00"), key="a"),
        lambda: bench.connector().void(sold, let_go(sold), key="b"),
    )
    for ask in asked:
        shop.bad_day("commit_then_drop", writes_only=True, times=1)
        with pytest.raises(Rejected) as refused:
            Driver(bench.known, settles=0.01).finish(ask)
        shop.good_day()
        assert refused.value.code == "declined"
