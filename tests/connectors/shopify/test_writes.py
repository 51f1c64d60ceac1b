"""Shopify is told once: the ERP's number, what left, and how many may be sold, on good days and bad ones."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from threading import Timer
from time import sleep
from typing import Any

import pytest
import simplejson

from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.canonical.stock import StockLevel
from connectors.kit.capabilities import Message
from connectors.kit.errors import Ambiguous, Missing, Rejected, Throttled, Transient, Unauthorized
from connectors.kit.writes import BatchItem, ExternalId, Job, Write
from connectors.shopify.mapping import read
from tests.contract.bench import Bench
from tests.contract.driver import Driver, drive
from tests.contract.system import System


def placed(shop: System, bench: Bench, spec: dict[str, Any] | None = None) -> Order:
    number = shop.post("/_sim/orders", spec or {})[0]["id"]
    told = simplejson.dumps(shop.get(f"/_sim/orders/{number}")).encode()
    (reading,) = read(bench.account, Message("orders/create", "1", told))
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Order)
    return reading.document


def shipped(*lines: ShipmentLine, number: str = "JD000001", name: str = "f-1") -> Shipment:
    trackings = (Tracking(number, "dhl", f"https://tracking.example.com/{number}"),) if number else ()
    return Shipment(name, ShipmentStatus.SHIPPED, lines, trackings, location="main", origin="warehouse")


def tee(quantity: int) -> ShipmentLine:
    return ShipmentLine(Decimal(quantity), sku="WB-TEE")


def fulfilments(shop: System) -> list[dict[str, Any]]:
    return [one for order in shop.get("/_sim/orders") for one in order["fulfilments"]]


def test_the_erp_number_is_a_metafield(shop: System, bench: Bench) -> None:
    order = placed(shop, bench)
    drive(bench.connector().acknowledge(order, number="SO-7", key="k"))
    drive(bench.connector().acknowledge(order, number="SO-7", key="k"), find_first=True)
    assert shop.get("/_sim/orders")[0]["metafields"] == {"waybill.erp_number": "SO-7"}
    assert len(shop.calls("metafieldsSet")) == 1, "the second time it is found"


def test_a_shipment_is_a_fulfilment_with_its_tracking(shop: System, bench: Bench) -> None:
    order = placed(shop, bench)
    drive(bench.connector().confirm_shipment(order, shipped(tee(1)), key="k"))
    drive(bench.connector().confirm_shipment(order, shipped(tee(1), number="JD2", name="f-2"), key="l"))
    assert [(one["tracking"], one["company"], one["lines"]) for one in fulfilments(shop)] == [
        (["JD000001"], "DHL", {"WB-TEE": 1}),
        (["JD2"], "DHL", {"WB-TEE": 1}),
    ]


@pytest.mark.parametrize("write", ["acknowledge", "confirm_shipment"])
@pytest.mark.parametrize("fault", ["commit_then_drop", "drop"])
def test_a_lost_answer_is_looked_up(shop: System, bench: Bench, write: str, fault: str) -> None:
    order = placed(shop, bench)
    makes = {
        "acknowledge": lambda: bench.connector().acknowledge(order, number="SO-7", key="k"),
        "confirm_shipment": lambda: bench.connector().confirm_shipment(order, shipped(tee(2)), key="k"),
    }
    shop.bad_day(fault, writes_only=True, times=1)
    driver = Driver(bench.known, settles=0.01)
    assert driver.finish(makes[write])
    assert [type(one) for one in driver.met][:1] == [Ambiguous]
    state = shop.get("/_sim/orders")[0]
    done = len(state["metafields"]) if write == "acknowledge" else len(state["fulfilments"])
    assert done == 1


def test_two_like_shipments_without_tracking_are_two(shop: System, bench: Bench) -> None:
    """The one that is known to be another's is not taken for this one."""
    order = placed(shop, bench)
    first, second = shipped(tee(1), number="", name="f-1"), shipped(tee(1), number="", name="f-2")
    order = replace(order, shipments=(first, second))
    for one in (first, second):
        connector = bench.connector()
        drive(connector.confirm_shipment(order, one, key=one.id), find_first=True, known=bench.known)
    assert len(fulfilments(shop)) == 2
    drive(bench.connector().confirm_shipment(order, second, key="f-2"), find_first=True, known=bench.known)
    assert len(fulfilments(shop)) == 2


