"""Money is exact, of one currency and one role, or it is refused (pain 35)."""

import operator
from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.canonical.money import CurrencyMismatch, Money, MoneyBag, Role, minor_unit, parse, total, zero

EUR = Money(Decimal("1.00"), "EUR")
OTHERS = {
    "currency": Money(Decimal("1.00"), "USD"),
    "role": Money(Decimal("1.00"), "EUR", Role.PRESENTMENT),
}
amounts = st.decimals(-(10**12), 10**12, places=4)


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("mix", [operator.add, operator.sub, operator.lt, operator.gt])
def test_two_currencies_or_roles_do_not_mix(mix: Callable[[Any, Any], Any], other: Money) -> None:
    with pytest.raises(CurrencyMismatch, match="do not mix"):
        mix(EUR, other)
    assert other != EUR


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_sum_of_two_currencies_or_roles_raises(other: Money) -> None:
    with pytest.raises(CurrencyMismatch):
        total([EUR, other], "EUR")
    with pytest.raises(CurrencyMismatch):
        MoneyBag(EUR) + MoneyBag(other)


@pytest.mark.parametrize("amount", [0.1, 1, "1.00", True, None, Decimal("NaN"), Decimal("Infinity")])
def test_an_amount_is_a_finite_decimal(amount: Any) -> None:
    with pytest.raises(TypeError, match="finite Decimal"):
        Money(amount, "EUR")


def test_a_float_is_no_factor() -> None:
    factor: Any = 0.5
    with pytest.raises(TypeError):
        EUR * factor


@pytest.mark.parametrize("text", [1.5, True, None, b"1", "", "1,50", "12.3.4", "NaN", "-Infinity", [], {}])
def test_what_is_no_exact_amount_is_not_read(text: object) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        parse(text, "EUR")


@pytest.mark.parametrize("text", ["12.30", " 12.30 ", Decimal("12.30"), "1230e-2"])
def test_an_exact_amount_is_read(text: object) -> None:
    assert parse(text, "eur") == Money(Decimal("12.30"), "EUR")
    assert parse(12, "EUR", Role.PRESENTMENT) == Money(Decimal(12), "EUR", Role.PRESENTMENT)


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "E1", "€UR", "ÄÖÜ"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(Decimal(1), currency)


@pytest.mark.parametrize(
    ("currency", "unit"),
    {"EUR": "0.01", "JPY": "1", "KRW": "1", "KWD": "0.001", "BHD": "0.001", "CLF": "0.0001"}.items(),
)
def test_the_minor_unit_is_the_currencys(currency: str, unit: str) -> None:
    assert minor_unit(currency) == Decimal(unit)


@pytest.mark.parametrize(
    ("currency", "mode", "rounded"),
    [
        ("EUR", ROUND_HALF_UP, "2.35"),
        ("EUR", ROUND_HALF_EVEN, "2.34"),
        ("EUR", ROUND_DOWN, "2.34"),
        ("JPY", ROUND_HALF_UP, "2"),
        ("KWD", ROUND_HALF_UP, "2.345"),
    ],
)
def test_rounding_ends_at_the_minor_unit(currency: str, mode: str, rounded: str) -> None:
    assert str(Money(Decimal("2.345"), currency).rounded(mode).amount) == rounded


@settings(database=None)
@given(st.lists(amounts, max_size=20))
def test_sums_are_exact_in_any_order(values: list[Decimal]) -> None:
    monies = [Money(value, "EUR") for value in values]
    cents = sum(int(value * 10000) for value in values)
    assert total(monies, "EUR").amount * 10000 == total(reversed(monies), "EUR").amount * 10000 == cents


@settings(database=None)
@given(amounts, amounts)
def test_what_is_added_can_be_taken_off(first: Decimal, second: Decimal) -> None:
    one, two = Money(first, "KWD"), Money(second, "KWD")
    assert one + two - two == one
    assert one - two == -(two - one)
    assert bool(one - two) == (first != second)
    assert (one < two) == (first < second)


def test_nothing_sums_to_nothing() -> None:
    assert total([], "JPY", Role.PRESENTMENT) == zero("JPY", Role.PRESENTMENT)
    assert not zero("JPY")


def test_a_bag_holds_one_sum_in_two_roles() -> None:
    seen = Money(Decimal("150"), "JPY", Role.PRESENTMENT)
    both = MoneyBag(EUR, seen)
    assert (both.in_role(Role.SHOP), both.in_role(Role.PRESENTMENT)) == (EUR, seen)
    assert both + both == MoneyBag(Money(Decimal("2.00"), "EUR"), Money(Decimal("300"), "JPY", Role.PRESENTMENT))


def test_a_bag_never_guesses_a_role_that_was_not_stated() -> None:
    with pytest.raises(CurrencyMismatch, match="no stated presentment"):
        MoneyBag(EUR).in_role(Role.PRESENTMENT)
    both = MoneyBag(EUR, Money(Decimal("150"), "JPY", Role.PRESENTMENT))
    assert (both + MoneyBag(EUR)).presentment is None, "half a sum is none"
