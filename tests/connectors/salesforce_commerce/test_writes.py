"""What we write: acknowledgement, fulfilment, cancellation, stock and prices, each once and each as far as the API goes."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.canonical.money import Money
from connectors.canonical.order import Order
from connectors.canonical.product import Price
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking
from connectors.canonical.stock import StockLevel
from connectors.kit.errors import Ambiguous, Missing, NotOffered, Rejected, Throttled, Transient
from connectors.kit.writes import BatchItem
from connectors.salesforce_commerce.pricebook import archive
from connectors.salesforce_commerce.prices import verdict_of
from tests.connectors.salesforce_commerce.conftest import MakeShop, Shop
from tests.contract import samples


def sent(order: Order, number: int, *trackings: Tracking, pieces: int = 0) -> Shipment:
    """The first line, or all of it where no pieces are named."""
    lines = tuple(ShipmentLine(one.current_quantity, one.sku, one.id) for one in order.lines)
    if pieces:
        lines = (ShipmentLine(Decimal(pieces), order.lines[0].sku, order.lines[0].id),)
    at = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    return Shipment(f"S-{number}", ShipmentStatus.SHIPPED, lines, trackings, shipped_at=at)


DHL = Tracking("JD1", "dhl", "https://tracking.example.com/JD1")


# ---- acknowledgement


def test_an_acknowledged_order_is_exported_and_its_stock_settled(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    before = at.connector.instance.record("main", "WB-TEE")
    assert (before["quantity_on_order"], before["inventory_turnover"]) == (2, 0)
    assert at.done(at.connector.acknowledge(order, number="SO-1", key="k")) == order.id
    after = at.connector.instance.record("main", "WB-TEE")
    assert (after["quantity_on_order"], after["inventory_turnover"], after["ats"]) == (0, 2, 998)
    assert at.effects("exported") == {order.id: 1}
    assert at.effects("confirmed") == {}


def test_the_erps_number_and_the_confirmation_go_where_the_account_says(shop: MakeShop) -> None:
    at = shop()
    at.settings(number_attribute="c_erpNumber", confirm=True)
    order = at.place()
    at.done(at.connector.acknowledge(order, number="SO-7001", key="k"))
    told = at.summary(order)
    assert told["custom"] == {"c_erpNumber": "SO-7001"}
    assert (told["confirmationStatus"], told["exportStatus"]) == ("confirmed", "exported")
    assert at.again(order).attributes == order.attributes, "what we told comes back as no news"


# ---- fulfilment


def test_a_shipment_is_an_event_with_its_tracking(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    name = at.done(at.connector.confirm_shipment(order, sent(order, 1, DHL, pieces=1), key="k"))
    told = at.summary(order)
    (event,) = [one["fulfillmentEvent"] for one in told["events"]]
    assert name == event["id"] == "S-1-1"
    assert event == {
        "id": "S-1-1",
        "occurredAt": "2026-03-02T09:30:00.000Z",
        "type": "shipped",
        "lineItems": [{"id": order.lines[0].id, "quantity": 1}],
        "trackingNumber": "JD1",
        "trackingUrl": "https://tracking.example.com/JD1",
        "carrier": "dhl",
    }
    assert told["shippingStatus"] == "part_shipped"


def test_the_last_shipment_makes_it_shipped_and_completes_it_where_that_is_wanted(shop: MakeShop) -> None:
    at = shop()
    at.settings(complete_shipped=True)
    order = at.place()
    first, second = samples.parcels(order)
    at.done(at.connector.confirm_shipment(order, first, key="k"))
    assert at.summary(order)["status"] == "new"
    at.done(at.connector.confirm_shipment(replace(order, shipments=(first,)), second, key="k"))
    told = at.summary(order)
    assert (told["shippingStatus"], told["status"]) == ("shipped", "completed")


def test_a_belated_part_never_takes_shipped_back(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    first, second = samples.parcels(order)
    at.done(at.connector.confirm_shipment(replace(order, shipments=(first,)), second, key="k"))
    at.done(at.connector.confirm_shipment(order, first, key="k"))
    assert at.summary(order)["shippingStatus"] == "shipped"
    assert len(at.system.calls("orders.shipping-status")) == 1


def test_each_parcel_that_was_told_apart_is_an_event(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    tee, mug = (ShipmentLine(one.current_quantity, one.sku, one.id) for one in order.lines)
    two = (replace(DHL, lines=(tee,)), Tracking("JD2", "ups", "https://tracking.example.com/JD2", lines=(mug,)))
    at.done(at.connector.confirm_shipment(order, sent(order, 1, *two), key="k"))
    events = [one["fulfillmentEvent"] for one in at.summary(order)["events"]]
    assert [(one["id"], one["trackingNumber"], one["carrier"]) for one in events] == [
        ("S-1-1", "JD1", "dhl"),
        ("S-1-2", "JD2", "ups"),
    ]
    assert [one["lineItems"][0]["quantity"] for one in events] == [2, 1]


def test_parcels_that_nobody_told_apart_are_named_in_the_note(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.done(at.connector.confirm_shipment(order, sent(order, 1, DHL, Tracking("JD2")), key="k"))
    (event,) = [one["fulfillmentEvent"] for one in at.summary(order)["events"]]
    assert event["description"] == "Further parcels: JD2"
    assert len(event["lineItems"]) == 2


def test_a_parcel_that_cannot_be_followed_is_only_a_status(shop: MakeShop) -> None:
    """The contract wants a number and an address; neither is invented."""
    at = shop()
    order = at.place()
    assert at.done(at.connector.confirm_shipment(order, sent(order, 1, Tracking("JD1", "dhl")), key="k")) == order.id
    assert at.summary(order)["events"] == []
    assert at.summary(order)["shippingStatus"] == "shipped"
    at.settings(tracking_url="https://follow.example.com/{number}")
    other = at.place()
    at.done(at.connector.confirm_shipment(other, sent(other, 2, Tracking("JD1", "dhl")), key="k"))
    (event,) = [one["fulfillmentEvent"] for one in at.summary(other)["events"]]
    assert event["trackingUrl"] == "https://follow.example.com/JD1"


def test_an_event_is_told_again_word_for_word_after_a_lost_answer(shop: MakeShop) -> None:
    """It cannot be read back. Whoever listens knows it by its id."""
    at = shop()
    order = at.place()
    at.system.bad_day("commit_then_drop", operations=["orders.events"], times=1)
    with pytest.raises(Ambiguous):
        at.done(at.connector.confirm_shipment(order, sent(order, 1, DHL), key="k"))
    at.done(at.connector.confirm_shipment(order, sent(order, 1, DHL), key="k"), find_first=True)
    calls = at.system.calls("orders.events")
    assert len(calls) == 2
    assert calls[0]["body"] == calls[1]["body"]
    assert at.effects("event") == {f"{order.id}/S-1-1": 1}


def test_too_many_parcels_are_a_persons_matter(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    line = ShipmentLine(Decimal(0), order.lines[0].sku, order.lines[0].id)
    many = [replace(DHL, number=f"JD{n}", lines=(line,)) for n in range(6)]
    with pytest.raises(Rejected) as met:
        at.done(at.connector.confirm_shipment(order, sent(order, 1, *many), key="k"))
    assert met.value.code == "many_parcels"
    assert not at.system.calls("orders.events")


# ---- cancellation, refunds


def test_a_cancelled_sale_sets_its_goods_free(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.done(at.connector.cancel_sale(order, key="k"))
    assert at.summary(order)["status"] == "cancelled"
    assert set(at.simulator.memory.table("called_off")) == {order.id}
    assert at.connector.instance.record("main", "WB-TEE")["quantity_on_order"] == 0
    again = at.again(order)
    assert again.cancelled_at is not None
    assert at.done(at.connector.cancel_sale(order, key="k"), find_first=True) == order.id


def test_what_has_left_is_not_cancelled(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.move(order, "ship")
    with pytest.raises(Rejected) as met:
        at.done(at.connector.cancel_sale(order, key="k"))
    assert met.value.code == "shipped"
    assert at.summary(order)["status"] == "new"


def test_a_cancellation_by_the_customer_comes_in(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    at.move(order, "cancel", reason="Too late")
    again = at.again(order)
    assert again.cancelled_at == again.updated_at
    assert again.cancel_reason == "Too late"


def test_no_money_is_given_back_and_no_call_made(shop: MakeShop) -> None:
    at = shop()
    order = at.place()
    before = len(at.system.calls())
    with pytest.raises(NotOffered):
        at.connector.give_back(order, samples.refund(order), key="k")
    assert len(at.system.calls()) == before


# ---- stock


def level(sku: str, pieces: str, location: str = "main") -> BatchItem[StockLevel]:
    return BatchItem(StockLevel(sku, location, available=Decimal(pieces)), f"k-{sku}")


def test_what_is_on_order_is_added_to_what_may_be_sold(shop: MakeShop) -> None:
    """Two tees are in an order that is not exported: our 7 are told without them already, so 7 stay to be sold, before its
    export and after it."""
    at = shop()
    order = at.place()
    batch = at.connector.publish_stock([], key="k")
    assert batch.send([level("WB-TEE", "7")]) == ["WB-TEE@main"]
    record = at.connector.instance.record("main", "WB-TEE")
    assert (record["allocation"]["amount"], record["quantity_on_order"], record["ats"]) == (9, 2, 7)
    at.done(at.connector.acknowledge(order, number="SO-1", key="k"))
    assert at.connector.instance.record("main", "WB-TEE")["ats"] == 7
    assert batch.find(level("WB-TEE", "7")) == "WB-TEE@main"
    (told,) = at.connector.stock(["WB-TEE"])
    assert (told.available, told.on_hand, told.reserved) == (7, 7, 0)


def test_a_quantity_that_is_there_needs_no_call(shop: MakeShop) -> None:
    at = shop()
    batch = at.connector.publish_stock([], key="k")
    batch.send([level("WB-TEE", "7")])
    batch.send([level("WB-TEE", "7"), level("WB-MUG", "1000")])
    assert len(at.system.calls("inventory.update")) == 1
    at.system.post("/_sim/stock", {"sku": "WB-TEE", "turnover": "3"})
    assert batch.find(level("WB-TEE", "7")) is None
    batch.send([level("WB-TEE", "7")])
    assert at.connector.instance.record("main", "WB-TEE")["ats"] == 7


def test_a_record_that_is_not_there_is_made_only_where_the_account_wants_it(shop: MakeShop) -> None:
    at = shop()
    batch = at.connector.publish_stock([], key="k")
    (verdict,) = batch.send([level("WB-GONE", "7")])
    assert isinstance(verdict, Rejected)
    assert (verdict.code, verdict.owner) == ("unknown_sku", "catalogue")
    at.settings(create_records=True)
    assert at.connector.publish_stock([], key="k").send([level("WB-GONE", "7")]) == ["WB-GONE@main"]
    assert at.connector.instance.record("main", "WB-GONE")["ats"] == 7


@pytest.mark.parametrize("pieces", ["-1", ""])
def test_less_than_nothing_is_no_quantity(shop: MakeShop, pieces: str) -> None:
    at = shop()
    wanted = StockLevel("WB-TEE", "main", available=Decimal(pieces) if pieces else None)
    (verdict,) = at.connector.publish_stock([], key="k").send([BatchItem(wanted, "k")])
    assert isinstance(verdict, Rejected)
    assert verdict.code == "no_quantity"


def test_what_is_told_for_all_places_goes_to_the_accounts_own_list_and_an_unknown_location_waits(
    shop: MakeShop,
) -> None:
    at = shop(lists=("main", "outlet"))
    batch = at.connector.publish_stock([], key="k")
    (verdict,) = batch.send([level("WB-TEE", "7", "elsewhere")])
    assert isinstance(verdict, Missing)
    assert (verdict.kind, verdict.value) == ("location", "elsewhere")
    at.settings(inventory_list="outlet")
    assert at.connector.publish_stock([], key="k").send([level("WB-TEE", "7", "")]) == ["WB-TEE@outlet"]
    (verdict,) = at.connector.publish_stock([], key="k").send([level("WB-TEE", "9", "elsewhere")])
    assert isinstance(verdict, Missing), "two of our locations would write over each other there"
    assert at.connector.publish_stock([], key="k").send([level("WB-TEE", "7", "main")]) == ["WB-TEE@main"]


def test_a_wrong_list_is_named(shop: MakeShop) -> None:
    at = shop()
    at.settings(inventory_list="nowhere", create_records=True)
    (verdict,) = at.connector.publish_stock([], key="k").send([level("WB-TEE", "7", "")])
    assert isinstance(verdict, Rejected)
    assert (verdict.code, verdict.owner) == ("unknown_location", "logistics")


def test_a_loaded_system_ends_the_batch_where_it_is(shop: MakeShop) -> None:
    """What was set is set, and needs no second call; nobody asks meanwhile."""
    at = shop()
    batch = at.connector.publish_stock([], key="k")
    batch.send([level("WB-TEE", "7")])
    at.system.bad_day("throttle", operations=["inventory.update"], times=1, value=9)
    with pytest.raises(Throttled):
        batch.send([level("WB-TEE", "7"), level("WB-MUG", "8")])
    assert at.blocked == [9.0]
    assert [call["status"] for call in at.system.calls("inventory.update")] == [200, 429]
    assert batch.send([level("WB-TEE", "7"), level("WB-MUG", "8")]) == ["WB-TEE@main", "WB-MUG@main"]
    assert [call["status"] for call in at.system.calls("inventory.update")] == [200, 429, 200]


def test_all_levels_of_a_list_are_told_across_its_pages(shop: MakeShop) -> None:
    at = shop()
    assert {one.sku for one in at.connector.stock()} == {"WB-TEE", "WB-MUG"}, "others are none of ours"


# ---- prices


def tag(sku: str, amount: str, currency: str = "EUR", **more: object) -> BatchItem[Price]:
    price = replace(Price(sku, Money(Decimal(amount), currency)), **more)  # type: ignore[arg-type]
    return BatchItem(price, f"k-{sku}-{amount}")


def test_prices_are_imported_as_a_price_book(shop: MakeShop) -> None:
    at = shop()
    batch = at.connector.publish_prices([], key="k")
    assert batch.send([tag("WB-TEE", "21.50"), tag("WB-MUG", "9")]) == ["WB-TEE@site-prices", "WB-MUG@site-prices"]
    assert [(one.sku, one.amount.amount) for one in at.connector.prices(["WB-TEE", "WB-MUG"])] == [
        ("WB-TEE", Decimal("21.5")),
        ("WB-MUG", Decimal(9)),
    ]
    assert len(at.system.calls("jobs.start")) == 1
    assert at.system.get("/_sim/imports")["left"] == [], "the archive is taken away again"
    assert batch.find(tag("WB-TEE", "21.50")) == "WB-TEE@site-prices"
    assert batch.find(tag("WB-TEE", "21.51")) is None


def test_validity_and_quantity_breaks_are_tables_and_amounts(shop: MakeShop) -> None:
    at = shop()
    soon = datetime.now(UTC) + timedelta(days=3)
    wanted = [
        tag("WB-TEE", "18.00", min_quantity=Decimal(10)),
        tag("WB-TEE", "20.00"),
        tag("WB-TEE", "15.00", effective_from=soon, effective_until=soon + timedelta(days=7)),
    ]
    at.connector.publish_prices([], key="k").send(wanted)
    (file,) = at.system.get("/_sim/imports")["files"]
    assert file.count("<price-table ") == 2
    assert file.index('quantity="1">20.00') < file.index('quantity="10">18.00')
    assert "<online-from>" in file
    assert [one.amount.amount for one in at.connector.prices(["WB-TEE"])] == [Decimal(20)], "the later is not in force"


def test_each_book_and_currency_is_an_import_of_its_own(shop: MakeShop) -> None:
    at = shop()
    wanted = [tag("WB-TEE", "21"), tag("WB-TEE", "23", "USD", price_list="usd-prices"), tag("WB-MUG", "9")]
    assert at.connector.publish_prices([], key="k").send(wanted) == [
        "WB-TEE@site-prices",
        "WB-TEE@usd-prices",
        "WB-MUG@site-prices",
    ]
    assert set(at.effects("price")) == {"site-prices/WB-TEE", "usd-prices/WB-TEE", "site-prices/WB-MUG"}


def test_an_unmapped_sku_waits_for_its_code_and_the_others_go(shop: MakeShop) -> None:
    at = shop()
    missing, done = at.connector.publish_prices([], key="k").send([tag("WB-NEW", "1"), tag("WB-TEE", "21")])
    assert isinstance(missing, Missing)
    assert done == "WB-TEE@site-prices"


def test_an_import_that_still_runs_is_looked_for_later(shop: MakeShop) -> None:
    at = shop(import_seconds=1.2)
    at.settings(import_patience=0.2)
    batch = at.connector.publish_prices([], key="k")
    with pytest.raises(Ambiguous) as met:
        batch.send([tag("WB-TEE", "21.50")])
    assert met.value.code == "still_runs"
    assert batch.find(tag("WB-TEE", "21.50")) is None
    at.settings(import_patience=5)
    again = at.connector.publish_prices([], key="k")
    time.sleep(1.3)
    execution = at.system.calls("jobs.get")[-1]["path"].rpartition("/")[2]
    at.connector.instance.execution(execution)
    assert again.find(tag("WB-TEE", "21.50")) == "WB-TEE@site-prices"


def test_one_import_runs_at_a_time(shop: MakeShop) -> None:
    """The second waits: nothing was done for it, and its turn comes again."""
    at = shop(import_seconds=30)
    at.settings(import_patience=0.1)
    with pytest.raises(Ambiguous):
        at.connector.publish_prices([], key="k").send([tag("WB-TEE", "21.50")])
    with pytest.raises(Transient) as met:
        at.connector.publish_prices([], key="k").send([tag("WB-MUG", "9.00")])
    assert met.value.code == "busy"


def test_an_import_that_fails_says_where_its_log_is(shop: MakeShop) -> None:
    at = shop()
    instance = at.connector.instance
    instance.upload("waybill-bad.zip", archive("elsewhere", "b", b"<pricebooks/>"))
    execution = instance.start_import("waybill-bad.zip")
    assert execution["exit_status"]["code"] == "ERROR"
    found = verdict_of(execution, "site-prices")
    assert isinstance(found, Rejected)
    assert str(execution["id"]) in found.remedy


def test_the_same_prices_are_the_same_file(shop: MakeShop) -> None:
    at = shop()
    for _ in range(2):
        at.connector.publish_prices([], key="k").send([tag("WB-TEE", "21.50")])
    names = {json.loads(call["body"])["file_name"] for call in at.system.calls("jobs.start")}
    assert len(names) == 1


def test_a_price_without_a_book_is_refused(shop: MakeShop) -> None:
    at: Shop = shop()
    at.settings(price_book="")
    (verdict,) = at.connector.publish_prices([], key="k").send([tag("WB-TEE", "21.50")])
    assert isinstance(verdict, Rejected)
    assert verdict.code == "no_price_book"


def test_the_old_price_beside_a_reduced_one_goes_to_the_book_of_list_prices(shop: MakeShop) -> None:
    at = shop()
    reduced = tag("WB-TEE", "15.00", compare_at=Money(Decimal("19.90"), "EUR"))
    at.connector.publish_prices([], key="k").send([reduced])
    assert at.effects("price") == {"site-prices/WB-TEE": "1: 15.00 EUR"}
    at.settings(list_price_book="list-prices")
    assert at.connector.publish_prices([], key="k").send([reduced]) == ["WB-TEE@site-prices"]
    assert at.effects("price")["list-prices/WB-TEE"] == "1: 19.90 EUR"