def test_more_than_is_left_is_refused_with_the_line(shop: System, bench: Bench) -> None:
    order = placed(shop, bench)
    shop.post(f"/_sim/orders/{order.id}/fulfil", {"lines": [{"sku": "WB-TEE", "quantity": 1}]})
    with pytest.raises(Rejected) as met:
        drive(bench.connector().confirm_shipment(order, shipped(tee(2)), key="k"))
    assert met.value.code == "nothing_left"
    assert "1 less" in met.value.sentence
    assert order.lines[0].id in met.value.field
    with pytest.raises(Rejected) as met:
        drive(bench.connector().confirm_shipment(order, shipped(ShipmentLine(Decimal(1), sku="WB-BAG")), key="k"))
    assert met.value.field == "lines[0]"


def test_a_cancelled_order_takes_no_shipment(shop: System, bench: Bench) -> None:
    order = placed(shop, bench)
    shop.post(f"/_sim/orders/{order.id}/cancel", {})
    with pytest.raises(Rejected, match="fulfilment orders are closed"):
        drive(bench.connector().confirm_shipment(order, shipped(tee(1)), key="k"))


def test_a_line_added_by_an_edit_ships_with_the_rest(shop: System, bench: Bench) -> None:
    """Two fulfilment orders at one location are one call."""
    order = placed(shop, bench)
    shop.post(f"/_sim/orders/{order.id}/edit", {"add": [{"sku": "WB-CAP", "quantity": 1}]})
    shop.post(f"/_sim/orders/{order.id}/pay", {})
    order = order_now(shop, bench, order)
    lines = (tee(2), ShipmentLine(Decimal(1), sku="WB-CAP"))
    drive(bench.connector().confirm_shipment(order, shipped(*lines), key="k"))
    assert [one["lines"] for one in fulfilments(shop)] == [{"WB-TEE": 2, "WB-CAP": 1}]


def order_now(shop: System, bench: Bench, order: Order) -> Order:
    told = simplejson.dumps(shop.get(f"/_sim/orders/{order.id}")).encode()
    (reading,) = read(bench.account, Message("orders/updated", "1", told))
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Order)
    return reading.document


def test_several_locations_take_several_calls(shop: System, bench: Bench) -> None:
    """One shipment, its lines at two locations by Shopify's assignment; the second call's answer is lost."""
    order = placed(shop, bench)
    shop.post(f"/_sim/orders/{order.id}/move", {"sku": "WB-MUG", "location": 70002})
    both = shipped(tee(2), ShipmentLine(Decimal(1), sku="WB-MUG"))
    driver = Driver(bench.known, settles=0.01)
    shop.put("/_sim/faults", [{"kind": "commit_then_drop", "operations": ["fulfillmentCreate"], "times": 1}])
    first = driver.finish(lambda: bench.connector().confirm_shipment(order, both, key="k"))
    assert sorted(driver.names) == ["fulfilment", "fulfilment", "fulfilment_2"]
    assert [one["lines"] for one in fulfilments(shop)] == [{"WB-TEE": 2}, {"WB-MUG": 1}]
    assert bench.known.ids["shipment", "f-1"] == first


# ---- stock


def items(**wanted: int) -> list[BatchItem[StockLevel]]:
    levels = [StockLevel(sku.replace("_", "-"), "main", available=Decimal(n)) for sku, n in wanted.items()]
    return [BatchItem(level, f"key-{level.sku}-{level.available}") for level in levels]


def publish(bench: Bench, wanted: list[BatchItem[StockLevel]]) -> list[Any]:
    batch = bench.connector().publish_stock([one.document for one in wanted], key="k")
    return list(batch.send(wanted))


def available(shop: System, sku: str) -> int:
    return int(shop.get("/_sim/effects")["stock"][f"{sku}@70001"])


def test_one_call_sets_many(shop: System, bench: Bench) -> None:
    results = publish(bench, items(WB_TEE=5, WB_MUG=0))
    assert [one.partition("@")[2] for one in results] == ["70001", "70001"]
    assert (available(shop, "WB-TEE"), available(shop, "WB-MUG")) == (5, 0)
    assert len(shop.calls("inventorySetQuantities")) == 1
    publish(bench, items(WB_TEE=5, WB_MUG=0))
    assert len(shop.calls("inventorySetQuantities")) == 1, "what is so already needs no call"


