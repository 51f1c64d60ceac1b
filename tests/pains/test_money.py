"""Money: generated orders of every habit pass the gate and none that is a minor unit off; currencies never mix (pains 34, 35)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from app.orders.merge import merge
from connectors.canonical.gate import equation
from connectors.canonical.money import CurrencyMismatch, Money, Role
from connectors.canonical.order import Order
from tests.connectors.netsuite.conftest import CODES
from tests.connectors.netsuite.test_money import TAXES, body_or_refusal, booked_total
from tests.core.generated_orders import lab, order
from tests.pains.conftest import size


def test_the_gate_lets_nothing_through_that_does_not_add_up(figure: Callable[..., None]) -> None:
    """Pain 34: inclusive and exclusive, three roundings, 0/2/3 decimals, vouchers; each with a twin that is off."""
    report = lab(size(324, 10_000))
    assert not report.wrong
    figure("34", orders=report.orders, passed=report.let_through, broken_stopped=report.stopped)


def mapped(made: Order) -> Order:
    """The order as one of the shop that the simulated ERP knows, with a SKU that it has."""
    return replace(
        made, id="1", channel="shop", lines=tuple(replace(line, sku=next(iter(CODES["sku"]))) for line in made.lines)
    )


def test_what_the_erp_books_is_the_channels_total(figure: Callable[..., None]) -> None:
    """Pain 34: the simulated ERP's own arithmetic over our payload equals the source's total, or nothing is sent."""
    many, booked, refused = size(60, 10_000), 0, 0
    for number in range(many):
        made = mapped(order(number))
        total = equation(made).total.amount
        body = body_or_refusal(made, TAXES["details"])
        if body is None:
            refused += 1
        else:
            assert booked_total(body) == total
            booked += 1
    assert booked > many / 3
    figure("34 erp", orders=many, booked_to_the_cent=booked, refused_with_difference=refused, booked_wrong=0)


def test_currencies_and_roles_do_not_mix() -> None:
    """Pain 35: an amount is value, currency and role; adding two that differ raises, comparing too."""
    euro, dollar = Money(Decimal("1.00"), "EUR"), Money(Decimal("1.00"), "USD")
    seen = Money(Decimal("1.00"), "EUR", Role.PRESENTMENT)
    for other in (dollar, seen):
        with pytest.raises(CurrencyMismatch):
            euro + other
        with pytest.raises(CurrencyMismatch):
            _ = euro < other


def test_an_order_keeps_the_currency_it_was_stamped_with() -> None:
    """Pain 35: a later snapshot under another setting does not change whose currency the books follow."""
    from dataclasses import replace

    old = replace(order(1), money_role=Role.PRESENTMENT)
    new = replace(order(1), money_role=Role.SHOP, note="later")
    assert merge(old, new, newer=True, account="shop", links={}).order.money_role is Role.PRESENTMENT
