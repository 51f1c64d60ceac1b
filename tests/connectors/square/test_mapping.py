"""What a sale becomes: sums to the minor unit, tenders, what came back, and what is told of tills that were offline."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
import simplejson

from connectors import registry
from connectors.canonical.delivery import DeliveryKind
from connectors.canonical.gate import captured, equation
from connectors.canonical.line import ChargeKind
from connectors.canonical.order import Order, Source
from connectors.canonical.payment import PaymentKind, PaymentStatus, Tender
from connectors.canonical.product import ProductKind
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import ShipmentStatus
from connectors.canonical.snapshot import Snapshot
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from tests.connectors.square.contract import SETTINGS
from tests.contract.cases import CONNECTORS

ACCOUNT = Account("shop", "square", "https://api.example.com", settings=SETTINGS)
FIXTURES = CONNECTORS / "square" / "fixtures"


def body(kind: str) -> Any:
    return simplejson.loads((FIXTURES / f"api_order__{kind}.json").read_text(), use_decimal=True)


def read(told: Any) -> tuple[Any, ...]:
    raw = simplejson.dumps(told, use_decimal=True).encode()
    return registry.read(ACCOUNT, Message("api/order", "d", raw))


def order(kind: str | Any) -> Order:
    readings = read(body(kind) if isinstance(kind, str) else kind)
    (found,) = (one.document for one in readings if isinstance(one, Snapshot) and one.kind == "order")
    assert isinstance(found, Order)
    return found


def refund(kind: str | Any) -> Refund:
    readings = read(body(kind) if isinstance(kind, str) else kind)
    (found,) = (one.document for one in readings if isinstance(one, Snapshot) and one.kind == "refund")
    assert isinstance(found, Refund)
    return found


def d(text: str) -> Decimal:
    return Decimal(text)


def settled(made: Refund, included: bool = False) -> Decimal:
    """What a refund's lines and the rest come to."""
    lines = sum((one.subtotal.shop.amount + (0 if included else one.tax.shop.amount) for one in made.lines), Decimal(0))
    rest = (
        one.amount.shop.amount + (one.tax.shop.amount if one.tax and not included else 0) for one in made.adjustments
    )
    return lines + sum(rest, Decimal(0))


# ---- money


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("api_order__*.json")), ids=lambda one: one.stem)
def test_totals_are_squares_own_and_tenders_make_them(path: Any) -> None:
    """Exact, in every kind; what was taken is the total."""
    told = simplejson.loads(path.read_text(), use_decimal=True)
    for one in read(told):
        if isinstance(one, Snapshot) and isinstance(one.document, Order):
            made, unit = one.document, {"JPY": 1, "KWD": 1000}.get(one.document.currency, 100)
            assert equation(made).difference.amount == 0
            assert made.totals.total.shop.amount * unit == told["order"]["total_money"]["amount"]
            sale = sum(captured(made).values(), Decimal(0))
            assert sale in (Decimal(0), made.totals.total.shop.amount) or made.hold
        elif isinstance(one, Snapshot) and isinstance(one.document, Refund):
            assert settled(one.document) == one.document.total.shop.amount


def test_taxes_inside_and_beside() -> None:
    made = order("tax_included")
    assert made.taxes_included
    assert [line.gross.shop.amount for line in made.lines if line.gross] == [d("39.80"), d("8.50")]
    mixed = order("both_taxes")
    assert not mixed.taxes_included
    first = mixed.lines[0]
    assert [(tax.title, tax.rate) for tax in first.taxes] == [("VAT", d("0.19")), ("City tax", d("0.05"))]
    assert first.gross is not None
    assert first.gross.shop.amount == d("39.80") - first.taxes[0].amount.shop.amount
    assert all(
        line.gross and line.unit_price.shop.amount * line.quantity == line.gross.shop.amount for line in mixed.lines
    )


def test_discounts_and_modifiers_stand_on_their_line() -> None:
    made = order("percent")
    assert [one.rate for line in made.lines for one in line.discounts] == [d("0.125"), d("0.125")]
    assert made.totals.discounts.shop.amount == d("6.04")
    assert not made.discounts
    (line,) = order("modifiers").lines
    assert line.options == (("Modifier", "Gift wrap"), ("Modifier", "Card"))
    assert line.unit_price.shop.amount == d("23.39")


def test_a_weighed_line_keeps_its_own_rounding() -> None:
    (line,) = order("weighed").lines
    assert (line.quantity, line.unit) == (d("1.345"), "metric_kilogram")
    assert line.unit_price.shop.amount == d("39.90")
    assert line.gross is not None
    assert line.gross.shop.amount == d("53.67")