def test_each_refusal_is_its_own(shop: System, bench: Bench) -> None:
    wanted = items(WB_TEE=5, WB_GONE=1, WB_MUG=6, WB_NOWHERE=2, WB_CAP=7, WB_BAG=2_000_000_000)
    wanted.append(BatchItem(StockLevel("WB-SOAP", "main", available=Decimal("1.5")), "k"))
    tee_, gone, mug, nowhere, cap, bag, soap = publish(bench, wanted)
    assert all(isinstance(one, str) for one in (tee_, mug, cap))
    assert isinstance(gone, Rejected)
    assert (gone.code, gone.field) == ("unknown_sku", "sku")
    assert isinstance(nowhere, Missing)
    assert (nowhere.kind, nowhere.value) == ("sku", "WB-NOWHERE")
    assert isinstance(bag, Rejected)
    assert (bag.code, bag.field) == ("invalid_quantity_too_high", "quantity")
    assert isinstance(soap, Rejected)
    assert soap.field == "available"
    assert [available(shop, sku) for sku in ("WB-TEE", "WB-MUG", "WB-CAP", "WB-BAG")] == [5, 6, 7, 1000]


def test_each_place_is_set_by_itself_and_one_without_a_code_waits(shop: System, bench: Bench) -> None:
    bench.codes.table["location"]["store"] = "70002"  # type: ignore[attr-defined]
    places = {"main": 5, "store": 2, "attic": 9}
    wanted = [BatchItem(StockLevel("WB-TEE", place, available=Decimal(n)), place) for place, n in places.items()]
    main, store, attic = publish(bench, wanted)
    assert (main.partition("@")[2], store.partition("@")[2]) == ("70001", "70002")
    assert isinstance(attic, Missing)
    assert (attic.kind, attic.value) == ("location", "attic")
    assert available(shop, "WB-TEE") == 5, "what lies at a place without a code is not written over another's"
    assert shop.get("/_sim/effects")["stock"]["WB-TEE@70002"] == "2"


def test_a_sale_in_between_is_not_overwritten(shop: System, bench: Bench) -> None:
    """The quantity changed after it was read: that level is set again later, the others are set now."""
    shop.put("/_sim/faults", [{"kind": "slow", "operations": ["inventorySetQuantities"], "value": 0.6, "times": 1}])
    sale = Timer(0.3, lambda: shop.post("/_sim/stock", {"sku": "WB-TEE", "available": 990}))
    sale.start()
    tee_, mug = publish(bench, items(WB_TEE=5, WB_MUG=6))
    sale.join()
    assert isinstance(tee_, Transient)
    assert tee_.code == "change_from_quantity_stale"
    assert isinstance(mug, str)
    assert (available(shop, "WB-TEE"), available(shop, "WB-MUG")) == (990, 6)


def test_a_lost_stock_answer_is_found(shop: System, bench: Bench) -> None:
    wanted = items(WB_TEE=5)
    shop.bad_day("commit_then_drop", writes_only=True, times=1)
    with pytest.raises(Ambiguous):
        publish(bench, wanted)
    batch = bench.connector().publish_stock([], key="k")
    assert batch.find(wanted[0]) is not None
    assert batch.find(items(WB_TEE=6)[0]) is None


def test_more_than_a_call_takes(shop: System, bench: Bench) -> None:
    """251 articles are two calls, none with more than 250."""
    skus = [f"WB-N{n}" for n in range(251)]
    for sku in skus:
        shop.post("/_sim/products", {"sku": sku})
    bench.codes.table["sku"].update({sku: sku for sku in skus})  # type: ignore[attr-defined]
    wanted = [BatchItem(StockLevel(sku, "main", available=Decimal(3)), sku) for sku in skus]
    assert all(isinstance(one, str) for one in publish(bench, wanted))
    sizes = [
        len(simplejson.loads(call["body"] or "{}")["variables"]["input"]["quantities"]) for call in bench_calls(bench)
    ]
    assert sizes == [250, 1]


def bench_calls(bench: Bench) -> list[dict[str, Any]]:
    """The log of the simulator cuts bodies; what was sent is in the exchanges."""
    sent = [one for one in bench.exchanges if one.operation == "inventorySetQuantities"]
    return [{"body": one.request.decode()} for one in sent]


# ---- refusals


