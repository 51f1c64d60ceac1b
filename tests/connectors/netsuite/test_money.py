"""Whatever an order is made of, NetSuite's total is the channel's to the minor unit, or nothing is sent."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.canonical.gate import equation
from connectors.canonical.money import Money, MoneyBag, Role, minor_unit
from connectors.canonical.order import Charge, ChargeKind, Discount, Line, Order, ShippingLine, Tax, Totals
from connectors.canonical.payment import Payment, PaymentKind, Tender
from connectors.kit.account import Account
from connectors.kit.errors import Rejected
from connectors.kit.simulator import Simulator
from connectors.netsuite.mapping import billing, sales_order
from connectors.netsuite.mapping.policy import Policy, policy, unit_of
from connectors.netsuite.simulator import DEMO_SETTINGS, SPECIAL
from connectors.netsuite.simulator_answers import shown_record
from connectors.netsuite.simulator_billing import bill
from connectors.netsuite.simulator_books import Books
from connectors.netsuite.simulator_lines import SHIPS, openness
from connectors.netsuite.simulator_shipping import fulfil
from connectors.netsuite.simulator_sums import sums
from tests.connectors.netsuite.conftest import CODES, Codes

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ROUNDINGS = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)
RATES = tuple(Decimal(rate) for rate in ("0", "0.07", "0.19", "0.081", "0.25"))
TAXES = {
    name: policy(Account("books", "netsuite", "", settings={**DEMO_SETTINGS, "tax": name}), Codes(CODES))
    for name in ("details", "item")
}
ORDERS = int(os.environ.get("WAYBILL_ORDERS", "150"))  # 10,000 in the lab
SKUS = tuple(CODES["sku"])


@dataclass(frozen=True)
class Shop:
    """How a shop reckons: its currency, where it rounds, whether its prices include tax, how fine its prices are."""

    currency: str
    rounding: str
    included: bool
    by_line: bool
    finer: bool
    presented: bool

    @property
    def unit(self) -> Decimal:
        return minor_unit(self.currency)

    def bag(self, amount: Decimal) -> MoneyBag:
        own = Money(amount, self.currency)
        if not self.presented:
            return MoneyBag(own)
        return MoneyBag(Money(amount * 3, "USD"), Money(amount, self.currency, Role.PRESENTMENT))

    def tax(self, amount: Decimal, rate: Decimal) -> tuple[Tax, ...]:
        """The tax of a discounted amount, rounded at the line or kept exact until the total."""
        if not rate:
            return ()
        exact = amount * rate / (1 + rate) if self.included else amount * rate
        kept = exact.quantize(self.unit, self.rounding) if self.by_line else exact.quantize(Decimal("0.00000001"))
        return (Tax(f"VAT {rate}", self.bag(kept), rate),) if kept else ()


shops = st.builds(
    Shop,
    currency=st.sampled_from(("EUR", "USD", "JPY", "KWD")),
    rounding=st.sampled_from(ROUNDINGS),
    included=st.booleans(),
    by_line=st.booleans(),
    finer=st.booleans(),
    presented=st.booleans(),
)


@st.composite
def orders(draw: st.DrawFn) -> tuple[Order, Shop]:
    """An order as such a shop would reckon it, its total rounded the shop's way."""
    shop = draw(shops)
    lines = tuple(draw(line(shop, n)) for n in range(draw(st.integers(1, 4))))
    shipping = tuple(draw(freight(shop, n)) for n in range(draw(st.integers(0, 2))))
    charges = tuple(draw(charge(shop)) for _ in range(draw(st.integers(0, 2))))
    vouchers = draw(st.lists(st.integers(1, 500), max_size=2))
    discounts = tuple(Discount(shop.bag(n * shop.unit), code="VOUCHER") for n in vouchers)
    bare = Order(
        "1", "#1", AT, AT, shop.currency, lines,
        totals=_totals(shop, Decimal(0)), taxes_included=shop.included, shipping_lines=shipping, charges=charges,
        discounts=discounts, money_role=Role.PRESENTMENT if shop.presented else Role.SHOP, channel="shop",
    )  # fmt: skip
    return rounded(bare, shop, draw(st.booleans())), shop


