"""Whatever an order is made of, Business Central's total is the channel's to the minor unit, or nothing is booked."""

from __future__ import annotations

import os
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.business_central.mapping import sales_order
from connectors.business_central.mapping.policy import policy
from connectors.business_central.mapping.rows import row
from connectors.business_central.simulator import ACCOUNTS, CURRENCIES, DEMO_SETTINGS, MAIN, RATES, SHOP
from connectors.business_central.simulator_books import Books
from connectors.canonical.gate import equation
from connectors.canonical.money import minor_unit
from connectors.canonical.order import Order, Tax
from connectors.kit.account import Account
from connectors.kit.errors import Rejected
from connectors.kit.simulator import Simulator
from tests.connectors.business_central.contract import CODES
from tests.contract.bench import MemoryCodes
from tests.contract.samples import ORDER, eur
from tests.core.generated_orders import order

ORDERS = int(os.environ.get("WAYBILL_ORDERS", "250"))  # 10,000 in the lab
LINES = policy(Account("books", "business_central", "", settings=DEMO_SETTINGS), MemoryCodes(CODES))


def books() -> Books:
    simulator = Simulator("business_central")
    made = Books(
        simulator,
        {code: Decimal(rate) for code, rate in RATES.items()},
        {code: Decimal(unit) for code, unit in CURRENCIES.items()},
        frozenset(ACCOUNTS.values()),
        frozenset((MAIN, SHOP)),
    )
    made.keep("items", {"number": "WB-TEE", "unitPrice": "3", "type": "Inventory"})
    return made


COMPANY = books()
CUSTOMER = COMPANY.customer({"displayName": "Example"})["id"]


def mapped(number: int) -> Order:
    """A generated order as one of a shop whose SKU the company knows."""
    made = order(number)
    return replace(
        made, id=str(number), channel="shop", lines=tuple(replace(one, sku="WB-TEE", unit="each") for one in made.lines)
    )


def document_or_refusal(made: Order) -> sales_order.Document | None:
    try:
        return sales_order.placed(made, LINES)
    except Rejected as refused:
        if refused.code != "total_differs":
            raise
        return None


def test_the_booked_total_is_the_channels_in_every_habit_of_rounding():
    booked = 0
    for number in range(ORDERS):
        made = mapped(number)
        document = document_or_refusal(made)
        if document is None:
            total = equation(made).total
            fine = total.amount != total.amount.quantize(minor_unit(total.currency))
            assert fine or not equation(made).holds  # too fine for any books, or quarantined
            continue
        record = COMPANY.create("salesOrders", {**document.body(), "customerId": CUSTOMER})
        assert Decimal(record["totalAmountIncludingTax"]) == equation(made).total.amount, number
        booked += 1
    assert booked > ORDERS / 3


def test_an_order_that_is_a_minor_unit_off_is_never_booked():
    for number in range(0, ORDERS, 10):
        made = mapped(number)
        total = made.totals.total
        off = replace(
            total,
            **{
                name: replace(getattr(total, name), amount=getattr(total, name).amount + 1)
                for name in ("shop", "presentment")
                if getattr(total, name)
            },
        )
        assert document_or_refusal(replace(made, totals=replace(made.totals, total=off))) is None