def test_charges() -> None:
    (service,) = order("service_charge").charges
    assert (service.kind, service.amount.shop.amount, len(service.taxes)) == (ChargeKind.FEE, d("3.00"), 1)
    spread = order("spread_charge")
    assert [(one.line_id, one.amount.shop.amount) for one in spread.charges] == [
        ("line-1", d("1.74")),
        ("line-2", d("0.37")),
    ]
    assert [one.gross.shop.amount for one in spread.lines if one.gross] == [d("39.80"), d("8.50")]
    freight = order("freight")
    assert [(one.title, one.price.shop.amount) for one in freight.shipping_lines] == [("Shipping", d("4.90"))]
    assert not freight.charges


def test_tips_are_part_of_what_is_paid() -> None:
    made = order("tip")
    assert [(one.kind, one.amount.shop.amount) for one in made.charges] == [(ChargeKind.TIP, d("4.50"))]
    told = body("tip")
    told["order"]["total_money"]["amount"] -= 450
    assert order(told).totals.total == made.totals.total


def test_a_sum_that_square_does_not_explain_is_told_as_its_difference() -> None:
    told = body("plain")
    told["order"]["total_money"]["amount"] += 1
    assert equation(order(told)).difference.amount == d("0.01")


def test_another_currency_is_named() -> None:
    told = body("plain")
    told["order"]["line_items"][1]["total_tax_money"]["currency"] = "USD"
    with pytest.raises(Unreadable) as met:
        read(told)
    assert met.value.field == "order.line_items[1].total_tax_money.currency"


def test_old_payloads_without_breakdown() -> None:
    """Discounts and taxes that only totals tell stand on the order, so that the sum is exact."""
    told = body("order_discount")
    for line in told["order"]["line_items"]:
        for name in ("applied_discounts", "applied_taxes", "total_discount_money", "total_tax_money"):
            del line[name]
    made = order(told)
    assert [one.amount.shop.amount for one in made.discounts] == [d("5.00")]
    assert equation(made).difference.amount == 0


# ---- tenders


def test_tenders() -> None:
    split = order("split")
    assert [one.tender for one in split.payments] == [Tender.GIFT_CARD, Tender.CASH, Tender.CARD]
    assert [one.gateway for one in split.payments] == ["square_gift_card", "cash", "card"]
    (cash,) = order("cash").payments
    assert (cash.tender, cash.amount) == (Tender.CASH, order("cash").totals.total)
    (voucher,) = order("voucher").payments
    assert (voucher.tender, voucher.gateway) == (Tender.GIFT_CARD, "external:other_gift_card")
    rounded = order("cash_rounded")
    assert rounded.rounding is not None
    assert (rounded.totals.total.shop.amount, rounded.rounding.shop.amount) == (d("19.95"), d("0.02"))


def test_what_is_only_authorised_is_not_taken() -> None:
    made = order("authorized")
    assert [(one.kind, one.status) for one in made.payments] == [(PaymentKind.AUTHORISATION, PaymentStatus.SUCCESS)]
    assert made.payments[0].authorised_until is not None
    assert made.payment_status == "authorized"


def test_without_payments_the_tenders_tell() -> None:
    """A Payment may be gone, or never have been one."""
    told = {**body("split"), "payments": []}
    told["order"]["tenders"][2]["card_details"]["status"] = "FAILED"
    made = order(told)
    assert [one.status for one in made.payments][-1] is PaymentStatus.FAILURE
    assert [one.tender for one in made.payments] == [Tender.GIFT_CARD, Tender.CASH, Tender.CARD]


def test_a_state_that_nobody_knows_is_named() -> None:
    told = body("till")
    told["payments"][0]["status"] = "TELEPORTED"
    with pytest.raises(Unreadable) as met:
        read(told)
    assert "TELEPORTED" in met.value.sentence


# ---- what kind of sale


def test_till_and_web() -> None:
    till, web = order("till"), order("plain")
    assert (till.source, till.number, till.location) == (Source.POS, "Table 4", "LOC1")
    assert not any(line.requires_shipping for line in till.lines)
    assert web.source is Source.WEB
    assert all(line.requires_shipping and line.delivery_id == "fulfilment-1" for line in web.lines)
    assert web.shipping is not None
    assert (web.shipping.city, web.shipping.country, web.email) == ("Köln", "DE", "ana.1@example.com")
    (pickup,) = order("pickup").deliveries
    assert (pickup.kind, pickup.location, pickup.pickup_person) == (DeliveryKind.PICKUP, "LOC1", "Ana Example 1")
    assert order("pickup").lines[0].requires_shipping
    own = Account("shop", "square", "https://api.example.com")
    raw = simplejson.dumps(body("pickup"), use_decimal=True).encode()
    (reading,) = registry.read(own, Message("api/order", "d", raw))
    assert not reading.document.lines[0].requires_shipping  # type: ignore[union-attr]
    assert order("courier").deliveries[0].kind is DeliveryKind.LOCAL