def rounded(bare: Order, shop: Shop, cash: bool) -> Order:
    """With its total, paid by a gift card; in cash the total is in steps of five and the rounding is stated."""
    exact = equation(bare).sum.amount
    total = exact.quantize(shop.unit, shop.rounding)
    rounding = None
    if cash:
        step = shop.unit * 5
        total = (total / step).quantize(Decimal(1), shop.rounding) * step
        rounding = shop.bag((total - exact).quantize(shop.unit, ROUND_HALF_UP))
    card = Payment("p", PaymentKind.SALE, Tender.GIFT_CARD, shop.bag(max(shop.unit, total / 2)), gateway="gift_card")
    parts = {name: getattr(bare, name) for name in Order.__dataclass_fields__}
    return Order(**{**parts, "totals": _totals(shop, total), "rounding": rounding, "payments": (card,)})


def _totals(shop: Shop, total: Decimal) -> Totals:
    return Totals(*(shop.bag(Decimal(0)) for _ in range(5)), total=shop.bag(total))


@st.composite
def line(draw: st.DrawFn, shop: Shop, n: int) -> Line:
    quantity = Decimal(draw(st.integers(1, 7)))
    step = shop.unit / 1000 if shop.finer else shop.unit
    price = draw(st.integers(0, 20000)) * step
    off = draw(st.one_of(st.just(0), st.integers(0, 100))) * price * quantity / 100
    off = off.quantize(shop.unit, ROUND_DOWN)
    taxes = shop.tax(price * quantity - off, draw(st.sampled_from(RATES)))
    discounts = (Discount(shop.bag(off), code="OFF"),) if off else ()
    return Line(
        str(n), draw(st.sampled_from(SKUS)), "T", quantity, shop.bag(price), quantity, discounts=discounts, taxes=taxes
    )


@st.composite
def freight(draw: st.DrawFn, shop: Shop, n: int) -> ShippingLine:
    price = draw(st.integers(0, 3000)) * shop.unit
    off = draw(st.sampled_from((Decimal(0), price)))
    taxes = shop.tax(price - off, draw(st.sampled_from(RATES)))
    return ShippingLine(
        f"s{n}",
        "Standard",
        shop.bag(price),
        "standard",
        discounts=(Discount(shop.bag(off)),) if off else (),
        taxes=taxes,
    )


@st.composite
def charge(draw: st.DrawFn, shop: Shop) -> Charge:
    amount = draw(st.integers(1, 900)) * shop.unit
    taxes = shop.tax(amount, draw(st.sampled_from(RATES)))
    return Charge(draw(st.sampled_from(list(ChargeKind))), "C", shop.bag(amount), taxes)


def books() -> Books:
    simulator = Simulator("netsuite")
    for key, item in {
        **SPECIAL,
        **{key: {"sku": sku, "type": "InvtPart"} for sku, key in CODES["sku"].items()},
    }.items():
        simulator.memory.put("items", key, item)
    simulator.memory.put("customer", "7", {"id": "7", "lastName": "Example"})
    return Books(simulator, open_catalogue=False)


BOOKS = books()


def booked_total(body: dict[str, object]) -> Decimal:
    """The total that the simulator makes of a body by its own arithmetic, once it has taken it."""
    BOOKS.table("salesOrder").clear()
    BOOKS.table("salesOrder_eid").clear()
    record = BOOKS.upsert(
        "salesOrder", "eid:shop-1", {**body, "entity": {"id": "7"}}, sales_order.SUBLISTS, strict=True
    )
    return sums(record)["total"]


