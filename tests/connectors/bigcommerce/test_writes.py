"""What BigCommerce is told: shipments by parcel and address, refunds by quote, stock and prices row by row."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.order import Order
from connectors.canonical.product import Price
from connectors.canonical.returns import Adjustment, Refund, RefundLine
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking
from connectors.canonical.stock import StockLevel
from connectors.kit.errors import Ambiguous, Missing, NotOffered, Rejected
from connectors.kit.writes import BatchItem
from tests.connectors.bigcommerce.conftest import MakeShop, Shop
from tests.contract import samples


def parcel(name: str, lines: list[tuple[str, int]], *trackings: Tracking) -> Shipment:
    told = tuple(ShipmentLine(Decimal(quantity), sku) for sku, quantity in lines)
    return Shipment(name, ShipmentStatus.SHIPPED, told, trackings, origin="warehouse")


def confirm(at: Shop, order: Order, sent: Shipment, **how: Any) -> str:
    return at.done(at.connector.confirm_shipment(order, sent, key=sent.id), **how)


# ---- acknowledgement


def test_the_erp_number_is_a_metafield_and_can_be_corrected(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    first = at.done(at.connector.acknowledge(order, number="SO-1", key="k"))
    assert at.done(at.connector.acknowledge(order, number="SO-2", key="k2")) == first
    (row,) = at.connector.client.metafields(order.id, "waybill", "erp_number")
    assert (row["value"], row["permission_set"]) == ("SO-2", "read")


def test_an_account_may_want_a_status_too(shop: MakeShop) -> None:
    at = shop()
    at.settings(acknowledged_status=9)
    order = at.place()
    at.done(at.connector.acknowledge(order, number="SO-1", key="k"))
    assert at.again(order).status == "Awaiting Shipment"


# ---- shipments


def test_parcels_that_are_told_apart_are_shipments_of_their_own(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    one = Tracking("JD1", "dhl", "https://tracking.example.com/JD1", (ShipmentLine(Decimal(2), "WB-TEE"),))
    two = Tracking("1Z2", "ups", "", (ShipmentLine(Decimal(1), "WB-MUG"),))
    confirm(at, order, parcel("s1", [("WB-TEE", 2), ("WB-MUG", 1)], one, two))
    first, second = at.connector.client.order_rows(order.id, "shipments")
    assert (first["tracking_number"], first["tracking_carrier"]) == ("JD1", "dhl-germany")  # the account's code
    assert first["tracking_link"] == "https://tracking.example.com/JD1"
    assert (second["tracking_number"], second["shipping_provider"]) == ("1Z2", "ups")  # a core provider
    assert at.again(order).status == "Shipped"


def test_a_carrier_that_is_on_no_list_parks_before_anything_is_sent(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    one = Tracking("JD1", "dhl", "", (ShipmentLine(Decimal(2), "WB-TEE"),))
    two = Tracking("K24", "kurier-24", "", (ShipmentLine(Decimal(1), "WB-MUG"),))
    told = parcel("s1", [("WB-TEE", 2), ("WB-MUG", 1)], one, two)
    with pytest.raises(Missing) as parked:
        confirm(at, order, told)
    assert (parked.value.kind, parked.value.value) == ("carrier", "kurier-24")
    assert not list(at.connector.client.order_rows(order.id, "shipments"))
    codes = at.bench.codes
    object.__setattr__(codes, "table", {**codes.table, "carrier": {**codes.table["carrier"], "kurier-24": "kurier"}})
    confirm(at, order, told)
    rows = at.connector.client.order_rows(order.id, "shipments")
    assert [row["tracking_carrier"] for row in rows] == ["dhl-germany", "kurier"]


def test_parcels_that_nobody_told_apart_are_one_shipment(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    confirm(at, order, parcel("s1", [("WB-TEE", 1)], Tracking("JD1", "dhl"), Tracking("JD2", "dhl")))
    (row,) = at.connector.client.order_rows(order.id, "shipments")
    assert (row["tracking_number"], row["comments"]) == ("JD1", "Further parcels: JD2")


def test_two_addresses_are_two_shipments(shop: MakeShop) -> None:
    at = shop()
    order = at.place("two_addresses")
    confirm(at, order, parcel("s1", [("WB-TEE", 2), ("WB-MUG", 1)], Tracking("JD1", "dhl")))
    rows = at.connector.client.order_rows(order.id, "shipments")
    assert [row["order_address_id"] for row in rows] == [int(one.id) for one in order.deliveries]
    assert len(at.again(order).shipments) == 2


def test_what_is_picked_up_is_not_shipped(shop: MakeShop) -> None:
    at = shop()
    order = at.place("pickup")
    with pytest.raises(NotOffered):
        confirm(at, order, parcel("s1", [("WB-TEE", 1)]))


def test_more_than_is_left_is_refused_in_the_stores_words(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    confirm(at, order, parcel("s1", [("WB-TEE", 2)], Tracking("JD1", "dhl")))
    with pytest.raises(Rejected) as met:
        confirm(at, order, parcel("s2", [("WB-TEE", 1)], Tracking("JD2", "dhl")))
    assert met.value.code == "quantity"
    assert "more than is left to ship" in met.value.sentence


def test_two_untracked_shipments_of_the_same_pieces_are_two(shop: MakeShop) -> None:
    """The second is not taken for the first, whose id is known to stand for another shipment."""
    at = shop()
    order = at.place()
    first, second = parcel("s1", [("WB-TEE", 1)]), parcel("s2", [("WB-TEE", 1)])
    one = confirm(at, order, first)
    two = confirm(at, replace(order, shipments=(first,)), second, find_first=True)
    assert one != two
    assert at.effects("shipment") == {f"{order.id}/": 2}


# ---- cancellation


def test_a_cancellation_is_too_late_once_a_piece_has_left(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    confirm(at, order, parcel("s1", [("WB-TEE", 1)]))
    with pytest.raises(Rejected) as met:
        at.done(at.connector.cancel_sale(order, key="k"))
    assert met.value.code == "shipped"
    assert not at.again(order).cancelled_at


def test_a_cancellation(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.done(at.connector.cancel_sale(order, key="k"))
    assert at.again(order).cancel_reason == "cancelled"
    assert set(at.simulator.memory.table("called_off")) == {order.id}


# ---- refunds


def refund(order: Order, total: str, *adjustments: Adjustment, mugs: int = 1, gateway: str = "braintree") -> Refund:
    def sum_(amount: str) -> MoneyBag:
        return MoneyBag(Money(Decimal(amount), order.currency))

    line = next(one for one in order.lines if one.sku == "WB-MUG")
    lines = (RefundLine(line.id, Decimal(mugs), sum_("8.50"), sum_("1.62"), sku="WB-MUG"),) if mugs else ()
    paid = replace(samples.CHARGE, gateway=gateway, amount=sum_(total))
    return Refund("r1", sum_(total), lines, adjustments, (paid,), note="Broken")


def eur(kind: str, amount: str, tax: str = "") -> Adjustment:
    bags = [MoneyBag(Money(Decimal(one), "EUR")) if one else None for one in (amount, tax)]
    assert bags[0] is not None
    return Adjustment(kind, bags[0], bags[1])


def give_back(at: Shop, order: Order, wanted: Refund, **how: Any) -> str:
    return at.done(at.connector.give_back(order, wanted, key="key-0001"), **how)


def test_pieces_freight_and_a_sum_of_the_order(shop: MakeShop) -> None:
    """8.50 and 1.62 of tax, freight 4.90 and 0.93, and 2.00 for the trouble."""
    at = shop()
    order = at.place()
    give_back(at, order, refund(order, "17.95", eur("shipping", "4.90", "0.93"), eur("goodwill", "2.00")))
    (made,) = at.again(order).refunds
    assert str(made.total.shop) == "17.95 EUR"
    assert [(one.kind, str(one.amount.shop)) for one in made.adjustments] == [
        ("shipping", "4.90 EUR"),
        ("order", "2.00 EUR"),
        ("tax", "0.93 EUR"),
    ]
    assert made.note.endswith("[key-0001]")


def test_another_sum_than_the_quote_needs_a_decision(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    with pytest.raises(Rejected) as met:
        give_back(at, order, refund(order, "9.00"))
    assert met.value.code == "quote_differs"
    assert "10.12 EUR, not the 9.00" in met.value.sentence
    at.settings(refund_override=True)
    give_back(at, order, refund(order, "9.00"))
    assert at.effects("refund") == {f"{order.id}/braintree/9.00": 1}


def test_the_tenders_that_the_refund_names(shop: MakeShop) -> None:
    """Paid by gift certificate and card: it goes to store credit only where that was decided."""
    at = shop()
    order = at.place("gift_certificate")
    give_back(at, order, refund(order, "10.12"))
    assert at.effects("refund") == {f"{order.id}/braintree/10.12": 1}
    other = at.place()
    give_back(at, other, refund(other, "10.12", gateway="storecredit"))
    assert f"{other.id}/storecredit/10.12" in at.effects("refund")


def test_more_than_was_paid_is_refused(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    with pytest.raises(Rejected) as met:
        give_back(at, order, refund(order, "200.00", eur("goodwill", "200.00"), mugs=0))
    assert met.value.code == "refund"
    assert not at.effects("refund")


def test_a_declined_refund_is_no_success_and_is_not_found(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.move(order, "decline", providers=["braintree"])
    with pytest.raises(Rejected) as met:
        give_back(at, order, refund(order, "10.12"))
    assert met.value.code == "declined"
    writes = at.connector.give_back(order, refund(order, "10.12"), key="key-0001")
    assert next(writes).find() is None


def test_a_lost_answer_is_found_by_our_key(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.system.bad_day("commit_then_drop", operations=["refunds.create"], times=1)
    with pytest.raises(Ambiguous):
        give_back(at, order, refund(order, "10.12"))
    give_back(at, order, refund(order, "10.12"), find_first=True)
    assert at.effects("refund") == {f"{order.id}/braintree/10.12": 1}


# ---- stock and prices


def level(sku: str, available: str, location: str = "main") -> BatchItem[StockLevel]:
    return BatchItem(StockLevel(sku, location, available=Decimal(available)), "k")


def test_bad_rows_are_told_apart_by_halving(shop: MakeShop) -> None:
    """A location that the store does not know refuses the whole call; the others are set all the same."""
    at = shop()
    at.bench.codes.table["location"]["nowhere"] = "99"  # type: ignore[index]
    try:
        items = [level("WB-TEE", "5"), level("WB-MUG", "6", "nowhere"), level("WB-CAP", "7"), level("WB-TEE", "1.5")]
        items.append(level("WB-NEVER", "1"))
        at.bench.codes.table["sku"]["WB-CAP"] = "WB-CAP"  # type: ignore[index]
        verdicts = at.connector.publish_stock([], key="k").send(items)
    finally:
        del at.bench.codes.table["location"]["nowhere"], at.bench.codes.table["sku"]["WB-CAP"]  # type: ignore[attr-defined]
    assert [one if isinstance(one, str) else getattr(one, "code", "") for one in verdicts] == [
        "WB-TEE@1",
        "unknown_location",
        "WB-CAP@1",
        "no_quantity",
        "missing",
    ]
    assert at.effects("stock")["WB-TEE@1"] == "5 pieces"


def test_a_quantity_that_is_there_costs_no_call(shop: MakeShop) -> None:
    at = shop()
    send = at.connector.publish_stock([], key="k").send
    send([level("WB-TEE", "5")])
    send([level("WB-TEE", "5")])
    assert len(at.system.calls("inventory.set")) == 1


def test_stock_that_lies_nowhere_in_particular_is_told_at_the_one_location(shop: MakeShop) -> None:
    at = shop()
    codes = at.bench.codes.table["location"]
    codes[""] = ""  # type: ignore[index]  # as where codes are the same on both sides
    try:
        at.settings(location="")
        (lacking,) = at.connector.publish_stock([], key="k").send([level("WB-TEE", "8", "")])
        at.settings(location="1")
        (told,) = at.connector.publish_stock([], key="k").send([level("WB-TEE", "8", "")])
    finally:
        del codes[""]  # type: ignore[attr-defined]
    assert getattr(lacking, "code", "") == "missing_location"
    assert told == "WB-TEE@1"
    assert at.effects("stock")["WB-TEE@1"] == "8 pieces"


def test_stock_is_read_by_location_with_the_stores_own_safety(shop: MakeShop) -> None:
    at = shop()
    at.system.post("/_sim/stock", {"sku": "WB-TEE", "onhand": 20, "safety": 3})
    (told,) = at.connector.stock(["WB-TEE"])
    assert (told.location, told.available, told.on_hand, told.safety) == ("main", 17, 20, 3)


@pytest.mark.parametrize("price_list", ["", "3"])
def test_a_reduction_and_its_end(shop: MakeShop, price_list: str) -> None:
    at = shop()
    at.settings(price_list=price_list)
    usual, reduced = Money(Decimal("19.90"), "EUR"), Money(Decimal("15.50"), "EUR")
    for wanted in (Price("WB-TEE", reduced, usual), Price("WB-TEE", usual)):
        batch = at.connector.publish_prices([], key="k")
        item = BatchItem(wanted, "k")
        assert batch.send([item]) == ["WB-TEE@EUR"]
        assert batch.find(item) == "WB-TEE@EUR"
        (told,) = at.connector.prices(["WB-TEE"])
        assert (told.amount, told.compare_at) == (wanted.amount, wanted.compare_at)
