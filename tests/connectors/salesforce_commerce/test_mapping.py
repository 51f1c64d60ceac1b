"""Orders of the simulated site as the hub reads them: every sum in either taxation, and everything beside the sums."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import simplejson

from connectors.canonical.delivery import DeliveryKind
from connectors.canonical.gate import equation, taxes
from connectors.canonical.order import Order, Source
from connectors.canonical.payment import PaymentKind, PaymentStatus, Tender
from connectors.canonical.product import ProductKind
from connectors.canonical.shipment import ShipmentStatus
from connectors.canonical.snapshot import Ignored, Snapshot
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from connectors.salesforce_commerce.mapping import ORDER, read
from connectors.salesforce_commerce.simulator_kinds import KINDS, PLACED
from tests.connectors.salesforce_commerce.conftest import MakeShop
from tests.contract.cases import CONNECTORS

FIXTURES = CONNECTORS / "salesforce_commerce" / "fixtures"
ACCOUNT = Account("tried", "salesforce_commerce", "https://shop.example.com")


def fixture(kind: str) -> Any:
    return simplejson.loads((FIXTURES / f"orders_order__{kind}.json").read_text(), use_decimal=True)


def mapped(body: Any, **settings: Any) -> Order:
    account = replace(ACCOUNT, settings=settings)
    (reading,) = read(account, Message(ORDER, "1", simplejson.dumps(body, use_decimal=True).encode()))
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Order)
    return reading.document


def total(order: Order) -> Decimal:
    return order.totals.total.shop.amount


@pytest.mark.parametrize("kind", PLACED)
def test_every_kind_of_order_adds_up(shop: MakeShop, kind: str) -> None:
    """The parts make the site's own total to the minor unit, the taxes its taxTotal, the instruments what is to be paid."""
    at = shop()
    order = at.place(kind)
    told = at.summary(order)
    assert equation(order).holds, equation(order)
    assert total(order) == Decimal(told["orderTotal"])
    assert sum((one.amount.shop.amount for one in taxes(order)), Decimal(0)) == Decimal(told["taxTotal"])
    assert order.totals.tax.shop.amount == Decimal(told["taxTotal"])
    assert sum((one.amount.shop.amount for one in order.payments), Decimal(0)) == total(order)


def test_drawn_orders_add_up(shop: MakeShop) -> None:
    at = shop()
    for told in at.system.post("/_sim/orders", {"count": 60, "seed": 11}):
        message = at.connector.client.order(told["orderNo"])
        order = mapped(message)
        assert equation(order).holds, (told["kind"], equation(order))


@pytest.mark.parametrize("discounts", ["price", "adjusted"])
@pytest.mark.parametrize("taxation", ["gross", "net"])
def test_odd_sums_are_spread_to_the_cent(shop: MakeShop, taxation: str, discounts: str) -> None:
    """Thirds of a cent in shares and taxes: each line bears its own, and nothing is lost between them."""
    at = shop()
    lines = [{"sku": sku, "quantity": 3, "price": "3.33"} for sku in ("WB-TEE", "WB-MUG", "WB-CAP")]
    off = [{"promotionId": "odd", "itemText": "Odd", "off": "10.00"}]
    spec = {"taxation": taxation, "discounts": discounts, "rate": "0.077", "lines": lines, "order_adjustments": off}
    order = at.place("plain", **spec)
    assert equation(order).holds
    assert [len(one.discounts) for one in order.lines] == [1, 1, 1]
    assert sum((cut.amount.shop.amount for one in order.lines for cut in one.discounts), Decimal(0)) == Decimal("10.00")
    assert not order.charges, "no tax is left over: each line bears its share"
    assert not order.discounts


def test_gross_prices_hold_their_tax() -> None:
    order = mapped(fixture("gross"))
    assert order.taxes_included
    assert total(order) == Decimal("53.20")
    assert [one.gross.shop.amount for one in order.lines if one.gross] == [Decimal("39.80"), Decimal("8.50")]
    assert [(one.taxes[0].amount.shop.amount, one.taxes[0].rate) for one in order.lines] == [
        (Decimal("6.35"), Decimal("0.19")),
        (Decimal("1.36"), Decimal("0.19")),
    ]


