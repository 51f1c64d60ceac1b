"""Orders of every kind are read to the cent, by webhook and by GraphQL alike."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import simplejson

from connectors.canonical.codec import dump
from connectors.canonical.gate import captured, discounts, equation, taxes
from connectors.canonical.money import Role
from connectors.canonical.order import ChargeKind, Order, Source
from connectors.canonical.payment import PaymentKind, PaymentStatus, Tender
from connectors.canonical.product import Product, ProductKind
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import Shipment, ShipmentStatus
from connectors.canonical.snapshot import Ignored, Pointer, Snapshot
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from connectors.kit.http import dump_json
from connectors.shopify import documents
from connectors.shopify.mapping import read
from connectors.shopify.mapping.order import order
from connectors.shopify.mapping.values import Place
from connectors.shopify.simulator_kinds import KINDS, ORDINARY
from connectors.shopify.simulator_orders import build, public
from tests.connectors.shopify.test_documents import ask
from tests.contract.system import System

HERE = Path(__file__).parent / "fixtures"
ACCOUNT = Account("tried", "shopify", "https://shop.example.com", settings={"currency": "EUR"})


def body(name: str) -> dict[str, Any]:
    found: dict[str, Any] = simplejson.loads((HERE / f"{name}.json").read_text(), use_decimal=True)
    return found


def read_as(topic: str, what: dict[str, Any]) -> Any:
    """The only reading's document."""
    (reading,) = read(ACCOUNT, Message(topic, "1", dump_json(what)))
    assert isinstance(reading, Snapshot), reading
    return reading.document


def an_order(name: str) -> Order:
    found = read_as(name.partition("__")[0].replace("_", "/", 1), body(name))
    assert isinstance(found, Order)
    for role in (Role.SHOP, Role.PRESENTMENT):
        assert found.totals.total.presentment is None or equation(found, role).holds, equation(found, role)
    return found


@pytest.mark.parametrize(
    ("name", "total", "discounts", "tax", "charges", "paid"),
    [
        ("orders_create__plain", "63.31", "0.00", "10.11", "0.00", "63.31"),
        ("orders_create__line_discount", "59.74", "3.00", "9.54", "0.00", "59.74"),
        ("orders_create__order_discount", "57.56", "4.83", "9.19", "0.00", "57.56"),
        ("orders_create__several_discounts", "46.47", "14.15", "7.42", "0.00", "46.47"),
        ("orders_create__tax_included", "53.20", "0.00", "8.49", "0.00", "53.20"),
        ("orders_create__jpy", "9363", "0", "851", "0", "9363"),
        ("orders_create__kwd", "18.604", "0.000", "0.887", "0.000", "18.604"),
        ("orders_create__gift_card_bought", "50.00", "0.00", "0.00", "0.00", "50.00"),
        ("orders_create__tip", "65.81", "0.00", "10.11", "2.50", "65.81"),
        ("orders_create__duties", "66.70", "0.00", "10.11", "3.39", "66.70"),
        ("orders_create__fees", "65.06", "0.00", "10.11", "1.75", "65.06"),
        ("orders_create__pos_cash_rounded", "57.48", "0.00", "9.18", "0.00", "57.50"),
        ("orders_create__before_allocations", "58.31", "5.00", "10.11", "0.00", "58.31"),
    ],
)
def test_to_the_cent(name: str, total: str, discounts: str, tax: str, charges: str, paid: str) -> None:
    found = an_order(name)
    sums = (found.totals.total, found.totals.discounts, found.totals.tax, found.totals.charges)
    assert [str(one.shop.amount) for one in sums] == [total, discounts, tax, charges]
    assert [str(amount) for amount in captured(found).values()] == [paid]


def test_two_currencies() -> None:
    found = an_order("orders_create__presentment")
    assert (found.currency, found.presentment_currency) == ("EUR", "USD")
    assert str(found.totals.total.shop) == "52.60 EUR"
    assert found.totals.total.presentment is not None
    assert str(found.totals.total.presentment) == "57.56 USD"
    assert found.discounts == (), "an order's discount stands on its lines"
    assert sum(d.amount.shop.amount for line in found.lines for d in line.discounts) == Decimal("4.41")


