"""Drop-ship: a purchase order, the supplier's acknowledgement, his ship notice; refused, in part, unanswered, cancelled, on bad days."""

from __future__ import annotations

from typing import Any

import pytest

from tests.orders.places import in_force, shelves, text
from tests.orders.test_fulfilment import claims, hour_passes, waybill
from tests.world import World

BOUGHT = 'account = "maker"\npurchases = true\nanswers_within = 3600\n'


@pytest.fixture
def dropship(many: World) -> World:
    """The maker is bought from; another house of his, asked in the plain way, has the same."""
    rules = text("dropship").replace('account = "maker"\n', BOUGHT, 1)
    in_force(rules)
    return many


def follow(world: World) -> None:
    from tasks.feeds import fulfilled

    fulfilled.run()
    world.pump()


def placed(world: World) -> str:
    """An order that only the maker has; answers the purchase order's number."""
    shelves(world, maker_WB_TEE=9, maker_WB_MUG=9)
    world.order()
    world.pump()
    return f"{waybill(world)}-F1"


def legs(world: World) -> list[tuple[str, str, str]]:
    rows = world.rows("SELECT number, location, state FROM fulfilments ORDER BY id")
    return [(row.number.rpartition("-")[2], row.location, row.state) for row in rows]


def acknowledges(world: World, number: str, **said: Any) -> None:
    told = world.ask("maker", "POST", f"/_sim/purchases/{number}/acknowledgement", json=said)
    for _ in range(2):
        world.deliver("purchase.acknowledged", told, account="maker")
    world.pump()
    follow(world)


def sends(world: World, number: str, *lines: tuple[str, int]) -> None:
    rows = [{"sku": sku, "quantity": str(many)} for sku, many in lines] or None
    parcel = world.ask("maker", "POST", f"/_sim/purchases/{number}/shipments", json={"lines": rows})
    for _ in range(2):
        world.deliver("shipment.sent", parcel, account="maker")
    world.pump()


def taken_on(world: World) -> str:
    """An order of which the maker has acknowledged all; its purchase order's number."""
    number = placed(world)
    acknowledges(world, number)
    return number


def the_rest_leaves(world: World) -> None:
    """The centre sends what it was asked for in the maker's place, under another tracking number than his."""
    parcel = world.ask("warehouse", "POST", f"/_sim/requests/{waybill(world)}-F3/shipments", json={})
    parcel = {**parcel, "trackings": [{**one, "number": f"W{one['number']}"} for one in parcel["trackings"]]}
    world.deliver("shipment.sent", parcel, account="warehouse")
    world.pump()


def cancelled(world: World) -> None:
    """The customer calls off his one order."""
    (name,) = world.ask("shop", "GET", "/_sim/state")["orders"]
    world.deliver("order.cancelled", world.ask("shop", "POST", f"/_sim/orders/{name}/cancellation", json={}))
    world.pump()


def test_it_is_ordered_acknowledged_and_sent_by_the_supplier(dropship: World) -> None:
    number = placed(dropship)
    assert dropship.effects("maker")["purchases"] == {number: 1}
    assert dropship.effects("maker")["requests"] == {}
    assert legs(dropship) == [("F1", "maker", "requested")], "an order is no promise"
    assert dropship.effects("erp")["buys"] == {number: 1}
    acknowledges(dropship, number, promised_at="2026-12-01T00:00:00.000000Z")
    assert legs(dropship) == [("F1", "maker", "accepted")]
    assert f"{dropship.one('SELECT promised_at FROM fulfilments'):%Y-%m-%d}" == "2026-12-01"
    assert dropship.one("SELECT state FROM deadlines WHERE kind = 'answer'") == "met"
    sends(dropship, number)
    assert legs(dropship) == [("F1", "maker", "shipped")]
    assert dropship.one("SELECT state FROM subjects WHERE kind = 'order'") == "shipped"
    assert sum(dropship.effects("erp")["deliveries"].values()) == 1
    (arrived,) = dropship.ask("erp", "GET", "/_sim/state")["arrivals"].values()
    assert [(one["sku"], one["quantity"]) for one in arrived["body"]["lines"]] == [("WB-TEE", "2"), ("WB-MUG", "1")]
    made = [
        call.operation.partition(".")[0]
        for call in dropship.simulators["erp"].calls
        if call.operation.endswith(".create")
    ]
    assert made == ["bookings", "buys", "arrivals", "deliveries"], (
        "it is received of the supplier before it leaves for the customer"
    )
    assert sum(dropship.effects("shop")["dispatches"].values()) == 1
    assert claims(dropship) == 0
    assert dropship.settled()