def test_net_prices_have_it_beside() -> None:
    order = mapped(fixture("net"))
    assert not order.taxes_included
    assert total(order) == Decimal("63.31")
    assert order.totals.lines.shop.amount == Decimal("48.30")
    assert order.totals.tax.shop.amount == Decimal("10.11")


def test_promotions_of_an_item_stand_on_it() -> None:
    order = mapped(fixture("item_promotion_net"))
    (off,) = order.lines[0].discounts
    assert (off.amount.shop.amount, off.code, off.id) == (Decimal("3.33"), "SPRING10", "spring-tees")
    assert [(one.title, one.rate) for one in order.lines[0].taxes] == [
        ("STATE", Decimal("0.12")),
        ("COUNTY", Decimal("0.07")),
    ]
    assert sum((one.amount.shop.amount for one in order.lines[0].taxes), Decimal(0)) == Decimal("6.93")


def test_promotions_of_the_order_are_laid_on_its_lines_as_it_prorated_them() -> None:
    order = mapped(fixture("order_promotion_net"))
    assert [one.discounts[0].amount.shop.amount for one in order.lines] == [Decimal("8.24"), Decimal("1.76")]
    assert {one.discounts[0].id for one in order.lines} == {"ten-off"}
    assert [one.taxes[0].amount.shop.amount for one in order.lines] == [Decimal("5.99"), Decimal("1.29")]
    assert not order.charges


def test_two_promotions_of_the_order_are_named_together() -> None:
    order = mapped(fixture("two_order_promotions"))
    assert {one.discounts[0].id for one in order.lines} == {"ten-off, staff"}
    assert order.totals.discounts.shop.amount == Decimal("11.01")


def test_shares_that_do_not_make_the_whole_leave_the_discount_on_the_order() -> None:
    """And the tax that no line explains stands on a fee of nothing: the total is still its own."""
    body = fixture("order_promotion_net")
    for item in body["productItems"]:
        del item["priceAfterOrderDiscount"]
    order = mapped(body)
    assert equation(order).holds
    assert [one.amount.shop.amount for one in order.discounts] == [Decimal("10.00")]
    assert not any(one.discounts for one in order.lines)
    (rest,) = order.charges
    assert (rest.amount.shop.amount, rest.taxes[0].amount.shop.amount) == (Decimal("0.00"), Decimal("-1.90"))


def test_a_total_that_its_parts_do_not_make_is_stopped_with_the_difference() -> None:
    body = fixture("net")
    body["orderTotal"] += Decimal("0.02")
    found = equation(mapped(body))
    assert not found.holds
    assert found.difference.amount == Decimal("0.02")


def test_what_an_adjustment_puts_on_is_a_fee() -> None:
    order = mapped(fixture("surcharge"))
    fee = order.charges[0]
    assert (fee.title, fee.amount.shop.amount) == ("Cash on delivery", Decimal("3.00"))
    assert not any(one.discounts for one in order.lines)


def test_a_priced_option_is_a_line_beside_its_item() -> None:
    order = mapped(fixture("options"))
    option = order.lines[1]
    assert option.id == f"{order.lines[0].id}/engraving"
    assert (option.sku, option.quantity, option.unit_price.shop.amount) == ("WB-ENGRAVE", Decimal(2), Decimal("5.00"))
    assert (option.kind, option.requires_shipping) == (ProductKind.SERVICE, False)
    assert order.lines[0].options == (("engraving", "name"),)


def test_a_bundle_names_what_one_of_it_holds() -> None:
    (line,) = mapped(fixture("bundle")).lines
    assert line.kind is ProductKind.BUNDLE
    assert [(one.sku, one.quantity) for one in line.components] == [("WB-TEE", Decimal(1)), ("WB-MUG", Decimal(2))]


def test_a_gift_certificate_that_was_bought_is_a_line_that_is_not_shipped() -> None:
    certificate = mapped(fixture("gift_certificate_bought")).lines[-1]
    assert (certificate.kind, certificate.unit_price.shop.amount) == (ProductKind.GIFT_CARD, Decimal("25.00"))
    assert not certificate.requires_shipping
    assert dict(certificate.properties)["recipientEmail"] == "gift@example.com"