@pytest.mark.parametrize("shop", [{"points": {"burst": 600, "rate": 100}}], indirect=True)
def test_throttled_by_points(shop: System, bench: Bench) -> None:
    """Shopify's own figures say how long to wait, and correct the limiter."""
    order = placed(shop, bench)
    connector = bench.connector()
    with pytest.raises(Throttled) as met:
        all(connector.fetch(Pointer("order", order.id)) for _ in range(30))
    assert met.value.retry_after is not None
    assert 0.1 <= met.value.retry_after <= 6.1
    reported = bench.limits.reported  # type: ignore[attr-defined]
    assert reported
    assert all(0 <= left <= 600 for left in reported)


def test_wrong_token_pauses_the_account(shop: System, bench: Bench) -> None:
    order = placed(shop, bench)
    bench.account = replace(bench.account, credentials={"access_token": "shpat_of_somebody_else"})
    with pytest.raises(Unauthorized):
        drive(bench.connector().acknowledge(order, number="SO-7", key="k"))


def test_user_errors_name_the_field(shop: System, bench: Bench) -> None:
    order = replace(placed(shop, bench), id="404")
    with pytest.raises(Rejected) as met:
        drive(bench.connector().acknowledge(order, number="SO-7", key="k"))
    assert met.value.field == "metafields[0].ownerId"
    assert met.value.sentence == f"Shopify refuses the ERP's number of {order.number}: Owner does not exist."


def test_a_version_that_fell_forward_is_known(shop: System, bench: Bench) -> None:
    connector = bench.connector()
    connector.subscriptions()
    assert not connector.client.fell_forward
    shop.put("/_sim/versions", {"served": ["2027-01", "2026-10"]})
    connector.subscriptions()
    assert connector.client.fell_forward
    assert bench.exchanges[-1].answer_headers["x-shopify-api-version"] == "2026-10"


def cancelled(shop: System) -> list[str]:
    return [one["name"] for one in shop.get("/_sim/orders") if one["cancelled"]]


def test_an_order_is_cancelled_by_a_job_and_no_money_goes_back(shop: System, bench: Bench) -> None:
    order = replace(placed(shop, bench), cancel_reason="inventory")
    before = shop.get("/_sim/effects")["stock"]["WB-TEE@70001"]
    write = next(bench.connector().cancel_sale(order, key="k"))
    job = write.send()
    assert isinstance(job, Job)
    assert write.poll is not None
    assert isinstance(write.poll(job.id), Job), "it is not done yet"
    assert write.find() is None
    assert drive(bench.connector().cancel_sale(order, key="k"), find_first=True) == order.id
    told = shop.get(f"/_sim/orders/{order.id}")
    assert told["cancelled_at"]
    assert told["cancel_reason"] == "inventory"
    assert (told["financial_status"], told["refunds"]) == ("paid", [])
    assert int(shop.get("/_sim/effects")["stock"]["WB-TEE@70001"]) > int(before), "its pieces may be sold again"


def test_an_order_that_is_cancelled_already_is_not_cancelled_again(shop: System, bench: Bench) -> None:
    order = placed(shop, bench)
    shop.post(f"/_sim/orders/{order.id}/cancel", {})
    assert drive(bench.connector().cancel_sale(order, key="k")) == order.id
    assert len(shop.calls("orderCancel")) == 0


def test_what_has_left_in_part_is_not_cancelled(shop: System, bench: Bench) -> None:
    order = placed(shop, bench, {"lines": [{"sku": "WB-TEE", "quantity": 2}]})
    drive(bench.connector().confirm_shipment(order, shipped(tee(1)), key="k"))
    with pytest.raises(Rejected, match="has left, at least in part") as refused:
        drive(bench.connector().cancel_sale(order, key="l"))
    assert refused.value.code == "shipped"
    assert not cancelled(shop)


def test_what_leaves_while_the_job_waits_is_not_cancelled(shop: System, bench: Bench) -> None:
    """The job ends and has done nothing: the order's own word counts."""
    order = placed(shop, bench)
    write = next(bench.connector().cancel_sale(order, key="k"))
    job = write.send()
    assert isinstance(job, Job)
    shop.post(f"/_sim/orders/{order.id}/fulfil", {})
    with pytest.raises(Rejected) as refused:
        ended(write, job)
    assert refused.value.code == "not_cancelled"
    assert not cancelled(shop)


def ended(write: Write, job: Job) -> ExternalId:
    """Polled to its end."""
    assert write.poll is not None
    told: ExternalId | Job = job
    while isinstance(told, Job):
        sleep(0.05)
        told = write.poll(told.id)
    return told
