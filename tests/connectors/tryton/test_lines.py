"""An order becomes lines that Tryton sums to the total of the channel, with every kind of part."""

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.canonical.money import Money, MoneyBag, Role
from connectors.canonical.order import Charge, ChargeKind, Discount, Line, Order, Tax
from connectors.canonical.payment import PaymentStatus
from connectors.canonical.product import Component, ProductKind
from connectors.canonical.returns import Adjustment
from connectors.kit.errors import Rejected
from connectors.tryton.lines import SaleLine, booked_currency, credited, edited, left, sold
from tests.contract.samples import ORDER, eur, refund


def sku(code: str) -> str:
    return f"T-{code}"


def amount(lines: tuple[SaleLine, ...], currency: str = "EUR") -> Decimal:
    return sum((line.amount(currency) for line in lines), Decimal(0))


def total(order: Order, value: str) -> Order:
    return replace(order, totals=replace(order.totals, total=eur(value)))


def line(name: str, price: str, quantity: int = 1, **more: object) -> Line:
    count = Decimal(quantity)
    return Line(name, "WB-TEE", "Tee", count, eur(price), count, **more)  # type: ignore[arg-type]


def test_parts_make_the_total() -> None:
    lines = sold(ORDER, sku)
    assert amount(lines) == Decimal("57.36")
    assert [line.code for line in lines] == ["T-WB-TEE", "DISCOUNT", "T-WB-MUG", "SHIPPING", "TAX"]
    assert len({line.name for line in lines}) == len(lines)


def test_tax_in_the_prices_is_taken_out_and_stated() -> None:
    order = total(replace(ORDER, taxes_included=True), "48.20")
    lines = {line.code: line for line in sold(order, sku)}
    assert lines["TAX"].price == Decimal("9.16")
    assert lines["TAX-INCLUDED"].price == Decimal("-9.16")
    assert amount(sold(order, sku)) == Decimal("48.20")


def test_charges_gift_cards_and_a_marketplaces_tax() -> None:
    remitted = Tax("Sales tax", eur("1.00"), remitted_by_channel=True)
    charges = (Charge(ChargeKind.TIP, "Tip", eur("2.00")), Charge(ChargeKind.DUTY, "Duty", eur("3.00")))
    lines = (line("a", "10.00", taxes=(remitted,)), line("b", "25.00", kind=ProductKind.GIFT_CARD))
    order = total(replace(ORDER, lines=lines, charges=charges, shipping_lines=()), "41.00")
    assert [line.code for line in sold(order, sku)] == ["T-WB-TEE", "GIFT-CARD", "TIP", "DUTY", "TAX-REMITTED"]
    assert amount(sold(order, sku)) == Decimal("41.00")


def test_a_bundle_is_paid_once_and_its_parts_are_shipped() -> None:
    parts = (Component("WB-TEE", Decimal(2)), Component("WB-MUG", Decimal(1)))
    bundle = line("a", "30.00", 2, kind=ProductKind.BUNDLE, components=parts)
    order = total(replace(ORDER, lines=(bundle,), shipping_lines=()), "60.00")
    booked = {line.code: (int(line.quantity), int(line.price)) for line in sold(order, sku)}
    assert booked == {"BUNDLE": (2, 30), "T-WB-TEE": (4, 0), "T-WB-MUG": (2, 0)}


def test_a_bundle_with_lines_of_its_own() -> None:
    lines = (line("a", "30.00"), line("b", "20.00", bundle_id="a"))
    order = total(replace(ORDER, lines=lines, shipping_lines=()), "30.00")
    assert {line.code: line.price for line in sold(order, sku)} == {"BUNDLE": 30, "T-WB-TEE": 0}


def test_rounding_is_a_line_but_a_gap_is_refused() -> None:
    order = replace(ORDER, lines=(line("a", "0.33333", 3),), shipping_lines=())
    assert amount(sold(total(order, "1.00"), sku)) == Decimal("1.00")
    assert sold(total(order, "1.01"), sku)[-1] == SaleLine(
        "rounding", "ROUNDING", Decimal(1), Decimal("0.01"), "Rounding"
    )
    with pytest.raises(Rejected, match="miss its total") as refused:
        sold(total(order, "1.05"), sku)
    assert refused.value.code == "money"


def test_the_customers_currency_where_the_books_follow_it() -> None:
    def yen(shop: str, seen: str) -> MoneyBag:
        return MoneyBag(Money(Decimal(shop), "EUR"), Money(Decimal(seen), "JPY", Role.PRESENTMENT))

    item = replace(line("a", "1"), unit_price=yen("6.25", "1000"), discounts=(Discount(yen("0.31", "50")),))
    totals = replace(ORDER.totals, total=yen("5.94", "950"))
    order = replace(ORDER, lines=(item,), shipping_lines=(), totals=totals, money_role=Role.PRESENTMENT)
    assert booked_currency(order) == "JPY"
    assert amount(sold(order, sku), "JPY") == Decimal(950)


def test_what_is_left_keeps_its_share_of_discount_and_tax() -> None:
    first = replace(ORDER.lines[0], current_quantity=Decimal(1))
    lines = {line.name: line for line in left(replace(ORDER, lines=(first, ORDER.lines[1])), sku)}
    assert lines["1001-1"].quantity == 1
    assert lines["1001-1:discount:0"].price == Decimal("-2.50")
    assert lines["tax:VAT 19%:TAX"].price == Decimal("5.85")  # 3.30 (half of 6.61, half even) + 1.62 + 0.93


def test_what_was_refunded_stays_sold() -> None:
    """Its credit is a sale of its own."""
    last = replace(ORDER.lines[1], current_quantity=Decimal(0))
    order = replace(ORDER, lines=(ORDER.lines[0], last), refunds=(refund(ORDER),))
    assert left(order, sku) == sold(ORDER, sku)


def test_pieces_that_were_taken_off_without_money_are_not_sold() -> None:
    """A shop tells of a removal as a refund that moved nothing: it is an edit, not a credit."""
    last = replace(ORDER.lines[1], current_quantity=Decimal(0))
    removal = replace(refund(ORDER), payments=())
    order = replace(ORDER, lines=(ORDER.lines[0], last), refunds=(removal,))
    assert edited(order)
    assert not edited(replace(order, refunds=(refund(ORDER),)))
    assert {line.code: int(line.quantity) for line in left(order, sku)}["T-WB-MUG"] == 0
    assert amount(left(order, sku)) < amount(sold(order, sku))


def test_a_refund_is_negative_and_sums_to_what_was_paid_back() -> None:
    given = refund(ORDER)
    lines = credited(ORDER, given, {"1001-2": Decimal(1)}, sku)
    assert [(line.code, int(line.quantity)) for line in lines] == [("T-WB-MUG", -1), ("TAX", 1)]
    assert amount(lines) == -given.total.shop.amount
    unshipped = credited(ORDER, given, {}, sku)
    assert [(line.code, int(line.quantity)) for line in unshipped] == [("REFUND", 1), ("TAX", 1)]
    assert amount(unshipped) == -given.total.shop.amount


def test_a_refund_with_shipping_and_a_difference() -> None:
    given = replace(refund(ORDER), adjustments=(Adjustment("shipping", eur("4.90"), eur("0.93")),), total=eur("15.00"))
    lines = credited(ORDER, given, {}, sku)
    assert [line.code for line in lines] == ["REFUND", "SHIPPING", "TAX", "REFUND"]
    assert amount(lines) == Decimal("-15.00")
    assert PaymentStatus.SUCCESS in {payment.status for payment in given.payments}
