"""What we tell Square: each effect once, under the order's version, and what it refuses named."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import simplejson

from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.order import Order
from connectors.canonical.payment import PaymentStatus
from connectors.canonical.product import Price
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import Shipment, ShipmentStatus, Tracking
from connectors.canonical.stock import StockLevel
from connectors.kit.errors import Missing, NotOffered, Rejected, Throttled, Transient, Trouble, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.writes import BatchItem
from connectors.square.refusals import sorted_out
from tests.connectors.square.conftest import MakeSeller, Seller
from tests.contract import samples


def confirm(at: Seller, order: Order, shipment: Shipment) -> str:
    return str(at.done(at.connector.confirm_shipment(order, shipment, key=shipment.id), find_first=True))


def eur(amount: str) -> MoneyBag:
    return MoneyBag(Money(Decimal(amount), "EUR"))


# ---- fulfilments


def test_a_shipment_in_two_parts_completes_the_order_once_paid(seller: MakeSeller) -> None:
    at = seller()
    order = at.place()
    first, rest = samples.parcels(order)
    done = [confirm(at, order, first)]
    assert at.raw(order)["fulfillments"][0]["state"] == "PREPARED"
    assert at.raw(order)["state"] == "OPEN"
    done.append(confirm(at, order, rest))
    raw = at.raw(order)
    told = raw["fulfillments"][0]["shipment_details"]
    assert (raw["state"], raw["fulfillments"][0]["state"]) == ("COMPLETED", "COMPLETED")
    assert (told["tracking_number"], told["carrier"]) == ("JD000001", "DHL Paket")
    assert told["shipping_note"] == "Further parcel: JD000002"
    assert [one.id for one in at.again(order).shipments] == sorted(done)
    assert confirm(at, order, rest) == done[1]
    assert len(at.effects("shipment")) == 2


def test_an_order_that_is_not_paid_stays_open(seller: MakeSeller) -> None:
    at = seller()
    order = at.place("plain", payment="none")
    for part in samples.parcels(order):
        confirm(at, order, part)
    assert (at.raw(order)["fulfillments"][0]["state"], at.raw(order)["state"]) == ("COMPLETED", "OPEN")


def test_a_pickup_waits_and_is_then_fetched(seller: MakeSeller) -> None:
    """The same shipment, told twice: set out, then handed over."""
    at = seller()
    order = at.place("pickup")
    lines = tuple(line for part in samples.parcels(order) for line in part.lines)
    whole = replace(samples.parcels(order)[0], lines=lines, trackings=())
    waits = replace(whole, status=ShipmentStatus.READY_FOR_PICKUP)
    confirm(at, order, waits)
    assert at.raw(order)["fulfillments"][0]["state"] == "PREPARED"
    (there,) = at.again(order).shipments
    assert there.status is ShipmentStatus.READY_FOR_PICKUP
    assert confirm(at, order, waits)
    confirm(at, order, replace(whole, status=ShipmentStatus.DELIVERED))
    assert at.raw(order)["state"] == "COMPLETED"
    (there,) = at.again(order).shipments
    assert there.status is ShipmentStatus.DELIVERED
    assert len(at.effects("shipment")) == 1


def test_what_was_handed_over_at_the_till_has_no_fulfilment(seller: MakeSeller) -> None:
    at = seller()
    order = at.place("till")
    with pytest.raises(NotOffered):
        confirm(at, order, samples.parcels(order)[0])
    with pytest.raises(NotOffered):
        at.done(at.connector.acknowledge(order, number="SO-1", key="k"))
    packed = replace(samples.parcels(order)[0], status=ShipmentStatus.PENDING)
    with pytest.raises(NotOffered):
        confirm(at, order, packed)


def test_staff_were_faster(seller: MakeSeller) -> None:
    """Completed in Square already: nothing to add. Cancelled there: a person looks."""
    at = seller()
    done, gone = at.place(), at.place()
    at.staff(done, "moves", fulfillment_state="COMPLETED")
    at.staff(gone, "moves", fulfillment_state="CANCELED")
    with pytest.raises(NotOffered):
        confirm(at, done, samples.parcels(done)[0])
    with pytest.raises(Rejected) as met:
        confirm(at, gone, samples.parcels(gone)[0])
    assert met.value.code == "fulfilment_ended"


def test_a_version_that_moves_between_look_and_call_is_tried_again(seller: MakeSeller) -> None:
    """Staff touch the order after we read it: refused with the old version, done with the new one, once."""
    at = seller()
    order = at.place()
    connector = at.connector
    stale = dict(connector.client.order(order.id))
    at.staff(order, "moves", note="touched")
    with pytest.raises(Transient) as met:
        connector.client.update_order(
            order.id, {"location_id": "LOC1", "version": stale["version"], "metadata": {"a": "b"}}, "k"
        )
    assert met.value.code == "version_moved"
    confirm(at, order, samples.parcels(order)[0])
    assert len(at.effects("shipment")) == 1


def test_an_order_of_many_lines_and_parcels(seller: MakeSeller) -> None:
    """Numbers beyond the one that Square has stand in the note; lines beyond what an entry holds are counted."""
    at = seller()
    order = at.place("plain", lines=[{"sku": "WB-TEE", "quantity": "1"} for _ in range(60)])
    whole = replace(
        samples.parcels(order)[0], lines=tuple(line for part in samples.parcels(order) for line in part.lines)
    )
    trackings = tuple(Tracking(f"JD{n:06}", "nobody-knows", "") for n in range(4))
    confirm(at, order, replace(whole, trackings=trackings))
    raw = at.raw(order)["fulfillments"][0]
    (entry,) = raw["metadata"].values()
    assert entry.startswith("*60 ")
    assert raw["state"] == "COMPLETED"
    assert raw["shipment_details"]["carrier"] == "nobody-knows"
    assert raw["shipment_details"]["shipping_note"] == "Further parcel: JD000001, JD000002, JD000003"


def test_metadata_of_others_is_kept_and_a_full_one_refuses(seller: MakeSeller) -> None:
    at = seller()
    order = at.place()
    raw = at.raw(order)
    others = {f"theirs-{n}": "x" for n in range(9)}
    raw["fulfillments"][0]["metadata"] = others
    at.simulator.memory.put("orders", order.id, raw)
    first, rest = samples.parcels(order)
    confirm(at, order, first)
    assert others.items() <= at.raw(order)["fulfillments"][0]["metadata"].items()
    with pytest.raises(Rejected) as met:
        confirm(at, order, rest)
    assert met.value.code == "many_parcels"


# ---- the order itself


def test_acknowledged_once_and_accepted(seller: MakeSeller) -> None:
    at = seller()
    order = at.place("courier")
    at.done(at.connector.acknowledge(order, number="SO-1", key="k"))
    raw = at.raw(order)
    assert raw["metadata"] == {"waybill_erp_number": "SO-1"}
    assert raw["fulfillments"][0]["state"] == "RESERVED"
    version = raw["version"]
    at.done(at.connector.acknowledge(order, number="SO-1", key="k"), find_first=True)
    assert at.raw(order)["version"] == version
    assert dict(at.again(order).attributes).get("waybill_erp_number") is None


def test_cancelling(seller: MakeSeller) -> None:
    """Unpaid: the order. Paid: what was to leave, the money being another matter. Shipped or sold at the till: too late."""
    at = seller()
    unpaid, paid, shipped, till = at.place("plain", payment="none"), at.place(), at.place(), at.place("till")
    for order in (unpaid, paid):
        at.done(at.connector.cancel_sale(order, key="k"), find_first=True)
    assert (at.raw(unpaid)["state"], at.raw(paid)["state"]) == ("CANCELED", "OPEN")
    assert set(at.simulator.memory.table("called_off")) == {unpaid.id, paid.id}
    assert at.raw(paid)["fulfillments"][0]["state"] == "CANCELED"
    assert at.again(unpaid).cancelled_at is not None
    assert at.again(paid).cancelled_at is not None
    for part in samples.parcels(shipped):
        confirm(at, shipped, part)
    for order in (shipped, till):
        with pytest.raises(Rejected) as met:
            at.done(at.connector.cancel_sale(order, key="k"))
        assert met.value.code == "shipped"


# ---- money back


def back(order: Order, amount: str, *payments: Any) -> Refund:
    return replace(samples.refund(order), total=eur(amount), lines=(), payments=payments, note="Broken")


def test_through_the_payments_that_are_named(seller: MakeSeller) -> None:
    at = seller()
    order = at.place("split")
    parts = [replace(one, id=f"r{n}", parent_id=one.id, amount=eur("3.00")) for n, one in enumerate(order.payments)]
    at.done(at.connector.give_back(order, back(order, "9.00", *parts), key="k"))
    (first, second, third) = at.simulator.memory.table("refunds").values()
    assert [one["amount_money"]["amount"] for one in (first, second, third)] == [300, 300, 300]
    assert first["reason"] == "Broken [k]"
    made = at.again(order)
    assert sorted(one.payments[0].tender for one in made.refunds) == sorted(one.tender for one in order.payments)
    at.done(at.connector.give_back(order, back(order, "9.00", *parts), key="k"), find_first=True)
    at.done(at.connector.give_back(order, back(order, "9.00", *parts), key="k"))
    assert len(at.simulator.memory.table("refunds")) == 3


def test_over_the_payments_that_took_money(seller: MakeSeller) -> None:
    """Nothing named: the first payment first, what went back already left out, never above what was taken."""
    at = seller()
    order = at.place("split")
    taken = [one.amount.shop.amount for one in order.payments]
    at.done(at.connector.give_back(order, back(order, "10.00"), key="one"))
    again = at.again(order)
    rest = sum(taken, Decimal(0)) - 10
    at.done(at.connector.give_back(again, back(order, str(rest)), key="two"))
    whole = at.again(order)
    given = [payment for one in whole.refunds for payment in one.payments]
    assert sum((one.amount.shop.amount for one in given), Decimal(0)) == whole.totals.total.shop.amount
    with pytest.raises(Rejected) as met:
        at.done(at.connector.give_back(whole, back(order, "0.01"), key="three"))
    assert met.value.code == "above_captured"


def test_sums_that_differ_and_payments_that_refuse(seller: MakeSeller) -> None:
    at = seller()
    order, held = at.place(), at.place("authorized")
    named = replace(order.payments[0], parent_id=order.payments[0].id, amount=eur("3.00"))
    for wrong, code in (
        (back(order, "4.00", named), "total_differs"),
        (back(order, "9999.00", replace(named, amount=eur("9999.00"))), "refund"),
    ):
        with pytest.raises(Rejected) as met:
            at.done(at.connector.give_back(order, wrong, key=code))
        assert met.value.code == code
    named = replace(held.payments[0], parent_id=held.payments[0].id, amount=eur("3.00"))
    with pytest.raises(Rejected) as met:
        at.done(at.connector.give_back(held, back(held, "3.00", named), key="k"))
    assert met.value.code == "not_captured"


def test_pending_money_comes_to_its_end(seller: MakeSeller) -> None:
    at = seller()
    order = at.place()
    at.done(at.connector.give_back(order, back(order, "5.00"), key="k"))
    assert at.again(order).refunds[0].status is PaymentStatus.PENDING
    at.system.post("/_sim/refunds/settlement", {"state": "COMPLETED"})
    assert at.again(order).refunds[0].status is PaymentStatus.SUCCESS


@pytest.mark.parametrize("orders", [False, True])
def test_our_refund_is_known_by_one_name(seller: MakeSeller, orders: bool) -> None:
    """Whether Square makes an order of its own for it or not, which it does not publish: the snapshot calls it what the write answered."""
    at = seller(refund_orders=orders)
    order = at.place()
    name = at.done(at.connector.give_back(order, back(order, "5.00"), key="k"))
    assert name == at.done(at.connector.give_back(order, back(order, "5.00"), key="k"), find_first=True)
    (known,) = at.again(order).refunds
    assert (known.id, known.total.shop.amount, known.lines) == (name, Decimal("5.00"), ())
    assert [(one.kind, one.amount.shop.amount) for one in known.adjustments] == [("order", Decimal("5.00"))]
    assert [line.current_quantity for line in at.again(order).lines] == [line.quantity for line in order.lines]


def test_a_refund_that_failed_is_not_taken_for_done(seller: MakeSeller) -> None:
    at = seller()
    order = at.place()
    at.done(at.connector.give_back(order, back(order, "5.00"), key="k"))
    at.system.post("/_sim/refunds/settlement", {"state": "FAILED"})
    write = next(at.connector.give_back(order, back(order, "5.00"), key="k"))
    assert write.find() is None


# ---- stock and prices


def level(sku: str, quantity: str, location: str = "main") -> BatchItem[StockLevel]:
    return BatchItem(StockLevel(sku, location, available=Decimal(quantity)), f"k-{sku}")


def test_stock_is_set_in_one_call_and_only_where_it_differs(seller: MakeSeller) -> None:
    at = seller()
    shelf = at.connector.publish_stock([], key="k")
    assert all(isinstance(one, str) for one in shelf.send([level("WB-TEE", "7"), level("WB-MUG", "1000")]))
    (call,) = at.system.calls("inventory.change")
    assert call["body"].count("physical_count") == 1
    assert at.effects("stock")["WB-TEE@LOC1"] == "7 pieces"
    shelf.send([level("WB-TEE", "7")])
    assert len(at.system.calls("inventory.change")) == 1


def test_each_level_has_its_own_verdict(seller: MakeSeller) -> None:
    at = seller()
    for name in ("WB-TWIN", "WB-TWIN"):
        at.system.post("/_sim/articles", {"sku": name})
    table = {**at.bench.codes.table, "sku": {**at.bench.codes.table["sku"], "WB-TWIN": "WB-TWIN"}}
    at.bench.codes = replace(at.bench.codes, table=table)
    wanted = [
        level("WB-TEE", "7"),
        level("WB-GONE", "1"),
        level("WB-TWIN", "1"),
        level("WB-NEW", "1"),
        level("WB-MUG", "-1"),
        level("WB-MUG", "5", "attic"),
    ]
    good, gone, twin, new, negative, attic = at.connector.publish_stock([], key="k").send(wanted)
    assert isinstance(good, str)
    assert [getattr(one, "code", "") for one in (gone, twin, negative)] == [
        "unknown_sku",
        "ambiguous_sku",
        "no_quantity",
    ]
    assert isinstance(new, Missing)
    assert isinstance(attic, Missing)


def test_a_location_that_square_refuses_stands_alone(seller: MakeSeller) -> None:
    """All or none of a call: the bad row is found by halving, and the good ones are set."""
    at = seller()
    table = {**at.bench.codes.table, "location": {"main": "LOC1", "attic": "LOC9"}}
    at.bench.codes = replace(at.bench.codes, table=table)
    first, bad = at.connector.publish_stock([], key="k").send([level("WB-TEE", "3"), level("WB-MUG", "3", "attic")])
    assert isinstance(first, str)
    assert isinstance(bad, Rejected)
    assert bad.code == "unknown_location"
    assert at.effects("stock")["WB-TEE@LOC1"] == "3 pieces"


def price(sku: str, amount: str, currency: str = "EUR", **more: Any) -> BatchItem[Price]:
    return BatchItem(Price(sku, Money(Decimal(amount), currency), **more), f"k-{sku}")


def test_only_the_price_of_an_article_changes(seller: MakeSeller) -> None:
    at = seller()
    before = {row["id"]: row for row in at.simulator.memory.table("articles").values()}
    tags = at.connector.publish_prices([], key="k")
    assert all(isinstance(one, str) for one in tags.send([price("WB-TEE", "21.50"), price("WB-MUG", "8.50")]))
    changed = [row for row in at.simulator.memory.table("articles").values() if row != before[row["id"]]]
    (row,) = changed
    assert row["item_variation_data"]["price_money"] == {"amount": 2150, "currency": "EUR"}
    kept = {**row["item_variation_data"], "price_money": before[row["id"]]["item_variation_data"]["price_money"]}
    assert kept == before[row["id"]]["item_variation_data"]


def test_a_location_may_have_its_own_price(seller: MakeSeller) -> None:
    at = seller()
    at.settings(price_location="LOC2")
    tags = at.connector.publish_prices([], key="k")
    tags.send([price("WB-TEE", "18.00")])
    (row,) = (
        one for one in at.simulator.memory.table("articles").values() if one["item_variation_data"]["sku"] == "WB-TEE"
    )
    data = row["item_variation_data"]
    assert data["price_money"]["amount"] == 1990
    assert [(one["location_id"], one["price_money"]["amount"]) for one in data["location_overrides"]] == [
        ("LOC2", 1800)
    ]
    assert tags.find(price("WB-TEE", "18.00"))
    assert tags.find(price("WB-TEE", "19.90")) is None


def test_prices_that_square_cannot_have(seller: MakeSeller) -> None:
    at = seller()
    wanted = [price("WB-TEE", "1.005"), price("WB-TEE", "9", min_quantity=Decimal(10)), price("WB-NEW", "1")]
    fraction, many, new = at.connector.publish_prices([], key="k").send(wanted)
    assert [getattr(one, "code", "") for one in (fraction, many)] == ["fraction", "quantity_break"]
    assert isinstance(new, Missing)


def test_an_article_that_moves_meanwhile_is_read_again(seller: MakeSeller) -> None:
    at = seller()
    client = at.connector.client
    (row,) = client.variations(["WB-TEE"])
    at.connector.publish_prices([], key="k").send([price("WB-TEE", "21.50")])
    stale = {name: value for name, value in row.items() if name not in ("updated_at", "created_at")}
    with pytest.raises(Transient):
        client.put_articles([stale], "another-key")


# ---- refusals


REFUSALS = (
    (401, "AUTHENTICATION_ERROR", "UNAUTHORIZED", Unauthorized, "http_401"),
    (403, "AUTHENTICATION_ERROR", "INSUFFICIENT_SCOPES", Unauthorized, "http_403"),
    (429, "RATE_LIMIT_ERROR", "RATE_LIMITED", Throttled, "throttled"),
    (400, "INVALID_REQUEST_ERROR", "VERSION_MISMATCH", Transient, "version_moved"),
    (409, "INVALID_REQUEST_ERROR", "CONFLICT", Transient, "version_moved"),
    (400, "REFUND_ERROR", "REFUND_ALREADY_PENDING", Transient, "later"),
    (400, "REFUND_ERROR", "REFUND_DECLINED", Rejected, "declined"),
    (400, "INVALID_REQUEST_ERROR", "INVALID_LOCATION", Rejected, "unknown_location"),
    (400, "INVALID_REQUEST_ERROR", "SOMETHING_NEW", Rejected, "something_new"),
    (503, "API_ERROR", "SERVICE_UNAVAILABLE", Transient, "http_503"),
)


@pytest.mark.parametrize(("status", "category", "code", "kind", "ours"), REFUSALS)
def test_errors_are_sorted_by_their_code(status: int, category: str, code: str, kind: type[Trouble], ours: str) -> None:
    told = {"errors": [{"category": category, "code": code, "detail": "Why not", "field": "amount"}]}
    found = sorted_out(Answer(status, {}, simplejson.dumps(told).encode(), write=True))
    assert type(found) is kind
    assert found is not None
    assert found.code == ours
    if isinstance(found, Rejected):
        assert found.field == "amount"
        assert found.sentence.endswith("Square says: Why not")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"errors": "x"}', b'{"errors": [1]}'])
def test_a_refusal_without_words(body: bytes) -> None:
    found = sorted_out(Answer(400, {}, body))
    assert isinstance(found, Rejected)
    assert found.code == "http_400"
