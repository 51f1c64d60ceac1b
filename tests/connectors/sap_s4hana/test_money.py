"""Whatever an order is made of, SAP's total is the channel's to the minor unit, or nothing is booked."""

from __future__ import annotations

import os
from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.canonical.gate import equation
from connectors.canonical.money import minor_unit
from connectors.canonical.order import Discount, Order
from connectors.kit.account import Account
from connectors.kit.errors import Rejected
from connectors.kit.simulator import Simulator
from connectors.sap_s4hana import simulator_orders
from connectors.sap_s4hana.mapping import conditions, sales_order
from connectors.sap_s4hana.mapping.items import total
from connectors.sap_s4hana.mapping.policy import policy
from connectors.sap_s4hana.simulator import CURRENCIES, CUSTOMER, DEMO_SETTINGS, MAIN, WHAT
from connectors.sap_s4hana.simulator_company import Company
from tests.connectors.sap_s4hana.contract import CODES
from tests.contract.bench import MemoryCodes
from tests.contract.samples import ORDER, eur
from tests.core.generated_orders import order

ORDERS = int(os.environ.get("WAYBILL_ORDERS", "250"))  # 10,000 in the lab
POLICY = policy(Account("books", "sap_s4hana", "", settings=DEMO_SETTINGS), MemoryCodes(CODES))
COMPANY = Company(
    Simulator("sap_s4hana"),
    {"TG11": {"unit": "PC"}},
    frozenset((MAIN,)),
    ("1710", "10", "00"),
    WHAT,
    {code: Decimal(unit) for code, unit in CURRENCIES.items()},
    frozenset((CUSTOMER,)),
    frozenset(("50",)),
)


def mapped(number: int) -> Order:
    """A generated order as one of a shop whose SKU the company knows."""
    made = order(number)
    lines = tuple(replace(one, sku="WB-TEE", unit="each") for one in made.lines)
    return replace(made, id=str(number), channel="shop", lines=lines)


def document_or_refusal(made: Order) -> sales_order.Document | None:
    try:
        return sales_order.placed(made, POLICY)
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
            stated = equation(made).total
            fine = stated.amount != stated.amount.quantize(minor_unit(stated.currency))
            assert fine or not equation(made).holds  # too fine for any books, or quarantined
            continue
        record = simulator_orders.create(COMPANY, document.body(CUSTOMER, POLICY))
        assert total(record["items"]) == equation(made).total.amount, number
        booked += 1
    assert booked > ORDERS / 3


def test_an_order_that_is_a_minor_unit_off_is_never_booked():
    for number in range(0, ORDERS, 10):
        made = mapped(number)
        stated = made.totals.total
        off = replace(
            stated,
            **{
                name: replace(getattr(stated, name), amount=getattr(stated, name).amount + 1)
                for name in ("shop", "presentment")
                if getattr(stated, name)
            },
        )
        assert document_or_refusal(replace(made, totals=replace(made.totals, total=off))) is None


@pytest.mark.parametrize("unit", ["0.01", "1", "0.001"])
@pytest.mark.parametrize("pieces", ["1", "3", "7", "1.345", "1000", "99999", "100000"])
def test_a_price_makes_its_sum_or_more_than_it_by_what_the_discount_takes(unit, pieces):
    quantity, smallest = Decimal(pieces), Decimal(unit)
    for n in range(1, 400, 7):
        gross = n * smallest
        price = conditions.price("PMP0", gross, quantity, smallest, "EUR", "PC")
        assert price.rate == price.rate.quantize(smallest)  # no rate is finer than its currency
        made = conditions.made(price, quantity, smallest)
        whole = quantity == quantity.to_integral_value() and quantity <= conditions.MOST_PIECES
        assert made == gross if whole else made >= gross


def test_a_weighed_line_is_exact_by_its_discount(world):
    company = world()
    line = replace(ORDER.lines[0], quantity=Decimal("1.345"), current_quantity=Decimal("1.345"), unit_price=eur("3.99"),
                   gross=eur("5.37"), discounts=(), taxes=())  # fmt: skip
    totals = replace(
        ORDER.totals, lines=eur("5.37"), discounts=eur("0"), shipping=eur("0"), tax=eur("0"), total=eur("5.37")
    )
    company.do(lambda erp: erp.book(replace(ORDER, lines=(line,), shipping_lines=(), totals=totals), key="b"))
    assert company.effects()["sales_order_total"] == {"SHOP-1001": "5.37"}


def test_prices_that_include_tax_are_booked_net_with_their_tax_beside(world):
    company = world()
    lines = tuple(
        replace(one, taxes=(replace(one.taxes[0], amount=eur(tax)),))
        for one, tax in zip(ORDER.lines, ("5.56", "1.36"), strict=True)
    )
    freight = replace(ORDER.shipping_lines[0], taxes=(replace(ORDER.shipping_lines[0].taxes[0], amount=eur("0.78")),))
    totals = replace(ORDER.totals, tax=eur("7.70"), total=eur("48.20"))
    gross = replace(ORDER, taxes_included=True, lines=lines, shipping_lines=(freight,), totals=totals)
    company.do(lambda erp: erp.book(gross, key="b"))
    (booked,) = company.state("salesOrders")
    assert company.effects()["sales_order_total"] == {"SHOP-1001": "48.20"}
    assert sum(Decimal(one["TaxAmount"]) for one in booked["items"]) == Decimal("7.70")


def test_an_order_discount_is_a_condition_of_the_header(world):
    company = world()
    voucher = replace(
        ORDER, discounts=(Discount(eur("3.00"), code="BYE"),),
        totals=replace(ORDER.totals, discounts=eur("8.00"), total=eur("54.36")),
    )  # fmt: skip
    company.do(lambda erp: erp.book(voucher, key="b"))
    (booked,) = company.state("salesOrders")
    assert {one["ConditionType"]: one["ConditionRateValue"] for one in booked["prices"]}["ZHDS"] == "-3"
    assert company.effects()["sales_order_total"] == {"SHOP-1001": "54.36"}


def test_an_order_that_sap_prices_otherwise_is_deleted_and_refused_with_the_difference(world):
    """Here the type for the freight does not count, as one that is only statistical."""
    company = world(simulator={"conditions": {**WHAT, "ZFRT": "header_none"}})
    with pytest.raises(Rejected) as met:
        company.do(lambda erp: erp.book(ORDER, key="b"))
    assert met.value.code == "total_differs"
    assert "+4.90 EUR" in met.value.sentence
    assert company.state("salesOrders") == []
