"""Shopify is asked: what changed, one order whole however long it is, products, prices, stock and subscriptions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors import registry
from connectors.canonical.gate import equation
from connectors.canonical.order import Order
from connectors.canonical.payment import PaymentKind
from connectors.canonical.product import Product
from connectors.canonical.returns import ReturnStatus
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.kit.errors import Rejected, Transient
from connectors.shopify.documents import Document
from tests.contract.bench import Bench
from tests.contract.system import System

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def at(seconds: int) -> str:
    """In the shop's own offset: comparing texts would go wrong."""
    return (NOON + timedelta(seconds=seconds)).astimezone(datetime.now().astimezone().tzinfo).isoformat()


def changed(bench: Bench, first: int, last: int) -> list[str]:
    messages = bench.connector().changed("order", NOON + timedelta(seconds=first), NOON + timedelta(seconds=last))
    readings = [registry.read(bench.account, one) for one in messages]
    assert all(isinstance(one, Pointer) for (one,) in readings)
    return [one.id for (one,) in readings if isinstance(one, Pointer)]


def test_ties_across_page_edges(shop: System, bench: Bench) -> None:
    """Seven orders in one second, three on a page: each once, both ends included."""
    specs = [{"created_at": at(s), "updated_at": at(s)} for s in (-1, 0, 0, 0, 0, 0, 0, 0, 5, 6)]
    ids = [one["id"] for one in shop.post("/_sim/orders", specs)]
    assert sorted(changed(bench, 0, 5)) == sorted(ids[1:9])
    assert len(shop.calls("orders")) == 3
    assert changed(bench, 7, 9) == []


def test_rows_that_come_again_are_one(shop: System, bench: Bench) -> None:
    specs = [{"created_at": at(s), "updated_at": at(s)} for s in range(8)]
    ids = [one["id"] for one in shop.post("/_sim/orders", specs)]
    shop.bad_day("page_shift")
    assert sorted(changed(bench, 0, 10)) == sorted(ids)


def test_polled_ids_are_deliveries_of_their_own(shop: System, bench: Bench) -> None:
    """The same state polled twice is one delivery, a newer one another."""
    (order,) = shop.post("/_sim/orders", {"created_at": at(0), "updated_at": at(0)})
    window = (NOON, NOON + timedelta(days=4000))
    first, again = (next(iter(bench.connector().changed("order", *window))) for _ in range(2))
    assert first.delivery_id == again.delivery_id
    shop.post(f"/_sim/orders/{order['id']}/note", {"note": "Ring twice"})
    later = next(iter(bench.connector().changed("order", *window)))
    assert later.delivery_id != first.delivery_id


def test_a_long_order_is_fetched_whole(shop: System, bench: Bench) -> None:
    """130 lines, all shipped, all refunded: three connections that go on on further pages."""
    lines = [{"sku": f"WB-L{n}", "quantity": 1, "price": "1.00"} for n in range(130)]
    (order,) = shop.post("/_sim/orders", {"lines": lines})
    shop.post(f"/_sim/orders/{order['id']}/fulfil", {"numbers": ["JD1"]})
    every = [{"line_item_id": int(line["id"]), "quantity": 1} for line in order["lines"]]
    shop.post(f"/_sim/orders/{order['id']}/refund", {"lines": every})
    message = bench.connector().fetch(Pointer("order", order["id"]))
    (reading,) = registry.read(bench.account, message)
    assert isinstance(reading, Snapshot)
    found = reading.document
    assert isinstance(found, Order)
    assert [len(found.lines), len(found.shipments[0].lines), len(found.refunds[0].lines)] == [130, 130, 130]
    assert equation(found).holds


