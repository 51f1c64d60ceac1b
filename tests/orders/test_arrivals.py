"""Arrivals: a connected warehouse tells that goods came back; they are counted in, paid and booked as at the desk, once, whoever they name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.orders.test_returns import ask, count, shipped
from tests.world import World

MOVED = "SELECT kind, quantity FROM movements WHERE location = 'main' AND kind IN ('return', 'release', 'scrap', 'quarantine') ORDER BY number, n"
CASES = "SELECT code, owner, sentence, status FROM cases WHERE code = 'return_unmatched' ORDER BY id"


@pytest.fixture
def here(acme: World) -> World:
    from app.database import transaction

    with transaction() as tx:
        tx.exec_driver_sql(
            "INSERT INTO shelves (sku, location) VALUES ('WB-TEE', 'main'), ('WB-MUG', 'main') ON CONFLICT DO NOTHING"
        )
    return acme


def back(world: World, *lines: tuple[str, int, str], name: str = "", **more: Any) -> dict[str, Any]:
    """The warehouse has counted a parcel, and its webhook arrives."""
    rows = [{"sku": sku, "quantity": str(many), "condition": condition} for sku, many, condition in lines]
    told: dict[str, Any] = world.ask("warehouse", "POST", "/_sim/goods_back", json={"lines": rows, **more})
    world.deliver("return.arrived", told, name, account="warehouse")
    world.pump()
    return told


def follow(world: World) -> None:
    from tasks.feeds import returned

    returned.run()
    world.pump()


def outcomes(world: World) -> list[str]:
    return [row.state for row in world.rows("SELECT state FROM events WHERE topic = 'return.arrived' ORDER BY id")]


def waybill(world: World) -> str:
    return str(world.one("SELECT waybill FROM subjects WHERE kind = 'order' ORDER BY id DESC LIMIT 1"))


def test_what_the_warehouse_counted_is_received_paid_and_booked_once(here: World) -> None:
    """Two pieces under our return's number: one on the shelf, one torn. Told again, late and out of order it changes nothing."""
    order = shipped(here)
    asked = ask(order, 2)
    told = back(here, ("WB-TEE", 1, "sellable"), ("WB-TEE", 1, "scrapped"), return_number=asked.number)
    row = here.rows("SELECT state, location, refunds, pending FROM return_requests")[0]
    assert (row.state, row.location, row.refunds) == ("scrapped", "main", [["card", "41.41"]])
    assert [(one.kind, one.quantity) for one in here.rows(MOVED)] == [
        ("return", 2),
        ("quarantine", -2),
        ("release", 1),
        ("release", 1),
        ("scrap", -1),
    ]
    shelf = here.one("SELECT sum(told) FROM shelves WHERE sku = 'WB-TEE' AND location = 'main'")
    assert here.one("SELECT count(*) FROM deadlines WHERE kind = 'refund' AND state = 'open'") == 1
    audited = here.rows("SELECT who, reason FROM audit WHERE action = 'receive return'")
    assert [(one.who, one.reason) for one in audited] == [("warehouse", f"received there as {told['id']}")]
    here.deliver("return.arrived", told, "again", account="warehouse")
    here.deliver("return.document", told, "polled", account="warehouse")
    older = {**told, "lines": [], "updated_at": "2026-01-01T00:00:00.000000Z"}
    here.deliver("return.arrived", older, "older", account="warehouse")
    follow(here)
    assert len(here.rows(MOVED)) == 5
    assert here.one("SELECT sum(told) FROM shelves WHERE sku = 'WB-TEE' AND location = 'main'") == shelf
    assert outcomes(here) == ["applied", "superseded", "superseded"]
    assert here.rows(CASES) == []
    paid = {"lines": [{"line_id": order["lines"][0]["id"], "quantity": "2"}]}
    here.deliver("refund.made", here.ask("shop", "POST", f"/_sim/orders/{order['id']}/refunds", json=paid))
    here.pump()
    assert here.one("SELECT state FROM return_requests") == "refunded"
    assert here.settled()