def test_what_he_refuses_is_offered_elsewhere(dropship: World) -> None:
    number = placed(dropship)
    shelves(dropship, store_WB_TEE=9, store_WB_MUG=9)
    acknowledges(dropship, number, lines=[])
    assert legs(dropship) == [("F1", "maker", "rejected"), ("F2", "store", "requested")]
    assert claims(dropship) == 3
    assert dropship.effects("erp")["cancelled"] == {f"buys {number}": 1}


def test_what_he_sends_in_part_is_kept_and_the_rest_is_offered_elsewhere(dropship: World) -> None:
    number = placed(dropship)
    shelves(dropship, dc_WB_TEE=9, dc_WB_MUG=9)
    acknowledges(dropship, number, lines=[{"sku": "WB-TEE", "quantity": "1"}, {"sku": "WB-MUG", "quantity": "1"}])
    assert legs(dropship) == [("F1", "maker", "accepted"), ("F2", "maker", "rejected"), ("F3", "dc", "accepted")]
    asked = dropship.rows(
        "SELECT number, l->>'sku' AS sku, l->>'quantity' AS n FROM fulfilments, jsonb_array_elements(lines) l ORDER BY id"
    )
    assert [(row.sku, row.n) for row in asked] == [("WB-TEE", "1"), ("WB-MUG", "1"), ("WB-TEE", "1"), ("WB-TEE", "1")]
    assert dropship.effects("erp")["amended"] == {number: "1 WB-TEE, 1 WB-MUG; ; "}
    sends(dropship, number, ("WB-TEE", 1), ("WB-MUG", 1))
    assert sum(dropship.effects("erp")["arrivals"].values()) == 1
    the_rest_leaves(dropship)
    assert dropship.one("SELECT state FROM subjects WHERE kind = 'order'") == "shipped"
    assert claims(dropship) == 0
    assert dropship.settled()


def test_no_answer_by_the_hour_is_a_no_and_the_purchase_order_is_cancelled(dropship: World) -> None:
    number = placed(dropship)
    shelves(dropship, dc_WB_TEE=9, dc_WB_MUG=9)
    hour_passes(dropship)
    assert legs(dropship) == [("F1", "maker", "timed_out")], "he must let go of it first"
    assert dropship.effects("maker")["cancelled"] == {f"purchases {number}": 1}
    follow(dropship)
    assert legs(dropship) == [("F1", "maker", "timed_out"), ("F2", "dc", "accepted")]
    follow(dropship)
    told = {"id": "late", "request": number, "status": "pending", "updated_at": "2046-12-01T00:00:00.000000Z"}
    late = {**told, "lines": [{"sku": "WB-TEE", "quantity": "2"}], "trackings": []}
    dropship.deliver("purchase.acknowledged", late, account="maker")
    dropship.pump()
    assert legs(dropship)[0] == ("F1", "maker", "timed_out"), "what he says now is too late"
    assert dropship.settled()


def test_a_cancellation_takes_the_purchase_order_back(dropship: World) -> None:
    """Pain 18: claims and orders after the compensation are what they were before."""
    before = claims(dropship)
    number = taken_on(dropship)
    cancelled(dropship)
    assert legs(dropship) == [("F1", "maker", "cancelled")]
    assert dropship.effects("maker")["cancelled"] == {f"purchases {number}": 1}
    assert dropship.effects("erp")["cancelled"][f"buys {number}"] == 1
    assert claims(dropship) == before
    assert dropship.settled()


def test_what_has_left_the_supplier_is_not_taken_back_and_somebody_is_told(dropship: World) -> None:
    number = taken_on(dropship)
    dropship.ask("maker", "POST", f"/_sim/purchases/{number}/shipments", json={})  # his notice is still on its way
    cancelled(dropship)
    assert dropship.states()["order_purchased.withdraw_purchase_order"] == "dead"
    assert dropship.one("SELECT code FROM cases WHERE kind = 'dead'") == "shipped"
    assert f"buys {number}" not in dropship.effects("erp")["cancelled"], "what he sent is still bought of him"


def test_another_house_cannot_acknowledge_it(dropship: World) -> None:
    number = placed(dropship)
    told = dropship.ask("maker", "POST", f"/_sim/purchases/{number}/acknowledgement", json={"lines": []})
    dropship.deliver("purchase.acknowledged", told, account="warehouse")
    dropship.pump()
    assert legs(dropship) == [("F1", "maker", "requested")]


