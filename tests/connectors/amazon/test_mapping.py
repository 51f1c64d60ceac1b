"""What an order of Amazon means: sums in both tax modes, who sends it, what of it is left, and v0 read alike."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import simplejson
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import registry
from connectors.amazon import simulator_views as views
from connectors.amazon.mapping import LISTED_V0, ORDER, ORDER_V0
from connectors.amazon.simulator_store import Store
from connectors.canonical.gate import equation
from connectors.canonical.order import ChargeKind, FulfilledBy, Order, Source
from connectors.canonical.payment import Tender
from connectors.canonical.shipment import ShipmentStatus
from connectors.canonical.snapshot import Ignored, Pointer, Snapshot
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from connectors.kit.simulator import Simulator
from tests.connectors.amazon.contract import SETTINGS

ACCOUNT = Account("a", "amazon", "https://sellingpartnerapi-eu.amazon.com", {}, SETTINGS)
FIXTURES = Path(__file__).parent / "fixtures"


def fixture(file: str) -> Any:
    return json.loads((FIXTURES / f"{file}.json").read_text())


def read(topic: str, body: Any) -> Any:
    raw = simplejson.dumps(body, use_decimal=True).encode()
    (reading,) = registry.read(ACCOUNT, Message(topic, "1", raw))
    return reading


def order(file: str, topic: str = ORDER) -> Order:
    reading = read(topic, fixture(file))
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Order)
    return reading.document


def changed(file: str, path: str, value: Any) -> Any:
    """The fixture with another value at a path of members and numbers."""
    body = fixture(file)
    *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    node = body
    for part in above:
        node = node[part]
    node[last] = value
    return body


# ---- money


def test_tax_beside_the_price() -> None:
    """Two tees at 19.99 with 2.80 of tax, 5.00 delivery with 0.35: 48.13, and Amazon remits the tax."""
    made = order("order__tax_beside")
    assert not made.taxes_included
    assert made.totals.total.shop.amount == Decimal("48.13")
    assert made.lines[0].unit_price.shop.amount == Decimal("19.99")
    assert [(t.amount.shop.amount, t.remitted_by_channel) for t in made.lines[0].taxes] == [(Decimal("2.80"), True)]
    assert [t.amount.shop.amount for t in made.shipping_lines[0].taxes] == [Decimal("0.35")]
    assert made.totals.tax.shop.amount == Decimal("3.15")


def test_tax_inside_the_price() -> None:
    """24.80 is price and delivery; 3.96 of it are taxes, which are not added."""
    made = order("order__tax_inside")
    assert made.taxes_included
    assert made.totals.total.shop.amount == Decimal("24.80")
    assert made.totals.tax.shop.amount == Decimal("3.96")


def test_promotions_are_taken_off_where_they_belong() -> None:
    """5.00 off the tees stand on their line, free delivery on the delivery."""
    made = order("order__promotion")
    assert [d.amount.shop.amount for d in made.lines[0].discounts] == [Decimal("5.00")]
    assert made.lines[0].discounts[0].id == "SPRING"
    assert not made.lines[1].discounts
    assert [d.amount.shop.amount for d in made.shipping_lines[0].discounts] == [Decimal("3.99")]
    assert made.totals.total.shop.amount == Decimal("43.30")


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_discount_is_taken_off_whatever_its_sign(sign: str) -> None:
    """No published example says which sign Amazon gives it."""
    body = fixture("order__promotion")
    for item in body["order"]["orderItems"]:
        for row in item["proceeds"]["breakdowns"]:
            if row["type"] == "DISCOUNT":
                for node in (row["subtotal"], *(one["value"] for one in row["detailedBreakdowns"])):
                    node["amount"] = sign + node["amount"].lstrip("-")
    made = read(ORDER, body).document
    assert equation(made).holds
    assert made.totals.discounts.shop.amount == Decimal("8.99")


def test_gift_wrapping_and_tips_are_charges() -> None:
    wrapped, tipped = order("order__gift"), order("order__tip")
    assert [(c.kind, c.amount.shop.amount, c.line_id) for c in wrapped.charges] == [
        (ChargeKind.FEE, Decimal("3.50"), wrapped.lines[0].id)
    ]
    assert wrapped.lines[0].gift_message == "For you"
    assert [(c.kind, c.amount.shop.amount) for c in tipped.charges] == [(ChargeKind.TIP, Decimal("5.00"))]
    assert tipped.totals.total.shop.amount == Decimal("26.39")


def test_a_tip_that_the_total_does_not_count_is_no_charge() -> None:
    """Status PENDING: told, but not yet in grandTotal."""
    made = read(ORDER, changed("order__tip", "order.proceeds.grandTotal.amount", "21.39")).document
    assert not made.charges
    assert equation(made).holds


def test_currencies_without_and_with_three_decimals() -> None:
    assert order("order__jpy").totals.total.shop.amount == Decimal("5350")
    assert order("order__kwd").totals.total.shop.amount == Decimal("3.125")


def test_a_total_that_nothing_makes_stops_at_the_money_gate() -> None:
    made = read(ORDER, changed("order__plain", "order.proceeds.grandTotal.amount", "20.90")).document
    assert not equation(made).holds
    assert equation(made).difference.amount == Decimal("1.00")


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("order.orderItems.0.proceeds.breakdowns.0.subtotal.currencyCode", "USD", "order.orderItems[0].proceeds.breakdowns[0].subtotal.currencyCode"),
        ("order.orderItems.0.proceeds.breakdowns.0.type", "ENVIRONMENT_FEE", "order.orderItems[0].proceeds.breakdowns[0].type"),
        ("order.orderItems.0.proceeds.breakdowns.0.subtotal.amount", "1,50", "order.orderItems[0].proceeds.breakdowns[0].subtotal.amount"),
        ("order.proceeds.grandTotal.currencyCode", "EURO", "order.proceeds.grandTotal.currencyCode"),
        ("order.orderItems.0.quantityOrdered", 1.5, "order.orderItems[0].quantityOrdered"),
        ("order.createdTime", "2026-03-02T09:30:00", "order.createdTime"),
        ("order.recipient.deliveryAddress.countryCode", {}, "order.recipient.deliveryAddress.countryCode"),
    ],
)  # fmt: skip
def test_a_defect_is_refused_by_its_field(path: str, value: Any, field: str) -> None:
    with pytest.raises(Unreadable) as met:
        read(ORDER, changed("order__plain", path, value))
    assert met.value.field == field


def test_what_is_sold_by_weight_is_refused() -> None:
    body = fixture("order__plain")
    body["order"]["orderItems"][0]["measurement"] = {"unit": "KILOGRAMS", "value": 1.345}
    with pytest.raises(Unreadable) as met:
        read(ORDER, body)
    assert met.value.field == "order.orderItems[0].measurement.unit"


STORE = Store(Simulator("x"), "A1PA6795UKMFR9", "EUR", lambda order, change: None)
CENTS = st.integers(0, 99999).map(lambda cents: str(Decimal(cents) / 100))
LINES = st.lists(
    st.fixed_dictionaries(
        {
            "quantity": st.integers(1, 7),
            "price": CENTS,
            **dict.fromkeys(("tax", "shipping", "shipping_tax", "gift_wrap", "gift_wrap_tax"), CENTS),
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(LINES, st.booleans(), st.sampled_from(["EUR", "JPY", "KWD"]), st.integers(0, 100))
def test_any_order_makes_its_total_by_both_versions(
    lines: list[dict[str, Any]], included: bool, currency: str, off: int
) -> None:
    """Whatever is bought, with tax inside or beside: 2026-01-01 and v0 tell the same sums, and they make the total."""
    spec = [{**line, "discount": str(Decimal(line["price"]) * line["quantity"] * off / 100)} for line in lines]
    row = STORE.place({"lines": spec, "included": included, "currency": currency})
    new = read(ORDER, {"order": views.order(STORE, row)}).document
    items = [views.item_v0(STORE, row, item, True) for item in row["items"]]
    old = read(ORDER_V0, {"order": views.order_v0(STORE, row, True, True), "items": items}).document
    assert equation(new).holds
    assert equation(old).holds
    assert [line.gross for line in new.lines] == [line.gross for line in old.lines]
    assert new.totals == old.totals


# ---- who and what


def test_amazons_own_orders_never_reach_our_warehouse() -> None:
    made = order("order__amazon")
    assert {line.fulfilled_by for line in made.lines} == {FulfilledBy.CHANNEL}
    assert made.lines[0].fulfilled_quantity == Decimal(1)
    (parcel,) = made.shipments
    assert (parcel.id, parcel.trackings, parcel.shipped_at) == (f"{made.id}/amazon", (), None)
    assert [(line.line_id, line.quantity) for line in parcel.lines] == [(made.lines[0].id, Decimal(1))]
    part = changed("order__amazon", "order.fulfillment.fulfillmentStatus", "PARTIALLY_SHIPPED")
    assert not read(ORDER, part).document.shipments  # pieces without parcels: told once all has left
    assert made.customer is None
    assert made.shipping is not None
    assert (made.shipping.name, made.shipping.city) == ("", "Köln")


def test_an_order_of_ours() -> None:
    made = order("order__business")
    assert made.source is Source.MARKETPLACE
    assert made.store == "A1PA6795UKMFR9"
    assert made.purchase_order == "PO-7"
    assert made.customer is not None
    assert (made.customer.last_name, made.customer.company) == ("Ana Example", "Example Works")
    assert made.tags == ("AMAZON_BUSINESS",)
    assert [(one.tender, one.amount.shop.amount, one.gateway) for one in made.payments] == [
        (Tender.MARKETPLACE, Decimal("19.90"), "amazon")
    ]
    assert order("order__replacement").attributes[-1] == ("replacement_original_id", "303-0000001-0000001")


def test_payments_as_amazon_tells_them() -> None:
    body = fixture("order__plain")
    rows = [("Pix", "9.90"), ("CreditCard", "10.00")]
    body["order"]["payment"] = {
        "paymentExecutions": [
            {"paymentMethod": name, "paymentAmount": {"amount": amount, "currencyCode": "EUR"}} for name, amount in rows
        ]
    }
    made = read(ORDER, body).document
    assert [(one.gateway, one.amount.shop.amount) for one in made.payments] == [
        ("amazon Pix", Decimal("9.90")),
        ("amazon CreditCard", Decimal("10.00")),
    ]
    body["order"]["payment"]["paymentExecutions"].pop()  # a part only: not what was paid
    assert [one.amount.shop.amount for one in read(ORDER, body).document.payments] == [Decimal("19.90")]


def test_packages_are_shipments() -> None:
    made = order("order__shipped_in_part")
    (package,) = made.shipments
    assert package.id == f"{made.id}/1"
    assert package.status is ShipmentStatus.SHIPPED
    assert [(line.sku, line.quantity) for line in package.lines] == [("WB-TEE", Decimal(1))]
    assert [(one.number, one.carrier) for one in package.trackings] == [("JD000001", "DHL")]
    assert [line.fulfilled_quantity for line in made.lines] == [Decimal(1), Decimal(0)]


def test_a_cancelled_order_states_no_sums() -> None:
    made = order("order__cancelled")
    assert made.cancelled_at == made.updated_at
    assert made.cancel_reason == "GeneralAdjustment"
    assert made.totals.total.shop.amount == 0
    assert [line.current_quantity for line in made.lines] == [Decimal(0)]
    assert not made.payments


def test_a_cancelled_order_without_a_configured_currency_is_refused() -> None:
    bare = replace(ACCOUNT, settings={})
    with pytest.raises(Unreadable) as met:
        registry.read(bare, Message(ORDER, "1", (FIXTURES / "order__cancelled.json").read_bytes()))
    assert met.value.field == "order.proceeds.grandTotal"


def test_a_buyer_who_wants_to_cancel_puts_the_order_on_hold() -> None:
    assert order("order__cancel_asked").hold == "the buyer asks to cancel"
    assert not order("order__plain").hold
    assert read(ORDER, changed("order__plain", "order.fulfillment.fulfillmentStatus", "UNFULFILLABLE")).document.hold


@pytest.mark.parametrize("file", ["order__pending", "order__elsewhere"])
def test_what_is_not_ours_yet_or_never_is_ignored(file: str) -> None:
    assert isinstance(read(ORDER, fixture(file)), Ignored)


# ---- versions


def test_versions_of_one_second_are_told_apart() -> None:
    """Amazon tells whole seconds: shipped comes after open, cancelled after all."""
    part, whole, gone = fixture("order__shipped_in_part"), fixture("order__shipped"), fixture("order__cancelled")
    told = [read(ORDER, body).version for body in (part, whole, gone)]
    assert told == sorted(told)
    assert len(set(told)) == 3
    exact = changed("order__plain", "order.lastUpdatedTime", "2026-03-02T09:30:00.250Z")
    assert read(ORDER, exact).version == "2026-03-02T09:30:00.250000Z"


def test_v0_tells_what_the_new_version_tells() -> None:
    """Fields that both have are read alike."""
    for kind in ("plain", "tax_beside", "promotion", "jpy", "amazon"):
        new, old = order(f"order__{kind}"), order(f"order_v0__{kind}", ORDER_V0)
        for name in ("id", "placed_at", "updated_at", "currency", "taxes_included", "totals", "shipping", "payments"):
            assert getattr(new, name) == getattr(old, name), (kind, name)
        assert [(line.sku, line.quantity, line.taxes, line.fulfilled_by) for line in new.lines] == [
            (line.sku, line.quantity, line.taxes, line.fulfilled_by) for line in old.lines
        ]


def test_a_discounts_tax_of_v0_is_taken_off_where_the_total_says_so() -> None:
    """ItemTax 3.80 is before the discount, whose own tax is 0.80: the total of 22.00 says that 3.00 were paid."""
    body = fixture("order_v0__tax_beside")
    item = body["items"][0]

    def usd(amount: str) -> dict[str, str]:
        return {"CurrencyCode": "USD", "Amount": amount}

    item.update(
        ItemPrice=usd("24.00"), ItemTax=usd("3.80"), PromotionDiscount=usd("5.00"), PromotionDiscountTax=usd("0.80")
    )
    item.update(ShippingPrice=usd("0.00"), ShippingTax=usd("0.00"), ShippingDiscount=usd("0.00"))
    body["order"]["OrderTotal"] = usd("22.00")
    made = read(ORDER_V0, body).document
    assert equation(made).holds
    assert made.totals.tax.shop.amount == Decimal("3.00")


def test_a_row_of_v0_has_the_version_of_its_order() -> None:
    """So a poll of what is known already costs no fetch."""
    row = read(LISTED_V0, fixture("orders_v0__row"))
    assert isinstance(row, Pointer)
    assert row.version == read(ORDER_V0, fixture("order_v0__plain")).version