def test_a_gift_certificate_that_was_used_is_a_tender() -> None:
    gift, card = mapped(fixture("gift_certificate_used")).payments
    assert (gift.tender, gift.kind, gift.amount.shop.amount) == (Tender.GIFT_CARD, PaymentKind.SALE, Decimal("15.00"))
    assert (card.tender, card.kind) == (Tender.CARD, PaymentKind.AUTHORISATION)
    assert (card.card_brand, card.card_last4, card.gateway) == ("Visa", "1111", "CREDIT_CARD")


def test_an_instrument_that_says_no_amount_pays_the_rest_and_two_are_unreadable() -> None:
    body = fixture("gift_certificate_used")
    del body["paymentInstruments"][1]["paymentTransaction"]["amount"]
    assert mapped(body).payments[1].amount.shop.amount == Decimal("38.20")
    del body["paymentInstruments"][0]["paymentTransaction"]["amount"]
    with pytest.raises(Unreadable) as met:
        mapped(body)
    assert met.value.field == "paymentInstruments[1].paymentTransaction.amount"


def test_what_is_paid_is_a_sale_and_what_failed_says_so() -> None:
    body = fixture("gross")
    body["paymentStatus"] = "paid"
    assert mapped(body).payments[0].kind is PaymentKind.SALE
    body["paymentInstruments"][0]["paymentTransaction"]["authorizationStatus"]["status"] = 1
    assert mapped(body).payments[0].status is PaymentStatus.FAILURE


@pytest.mark.parametrize(("kind", "currency", "expected"), [("jpy", "JPY", "4460"), ("kwd", "KWD", "9.356")])
def test_currencies_without_cents_and_with_thousandths(kind: str, currency: str, expected: str) -> None:
    order = mapped(fixture(kind))
    assert (order.currency, total(order)) == (currency, Decimal(expected))


def test_what_is_fetched_in_a_store_needs_no_shipping() -> None:
    order = mapped(fixture("pickup"))
    (way,) = order.deliveries
    assert (way.kind, way.location) == (DeliveryKind.PICKUP, "store-7")
    assert order.shipping is None
    assert not any(one.requires_shipping for one in order.lines)


def test_a_shipping_method_may_mean_fetching() -> None:
    order = mapped(fixture("gross"), pickup_methods=["standard"])
    assert order.deliveries[0].kind is DeliveryKind.PICKUP


def test_each_shipment_is_a_delivery_of_its_own_lines() -> None:
    order = mapped(fixture("two_shipments"))
    assert [one.id for one in order.deliveries] == ["me", "shipment-2"]
    assert [one.delivery_id for one in order.lines] == ["me", "shipment-2"]
    assert [(one.delivery_id, one.price.shop.amount) for one in order.shipping_lines] == [
        ("me", Decimal("4.90")),
        ("shipment-2", Decimal("4.90")),
    ]


def test_shipping_without_items_is_what_the_shipment_says() -> None:
    order = mapped(fixture("no_shipping_items"))
    assert equation(order).holds
    assert [(one.id, one.price.shop.amount) for one in order.shipping_lines] == [("me-shipping", Decimal("4.90"))]


def test_a_guest_has_no_id_and_a_customer_has_a_number() -> None:
    guest, known = mapped(fixture("guest")).customer, mapped(fixture("gross")).customer
    assert guest is not None
    assert known is not None
    assert (guest.id, guest.number, guest.email) == ("", "", "ana@example.com")
    assert (known.id, known.number) == ("customer000000000000000011", "00000011")


def test_addresses_keep_their_letters_and_a_states_name_is_no_code() -> None:
    body = fixture("gross")
    body["billingAddress"].update({"stateCode": "US-MA", "countryCode": "us"})
    body["shipments"][0]["shippingAddress"].update({"stateCode": "Baden-Württemberg", "suite": "3"})
    order = mapped(body)
    assert order.billing is not None
    assert order.shipping is not None
    assert (order.billing.region, order.billing.country) == ("MA", "US")
    assert (order.shipping.region, order.shipping.region_name, order.shipping.line3) == ("", "Baden-Württemberg", "3")
    assert order.shipping.city == "Köln"