@pytest.mark.parametrize("name", ["request", "tracking", "number"])
def test_a_parcel_without_our_returns_number_finds_its_order(here: World, name: str) -> None:
    """By what it left under, by that parcel's number, or by the shop's own number of the order."""
    order = shipped(here)
    asked = ask(order, 1)
    tracking = here.one("SELECT theirs FROM links WHERE kind = 'tracking'")
    named = {"request": waybill(here), "tracking": tracking, "number": order["number"]}[name]
    back(here, ("WB-TEE", 1, "quarantined"), request=named)
    row = here.rows("SELECT number, state FROM return_requests")[0]
    assert (row.number, row.state) == (asked.number, "quarantined")
    assert outcomes(here) == ["applied"]


def test_goods_that_nobody_asked_for_are_a_case_until_their_return_is_allowed(here: World) -> None:
    """The parcel is refused at the customer's door: customer service sees it, allows the return, and it is counted in without another word."""
    order = shipped(here)
    back(here, ("WB-TEE", 1, "sellable"), request=waybill(here))
    (case,) = here.rows(CASES)
    said = (
        f"warehouse received 1 WB-TEE of order {order['number']} back (back-1), but no return of it was to bring that."
    )
    assert (case.owner, case.sentence, case.status) == ("customer service", said, "open")
    assert outcomes(here) == ["quarantined"]
    ask(order, 1)
    here.pump()
    assert here.one("SELECT state FROM return_requests") == "restocked"
    assert [row.status for row in here.rows(CASES)] == ["resolved"]


def test_what_cannot_be_matched_is_a_case_and_moves_nothing(here: World) -> None:
    order = shipped(here)
    ask(order, 1, "one")
    ask(order, 1, "two", exchange=())
    number = waybill(here)
    back(here, ("WB-TEE", 1, "sellable"))
    back(here, ("WB-CAP", 1, "sellable"), request=number)
    back(here, ("WB-TEE", 1, "sellable"), request=number, location="nowhere")
    back(here, request=number)
    assert outcomes(here) == ["quarantined"] * 4
    assert [row.sentence for row in here.rows(CASES)] == [
        "warehouse received back-1 back, which names no order of ours.",
        f"warehouse received 1 WB-CAP of order {order['number']} back (back-2), but no return of it was to bring that.",
        "There is no location nowhere. Known are: main.",
        "warehouse received back-4 with nothing in it.",
    ]
    assert here.rows(MOVED) == []


def test_what_the_desk_has_counted_is_known_and_another_count_is_a_case(here: World) -> None:
    order = shipped(here)
    asked = ask(order, 2)
    count(asked.number, order["lines"][0]["id"], 2)
    told = back(here, ("WB-TEE", 2, "sellable"), return_number=asked.number)
    assert outcomes(here) == ["superseded"]
    lines = [{"sku": "WB-TEE", "quantity": "1", "condition": "sellable"}]
    here.deliver(
        "return.arrived", {**told, "lines": lines, "updated_at": "2999-01-01T00:00:00Z"}, "anew", account="warehouse"
    )
    here.pump()
    assert outcomes(here) == ["superseded", "quarantined"]
    assert "what was counted before is not the same" in here.rows(CASES)[0].sentence
    assert here.one("SELECT sum(returned) FROM reservations") == Decimal(2)


def test_stock_that_the_warehouse_told_after_its_count_has_the_pieces_already(here: World) -> None:
    """Its word on the shelf overtakes its word on the parcel: one piece is for sale, not two."""
    order = shipped(here)
    asked = ask(order, 1)
    lines = [{"sku": "WB-TEE", "quantity": "1", "condition": "sellable"}]
    counted = {"lines": lines, "return_number": asked.number}
    told = here.ask("warehouse", "POST", "/_sim/goods_back", json=counted)
    shelf = {"sku": "WB-TEE", "location": "main", "available": "7"}
    here.deliver("stock.changed", here.ask("warehouse", "POST", "/_sim/stock", json=shelf), account="warehouse")
    here.pump()
    stands = "SELECT told FROM shelves WHERE sku = 'WB-TEE' AND location = 'main'"
    assert here.one(stands) == 7
    here.deliver("return.arrived", told, account="warehouse")
    here.pump()
    assert here.one("SELECT state FROM return_requests") == "restocked"
    assert here.one("SELECT count(*) FROM movements WHERE kind = 'return'") == 1
    assert here.one(stands) == 7