@settings(max_examples=ORDERS, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(orders(), st.sampled_from(("details", "item")))
def test_the_booked_total_is_the_channels_or_the_order_is_refused_with_the_difference(made, tax):
    order, shop = made
    total = equation(order).total.amount
    unit = unit_of(shop.currency)
    body = body_or_refusal(order, TAXES[tax])
    if body is None:
        assert not equation(order).holds or total != total.quantize(unit)  # quarantined, or too fine for NetSuite
    else:
        assert booked_total(body) == total
        assert all(row["amount"] == row["amount"].quantize(unit) for row in body["item"]["items"])


def body_or_refusal(order: Order, chosen: Policy) -> dict[str, Any] | None:
    try:
        return sales_order.sales_order(order, chosen)
    except Rejected as refused:
        if refused.code != "total_differs":
            raise
        return None


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(orders(), st.integers(1, 50), st.booleans())
def test_an_order_that_is_a_minor_unit_off_is_never_booked(made, off, less):
    order, shop = made
    total = equation(order).total.amount + shop.unit * (-off if less else off)
    parts = {name: getattr(order, name) for name in Order.__dataclass_fields__}
    wrong = Order(**{**parts, "totals": _totals(shop, total)})
    if abs(equation(wrong).difference.amount) > shop.unit / 2:
        assert body_or_refusal(wrong, TAXES["details"]) is None


def test_orders_of_every_kind_are_booked_and_not_merely_refused():
    """The property above would hold for a mapping that refuses everything."""
    for currency in ("EUR", "USD", "JPY", "KWD"):
        for included in (True, False):
            shop = Shop(currency, ROUND_HALF_UP, included, by_line=True, finer=False, presented=False)
            step = unit_of(currency)
            price, off = 1999 * step, 200 * step
            taxes = shop.tax(price * 3 - off, Decimal("0.19"))
            taxes = tuple(Tax(t.title, shop.bag(t.amount.shop.amount.quantize(step)), t.rate) for t in taxes)
            one = Line(
                "1",
                "WB-TEE",
                "T",
                Decimal(3),
                shop.bag(price),
                Decimal(3),
                discounts=(Discount(shop.bag(off)),),
                taxes=taxes,
            )
            bare = Order(
                "1", "#1", AT, AT, currency, (one,), _totals(shop, Decimal(0)), taxes_included=included, channel="shop"
            )
            body = sales_order.sales_order(rounded(bare, shop, cash=False), TAXES["details"])
            assert booked_total(body) == equation(rounded(bare, shop, cash=False)).total.amount


def test_a_total_with_a_third_decimal_cannot_stand_in_netsuite():
    """NetSuite's currencies have two decimals or none (CurrencyPrecision), also the dinar."""
    shop = Shop("KWD", ROUND_HALF_UP, included=False, by_line=True, finer=False, presented=False)
    one = Line("1", "WB-TEE", "T", Decimal(1), shop.bag(Decimal("1.005")), Decimal(1))
    bare = Order("1", "#1", AT, AT, "KWD", (one,), _totals(shop, Decimal("1.005")), channel="shop")
    with pytest.raises(Rejected) as refused:
        sales_order.sales_order(bare, TAXES["details"])
    assert refused.value.code == "total_differs"


def test_prices_that_include_tax_are_booked_net_and_come_back_gross():
    shop = Shop("EUR", ROUND_HALF_UP, included=True, by_line=True, finer=False, presented=False)
    gross, off = Decimal("23.80"), Decimal("4.76")
    one = Line(
        "1", "WB-TEE", "T", Decimal(1), shop.bag(gross), Decimal(1),
        discounts=(Discount(shop.bag(off)),), taxes=(Tax("VAT", shop.bag(Decimal("3.04")), Decimal("0.19")),),
    )  # fmt: skip
    bare = Order("1", "#1", AT, AT, "EUR", (one,), _totals(shop, gross - off), taxes_included=True, channel="shop")
    body = sales_order.sales_order(bare, TAXES["details"])
    amounts = [row["amount"] for row in body["item"]["items"]]
    assert amounts == [Decimal("20.00"), Decimal("-4.00")]
    assert body["taxDetails"]["items"][0]["taxBasis"] == Decimal("16.00")
    assert booked_total(body) == Decimal("19.04")


@settings(max_examples=max(20, ORDERS // 6), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(orders(), st.sampled_from(("details", "item")), st.data())
def test_bills_of_any_parcels_sum_to_the_order(made, tax, data):
    """Whatever leaves in whatever parcels: each bill is what NetSuite makes of it, and together they are the order."""
    order, shop = made
    chosen = replace(TAXES[tax], billing="invoice")
    body = body_or_refusal(order, chosen)
    if body is None:
        return
    total = booked_total(body)
    for table in ("invoice", "invoice_eid", "itemFulfillment", "itemFulfillment_eid"):
        BOOKS.table(table).clear()
    (held,) = BOOKS.table("salesOrder").values()
    waits = [row for row in held["lines"] if row["itemType"] in SHIPS]
    while any(openness(row) for row in waits):
        parcel = {row["line"]: Decimal(data.draw(st.integers(0, int(openness(row))))) for row in waits}
        if not any(parcel.values()):
            parcel = {row["line"]: openness(row) for row in waits}
        rows = [{"orderLine": row["line"], "quantity": parcel[row["line"]]} for row in waits if openness(row)]
        fulfil(BOOKS, held["id"], {"item": {"items": rows}}, (), strict=True)
        record = shown_record("salesOrder", held, True, {})
        made_of = billing.bill(record, billing.due(record, chosen), chosen)
        invoice = bill("invoice", BOOKS, held["id"], made_of.body, ("taxDetails",), strict=True)
        assert sums(invoice)["total"] == made_of.total
        assert all(
            row["amount"] == row["amount"].quantize(unit_of(shop.currency))
            for row in made_of.body["item"]["items"]
            if "amount" in row
        )
    assert sum(sums(one)["total"] for one in BOOKS.table("invoice").values()) == total
    assert held["status"] == "G"