def test_a_country_is_known_by_its_name_and_one_that_is_none_is_kept_as_it_was_told() -> None:
    body = fixture("gross")
    body["billingAddress"]["countryCode"] = "Germany"
    body["shipments"][0]["shippingAddress"]["countryCode"] = "Nowhere"
    order = mapped(body)
    assert order.billing is not None
    assert order.shipping is not None
    assert (order.billing.country, order.shipping.country) == ("DE", "NOWHERE")


def test_custom_attributes_come_along() -> None:
    order = mapped(fixture("custom_attributes"))
    told = dict(order.attributes)
    assert (told["c_giftWrap"], told["c_loyalty"], told["c_tags"]) == ("true", "gold", "a, b")
    assert dict(order.lines[0].properties) == {"c_engraving": "ANA"}
    assert (order.purchase_order, order.external_reference) == ("PO-77", "EXT-1")


def test_a_cancelled_order_says_when_and_why() -> None:
    order = mapped(fixture("cancelled"))
    assert order.cancelled_at == order.updated_at
    assert order.cancel_reason == "Ordered by mistake"


@pytest.mark.parametrize("kind", ["unplaced", "failed"])
def test_what_was_never_placed_is_no_order(kind: str) -> None:
    (reading,) = read(ACCOUNT, Message(ORDER, "1", (FIXTURES / f"orders_order__{kind}.json").read_bytes()))
    assert isinstance(reading, Ignored)


def test_an_unconfirmed_order_is_held_where_the_account_wants_it() -> None:
    body = fixture("gross")
    assert mapped(body).hold == ""
    assert mapped(body, hold_unconfirmed=True).hold == "confirmation"
    body["confirmationStatus"] = "confirmed"
    assert mapped(body, hold_unconfirmed=True).hold == ""


def test_where_it_was_sold() -> None:
    body = fixture("gross")
    for word, source in (
        ("storefront", Source.WEB),
        ("store", Source.POS),
        ("tiktok", Source.SOCIAL),
        ("new", Source.OTHER),
    ):
        body["channelType"] = word
        assert mapped(body).source is source


def test_shipments_of_another_system_are_read_where_the_account_says_so(shop: MakeShop) -> None:
    """Whole shipments: nothing says how many pieces of one have left."""
    at = shop()
    at.settings(shipped_elsewhere=True)
    order = at.place("two_shipments")
    at.move(order, "ship", shipment="shipment-2", number="JD0007")
    (sent,) = at.again(order).shipments
    assert (sent.id, sent.status, sent.trackings[0].number) == ("shipment-2", ShipmentStatus.SHIPPED, "JD0007")
    assert [(one.line_id, one.quantity) for one in sent.lines] == [(order.lines[1].id, Decimal(1))]
    at.settings(shipped_elsewhere=False)
    assert at.again(order).shipments == ()


def test_a_version_is_the_instant_of_the_change() -> None:
    (first,) = read(ACCOUNT, Message(ORDER, "1", (FIXTURES / "orders_order__gross.json").read_bytes()))
    (later,) = read(ACCOUNT, Message(ORDER, "1", (FIXTURES / "orders_order__gross_later.json").read_bytes()))
    assert isinstance(first, Snapshot)
    assert isinstance(later, Snapshot)
    assert first.version == "2026-03-02T09:30:00.000000Z" < later.version


def test_a_taxation_that_is_neither_is_named() -> None:
    body = json.loads((FIXTURES / "orders_order__gross.json").read_text())
    body["taxation"] = "exempt"
    with pytest.raises(Unreadable) as met:
        mapped(body)
    assert met.value.field == "taxation"
    assert set(KINDS) > set(PLACED)


def test_an_item_that_tells_no_adjusted_tax_is_reckoned_with_its_adjustments() -> None:
    body = fixture("item_promotion_net")
    for item in body["productItems"]:
        item.pop("adjustedTax")
        item.pop("taxItems")
    order = mapped(body)
    assert [one.taxes[0].amount.shop.amount for one in order.lines] == [Decimal("6.93"), Decimal("1.62")]
    assert not order.charges