@pytest.mark.parametrize("fault", ["commit_then_drop", "drop", "server_error", "commit_late"])
def test_a_bad_day_orders_once_and_cancels_once(dropship: World, fault: str) -> None:
    dropship.bad_day("maker", fault, operations=("purchases.create", "purchases.cancel"), times=2, value=0.5)
    number = placed(dropship)
    assert dropship.effects("maker")["purchases"] == {number: 1}
    dropship.good_day("maker")
    dropship.bad_day("maker", fault, operations=("purchases.cancel",), times=1, value=0.5)
    cancelled(dropship)
    assert dropship.effects("maker")["cancelled"] == {f"purchases {number}": 1}
    assert claims(dropship) == 0
    assert dropship.settled()


def test_endless_aisle_an_order_taken_in_the_store_is_sent_from_elsewhere(dropship: World) -> None:
    """The store that took it has none; the supplier sends one part, the centre another; the store's till sold nothing."""
    shelves(dropship, dc_WB_MUG=9, maker_WB_TEE=9)
    dropship.order(note="taken at the counter")
    dropship.pump()
    assert legs(dropship) == [("F1", "dc", "accepted"), ("F2", "maker", "requested")]
    number = f"{waybill(dropship)}-F2"
    acknowledges(dropship, number)
    sends(dropship, number)
    assert dropship.one("SELECT count(*) FROM movements WHERE kind = 'sale'") == 0
    assert dropship.one("SELECT state FROM subjects WHERE kind = 'order'") == "partly shipped"


def short(world: World, number: str, status: str, *lines: tuple[str, int], account: str = "maker") -> None:
    """His word that pieces of a purchase order will not leave, twice."""
    rows = [{"sku": sku, "line_id": "", "quantity": str(many)} for sku, many in lines]
    told = {"id": f"short-{status}", "request": number, "status": status, "lines": rows, "trackings": []}
    for _ in range(2):
        world.deliver("shipment.sent", {**told, "updated_at": "2046-12-01T00:00:00.000000Z"}, account=account)
    world.pump()
    follow(world)


def what(world: World) -> list[tuple[str, str, str]]:
    found = world.rows(
        "SELECT f.location, f.state, string_agg((l->>'quantity') || ' ' || (l->>'sku'), ', ' ORDER BY l->>'sku') AS what "
        "FROM fulfilments f, jsonb_array_elements(f.lines) l GROUP BY f.id ORDER BY f.id"
    )
    return [tuple(row) for row in found]


def test_what_he_takes_back_after_he_has_acknowledged_goes_elsewhere_and_is_bought_of_him_no_more(
    dropship: World,
) -> None:
    number = taken_on(dropship)
    shelves(dropship, store_WB_TEE=9, store_WB_MUG=9)
    less = [{"sku": "WB-TEE", "quantity": "1"}, {"sku": "WB-MUG", "quantity": "1"}]
    acknowledges(dropship, number, lines=less, promised_at="2026-12-03T00:00:00.000000Z")
    kept = [
        ("maker", "accepted", "1 WB-MUG, 1 WB-TEE"),
        ("maker", "rejected", "1 WB-TEE"),
        ("store", "requested", "1 WB-TEE"),
    ]
    assert what(dropship) == kept
    assert f"{dropship.one('SELECT promised_at FROM fulfilments ORDER BY id LIMIT 1'):%Y-%m-%d}" == "2026-12-03"
    assert dropship.effects("erp")["amended"] == {number: "1 WB-TEE, 1 WB-MUG; ; "}
    acknowledges(dropship, number)
    assert what(dropship) == kept, "an older word, that came late, brings nothing back"
    acknowledges(dropship, number, lines=[])
    assert what(dropship)[0] == ("maker", "rejected", "1 WB-MUG, 1 WB-TEE")
    assert what(dropship)[3:] == [("store", "requested", "1 WB-MUG, 1 WB-TEE")]
    assert dropship.effects("erp")["cancelled"] == {f"buys {number}": 1}
    assert dropship.effects("maker")["cancelled"] == {}, "he has let go of it by himself"
    assert claims(dropship) == 3
    assert dropship.settled()


