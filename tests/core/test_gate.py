"""The money gate lets every order through that its source reckoned right, and none that is a minor unit off (pain 34)."""

import random
from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.canonical.gate import captured, equation
from connectors.canonical.money import CurrencyMismatch, Money, MoneyBag, Role, minor_unit
from connectors.canonical.order import Discount, Line, Order, Totals
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Tender
from tests.core.generated_orders import BEGUN, HABITS, broken, lab, order

HERE = 6 * len(HABITS)  # every habit several times; 10,000 orders in `make lab-pains`


def bag(amount: str, currency: str = "EUR") -> MoneyBag:
    return MoneyBag(Money(Decimal(amount), currency))


def sold(total: str, *lines: Line, payments: tuple[Payment, ...] = ()) -> Order:
    totals = Totals(bag("0"), bag("0"), bag("0"), bag("0"), bag("0"), bag(total))
    return Order("1", "#1", BEGUN, BEGUN, "EUR", lines, totals, payments=payments)


def line(name: str, quantity: str, price: str, gross: str = "") -> Line:
    count = Decimal(quantity)
    return Line(name, name, name, count, bag(price), count, gross=bag(gross) if gross else None)


def test_every_right_order_passes_and_every_wrong_one_is_stopped() -> None:
    report = lab(HERE)
    assert not report.wrong
    assert (report.let_through, report.stopped, report.paid) == (HERE, HERE, HERE)
    assert set(report.habits) == set(HABITS), "inclusive and exclusive, three places, three modes, 0, 2 and 3 decimals"


def test_the_generated_orders_are_of_every_kind() -> None:
    orders = [order(number) for number in range(HERE)]
    assert any(one.rounding for one in orders)
    assert any(one.discounts for one in orders)
    assert any(item.discounts for one in orders for item in one.lines)
    assert any(item.gross for one in orders for item in one.lines)
    assert any(item.bundle_id for one in orders for item in one.lines)
    assert any(paid.tender is Tender.GIFT_CARD for one in orders for paid in one.payments)
    assert {one.money_role for one in orders} == set(Role)


@pytest.mark.parametrize("number", range(len(HABITS)))
def test_the_difference_is_told_to_the_minor_unit(number: int) -> None:
    good = order(number)
    wrong = equation(broken(good, random.Random(number)))
    apart = wrong.difference - equation(good).difference
    assert abs(apart.amount) == minor_unit(wrong.total.currency)


def test_gross_or_net_discount_is_one_cent_apart_and_seen() -> None:
    """10 % off 88.89 net is 8.89; off its gross, told net, 8.88: only what was stated may pass."""
    goods = line("1", "1", "88.89")
    right = replace(sold("80.00", goods), discounts=(Discount(bag("8.89")),))
    assert equation(right).holds
    assert equation(replace(right, discounts=(Discount(bag("8.88")),))).difference == Money(Decimal("-0.01"), "EUR")


def test_a_source_that_rounds_line_by_line_is_taken_at_its_word() -> None:
    """Ten weighed lines of 5.36655 make 53.70 at the till and 53.67 by multiplication."""
    weighed = [line(str(n), "1.345", "3.99", gross="5.37") for n in range(10)]
    assert equation(sold("53.70", *weighed)).holds
    assert not equation(sold("53.67", *weighed)).holds
    assert not equation(sold("53.70", *(replace(one, gross=None) for one in weighed))).holds


def test_half_a_unit_holds_whichever_way_it_was_rounded() -> None:
    goods = line("1", "1", "1.005")
    assert [equation(sold(total, goods)).holds for total in ("1.00", "1.01", "0.99", "1.02")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_bundles_part_costs_nothing() -> None:
    part = replace(line("2", "3", "4.00"), bundle_id="1")
    assert equation(sold("10.00", line("1", "1", "10.00"), part)).holds


def test_the_order_is_reckoned_in_its_stamped_role() -> None:
    """What is booked follows the order's own stamp, whatever the setting has become (pain 35)."""
    both = next(found for found in map(order, range(HERE)) if found.totals.total.presentment and found.lines)
    assert {equation(replace(both, money_role=role)).total.role for role in Role} == set(Role)
    assert equation(both).total.role is both.money_role


def test_an_order_with_parts_in_two_currencies_has_no_sum() -> None:
    mixed = replace(line("2", "1", "1.00"), unit_price=bag("1.00", "USD"))
    with pytest.raises(CurrencyMismatch, match="USD"):
        equation(sold("2.00", line("1", "1", "1.00"), mixed))
    with pytest.raises(CurrencyMismatch, match="no stated presentment"):
        equation(sold("1.00", line("1", "1", "1.00")), Role.PRESENTMENT)


def paid(kind: PaymentKind, amount: str, gateway: str, status: PaymentStatus = PaymentStatus.SUCCESS) -> Payment:
    return Payment(f"{kind}{amount}", kind, Tender.OTHER, bag(amount), status=status, gateway=gateway)


def test_what_a_tender_took_is_less_the_change_handed_back() -> None:
    moves = (
        paid(PaymentKind.SALE, "50.00", "cash"),
        paid(PaymentKind.CHANGE, "7.30", "cash"),
        paid(PaymentKind.AUTHORISATION, "10.00", "card"),
        paid(PaymentKind.CAPTURE, "10.00", "card"),
        paid(PaymentKind.CAPTURE, "99.00", "card", PaymentStatus.FAILURE),
        paid(PaymentKind.SALE, "1.00", "bank", PaymentStatus.PENDING),
        paid(PaymentKind.REFUND, "2.00", "card"),
        paid(PaymentKind.CHARGEBACK, "3.00", "card"),
    )
    assert captured(sold("52.70", payments=moves)) == {"cash": Decimal("42.70"), "card": Decimal("10.00")}