def test_the_customer_of_a_till() -> None:
    made = order("till")
    assert made.customer is not None
    assert (made.customer.first_name, made.customer.company, made.customer.number) == ("Ana", "Example GmbH", "K-100")
    assert order("cash").customer is None


def test_lines_without_an_article() -> None:
    custom, card = order("custom_amount").lines[1], order("gift_card_sold").lines[0]
    assert (custom.kind, custom.sku, custom.title) == (ProductKind.SERVICE, "WB-CUSTOM", "Repair")
    assert (card.kind, card.sku) == (ProductKind.GIFT_CARD, "WB-CARD")
    plain = Account("shop", "square", "https://api.example.com")
    raw = json.dumps(simplejson.loads((FIXTURES / "api_order__custom_amount.json").read_text())).encode()
    (reading,) = registry.read(plain, Message("api/order", "d", raw))
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Order)
    assert reading.document.lines[1].sku == ""


def test_holds_and_ends() -> None:
    assert order("unpaid").hold == "not paid yet"
    assert order("till").hold == ""
    trusting = Account("shop", "square", "https://api.example.com", settings={**SETTINGS, "unpaid": ["PICKUP"]})
    told = body("pickup")
    del told["order"]["tenders"]
    assert order(told).hold == "not paid yet"
    raw = simplejson.dumps(told, use_decimal=True).encode()
    (reading,) = registry.read(trusting, Message("api/order", "d", raw))
    assert reading.document.hold == ""  # type: ignore[union-attr]
    gone = order("cancelled")
    assert gone.cancelled_at is not None
    assert gone.hold == ""


def test_offline_is_said() -> None:
    told = dict(order("offline").attributes)
    assert (told["offline"], told["offline_taken_at"]) == ("true", "2026-03-02T09:30:00.000Z")
    waiting = body("offline")
    waiting["payments"][0]["status"] = "PENDING"
    made = order(waiting)
    assert made.payments[0].status is PaymentStatus.PENDING
    assert made.payment_status == "pending"


# ---- what came back


def test_a_sale_knows_what_came_back_of_it() -> None:
    made = order("returned_in_part")
    assert [line.current_quantity for line in made.lines] == [1, 0]
    (back,) = made.refunds
    assert [(one.line_id, one.quantity, one.sku) for one in back.lines] == [
        ("line-1", 1, "WB-TEE"),
        ("line-2", 1, "WB-MUG"),
    ]
    assert back.status is PaymentStatus.PENDING
    assert {one.parent_id for one in back.payments} <= {one.id for one in made.payments}
    assert sum((one.amount.shop.amount for one in back.payments), Decimal(0)) == back.total.shop.amount


def test_the_return_tells_the_same_refund() -> None:
    """By the sale and by the return order: one refund, not two."""
    (of_sale,), of_return = order("returned_in_part").refunds, refund("return")
    assert of_return == of_sale
    (reading,) = read(body("return"))
    assert reading.id == "RETURNED_IN_PART"


def test_a_return_of_mixed_taxes_is_exact() -> None:
    made = refund("return_both_taxes")
    (line,) = made.lines
    assert line.quantity == 2
    assert line.subtotal.shop.amount + line.tax.shop.amount == made.total.shop.amount
    assert not made.adjustments


def test_an_exchange_is_a_sale_and_a_refund() -> None:
    """A tee against a cap: what is given back pays for what is taken, and the rest goes out in cash."""
    sale, back = order("exchange"), refund("exchange")
    assert sum(captured(sale).values(), Decimal(0)) == sale.totals.total.shop.amount == d("17.26")
    assert back.total.shop.amount == d("23.68")
    assert [(one.gateway, one.amount.shop.amount) for one in back.payments] == [
        ("cash", d("6.42")),
        ("exchange", d("17.26")),
    ]
    more = refund("exchange_with_money_back")
    assert sum((one.amount.shop.amount for one in more.payments), Decimal(0)) == more.total.shop.amount


def test_goods_of_an_order_from_elsewhere() -> None:
    """The number that staff typed in names the order; Square knows none of its lines."""
    (reading,) = read(body("return_from_elsewhere"))
    assert (reading.kind, reading.id, reading.reference) == ("refund", "", "WB-100001")
    made = reading.document
    assert not made.lines
    assert [(one.kind, one.amount.shop.amount, one.reason) for one in made.adjustments] == [
        ("return", d("19.90"), "1 x WB-TEE")
    ]
    assert [(one.tender, one.amount.shop.amount) for one in made.payments] == [(Tender.CASH, d("19.90"))]