def test_books_may_follow_the_customers_currency() -> None:
    account = Account("tried", "shopify", "https://shop.example.com", settings={"money_role": "presentment"})
    (reading,) = read(account, Message("orders/create", "1", dump_json(body("orders_create__presentment"))))
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Order)
    assert str(equation(reading.document).total) == "57.56 USD"


def test_lines_of_other_kinds() -> None:
    assert an_order("orders_create__gift_card_bought").lines[0].kind is ProductKind.GIFT_CARD
    tipped = an_order("orders_create__tip")
    assert [charge.kind for charge in tipped.charges] == [ChargeKind.TIP]
    assert len(tipped.lines) == 2
    bundled = an_order("orders_create__bundle")
    assert [line.properties for line in bundled.lines] == [(("bundle", "70001"),)] * 2
    charged = an_order("orders_create__duties")
    assert {charge.kind for charge in charged.charges} == {ChargeKind.DUTY}
    assert charged.charges[0].line_id == charged.lines[0].id


def test_tips_and_duties_once() -> None:
    """A tip that is told but not marked is still one tip; one that is told and stands nowhere is charged; duties that
    are in the price are not charged again."""
    unmarked = body("orders_create__tip")
    del unmarked["line_items"][-1]["tip_payment_gateway"]
    assert read_as("orders/create", unmarked) == an_order("orders_create__tip")
    nowhere = body("orders_create__tip")
    nowhere["line_items"].pop()
    assert equation(read_as("orders/create", nowhere)).holds
    inside = {**body("orders_create__duties"), "duties_included": True}
    assert read_as("orders/create", inside).charges == ()


def test_sources_and_places() -> None:
    sold = an_order("orders_create__pos_cash_rounded")
    assert (sold.source, sold.location, sold.customer, sold.shipping) == (Source.POS, "70001", None, None)
    assert sold.payments[0].tender is Tender.CASH
    assert an_order("orders_create__draft").source is Source.DRAFT
    company = an_order("orders_updated__company_and_removed_shipping")
    assert (company.source, company.external_reference) == (Source.B2B, "PO-77")
    assert all(tax.remitted_by_channel for line in company.lines for tax in line.taxes)
    assert [(line.title, str(line.price.shop.amount), line.removed) for line in company.shipping_lines] == [
        ("Standard", "4.90", False),
        ("Express", "0.00", True),
    ]


def test_states_of_payment() -> None:
    unpaid = an_order("orders_cancelled__unpaid")
    assert (unpaid.payment_status, unpaid.payments, unpaid.cancel_reason) == ("voided", (), "inventory")
    assert unpaid.cancelled_at is not None
    back = an_order("orders_cancelled__refunded")
    assert str(back.payments[0].amount.shop) == str(back.refunds[0].total.shop) == "63.31 EUR"
    pending = {**body("orders_paid__bank"), "financial_status": "pending"}
    assert read_as("orders/create", pending).payments[0].status is PaymentStatus.PENDING
    held = {**body("orders_create__plain"), "financial_status": "authorized"}
    assert read_as("orders/create", held).payments[0].kind is PaymentKind.AUTHORISATION


def test_several_tenders_are_fetched() -> None:
    (reading,) = read(ACCOUNT, Message("orders/create", "1", dump_json(body("orders_create__gift_card_used"))))
    assert reading == Pointer("order", "5500000000010", "2026-03-02T15:04:00.000000Z")
    fetched = read_as("graphql/order", body("graphql_order__gift_card_used"))
    assert [(one.tender, str(one.amount.shop)) for one in fetched.payments] == [
        (Tender.GIFT_CARD, "10.00 EUR"),
        (Tender.CARD, "53.31 EUR"),
    ]
    assert str(fetched.totals.total.shop) == "63.31 EUR", "a gift card used takes nothing off the total"


def test_parcels() -> None:
    found = an_order("orders_fulfilled__three_parcels")
    assert [len(one.trackings) for one in found.shipments] == [1, 2]
    assert found.fulfilment_status == "fulfilled"
    alone = read_as("fulfillments/create", body("fulfillments_create__two_parcels"))
    assert isinstance(alone, Shipment)
    assert alone == found.shipments[1], "told by itself it is the same"
    assert [one.number for one in alone.trackings] == ["JD000002", "JD000003"]
    states = [
        read_as("fulfillments/update", body(f"fulfillments_update__{s}")).status for s in ("delivered", "cancelled")
    ]
    assert states == [ShipmentStatus.DELIVERED, ShipmentStatus.CANCELLED]