def test_an_order_of_many_parts_is_fetched_whole(shop: System, bench: Bench) -> None:
    """More discounts, fulfilments, transactions and refunds than one answer holds, and a refund through more tenders than that."""
    discounts = [{"type": "discount_code", "code": f"C{n}", "amount": "0.01"} for n in range(53)]
    spec = {"lines": [{"sku": "WB-TEE", "quantity": 60}], "discounts": discounts, "status": "authorized"}
    (order,) = shop.post("/_sim/orders", spec)
    shop.post(f"/_sim/orders/{order['id']}/many", {"change": "take", "times": 104, "amount": "1.00"})
    shop.post(f"/_sim/orders/{order['id']}/many", {"change": "fulfil", "times": 52, **one_tee()})
    shop.post(f"/_sim/orders/{order['id']}/refund", {"amount": "24.00"})
    shop.post(f"/_sim/orders/{order['id']}/many", {"change": "refund", "times": 51, "amount": "0.50"})
    bench.account = replace(bench.account, settings={**bench.account.settings, "transactions": True})
    (reading,) = registry.read(bench.account, bench.connector().fetch(Pointer("order", order["id"])))
    assert isinstance(reading, Snapshot)
    found = reading.document
    assert isinstance(found, Order)
    assert equation(found).holds
    assert {one.code for one in found.lines[0].discounts} == {f"C{n}" for n in range(53)}
    taken = [one for one in found.payments if one.kind is not PaymentKind.REFUND]
    assert (len(found.shipments), len(taken), len(found.refunds)) == (52, 105, 52)
    assert len({one.id for one in found.refunds}) == 52
    assert len(found.refunds[0].payments) == 24
    back = sum((one.total.shop.amount for one in found.refunds), Decimal(0))
    assert back == Decimal("49.50")


def fetched(shop: System, bench: Bench, pointer: Pointer) -> Order:
    (reading,) = registry.read(bench.account, bench.connector().fetch(pointer))
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Order)
    assert equation(reading.document).holds
    return reading.document


def test_a_return_is_read_with_its_order(shop: System, bench: Bench) -> None:
    """Asked for, allowed, processed against an exchange, closed: by the order's id or by the return's own."""
    (order,) = shop.post("/_sim/orders", {})
    path = f"/_sim/orders/{order['id']}"
    shop.post(f"{path}/fulfil", {})
    asked = {
        "lines": [{"sku": "WB-TEE", "quantity": 2, "reason": "too-big"}],
        "exchange": [{"sku": "WB-CAP", "quantity": 1}],
    }
    shop.post(f"{path}/return", asked)
    (wanted,) = fetched(shop, bench, Pointer("order", order["id"])).returns
    assert (wanted.status, wanted.number) == (ReturnStatus.REQUESTED, f"{order['name']}-R1")
    (line,) = wanted.lines
    assert (line.sku, line.quantity, line.reason, line.received_quantity) == ("WB-TEE", 2, "too big", None)
    assert [(one.line_id, one.quantity) for one in wanted.exchange_lines] == [("", 1)]
    shop.post(f"{path}/return_approve")
    shop.post(f"{path}/process")
    shop.post(f"{path}/return_close")
    found = fetched(shop, bench, Pointer("return", wanted.id))
    (done,) = found.returns
    assert (done.status, done.lines[0].received_quantity) == (ReturnStatus.CLOSED, 2)
    cap = next(one for one in found.lines if one.sku == "WB-CAP")
    assert [(one.line_id, one.sku) for one in done.exchange_lines] == [(cap.id, "WB-CAP")]
    (refund,) = found.refunds
    assert refund.return_id == wanted.id
    back = refund.lines[0].subtotal.shop.amount + refund.lines[0].tax.shop.amount
    assert refund.total.shop.amount == back - cap.unit_price.shop.amount - cap.taxes[0].amount.shop.amount


def test_a_return_taken_up_again_is_told_anew(shop: System, bench: Bench) -> None:
    """Nothing in an order need show that a return was closed in between: what is fetched then is no repetition of what was fetched before."""
    (order,) = shop.post("/_sim/orders", {})
    pointer = Pointer("order", order["id"])
    plain = [bench.connector().fetch(pointer).delivery_id for _ in range(2)]
    assert plain[0] == plain[1]
    shop.post(f"/_sim/orders/{order['id']}/fulfil", {})
    shop.post(f"/_sim/orders/{order['id']}/return", {"lines": [{"sku": "WB-TEE", "quantity": 1}], "open": True})
    told = [bench.connector().fetch(pointer).delivery_id for _ in range(2)]
    assert told[0] != told[1]


def test_a_return_of_many_lines_is_read_whole(shop: System, bench: Bench) -> None:
    """Eleven returns of one order, one of them of more lines than one answer holds."""
    lines = [{"sku": f"WB-L{n}", "quantity": 2, "price": "1.00"} for n in range(23)]
    (order,) = shop.post("/_sim/orders", {"lines": lines})
    path = f"/_sim/orders/{order['id']}"
    shop.post(f"{path}/fulfil", {})
    shop.post(f"{path}/return", {"lines": [{"sku": one["sku"], "quantity": 1} for one in lines]})
    for one in lines[:10]:
        shop.post(f"{path}/return", {"lines": [{"sku": one["sku"], "quantity": 1}], "open": True})
    found = fetched(shop, bench, Pointer("order", order["id"])).returns
    assert [len(one.lines) for one in found] == [23, *[1] * 10]
    assert {one.status for one in found} == {ReturnStatus.REQUESTED, ReturnStatus.OPEN}


