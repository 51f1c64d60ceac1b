"""What a fetched order means: its sums to the cent, its parts each once, its state."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import simplejson

from connectors.bigcommerce import mapping
from connectors.canonical.delivery import DeliveryKind
from connectors.canonical.gate import captured, discounts, equation, taxes
from connectors.canonical.order import Order, Source
from connectors.canonical.payment import PaymentKind, PaymentStatus, Tender
from connectors.canonical.product import Product, ProductKind
from connectors.canonical.snapshot import Ignored, Pointer, Snapshot
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from connectors.kit.http import dump_json
from tests.connectors.bigcommerce.contract import FIXTURES, SETTINGS
from tests.contract.cases import CONNECTORS

ACCOUNT = Account("tried", "bigcommerce", "https://api.example.com", settings=SETTINGS)
Change = Callable[[dict[str, Any]], Any]


def body(file: str) -> dict[str, Any]:
    told: dict[str, Any] = simplejson.loads(
        (CONNECTORS / "bigcommerce" / "fixtures" / f"{file}.json").read_text(), use_decimal=True
    )
    return told


def read(topic: str, told: Any, **settings: Any) -> Any:
    account = Account("tried", "bigcommerce", "https://api.example.com", settings={**SETTINGS, **settings})
    return mapping.read(account, Message(topic, "1", dump_json(told)))[0]


def order(kind: str, change: Change = lambda told: None, **settings: Any) -> Order:
    told = body(f"api_order__{kind}")
    change(told)
    reading = read("api/order", told, **settings)
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Order)
    return reading.document


WHOLE = [
    one.file.removeprefix("api_order__") for one in FIXTURES if one.topic == "api/order" and one.reads[0] != "ignored"
]


@pytest.mark.parametrize("kind", WHOLE)
def test_every_sum_is_the_stores_own(kind: str) -> None:
    """The parts make the total to the digit (a fraction of a cent where prices without tax have four decimals), every
    tax is there once, and so is every discount."""
    found, told = order(kind), body(f"api_order__{kind}")["order"]
    sums = equation(found)
    assert abs(sums.difference.amount) <= Decimal("0.0001")
    assert sum(tax.amount.shop.amount for tax in taxes(found)) == Decimal(told["total_tax"])
    off = Decimal(told["discount_amount"]) + Decimal(told["coupon_discount"])
    assert sum(one.amount.shop.amount for one in discounts(found)) == off
    assert found.totals.tax.shop.amount == Decimal(told["total_tax"])


def test_plain() -> None:
    found = order("plain")
    assert [(line.sku, line.quantity, str(line.unit_price.shop)) for line in found.lines] == [
        ("WB-TEE", 2, "19.90 EUR"),
        ("WB-MUG", 1, "8.50 EUR"),
    ]
    assert (found.number, found.status, found.store, found.hold) == ("101", "Awaiting Fulfillment", "1", "")
    assert found.lines[0].weight_grams == 250
    assert found.lines[0].taxes[0].rate == Decimal("0.19")
    assert found.shipping_lines[0].taxes[0].amount.shop.amount == Decimal("0.93")
    assert found.shipping is not None
    assert found.shipping.city == "Köln"
    assert {line.delivery_id for line in found.lines} == {found.deliveries[0].id}
    assert [(one.kind, one.tender, str(one.amount.shop)) for one in found.payments] == [
        (PaymentKind.SALE, Tender.CARD, "63.31 EUR")
    ]


def test_where_discounts_stand() -> None:
    on_lines, at_the_order, freight = order("coupon"), order("order_discount"), order("shipping_coupon")
    assert {one.code for line in on_lines.lines for one in line.discounts} == {"SPRING"}
    assert not on_lines.discounts
    assert not any(line.discounts for line in at_the_order.lines)
    assert str(at_the_order.discounts[0].amount.shop) == "5.00 EUR"
    assert (freight.discounts[0].code, freight.discounts[0].kind) == ("FREIGHT", "free shipping")


def test_lines_discounted_by_more_than_the_order_says_are_not_believed() -> None:
    def more(told: dict[str, Any]) -> None:
        told["products"][0]["applied_discounts"][0]["amount"] = "60.0000"

    found = order("coupon", more)
    assert not any(line.discounts for line in found.lines)
    assert str(found.discounts[0].amount.shop) == "6.00 EUR"
    assert equation(found).holds


def test_the_arithmetic_that_holds_is_read() -> None:
    """The flag says without tax, the header adds up only with it."""
    assert order("tax_included_coupon").taxes_included
    assert order("flag_says_otherwise").taxes_included
    assert not order("plain").taxes_included


def test_an_order_that_adds_up_neither_way_is_stopped_by_the_gate() -> None:
    def dearer(told: dict[str, Any]) -> None:
        told["order"]["total_inc_tax"] = "64.3100"

    assert not equation(order("plain", dearer)).holds


def test_credit_is_a_tender() -> None:
    told, reckoned = order("gift_certificate"), order("credit_taken_off_the_total")
    assert captured(told) == {"giftcertificate": Decimal("15.00"), "braintree": Decimal("48.31")}
    assert told.totals.total.shop.amount == Decimal("63.31")
    # the total is told less the credit, and no transaction says so
    assert reckoned.totals.total.shop.amount == Decimal("63.31")
    assert captured(reckoned) == {"storecredit": Decimal("10.00"), "Credit Card": Decimal("53.31")}


def test_fees_handling_and_wrapping_are_charges() -> None:
    assert [(one.title, str(one.amount.shop)) for one in order("fee").charges] == [("Small order", "2.50 EUR")]
    assert [(one.code, str(one.amount.shop)) for one in order("handling").charges] == [("handling", "1.50 EUR")]
    (wrapped,) = order("wrapped").charges
    assert (wrapped.line_id, str(wrapped.amount.shop)) == (order("wrapped").lines[0].id, "3.00 EUR")
    assert order("wrapped").lines[0].gift_message == "Happy birthday"


def test_other_currencies_have_other_decimals() -> None:
    assert str(order("jpy").totals.total.shop) == "4906 JPY"
    assert str(order("kwd").totals.total.shop) == "8.910 KWD"


def test_where_it_goes() -> None:
    pickup, digital, two = order("pickup"), order("digital"), order("two_addresses")
    (way,) = pickup.deliveries
    assert (way.kind, way.location, way.instructions) == (DeliveryKind.PICKUP, "SHOP-2", "Bring your order number")
    assert not any(line.requires_shipping for line in (*pickup.lines, *digital.lines))
    assert digital.lines[0].kind is ProductKind.DIGITAL
    assert len({line.delivery_id for line in two.lines}) == 2
    assert [str(one.price.shop.amount) for one in two.shipping_lines] == ["4.90", "0.00"]


def test_shipping_that_was_overridden_is_one_line() -> None:
    (one,) = order("shipping_overridden").shipping_lines
    assert str(one.price.shop) == "4.90 EUR"


def test_choices_forms_and_pick_lists() -> None:
    found = order("choices_and_pick_list")
    assert found.lines[0].options == (("Size", "M"), ("Add letters", "AE"))
    assert found.lines[1].properties == (("bundle", found.lines[0].id),)
    assert ("Days", "Mon, Tue") in found.attributes


def test_payments() -> None:
    assert [one.kind for one in order("authorized").payments] == [PaymentKind.AUTHORISATION]
    (bank,) = order("bank").payments
    assert (bank.tender, bank.status, order("bank").hold) == (Tender.BANK, PaymentStatus.PENDING, "payment")
    (manual,) = order("manual").payments
    assert (manual.gateway, manual.kind, order("manual").source) == ("Manual", PaymentKind.SALE, Source.DRAFT)


def test_a_pending_payment_that_was_settled_is_one() -> None:
    def settled(told: dict[str, Any]) -> None:
        first = told["transactions"][0]
        told["transactions"].append({**first, "id": 1, "event": "settled", "reference_transaction_id": first["id"]})

    (one,) = order("bank", settled).payments
    assert one.status is PaymentStatus.SUCCESS


def test_a_payment_in_another_currency_is_unreadable() -> None:
    def foreign(told: dict[str, Any]) -> None:
        told["transactions"][0]["currency"] = "USD"

    with pytest.raises(Unreadable) as met:
        order("plain", foreign)
    assert met.value.field == "transactions[0].currency"


def test_a_shipment_and_a_refund() -> None:
    sent, back = order("shipped_in_part"), order("refunded_in_part")
    (parcel,) = sent.shipments
    assert [(line.sku, line.quantity) for line in parcel.lines] == [("WB-TEE", 1)]
    assert (parcel.trackings[0].number, parcel.trackings[0].carrier) == ("JD000001", "dhl-germany")
    (refund,) = back.refunds
    assert str(refund.total.shop) == "10.12 EUR"
    assert [(line.sku, str(line.subtotal.shop), str(line.tax.shop)) for line in refund.lines] == [
        ("WB-MUG", "8.50 EUR", "1.62 EUR")
    ]
    assert refund.adjustments == ()
    assert (refund.note, refund.payments[0].gateway) == ("Broken on arrival", "braintree")
    assert [line.current_quantity for line in back.lines] == [2, 0]


def test_a_refund_of_another_sum_keeps_its_own() -> None:
    def less(told: dict[str, Any]) -> None:
        told["refunds"][0].update(total_amount=Decimal("9.00"), total_tax=Decimal("1.44"))
        told["refunds"][0]["payments"][0]["amount"] = Decimal("9.00")

    (refund,) = order("refunded_in_part", less).refunds
    assert str(refund.total.shop) == "9.00 EUR"
    assert [(one.kind, str(one.amount.shop)) for one in refund.adjustments] == [
        ("tax", "-0.18 EUR"),
        ("discrepancy", "-0.94 EUR"),
    ]


def test_a_declined_refund_has_moved_nothing() -> None:
    def declined(told: dict[str, Any]) -> None:
        told["refunds"][0]["payments"][0].update(is_declined=True, declined_message="closed")

    (refund,) = order("refunded_in_part", declined).refunds
    assert (str(refund.total.shop), refund.status) == ("0.00 EUR", PaymentStatus.FAILURE)


def test_cancelled_declined_unfinished() -> None:
    gone = order("cancelled")
    assert gone.cancelled_at == gone.updated_at
    assert gone.cancel_reason == "cancelled"

    def status(number: int) -> Change:
        return lambda told: told["order"].update(status_id=number)

    assert order("plain", status(6)).cancel_reason == "declined"
    assert order("plain", status(12)).hold == "manual verification"
    told = body("api_order__plain")
    told["order"]["status_id"] = 1
    assert isinstance(read("api/order", told), Ignored)
    assert isinstance(read("api/order", told, unfinished=[0]), Snapshot)


def test_a_row_of_a_list_has_the_orders_version() -> None:
    told = body("api_order__refunded_in_part")
    row = {name: one for name, one in told["order"].items() if name not in ("consignments", "fees")}
    listed, whole = read("api/orders", row), read("api/order", told)
    assert isinstance(listed, Pointer)
    assert listed.version == whole.version


def test_what_happens_in_one_second_keeps_its_order() -> None:
    """Placed, shipped and cancelled at the same date_modified."""
    told = body("api_order__plain")
    states: list[dict[str, Any]] = [{}, {"items_shipped": 1}, {"items_shipped": 1, "status_id": 5}]
    versions = [read("api/order", {**told, "order": {**told["order"], **one}}).version for one in states]
    assert versions == sorted(set(versions))


def test_another_stores_delivery_is_refused() -> None:
    """An app's secret is the same for all stores that installed it."""
    told = {**body("store_order_created__plain"), "producer": "stores/zzz999"}
    with pytest.raises(Unreadable) as met:
        read("store/order/created", told)
    assert met.value.field == "producer"


def test_a_product_and_its_variants() -> None:
    found = mapping.read(ACCOUNT, Message("api/product", "1", dump_json(body("api_product__two_variants"))))
    first, second = (one.document for one in found if isinstance(one, Snapshot))
    assert isinstance(first, Product)
    assert isinstance(second, Product)
    assert (first.sku, str(first.price.amount if first.price else "")) == ("WB-MUG", "8.50 EUR")  # the product's own
    assert (second.sku, second.options) == ("WB-TEE-XL", (("Size", "XL"),))
    assert second.weight_grams == 250