def test_refunds() -> None:
    whole = an_order("orders_updated__refunded")
    alone = read_as("refunds/create", body("refunds_create__line_and_shipping"))
    assert isinstance(alone, Refund)
    assert (alone,) == whole.refunds, "told by itself it is the same"
    assert str(alone.total.shop) == "15.95 EUR"
    assert [(str(line.subtotal.shop.amount), str(line.tax.shop.amount), line.restock) for line in alone.lines] == [
        ("8.50", "1.62", True)
    ]
    (shipping,) = alone.adjustments
    assert shipping.tax is not None
    assert [shipping.kind, str(shipping.amount.shop.amount), str(shipping.tax.shop.amount)] == [
        "shipping",
        "4.90",
        "0.93",
    ]
    parts = sum(one.subtotal.shop.amount + one.tax.shop.amount for one in alone.lines)
    assert parts + shipping.amount.shop.amount + shipping.tax.shop.amount == alone.total.shop.amount


@pytest.mark.parametrize(
    ("kind", "left", "restock"),
    [("return", 1, True), ("cancel", 0, False), ("no_restock", None, False), ("legacy_restock", None, True)],
)
def test_a_refund_says_whether_its_pieces_had_left(kind: str, left: int | None, restock: bool) -> None:
    """What was cancelled had not been fulfilled: it is not to leave any more, and nothing comes back to a shelf."""
    told = body("refunds_create__line_and_shipping")
    told["refund_line_items"][0]["restock_type"] = kind
    refund = read_as("refunds/create", told)
    assert isinstance(refund, Refund)
    assert [(line.left, line.restock) for line in refund.lines] == [(left, restock)]


def test_refunds_beside_lines() -> None:
    late = read_as("refunds/create", body("refunds_create__discrepancy"))
    assert [(one.kind, str(one.amount.shop.amount)) for one in late.adjustments] == [("discrepancy", "2.00")]
    older = read_as("refunds/create", body("refunds_create__shipping_as_adjustment"))
    assert [(one.kind, str(one.amount.shop.amount)) for one in older.adjustments] == [("shipping", "2.00")]
    both = read_as("refunds/create", body("refunds_create__two_tenders"))
    assert {one.gateway: str(one.amount.shop.amount) for one in both.payments} == {
        "gift_card": "10.00",
        "shopify_payments": "53.31",
    }
    (thin,) = read(ACCOUNT, Message("refunds/create", "1", dump_json(body("refunds_create__other_currency"))))
    assert isinstance(thin, Pointer)


def test_shipping_given_back_is_counted_once() -> None:
    """Two shipping lines, repeated as one adjustment: two sums. What the adjustment says beyond them is a third; lines without a tax are none."""
    told = body("refunds_create__shipping_told_twice")
    assert shipping_of(told) == [("1.50", "0.28"), ("0.50", "0.10")]
    (older,) = told["order_adjustments"]
    more = {**older, "amount_set": money("-2.60"), "tax_amount_set": money("-0.49")}
    assert shipping_of({**told, "order_adjustments": [more]}) == [("1.50", "0.28"), ("0.50", "0.10"), ("0.60", "0.11")]
    assert shipping_of({**told, "order_adjustments": []}) == [("1.50", "0.28"), ("0.50", "0.10")]
    assert shipping_of({**told, "refund_shipping_lines": []}) == [("2.00", "0.38")]
    kept = {**older, "kind": "refund_discrepancy"}
    adjustments = read_as("refunds/create", {**told, "order_adjustments": [older, kept]}).adjustments
    assert [one.kind for one in adjustments] == ["shipping", "shipping", "discrepancy"]


def shipping_of(told: dict[str, Any]) -> list[tuple[str, str]]:
    made = read_as("refunds/create", told)
    return [(str(one.amount.shop.amount), str(one.tax.shop.amount)) for one in made.adjustments]


def money(amount: str) -> dict[str, Any]:
    one = {"amount": amount, "currency_code": "EUR"}
    return {"shop_money": one, "presentment_money": one}