def test_goods_of_nobody_knows_which_order() -> None:
    told = body("return_from_elsewhere")
    del told["order"]["reference_id"]
    with pytest.raises(Unreadable) as met:
        read(told)
    assert met.value.field == "order.returns[0].source_order_id"
    assert "came back" in order("exchange_from_elsewhere").hold


def test_two_sales_in_one_return() -> None:
    """Each sale has its own refund, and the money of its own payments."""
    told = body("return")
    first = told["order"]["returns"][0]
    other = {
        **first,
        "uid": "return-2",
        "source_order_id": "ANOTHER",
        "return_line_items": first["return_line_items"][1:],
    }
    told["order"]["returns"] = [{**first, "return_line_items": first["return_line_items"][:1]}, other]
    told["payments"][0]["order_id"] = "ANOTHER"
    one, two = (reading for reading in read(told) if isinstance(reading, Snapshot))
    assert (one.id, two.id) == ("RETURNED_IN_PART", "ANOTHER")
    assert one.document.id != two.document.id
    paid = {payment.parent_id for payment in two.document.payments}
    assert paid == {told["payments"][0]["id"]}
    assert not paid & {payment.parent_id for payment in one.document.payments}


def test_money_that_did_not_go_back() -> None:
    told = body("return")
    for row in told["refunds"]:
        row["status"] = "REJECTED"
    made = refund(told)
    assert made.status is PaymentStatus.FAILURE
    assert made.total.shop.amount == 0


# ---- what has left


def test_our_parts_are_read_back_as_shipments() -> None:
    part, whole = order("shipped_in_part"), order("shipped")
    assert [(one.status, [(line.line_id, line.quantity) for line in one.lines]) for one in part.shipments] == [
        (ShipmentStatus.SHIPPED, [("line-1", 1)])
    ]
    assert sum(line.quantity for one in whole.shipments for line in one.lines) == 3
    assert {one.trackings[0].number for one in whole.shipments} == {"JD000001", "JD000002"}
    assert whole.status == "COMPLETED"


def test_staff_ship_without_us() -> None:
    told = body("plain")
    told["order"]["fulfillments"][0].update(state="COMPLETED")
    told["order"]["fulfillments"][0]["shipment_details"].update(tracking_number="1Z9", carrier="UPS")
    (sent,) = order(told).shipments
    assert (sent.id, sent.status, sent.trackings[0].number) == ("fulfilment-1", ShipmentStatus.SHIPPED, "1Z9")
    assert [(one.line_id, one.quantity) for one in sent.lines] == [("line-1", 2), ("line-2", 1)]


def test_two_fulfilments_share_a_line() -> None:
    told = body("plain")
    first = told["order"]["fulfillments"][0]
    entry = {"line_item_uid": "line-2", "quantity": "1"}
    told["order"]["fulfillments"] = [
        {**first, "line_item_application": "ENTRY_LIST", "entries": [{"line_item_uid": "line-1", "quantity": "2"}]},
        {**first, "uid": "fulfilment-2", "type": "PICKUP", "line_item_application": "ENTRY_LIST", "entries": [entry]},
    ]
    made = order(told)
    assert [line.delivery_id for line in made.lines] == ["fulfilment-1", "fulfilment-2"]
    assert [one.kind for one in made.deliveries] == [DeliveryKind.SHIP, DeliveryKind.PICKUP]


def test_what_was_to_leave_and_may_not_any_more() -> None:
    """Square cancels no paid order, only its fulfilments: all of them end it, some of them their own lines."""
    told = body("plain")
    first = told["order"]["fulfillments"][0]
    first["state"] = "CANCELED"
    first["shipment_details"]["cancel_reason"] = "Sold out"
    gone = order(told)
    assert (gone.cancelled_at, gone.cancel_reason) == (gone.updated_at, "Sold out")
    assert [line.current_quantity for line in gone.lines] == [0, 0]
    for n, row in enumerate((first, {**first, "uid": "fulfilment-2", "state": "RESERVED"}), 1):
        row.update(line_item_application="ENTRY_LIST", entries=[{"line_item_uid": f"line-{n}", "quantity": "1"}])
        told["order"]["fulfillments"] = [*told["order"]["fulfillments"][: n - 1], row]
    part = order(told)
    assert part.cancelled_at is None
    assert [line.current_quantity for line in part.lines] == [0, 1]
    first["state"] = "FAILED"
    assert [line.current_quantity for line in order(told).lines] == [2, 1]


def test_a_way_that_nobody_knows_is_named() -> None:
    told = body("plain")
    told["order"]["fulfillments"][0]["type"] = "DRONE"
    with pytest.raises(Unreadable) as met:
        read(told)
    assert met.value.field == "order.fulfillments[0].type"