def one_tee() -> dict[str, Any]:
    return {"lines": [{"sku": "WB-TEE", "quantity": 1}], "numbers": ["JD1"]}


def test_what_cannot_be_read_in_full_is_not_read_in_part(shop: System, bench: Bench) -> None:
    (order,) = shop.post("/_sim/orders", {"status": "authorized"})
    shop.post(f"/_sim/orders/{order['id']}/many", {"change": "take", "times": 249, "amount": "0.01"})
    with pytest.raises(Rejected) as met:
        bench.connector().fetch(Pointer("order", order["id"]))
    assert (met.value.code, met.value.field) == ("too_many_parts", "transactions")


def test_what_is_gone(shop: System, bench: Bench) -> None:
    assert bench.connector().fetch(Pointer("order", "404")) is None
    assert bench.connector().fetch(Pointer("product", "404")) is None
    shop.post("/_sim/products/WB-MUG", {"status": "deleted"})
    assert bench.connector().fetch(Pointer("product", "9000001000002")) is None


def test_products_and_prices(shop: System, bench: Bench) -> None:
    shop.post("/_sim/products/WB-MUG", {"price": "9.25"})
    prices = {one.sku: str(one.amount) for one in bench.connector().prices(["WB-TEE", "WB-MUG"])}
    assert prices == {"WB-TEE": "19.90 EUR", "WB-MUG": "9.25 EUR"}
    products = {one.sku: one for one in bench.connector().products()}
    assert len(products) == 8
    assert products["WB-MUG"].price is not None
    assert not list(bench.connector().products(datetime.now(UTC) + timedelta(hours=1)))
    bench.account.settings["currency"] = ""  # type: ignore[index]
    with pytest.raises(Rejected, match="currency"):
        list(bench.connector().prices(["WB-TEE"]))


def test_a_fetched_product_reads_as_its_webhook(shop: System, bench: Bench) -> None:
    message = bench.connector().fetch(Pointer("product", "9000001000001"))
    (reading,) = registry.read(bench.account, message)
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Product)
    assert (reading.document.sku, reading.document.inventory_item_id) == ("WB-TEE", "3000001000001")


def test_stock_in_our_words(shop: System, bench: Bench) -> None:
    """Every article at every location that has a code of ours."""
    levels = list(bench.connector().stock())
    assert {one.location for one in levels} == {"main", "second"}
    assert {one.sku for one in levels} == {"WB-TEE", "WB-MUG", "WB-CAP", "WB-BAG", "WB-SOAP"}
    (tee,) = (one for one in bench.connector().stock(["WB-TEE"]) if one.location == "main")
    assert (tee.available, tee.on_hand, tee.item_id) == (1000, 1000, "3000001000001")


def test_subscriptions_are_mended(shop: System, bench: Bench) -> None:
    connector = bench.connector()
    address = "https://hub.example.com/hooks/shop"
    assert not any(connector.subscriptions().values())
    connector.subscribe(["orders/create", "inventory_levels/update"], address)
    connector.subscribe(["orders/create", "orders/partially_fulfilled"], address)
    alive = {topic for topic, there in connector.subscriptions().items() if there}
    assert alive == {"orders/create", "inventory_levels/update", "orders/partially_fulfilled"}
    assert len(shop.calls("webhookSubscriptionCreate")) == 3


@pytest.mark.parametrize("fault", ["unavailable", "truncated", "wrong_type", "broken"])
def test_a_read_is_made_again(shop: System, bench: Bench, fault: str) -> None:
    shop.bad_day(fault, times=1)
    with pytest.raises(Transient):
        bench.connector().subscriptions()
    assert bench.connector().subscriptions()


def test_errors_in_shopifys_words(shop: System, bench: Bench) -> None:
    """A field that is not in the schema: refused with the message, not tried again."""
    shop.post("/_sim/orders", {})
    wrong = Document("orders", "query { orders(first: 1) { nodes { colour } } }", 1)
    with pytest.raises(Rejected, match="doesn't exist") as met:
        bench.connector().client.ask(wrong)
    assert met.value.code == "undefinedfield"