def test_stock_and_products() -> None:
    level = read_as("inventory_levels/update", body("inventory_levels_update__plain"))
    assert isinstance(level, StockLevel)
    assert (level.item_id, level.location, level.sku) == ("3000001000001", "70001", "")
    assert level.available == body("inventory_levels_update__plain")["available"]
    assert read_as("inventory_levels/connect", body("inventory_levels_connect__untracked")).available is None
    readings = read(ACCOUNT, Message("products/update", "1", dump_json(body("products_update__two_variants"))))
    small, large = (one.document for one in readings if isinstance(one, Snapshot))
    assert isinstance(small, Product)
    assert isinstance(large, Product)
    assert (small.title, large.title) == ("Lamp - Small", "Lamp - Large")
    assert small.price is not None
    assert (str(small.price.amount), str(small.price.compare_at)) == ("39.00 EUR", "45.00 EUR")
    assert large.weight_grams == 1800
    assert read_as("products/create", body("products_create__gift_card")).kind is ProductKind.GIFT_CARD


@pytest.mark.parametrize(
    ("place", "value", "field"),
    [
        (("currency",), "EURO", "currency"),
        (("total_price_set", "shop_money", "amount"), "12,50", "total_price_set.shop_money.amount"),
        (("total_price_set", "shop_money", "currency_code"), "GBP", "total_price_set.shop_money.currency_code"),
        (("updated_at",), "2026-03-02T09:31:00", "updated_at"),
        (("updated_at",), "yesterday", "updated_at"),
        (("line_items",), {"a": 1}, "line_items"),
        (("line_items", 0, "quantity"), "NULL", "line_items[0].quantity"),
        (("line_items", 0, "gift_card"), "FALSE", "line_items[0].gift_card"),
        (("id",), 1.5, "id"),
        (("fulfillments",), [{"id": 1, "status": "teleported"}], "fulfillments[0].status"),
    ],
)
def test_defects_are_named(place: tuple[Any, ...], value: Any, field: str) -> None:
    broken = body("orders_create__plain")
    at: Any = broken
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    with pytest.raises(Unreadable) as met:
        read(ACCOUNT, Message("orders/create", "1", simplejson.dumps(broken, use_decimal=True).encode()))
    assert met.value.field == field


def test_one_second_has_an_order() -> None:
    """Placed, shipped, refunded and cancelled within one second: read as versions in that order, listed or told."""
    plain = body("orders_create__plain")
    shipped = {**plain, "fulfillments": [body("fulfillments_create__one_parcel")]}
    refunded = {**shipped, "refunds": [body("refunds_create__line_and_shipping")]}
    cancelled = {**plain, "cancelled_at": plain["updated_at"]}
    versions = [
        read(ACCOUNT, Message("orders/updated", "1", dump_json(one)))[0].version  # type: ignore[union-attr]
        for one in (plain, shipped, refunded, cancelled)
    ]
    assert versions == sorted(set(versions))
    row = {**body("graphql_orders__row"), "updatedAt": "2026-03-02T14:31:00Z"}
    (listed,) = read(ACCOUNT, Message("graphql/orders", "1", dump_json(row)))
    assert isinstance(listed, Pointer)
    assert listed.version == "2026-03-02T14:31:00.000001Z"


@pytest.mark.parametrize(
    ("topic", "told", "pointer"),
    [
        ("returns/request", {"id": 1, "status": "requested", "order": {"id": 55}}, Pointer("order", "55")),
        ("returns/approve", {"id": 1, "status": "open", "order": {"id": 55}}, Pointer("order", "55")),
        ("returns/decline", {"id": 1, "status": "declined", "order": {"id": 55}}, Pointer("order", "55")),
        ("returns/cancel", {"id": 1, "order_id": 55, "status": "canceled"}, Pointer("order", "55")),
        ("returns/close", {"id": 1, "order_id": 55, "status": "closed"}, Pointer("order", "55")),
        ("returns/reopen", {"id": 1, "order_id": 55, "status": "open"}, Pointer("order", "55")),
        ("returns/update", {"admin_graphql_api_id": "gid://shopify/Return/7"}, Pointer("return", "7")),
    ],
)
def test_a_return_is_fetched_with_its_order(topic: str, told: dict[str, Any], pointer: Pointer) -> None:
    assert read(ACCOUNT, Message(topic, "1", dump_json(told))) == (pointer,)
    with pytest.raises(Unreadable) as met:
        read(ACCOUNT, Message(topic, "1", b"{}"))
    assert met.value.field == "admin_graphql_api_id"