def test_what_is_cancelled_at_his_house_after_a_first_parcel_comes_off_the_purchase_order(dropship: World) -> None:
    number = taken_on(dropship)
    sends(dropship, number, ("WB-TEE", 1))
    shelves(dropship, dc_WB_TEE=9, dc_WB_MUG=9)
    short(dropship, number, "cancelled", ("WB-TEE", 1), ("WB-MUG", 1))
    assert what(dropship) == [
        ("maker", "shipped", "1 WB-TEE"),
        ("maker", "rejected", "1 WB-MUG, 1 WB-TEE"),
        ("dc", "accepted", "1 WB-MUG, 1 WB-TEE"),
    ]
    assert dropship.effects("erp")["amended"] == {number: "1 WB-TEE; ; "}
    assert sum(dropship.effects("erp")["arrivals"].values()) == 1
    the_rest_leaves(dropship)
    assert dropship.one("SELECT state FROM subjects WHERE kind = 'order'") == "shipped"
    assert claims(dropship) == 0
    assert dropship.settled()


def test_what_he_cannot_send_for_now_is_taken_back_first_and_he_sends_the_others(dropship: World) -> None:
    number = taken_on(dropship)
    shelves(dropship, store_WB_TEE=9, store_WB_MUG=9)
    dropship.bad_day("maker", "commit_then_drop", operations=("purchases.cancel",), times=1)
    short(dropship, number, "failed", ("WB-TEE", 1))
    assert what(dropship) == [
        ("maker", "accepted", "1 WB-MUG, 1 WB-TEE"),
        ("maker", "rejected", "1 WB-TEE"),
        ("store", "requested", "1 WB-TEE"),
    ]
    assert dropship.effects("erp")["amended"] == {number: "1 WB-TEE, 1 WB-MUG; ; "}
    sends(dropship, number, ("WB-TEE", 1), ("WB-MUG", 1))
    assert legs(dropship)[0] == ("F1", "maker", "shipped")
    assert dropship.settled()


def test_where_nobody_else_has_it_somebody_is_asked_and_it_goes_on_once_there_is_stock(dropship: World) -> None:
    from tasks.feeds import backorders

    number = taken_on(dropship)
    acknowledges(dropship, number, lines=[{"sku": "WB-TEE", "quantity": "2"}])
    (case,) = dropship.rows("SELECT sentence, owner, remedy FROM cases WHERE code = 'unsourced' AND status = 'open'")
    assert "no location has 1 x WB-MUG" in case.sentence
    assert case.owner
    assert "Once there is stock it goes on by itself" in case.remedy
    shelves(dropship, dc_WB_MUG=1)
    backorders.run()
    follow(dropship)
    assert what(dropship)[-1] == ("dc", "accepted", "1 WB-MUG")
    assert dropship.one("SELECT status FROM cases WHERE code = 'unsourced'") == "resolved"


def test_without_rules_a_warehouse_that_cannot_send_is_somebodys_until_nothing_is_left_to_send(acme: World) -> None:
    order = acme.order()
    acme.pump()
    number = waybill(acme)
    short(acme, number, "failed", ("WB-TEE", 1), account="warehouse")
    (case,) = acme.rows("SELECT sentence, owner, remedy, status FROM cases WHERE code = 'cannot_send'")
    assert case.sentence == f"warehouse cannot send 1 x WB-TEE of {number} ({order['number']})."
    assert (case.status, bool(case.owner), "No sourcing rules" in case.remedy) == ("open", True, True)
    parcel = acme.ask("warehouse", "POST", f"/_sim/requests/{number}/shipments", json={})
    acme.deliver("shipment.sent", parcel, account="warehouse")
    acme.pump()
    assert acme.one("SELECT status FROM cases WHERE code = 'cannot_send'") == "resolved"
    assert acme.settled()


def test_without_rules_the_cancelled_request_of_before_an_edit_says_nothing(acme: World) -> None:
    from tests.orders.test_fulfilment import edited

    order = acme.order()
    acme.pump()
    edited(acme, order, "1")
    short(acme, waybill(acme), "cancelled", account="warehouse")
    assert acme.one("SELECT count(*) FROM cases WHERE code = 'cannot_send'") == 0
    again = acme.one("SELECT theirs FROM links WHERE kind = 'reference' AND account = 'warehouse'")
    short(acme, again, "failed", account="warehouse")
    assert "1 x WB-TEE, 1 x WB-MUG" in acme.one("SELECT sentence FROM cases WHERE code = 'cannot_send'")
    acme.deliver("order.cancelled", acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={}))
    acme.pump()
    assert acme.one("SELECT status FROM cases WHERE code = 'cannot_send'") == "resolved"
