"""Every delivery of ShipBob's is read for what it says, and what is wrong with it is named by field."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.canonical.codec import decode, encode
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking
from connectors.canonical.snapshot import Ignored, Reading, Snapshot
from connectors.canonical.stock import Lot, StockLevel
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from connectors.registry import read
from tests.connectors.shipbob.conftest import FIXTURES

ACCOUNT = Account("shipbob-test", "shipbob", "https://api.example")
Change = Callable[[dict[str, Any]], object]


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text())
    return loaded


def said(name: str, change: Change = lambda body: None, topic: str = "") -> tuple[Reading, ...]:
    body = load(name)
    change(body)
    return read(ACCOUNT, Message(topic or name.partition("__")[0], "msg_1", json.dumps(body).encode()))


def shipments(name: str, change: Change = lambda body: None, topic: str = "") -> list[Shipment]:
    return [
        told.document
        for told in said(name, change, topic)
        if isinstance(told, Snapshot) and isinstance(told.document, Shipment)
    ]


def test_shipped() -> None:
    (told,) = said("order.shipped__one_parcel")
    assert told == Snapshot(
        "shipment",
        "300000003",
        "2026-11-20T12:30:05.000000+00:00",
        reference="WB-000123",
        document=Shipment(
            id="700000007",
            status=ShipmentStatus.SHIPPED,
            lines=(ShipmentLine(Decimal(2), "MUG-1"), ShipmentLine(Decimal(1), "MUG-2")),
            trackings=(Tracking("1ZWB000000000007", "UPS", "https://track.example/1ZWB000000000007"),),
            location="11",
            service="UPS Ground",
            shipped_at=datetime(2026, 11, 20, 12, 29, 58, tzinfo=UTC),
            updated_at=datetime(2026, 11, 20, 12, 30, 5, tzinfo=UTC),
        ),
    )


def test_shipped_before_its_tracking_is_known() -> None:
    (told,) = shipments("order.shipped__no_tracking_yet")
    assert (told.status, told.trackings, told.service) == (ShipmentStatus.SHIPPED, (), "Standard")


def test_freight_has_two_numbers() -> None:
    (told,) = shipments("order.shipped__freight_two_numbers")
    assert [(t.number, t.url != "") for t in told.trackings] == [("1ZWB000000000007", True), ("PRO-55", False)]


def test_lots_of_one_item_are_added_up_and_told_with_the_numbers_of_the_pieces() -> None:
    (told,) = shipments("order.shipped__two_lots")
    lots = (Lot("A", Decimal(1)), Lot("B", Decimal(3), date(2027, 3, 1)))
    assert told.lines == (ShipmentLine(Decimal(4), "MUG-1", serials=("SN-1",), lots=lots),)


def test_a_part_of_an_order_has_left() -> None:
    first, second = said("polled.order__partly_shipped")
    assert isinstance(first, Snapshot)
    assert isinstance(second, Snapshot)
    assert (first.id, first.reference, second.reference) == ("300000003", "WB-000123", "WB-000123")
    assert [(d.status, d.lines) for d in shipments("polled.order__partly_shipped")] == [
        (ShipmentStatus.SHIPPED, (ShipmentLine(Decimal(2), "MUG-1"),)),
        (ShipmentStatus.PENDING, (ShipmentLine(Decimal(1), "MUG-2"),)),
    ]


def test_several_parcels_of_one_order() -> None:
    told = shipments("order.shipped__whole_order")
    assert [(d.id, [t.number for t in d.trackings]) for d in told] == [
        ("700000007", ["1ZWB000000000007"]),
        ("700000008", ["1ZWB000000000008"]),
    ]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("order.shipment.delivered__at_the_door", ShipmentStatus.DELIVERED),
        ("order.shipment.delivered__date_not_there_yet", ShipmentStatus.DELIVERED),
        ("order.shipment.exception__out_of_stock", ShipmentStatus.FAILED),
        ("order.shipment.on_hold__address", ShipmentStatus.PENDING),
        ("order.shipment.cancelled__before_picking", ShipmentStatus.CANCELLED),
    ],
)
def test_what_else_becomes_of_a_shipment(name: str, status: ShipmentStatus) -> None:
    (told,) = shipments(name)
    assert told.status is status
    assert (told.shipped_at is None) is (status not in (ShipmentStatus.SHIPPED, ShipmentStatus.DELIVERED))


def test_the_poll_says_the_same_as_the_webhook() -> None:
    assert shipments("order.shipped__whole_order") == shipments("order.shipped__whole_order", topic="polled.order")


def test_versions_order_as_text_to_the_microsecond() -> None:
    earlier, later = said("polled.order__partly_shipped")
    assert isinstance(earlier, Snapshot)
    assert isinstance(later, Snapshot)
    assert len(earlier.version) == len(later.version)
    (next_,) = said("order.shipped__one_parcel", lambda body: body.update(last_update_at="2026-11-20T12:30:05.000001"))
    assert isinstance(next_, Snapshot)
    assert next_.version > earlier.version > later.version


def test_stock_at_each_centre() -> None:
    first, second = said("polled.stock__two_centres")
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    level = StockLevel("MUG-1", "11", Decimal(37), Decimal(40), Decimal(3), Decimal(100), "8000001", at)
    assert first == Snapshot("stock", "8000001@11", "2026-11-20T12:00:00.000000+00:00", level)
    assert isinstance(second, Snapshot)
    assert second.id == "8000001@12"


@pytest.mark.parametrize("name", ["polled.order__no_shipment_yet", "polled.order__swept", "return.created__any"])
def test_what_the_hub_has_no_use_for_is_said_to_be_ignored(name: str) -> None:
    (told,) = said(name)
    assert isinstance(told, Ignored)
    assert told.reason


def test_an_unknown_status_is_named_and_not_guessed() -> None:
    (told,) = said("polled.order__swept")
    assert isinstance(told, Ignored)
    assert "CleanSweeped" in told.reason


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_every_fixture_is_read_and_survives_the_store(path: Path) -> None:
    for told in said(path.stem):
        if isinstance(told, Snapshot):
            assert decode(json.loads(json.dumps(encode(told.document)))) == told.document


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_fields_that_shipbob_adds_change_nothing(path: Path) -> None:
    assert said(path.stem, lambda body: body.update(brand_new={"deep": [1, None]})) == said(path.stem)


def one(body: dict[str, Any]) -> dict[str, Any]:
    product: dict[str, Any] = body["products"][0]
    return product


DEFECTS: list[tuple[str, Change, str]] = [
    ("order.shipped__one_parcel", lambda b: b.pop("order_id"), "order_id"),
    ("order.shipped__one_parcel", lambda b: b.update(order_id=None), "order_id"),
    ("order.shipped__one_parcel", lambda b: b.update(order_id=True), "order_id"),
    ("order.shipped__one_parcel", lambda b: b.pop("id"), "id"),
    ("order.shipped__one_parcel", lambda b: b.pop("status"), "status"),
    ("order.shipped__one_parcel", lambda b: b.update(status=7), "status"),
    ("order.shipped__one_parcel", lambda b: b.update(reference_id=["x"]), "reference_id"),
    ("order.shipped__one_parcel", lambda b: b.update(last_update_at="soon"), "last_update_at"),
    ("order.shipped__one_parcel", lambda b: b.update(tracking="1Z"), "tracking"),
    ("order.shipped__one_parcel", lambda b: b["tracking"].update(tracking_number=5), "tracking.tracking_number"),
    ("order.shipped__one_parcel", lambda b: b.update(products={}), "products"),
    ("order.shipped__one_parcel", lambda b: b.update(products=["x"]), "products"),
    ("order.shipped__one_parcel", lambda b: one(b).update(reference_id=None, sku=""), "products[0].reference_id"),
    ("order.shipped__one_parcel", lambda b: one(b).update(inventory_items=[]), "products[0].inventory_items"),
    (
        "order.shipped__one_parcel",
        lambda b: one(b)["inventory_items"][0].pop("quantity"),
        "products[0].inventory_items[0].quantity",
    ),
    (
        "order.shipped__one_parcel",
        lambda b: one(b)["inventory_items"][0].update(quantity=-1),
        "products[0].inventory_items[0].quantity",
    ),
    (
        "order.shipped__one_parcel",
        lambda b: one(b)["inventory_items"].append({"id": 5, "quantity": 9}),
        "products[0].inventory_items",
    ),
    ("polled.order__partly_shipped", lambda b: b.pop("id"), "id"),
    ("polled.order__partly_shipped", lambda b: b.update(shipments=7), "shipments"),
    ("polled.order__partly_shipped", lambda b: b["shipments"][1].pop("id"), "shipments[1].id"),
    ("polled.stock__two_centres", lambda b: b.pop("as_of"), "as_of"),
    ("polled.stock__two_centres", lambda b: b.pop("item"), "item"),
    ("polled.stock__two_centres", lambda b: b["item"].pop("inventory_id"), "item.inventory_id"),
    (
        "polled.stock__two_centres",
        lambda b: b["item"]["locations"][1].pop("on_hand_quantity"),
        "item.locations[1].on_hand_quantity",
    ),
]


@pytest.mark.parametrize(
    ("name", "spoil", "field"), DEFECTS, ids=[f"{n}-{f}-{i}" for i, (n, _, f) in enumerate(DEFECTS)]
)
def test_a_defect_is_named_by_field(name: str, spoil: Change, field: str) -> None:
    with pytest.raises(Unreadable) as met:
        said(name, spoil)
    assert met.value.field == field


def test_a_shipment_without_any_time_cannot_be_ordered() -> None:
    def forget(body: dict[str, Any]) -> None:
        for name in (
            "last_update_at",
            "last_tracking_update_at",
            "delivery_date",
            "actual_fulfillment_date",
            "created_date",
        ):
            body[name] = None

    with pytest.raises(Unreadable) as met:
        said("order.shipped__one_parcel", forget)
    assert met.value.field == "last_update_at"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe"])
def test_no_document_at_all(body: bytes) -> None:
    with pytest.raises(Unreadable) as met:
        read(ACCOUNT, Message("order.shipped", "msg_1", body))
    assert met.value.field == "body"


def test_what_was_cancelled_or_failed_may_leave_its_quantities_open() -> None:
    (told,) = shipments("order.shipment.cancelled__before_picking", lambda body: one(body).update(inventory_items=None))
    assert told.lines == (ShipmentLine(Decimal(1), "MUG-2"),)