def test_unknown_topics_are_named() -> None:
    (reading,) = read(ACCOUNT, Message("checkouts/create", "1", b"{}"))
    assert isinstance(reading, Ignored)
    assert "checkouts/create" in reading.reason


@pytest.mark.parametrize("shop", [{"promise_stock": False}], indirect=True)
def test_both_shapes_are_one(shop: System) -> None:
    """Every kind of order, and what became of it: what the webhook says is what GraphQL says, to the digit."""
    orders = shop.post("/_sim/orders", [{"kind": kind} for kind in KINDS])
    shop.post(f"/_sim/orders/{orders[0]['id']}/fulfil", {"numbers": ["JD1", "JD2"], "company": "DHL"})
    back = {"lines": [{"sku": "WB-TEE", "quantity": 1}], "shipping": True, "repeated": True}
    shop.post(f"/_sim/orders/{orders[0]['id']}/refund", back)
    shop.post(f"/_sim/orders/{orders[1]['id']}/refund", {"amount": "1.50"})
    shop.post(f"/_sim/orders/{orders[2]['id']}/edit", {"remove": [{"sku": "WB-MUG", "quantity": 1}]})
    foreign = next(one["id"] for one in orders if one["kind"] == "presentment")
    shop.post(f"/_sim/orders/{foreign}/refund", {"lines": [{"sku": "WB-MUG", "quantity": 1}]})
    fetched = 0
    for placed in orders:
        told = shop.get(f"/_sim/orders/{placed['id']}")
        (hook,) = read(ACCOUNT, Message("orders/updated", "1", simplejson.dumps(told).encode()))
        node = ask(shop, documents.ORDER, id=f"gid://shopify/Order/{placed['id']}")["order"]
        (graph,) = read(ACCOUNT, Message("graphql/order", "1", simplejson.dumps(node).encode()))
        assert isinstance(graph, Snapshot)
        assert isinstance(graph.document, Order)
        assert equation(graph.document).holds
        if isinstance(hook, Snapshot):
            assert dump(hook.document) == dump(graph.document), placed["kind"]
            assert hook == graph
        else:
            fetched += 1
    assert fetched == 3, "two tenders, overpaid after an edit, refunded in another currency"


def some_spec(rng: random.Random) -> dict[str, Any]:
    """Several kinds at once, in any mixture."""
    kinds = rng.sample([name for name in KINDS if name not in ("edited", "cancelled", "refunded", "gift_card")], 4)
    spec: dict[str, Any] = {"tax_rate": rng.choice(["0.19", "0.07", "0.0825", "0"])}
    for kind in kinds:
        spec |= KINDS[kind]
    skus = rng.sample(ORDINARY, rng.randint(1, 5))
    lines = [{"sku": sku, "quantity": rng.randint(1, 7), "price": f"{rng.randint(1, 20000) / 100:.2f}"} for sku in skus]
    return {**spec, "lines": lines}


def test_any_mixture_holds() -> None:
    """Three hundred orders of mixed kinds: the gate holds in both currencies, and nothing stands twice."""
    rng, count = random.Random(20260302), itertools.count(1)
    for _ in range(300):
        spec = some_spec(rng)
        made = build(spec, 1001, lambda name: next(count), {}, 70001, "2026-03-02T09:31:00-05:00")
        told = {**public(made), "transactions": [{**one, "amount_set": one["_set"]} for one in made["_transactions"]]}
        found = order(Place(simplejson.loads(simplejson.dumps(told), use_decimal=True)))
        for role in Role:
            assert equation(found, role).difference.amount == 0, spec
        taxes_of = sum(tax.amount.shop.amount for tax in taxes(found))
        assert taxes_of == found.totals.tax.shop.amount
        assert sum(one.amount.shop.amount for one in discounts(found)) == found.totals.discounts.shop.amount