@pytest.mark.parametrize("unit", ["0.01", "1", "0.001"])
def test_a_line_makes_its_amount_whatever_the_price_would_round_to(unit):
    for cents in range(1, 400, 7):
        for pieces in ("1", "3", "7", "1.345", "1000"):
            gross, off = cents * Decimal(unit), (cents // 3) * Decimal(unit)
            made = row("r", "Item", "X", Decimal(pieces), gross, off, Decimal(unit), words="")
            assert made.amount == gross - off
            assert made.price == made.price.quantize(Decimal("0.00001"))
            assert made.discount >= 0


ENGINE = {"tax": "engine", "tax_code": "VAT19"}


def test_business_central_reckons_the_taxes_itself_and_the_total_is_the_channels(world):
    company = world(settings=ENGINE)
    company.do(lambda erp: erp.book(ORDER, key="b"))
    (booked,) = company.state("salesOrders")
    assert booked["totalAmountIncludingTax"] == "57.36"
    assert booked["totalTaxAmount"] == "9.16"
    assert not [line for line in booked["lines"] if line["description2"].endswith("/t0")]


def test_prices_that_include_tax_stay_as_the_shop_says_them(world):
    company = world(settings=ENGINE)
    lines = tuple(
        replace(one, taxes=(replace(one.taxes[0], amount=eur(tax)),))
        for one, tax in zip(ORDER.lines, ("5.56", "1.36"), strict=True)
    )
    shipping = (
        replace(ORDER.shipping_lines[0], taxes=(replace(ORDER.shipping_lines[0].taxes[0], amount=eur("0.78")),)),
    )
    gross = replace(
        ORDER,
        taxes_included=True,
        lines=lines,
        shipping_lines=shipping,
        totals=replace(ORDER.totals, tax=eur("7.70"), total=eur("48.20")),
    )
    company.do(lambda erp: erp.book(gross, key="b"))
    (booked,) = company.state("salesOrders")
    assert booked["pricesIncludeTax"] is True
    assert booked["totalAmountIncludingTax"] == "48.2"
    assert {line["unitPrice"] for line in booked["lines"]} == {"19.9", "8.5", "4.9"}


def test_what_it_rounds_otherwise_goes_to_the_account_for_rounding(world):
    """The channel rounds each line's tax down; the company reckons on the sum of a tax code."""
    company = world(settings=ENGINE)
    company.do(lambda erp: erp.book(down(), key="b"))
    (booked,) = company.state("salesOrders")
    assert booked["totalAmountIncludingTax"] == "57.34"
    (settled,) = [line for line in booked["lines"] if line["description2"] == "rounding/settled"]
    assert (settled["lineObjectNumber"], settled["quantity"], settled["unitPrice"]) == (
        ACCOUNTS["rounding"],
        "-1",
        "0.02",
    )
    company.do(lambda erp: erp.book(down(), key="b"))
    assert company.effects()["sales_order_total"] == {"SHOP-1001": "57.34"}


def down() -> Order:
    def less(taxes: tuple[Tax, ...], amount: str) -> tuple[Tax, ...]:
        return (replace(taxes[0], amount=eur(amount)),)

    first, second = ORDER.lines
    lines = (replace(first, taxes=less(first.taxes, "6.60")), replace(second, taxes=less(second.taxes, "1.61")))
    return replace(ORDER, lines=lines, totals=replace(ORDER.totals, tax=eur("9.14"), total=eur("57.34")))


def test_an_order_discount_is_the_invoice_discount_and_taxed_in_its_share(world):
    company = world(settings=ENGINE)
    voucher = vouched("9.16", "54.36")
    with pytest.raises(Rejected) as refused:  # the company takes the discount's tax off, this shop did not
        company.do(lambda erp: erp.book(voucher, key="b"))
    assert refused.value.code == "total_differs"
    assert company.state("salesOrders") == []
    company.do(lambda erp: erp.book(vouched("8.59", "53.79", "6.16", "1.50"), key="b"))
    assert company.effects()["sales_order_total"]["SHOP-1001"] == "53.79"


def vouched(tax: str, total: str, first: str = "6.61", second: str = "1.62") -> Order:
    from connectors.canonical.order import Discount

    lines = tuple(
        replace(one, taxes=(replace(one.taxes[0], amount=eur(of)),))
        for one, of in zip(ORDER.lines, (first, second), strict=True)
    )
    totals: Any = replace(ORDER.totals, discounts=eur("8.00"), tax=eur(tax), total=eur(total))
    return replace(ORDER, lines=lines, discounts=(Discount(eur("3.00"), code="BYE"),), totals=totals)
