"""An order is asked for once, whatever becomes of the answer, and only what is to be shipped is asked for."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import requests

from connectors.canonical.party import Address
from connectors.canonical.product import Component, ProductKind
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus
from connectors.kit.errors import Ambiguous, Missing, NotOffered, Rejected, Throttled, Transient, Trouble, Unauthorized
from tests.connectors.shipbob.conftest import House, MakeHouse, SameCodes, line, order, run, until

ONE = Decimal(1)


def asked(house: House) -> Any:
    """The body of the last Create Order that was sent."""
    return json.loads(next(e.request for e in reversed(house.exchanges) if e.operation == "orders.create"))


def test_asked_once(house: MakeHouse) -> None:
    at = house()
    made = run(at.shipbob.request(order(), key="k1", reference="WB-1"))
    assert at.effects()["WB-1"] == {
        "count": 1,
        "ids": [int(made)],
        "status": "Processing",
        "cancelled": False,
        "lines": {"MUG-1": 2, "MUG-2": 1},
        "shipments": [],
    }
    assert asked(at) == {
        "reference_id": "WB-1",
        "order_number": "#1001",
        "type": "DTC",
        "shipping_method": "Standard",
        "purchase_date": "2026-11-20T09:30:00+00:00",
        "recipient": {
            "name": "Ada Example",
            "email": "ada@example.com",
            "phone_number": "+12175550100",
            "address": {
                "address1": "12 Elm Street",
                "address2": "Flat 3",
                "company_name": None,
                "city": "Springfield",
                "state": "IL",
                "country": "US",
                "zip_code": "62701",
            },
        },
        "products": [
            {
                "external_line_id": 1,
                "reference_id": "MUG-1",
                "sku": "MUG-1",
                "name": "Mug 1",
                "quantity": 2,
                "unit_price": 12.30,
            },
            {
                "external_line_id": 2,
                "reference_id": "MUG-2",
                "sku": "MUG-2",
                "name": "Mug 2",
                "quantity": 1,
                "unit_price": 12.30,
            },
        ],
        "tags": [{"name": "waybill", "value": "WB-1"}, {"name": "waybill-key", "value": "k1"}],
        "financials": {"total_price": 36.90},
    }


def test_the_write_is_linked_to_the_order(house: MakeHouse) -> None:
    write = next(house().shipbob.request(order(), key="k", reference="WB-1"))
    assert (write.name, write.links) == ("request", (("request", "5001"),))


def test_token_and_channel_go_along_and_the_token_is_not_kept(house: MakeHouse) -> None:
    at = house()
    run(at.shipbob.request(order(), key="k", reference="WB-1"))
    (seen,) = at.exchanges
    assert seen.request_headers["authorization"] == "***"
    assert seen.request_headers["shipbob_channel_id"] == "4001"
    assert "pat-demo" not in repr(at.exchanges)
    assert at.limits.operations == ["orders.create"]


# ---- what is asked for


def test_a_bundle_is_shipped_by_its_parts(house: MakeHouse) -> None:
    at = house()
    parent = line(1, sku="SET", kind=ProductKind.BUNDLE)
    parts = (line(2, bundle_id="L1", quantity=Decimal(4), current_quantity=Decimal(4)), line(3, bundle_id="L1"))
    named = line(
        4, sku="BOX", kind=ProductKind.BUNDLE, components=(Component("MUG-2", Decimal(2)), Component("LID", ONE))
    )
    run(at.shipbob.request(order(parent, *parts, named), key="k", reference="WB-1"))
    assert at.effects()["WB-1"]["lines"] == {"MUG-2": 4 + 2 * 2, "MUG-3": 2, "LID": 2}


def test_what_needs_no_shipping_is_left_out(house: MakeHouse) -> None:
    at = house()
    lines = (
        line(1),
        line(2, requires_shipping=False),
        line(3, kind=ProductKind.GIFT_CARD),
        line(4, current_quantity=Decimal(0)),
    )
    run(at.shipbob.request(order(*lines), key="k", reference="WB-1"))
    assert at.effects()["WB-1"]["lines"] == {"MUG-1": 2}


def test_what_the_customer_took_along_is_not_shipped_again(house: MakeHouse) -> None:
    at = house()
    taken = Shipment("F1", ShipmentStatus.DELIVERED, (ShipmentLine(ONE, "MUG-1", "L1"),))
    planned = Shipment("F2", ShipmentStatus.PENDING, (ShipmentLine(ONE, "MUG-2", "L2"),))
    run(at.shipbob.request(order(shipments=(taken, planned)), key="k", reference="WB-1"))
    assert at.effects()["WB-1"]["lines"] == {"MUG-1": 1, "MUG-2": 1}


def test_two_lines_of_one_sku_are_one_product(house: MakeHouse) -> None:
    at = house()
    run(
        at.shipbob.request(order(line(1), line(2, sku="MUG-1", current_quantity=Decimal(3))), key="k", reference="WB-1")
    )
    assert at.effects()["WB-1"]["lines"] == {"MUG-1": 5}


def test_prices_are_sent_in_dollars_only(house: MakeHouse) -> None:
    at = house()
    run(at.shipbob.request(replace(order(), currency="EUR"), key="k", reference="WB-1"))
    assert "financials" not in asked(at)
    assert all("unit_price" not in product for product in asked(at)["products"])


def test_method_and_centre_as_the_account_wants_them(house: MakeHouse) -> None:
    at = house()
    run(at.with_settings(shipping_methods="mapped", location_id="12").request(order(), key="k", reference="WB-1"))
    assert (asked(at)["shipping_method"], asked(at)["location_id"]) == ("ground", 12)


def test_nothing_to_ship_is_skipped(house: MakeHouse) -> None:
    at = house()
    with pytest.raises(NotOffered) as met:
        run(at.shipbob.request(order(line(1, requires_shipping=False)), key="k", reference="WB-1"))
    assert met.value.code == "nothing_to_ship"
    assert at.exchanges == []


def test_an_unmapped_sku_waits_for_its_code(house: MakeHouse) -> None:
    at = house()
    at.connection = replace(at.connection, codes=SameCodes(missing=("MUG-2",)))
    with pytest.raises(Missing) as met:
        run(at.shipbob.request(order(), key="k", reference="WB-1"))
    assert (met.value.kind, met.value.value) == ("sku", "MUG-2")
    assert at.exchanges == []


HOME = Address("Ada Example", line1="12 Elm Street", city="Springfield", region="IL", postcode="62701", country="US")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"shipping": None}, "shipping"),
        ({"shipping": replace(HOME, line1="")}, "shipping.line1"),
        ({"shipping": replace(HOME, city="")}, "shipping.city"),
        ({"shipping": replace(HOME, country="")}, "shipping.country"),
        ({"shipping": replace(HOME, name=""), "customer": None}, "shipping.name"),
        ({"lines": (line(1, sku=""),)}, "lines[0].sku"),
        ({"lines": (line(1, current_quantity=Decimal("0.5")),)}, "lines[0].quantity"),
    ],
)
def test_what_a_person_must_mend_is_named_before_anything_is_sent(
    house: MakeHouse, changes: dict[str, Any], field: str
) -> None:
    at = house()
    with pytest.raises(Rejected) as met:
        run(
            at.shipbob.request(
                order(**changes) if "lines" not in changes else order(*changes["lines"]), key="k", reference="WB-1"
            )
        )
    assert met.value.field == field
    assert met.value.remedy
    assert at.exchanges == []


# ---- what becomes of the answer


def test_answer_lost_then_found(house: MakeHouse) -> None:
    at = house()
    at.fault("commit_then_drop", times=1)
    write = next(at.shipbob.request(order(), key="k", reference="WB-1"))
    with pytest.raises(Ambiguous):
        write.send()
    assert write.find() == str(at.effects()["WB-1"]["ids"][0])
    assert write.send() == write.find(), "even asked again, ShipBob's 422 leads to the first one"
    assert at.effects()["WB-1"]["count"] == 1


def test_dropped_before_it_was_done(house: MakeHouse) -> None:
    at = house()
    at.fault("drop", times=1)
    write = next(at.shipbob.request(order(), key="k", reference="WB-1"))
    with pytest.raises(Ambiguous):
        write.send()
    assert write.find() is None
    write.send()
    assert at.effects()["WB-1"]["count"] == 1


def test_done_late(house: MakeHouse) -> None:
    at = house()
    at.fault("commit_late", times=1, value=0.8)
    write = next(at.shipbob.request(order(), key="k", reference="WB-1"))
    with pytest.raises(Ambiguous):
        write.send()
    assert write.find() is None
    assert until(write.find) == str(at.effects()["WB-1"]["ids"][0])


def test_indexed_late(house: MakeHouse) -> None:
    at = house()
    at.fault("index_late", value=1.5)
    write = next(at.shipbob.request(order(), key="k", reference="WB-1"))
    made = write.send()
    assert write.find() is None
    with pytest.raises(Transient) as met:
        write.send()
    assert met.value.code == "not_listed_yet"
    assert until(write.find) == made
    assert at.effects()["WB-1"]["count"] == 1


def test_ten_at_once_are_one(house: MakeHouse) -> None:
    at, made = house(), []
    threads = [
        threading.Thread(target=lambda: made.append(run(at.shipbob.request(order(), key="k", reference="WB-1"))))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    assert len(made) == 10
    assert at.effects()["WB-1"]["count"] == 1


def test_another_channels_order_under_the_same_reference_is_not_ours(house: MakeHouse) -> None:
    at = house(channels={"4001": "ours", "4002": "theirs"})
    theirs = run(at.with_settings(channel_id="4002").request(order(), key="k", reference="WB-1"))
    write = next(at.shipbob.request(order(), key="k", reference="WB-1"))
    assert write.find() is None
    assert write.send() != theirs
    assert at.effects()["WB-1"]["count"] == 2


def test_a_reference_is_no_prefix_and_no_list(house: MakeHouse) -> None:
    at = house()
    run(at.shipbob.request(order(), key="k", reference="WB-10"))
    for other in ("WB-1", "wb-10", "WB-10,WB-1"):
        assert next(at.shipbob.request(order(), key="k", reference=other)).find() is None


def test_one_that_was_cancelled_there_is_a_persons(house: MakeHouse) -> None:
    at = house()
    run(at.shipbob.request(order(), key="k", reference="WB-1"))
    run(at.shipbob.cancel_request(order(), key="k", reference="WB-1"))
    with pytest.raises(Rejected) as met:
        run(at.shipbob.request(order(), key="k", reference="WB-1"))
    assert met.value.code == "cancelled_there"


def test_refused_by_field(house: MakeHouse) -> None:
    at = house()
    with pytest.raises(Rejected) as met:
        run(at.shipbob.request(order(shipping=replace(HOME, postcode="X")), key="k", reference="WB-1"))
    assert (met.value.code, met.value.field) == ("address", "recipient.address.zip_code")
    assert "ShipBob says: The zip code is not valid" in met.value.sentence
    assert met.value.remedy
    assert at.effects() == {}


def test_a_channel_without_write_scope(house: MakeHouse) -> None:
    with pytest.raises(Rejected) as met:
        run(house().with_settings(channel_id="9").request(order(), key="k", reference="WB-1"))
    assert met.value.code == "channel"


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        ("unavailable", Transient),
        ("broken", Ambiguous),
        ("truncated", Ambiguous),
        ("wrong_type", Ambiguous),
        ("refuse_auth", Unauthorized),
        ("throttle_silent", Throttled),
    ],
)
def test_bad_days(house: MakeHouse, fault: str, trouble: type[Trouble]) -> None:
    at = house()
    at.fault(fault, times=1)
    with pytest.raises(trouble):
        next(at.shipbob.request(order(), key="k", reference="WB-1")).send()


def test_slow_is_unknown(house: MakeHouse) -> None:
    at = house(timeout=0.2)
    at.fault("slow", times=1, value=0.6)
    with pytest.raises(Ambiguous):
        next(at.shipbob.request(order(), key="k", reference="WB-1")).send()
    assert until(at.effects)["WB-1"]["count"] == 1


def test_a_wrong_token_pauses_the_account(house: MakeHouse) -> None:
    at = house(token="another")
    with pytest.raises(Unauthorized):
        next(at.shipbob.request(order(), key="k", reference="WB-1")).send()


# ---- the limit


def test_too_fast_is_told_in_seconds_and_to_all_workers(house: MakeHouse) -> None:
    at = house(limit=1, window=30)
    write = next(at.shipbob.request(order(), key="k", reference="WB-1"))
    write.send()
    with pytest.raises(Throttled) as met:
        write.send()
    assert met.value.retry_after is not None
    assert 28 <= met.value.retry_after <= 30
    assert at.limits.blocked == [met.value.retry_after]
    assert at.exchanges[-1].answer_headers["x-remaining-calls"] == "0"
    assert set(json.loads(at.exchanges[-1].answer)) == {"statusCode", "message"}


def test_the_window_slides_and_is_never_overrun(house: MakeHouse) -> None:
    at = house(limit=10, window=0.5)
    passed: list[float] = []
    headers = {"authorization": "Bearer pat-demo"}
    end = time.monotonic() + 1.3
    while time.monotonic() < end:
        answer = requests.get(f"{at.url}/2026-01/channel", headers=headers, timeout=5)
        if answer.status_code == 200:
            passed.append(time.monotonic())
            assert "x-remaining-calls" in answer.headers
        else:
            assert answer.headers["x-retry-after"] == "1"
            time.sleep(0.02)
    assert 10 < len(passed) <= 31
    told = at.ask("limit")
    assert told["busiest"] == 10
    assert told["refused"] > 0
