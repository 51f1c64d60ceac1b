"""Split orders over a distribution centre, a store and a supplier; pickup in store; each good day, twice, refused, overtaken."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from app.journal import actions
from app.orders import fulfilling, pickups
from app.orders.refused import Refused
from connectors.acme.simulator_goods import totals
from tests.orders.places import shelves
from tests.world import World

PICKUP = {"kind": "pickup", "location": "store", "person": ""}


def says(world: World, call: Callable[..., Any], *told: Any) -> Any:
    """What a location says by our own API, and what the workers do about it."""
    from app.bell import ring
    from app.database import transaction
    from tasks.feeds import fulfilled

    with transaction() as tx:
        rings = call(tx, *told)
    ring(rings)
    fulfilled.run()
    world.pump()
    return rings


def requests(world: World) -> dict[str, tuple[str, str]]:
    return {
        row.location: (row.number, row.state)
        for row in world.rows("SELECT location, number, state FROM fulfilments ORDER BY id")
    }


def waybill(world: World) -> str:
    return str(world.one("SELECT waybill FROM subjects WHERE kind = 'order' ORDER BY id DESC LIMIT 1"))


def hour_passes(world: World) -> None:
    from app.database import transaction
    from tasks.feeds import deadlines, fulfilled

    with transaction() as tx:
        tx.exec_driver_sql("UPDATE deadlines SET due_at = now() - interval '1 second' WHERE state = 'open'")
    deadlines.run()
    fulfilled.run()
    world.pump()


def parcel(world: World, account: str, number: str) -> None:
    """Each house of Acme's counts its parcels from one: told apart by who sent it, as carriers' numbers are in life."""
    sent = world.ask(account, "POST", f"/_sim/requests/{number}/shipments", json={})
    numbered = [{**one, "number": f"{account}-{one['number']}"} for one in sent["trackings"]]
    world.deliver("shipment.sent", {**sent, "trackings": numbered}, account=account)
    world.pump()


def claims(world: World) -> int:
    return int(world.one("SELECT coalesce(sum(quantity - shipped), 0) FROM reservations WHERE state = 'open'"))


def test_an_order_of_three_legs_is_asked_for_sent_and_told_leg_by_leg(many: World) -> None:
    """Pain 37: three shipments, three numbers; each is booked and told as it leaves, and together they are the order."""
    shelves(many, dc_WB_TEE=1, store_WB_MUG=1, maker_WB_TEE=1)
    order = many.order()
    many.pump()
    asked = requests(many)
    assert {where: state for where, (_, state) in asked.items()} == {
        "dc": "accepted",
        "store": "requested",
        "maker": "accepted",
    }
    assert many.effects("warehouse")["requests"] == {asked["dc"][0]: 1}
    assert many.effects("maker")["requests"] == {asked["maker"][0]: 1}
    store = asked["store"][0]
    for _ in range(2):
        says(many, fulfilling.accept, store, "the store")
    parcel(many, "warehouse", asked["dc"][0])
    assert many.one("SELECT state FROM subjects WHERE kind = 'order'") == "partly shipped"
    parcel(many, "maker", asked["maker"][0])
    for _ in range(2):
        says(many, fulfilling.ship, store, "the store", [{"number": "ST1", "carrier": "dhl"}])
    assert many.one("SELECT state FROM subjects WHERE kind = 'order'") == "shipped"
    assert sum(many.effects("erp")["deliveries"].values()) == 3
    told = many.ask("shop", "GET", "/_sim/state")["orders"][order["id"]]["shipments"]
    assert len(told) == 3
    assert {where: state for where, (_, state) in requests(many).items()} == dict.fromkeys(
        ("dc", "store", "maker"), "shipped"
    )
    assert claims(many) == 0
    assert many.settled()


def test_a_store_that_rejects_or_does_not_answer_is_passed_over_and_at_last_a_person_looks(many: World) -> None:
    shelves(many, store_WB_TEE=9, store_WB_MUG=9, maker_WB_TEE=9, maker_WB_MUG=9)
    many.order()
    many.pump()
    assert requests(many)["store"][1] == "requested"
    says(many, fulfilling.reject, requests(many)["store"][0], "the store", "not on the shelf")
    assert {where: state for where, (_, state) in requests(many).items()} == {"store": "rejected", "maker": "accepted"}
    assert (
        many.one(
            "SELECT sum((l->>'quantity')::int) FROM fulfilments f, jsonb_array_elements(f.lines) l WHERE state = 'accepted'"
        )
        == 3
    )
    assert many.one("SELECT reason FROM audit WHERE action = 'reject fulfilment'") == "not on the shelf"
    with pytest.raises(Refused) as late:
        says(many, fulfilling.accept, requests(many)["store"][0], "the store")
    assert late.value.code == "is_rejected"


def test_silence_is_a_no_and_an_answer_in_time_is_not_undone_by_the_clock(many: World) -> None:
    shelves(many, store_WB_TEE=9, store_WB_MUG=9, maker_WB_TEE=9, maker_WB_MUG=9)
    many.order()
    many.pump()
    hour_passes(many)
    assert {where: state for where, (_, state) in requests(many).items()} == {"store": "timed_out", "maker": "accepted"}
    many.order()
    many.pump()
    second = many.one("SELECT number FROM fulfilments WHERE state = 'requested'")
    says(many, fulfilling.accept, second, "the store")
    hour_passes(many)
    assert many.one("SELECT state FROM fulfilments WHERE number = :n", n=second) == "accepted"


def test_a_cancellation_takes_every_leg_back(many: World) -> None:
    """Pain 18: after the compensation the claims and the requests are what they were before."""
    shelves(many, dc_WB_TEE=1, store_WB_MUG=1, maker_WB_TEE=1)
    order = many.order()
    many.pump()
    many.deliver("order.cancelled", many.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={}))
    many.pump()
    assert {state for _, state in requests(many).values()} == {"cancelled"}
    for account in ("warehouse", "maker"):
        assert len(many.effects(account)["cancelled"]) == 1
    assert claims(many) == 0
    assert many.one("SELECT count(*) FROM deadlines WHERE state = 'open' AND kind <> 'reconcile'") == 0
    with pytest.raises(Refused):
        says(many, fulfilling.accept, requests(many)["store"][0], "the store")
    assert many.settled()


def test_an_edit_is_sourced_anew(many: World) -> None:
    shelves(many, dc_WB_TEE=9, dc_WB_MUG=9)
    order = many.order()
    many.pump()
    lines = [{**line, "current_quantity": "1"} for line in order["lines"]]
    many.deliver("order.changed", many.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"lines": lines}))
    many.pump()
    follow(many)
    rows = many.rows("SELECT number, state FROM fulfilments ORDER BY id")
    assert [(row.number.rpartition("-")[2], row.state) for row in rows] == [("F1", "cancelled"), ("F2", "accepted")]
    assert len(many.effects("warehouse")["requests"]) == 2
    assert len(many.effects("warehouse")["cancelled"]) == 1
    assert claims(many) == 2
    assert many.settled()


def test_a_pickup_is_reserved_set_out_told_and_handed_over_to_who_shows_the_code(many: World) -> None:
    shelves(many, store_WB_TEE=5, store_WB_MUG=5, dc_WB_TEE=9, dc_WB_MUG=9)
    order = many.order(delivery=PICKUP)
    many.pump()
    assert list(requests(many)) == ["store"], "what is to be fetched at the store is asked of the store alone"
    number = requests(many)["store"][0]
    assert claims(many) == 3
    with pytest.raises(Refused):
        says(many, pickups.collect, number, "the store", "000000x")
    says(many, fulfilling.accept, number, "the store")
    for _ in range(2):
        says(many, pickups.ready, number, "the store", 7200.0)
    assert [name for name in many.effects("letters")["letters"] if "ready_for_pickup" in name]
    assert many.calls("letters", "letters.create") == 1, "told once"
    code = many.one("SELECT verify FROM fulfilments")
    for _ in range(2):
        says(many, pickups.collect, number, "the store", code)
    assert many.one("SELECT state FROM subjects WHERE kind = 'order'") == "shipped"
    assert many.one("SELECT state FROM order_states WHERE machine = 'order'") == "delivered"
    assert sum(many.effects("erp")["deliveries"].values()) == 1
    assert len(many.ask("shop", "GET", "/_sim/state")["orders"][order["id"]]["shipments"]) == 1
    assert claims(many) == 0
    assert many.settled()


def test_a_held_or_unpaid_pickup_is_not_handed_over_and_the_store_knows_why(many: World) -> None:
    from app.database import transaction
    from app.orders import holds, todo

    shelves(many, store_WB_TEE=5, store_WB_MUG=5)
    many.order(delivery=PICKUP)
    many.pump()
    number = requests(many)["store"][0]
    says(many, pickups.ready, number, "the store", 3600.0)
    with transaction() as tx:
        told: dict[str, Any] = {"owner": "finance", "seconds": 3600.0, "who": "anna", "note": "stolen card?"}
        hold = holds.place_by_hand(tx, waybill(many), many.one("SELECT subject_id FROM fulfilments"), "fraud", **told)
        seen = todo.waiting(tx, ["store"])[0]
    assert hold is not None
    assert (seen.not_yet, seen.verify[:22]) == ("The order is held.", "Ask for the six-digit ")
    code = many.one("SELECT verify FROM fulfilments")
    with pytest.raises(Refused) as refused:
        says(many, pickups.collect, number, "the store", code)
    assert refused.value.code == "not_yet"
    with transaction() as tx:
        holds.release_by_hand(tx, hold, "anna", "it was not")
    says(many, pickups.collect, number, "the store", code)
    many.order(delivery=PICKUP, payment_status="pending", payments=[_promised()])
    many.pump()
    with transaction() as tx:
        assert todo.waiting(tx, ["store"])[-1].not_yet == "It is not paid."


def _promised() -> dict[str, str]:
    return {"id": "p-1", "kind": "sale", "status": "pending", "tender": "bank", "gateway": "bank", "amount": "1.00"}


def test_two_orders_for_the_last_piece_at_a_location_are_not_both_sent_there(many: World) -> None:
    """Pain 15, at sourcing: both come in at once; the second sees what the first was given."""
    from concurrent.futures import ThreadPoolExecutor

    from tasks.receive import receive

    shelves(many, store_WB_TEE=2, store_WB_MUG=1, maker_WB_TEE=9, maker_WB_MUG=9)
    for _ in range(4):
        many.deliver("order.placed", many.place())
    events = [row.id for row in many.rows("SELECT id FROM events")]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(receive, events))
    given = many.rows(
        "SELECT location, sum((l->>'quantity')::int) AS n FROM fulfilments f, jsonb_array_elements(f.lines) l GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row) for row in given] == [("maker", 9), ("store", 3)]


def test_nobody_fetches_it(many: World) -> None:
    """A no-show is a case; more time is given, or it is put back: then the claim goes with the channel's cancellation."""
    shelves(many, store_WB_TEE=5, store_WB_MUG=5)
    order = many.order(delivery=PICKUP)
    many.pump()
    number = requests(many)["store"][0]
    says(many, pickups.ready, number, "the store", 3600.0)
    hour_passes(many)
    assert many.one("SELECT owner FROM cases WHERE code = 'no_show' AND status = 'open'") == "e-commerce"
    says(many, pickups.extend, number, "anna", "ill, comes tomorrow", 86400.0)
    assert many.one("SELECT count(*) FROM cases WHERE status = 'open'") == 0
    hour_passes(many)
    for _ in range(2):
        says(many, pickups.put_back, number, "anna", "did not come again")
    owed = many.rows("SELECT code, owner, account, sentence FROM cases WHERE status = 'open'")
    assert [(one.code, one.owner, one.account) for one in owed] == [("put_back", "customer service", "shop")]
    assert "2 x WB-TEE, 1 x WB-MUG are still sold and claimed" in owed[0].sentence
    with pytest.raises(Refused):
        says(many, pickups.collect, number, "the store", many.one("SELECT verify FROM fulfilments"))
    many.deliver("order.cancelled", many.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={}))
    many.pump()
    assert claims(many) == 0
    assert many.one("SELECT count(*) FROM cases WHERE status = 'open'") == 0
    assert many.settled()


@pytest.mark.parametrize("how", ["refunded", "refunded by lines", "sourced again"])
def test_what_was_put_back_is_somebodys_until_its_channel_or_somebody_else_has_it(many: World, how: str) -> None:
    from app.orders import planning

    shelves(many, store_WB_TEE=5, store_WB_MUG=5)
    order = many.order(delivery=PICKUP)
    many.pump()
    number = requests(many)["store"][0]
    says(many, pickups.ready, number, "the store", 3600.0)
    hour_passes(many)
    says(many, pickups.put_back, number, "anna", "did not come")
    waits = "SELECT count(*) FROM cases WHERE code = 'put_back' AND status = 'open'"
    first, second = order["lines"]
    if how == "sourced again":
        says(many, planning.by_hand, waybill(many), "anna", "comes on Monday")
        assert many.one(waits) == 0
        return
    part = {"lines": [{"line_id": first["id"], "quantity": "2"}]}
    refund = many.ask("shop", "POST", f"/_sim/orders/{order['id']}/refunds", json=part)
    many.deliver("refund.made", refund)
    many.pump()
    assert many.one(waits) == 1, "the mug is still sold"
    rest = {"lines": [{"line_id": second["id"], "quantity": "1"}]}
    money = Decimal(order["totals"]["total"]) - Decimal(refund["total"])
    refund = many.ask("shop", "POST", f"/_sim/orders/{order['id']}/refunds", json=rest)
    if how == "refunded":  # all the rest of the money, and no word of pieces
        refund = {
            **refund,
            "lines": [],
            "total": str(money),
            "payments": [{**refund["payments"][0], "amount": str(money)}],
        }
    many.deliver("refund.made", refund)
    many.pump()
    assert many.one(waits) == 0


def edited(world: World, order: dict[str, Any], tees: str, more: str = "") -> None:
    """So many tees are left of it, and a piece of `more` is added."""
    if more:
        world.code("erp", "sku", more, more)
    first, second = order["lines"]
    added = [{**second, "id": f"{order['id']}-9", "sku": more}] if more else []
    lines = [{**first, "current_quantity": tees}, second, *added]
    now = {"lines": lines, "totals": totals({**order, "lines": lines})}
    world.deliver("order.changed", world.ask("shop", "POST", f"/_sim/orders/{order['id']}", json=now))
    world.pump()


def follow(world: World) -> None:
    from tasks.feeds import backorders, fulfilled

    for _ in range(2):
        fulfilled.run()
        backorders.run()
        world.pump()


def test_an_edit_that_comes_too_late_sends_nothing_twice(many: World) -> None:
    """The centre has sent it already, its word is still on its way: what was withdrawn in vain is not asked of anybody else."""
    shelves(many, dc_WB_TEE=9, dc_WB_MUG=9, dc_WB_CAP=9, store_WB_TEE=9, store_WB_MUG=9, store_WB_CAP=9)
    order = many.order()
    many.pump()
    first = requests(many)["dc"][0]
    sent = many.ask("warehouse", "POST", f"/_sim/requests/{first}/shipments", json={})
    edited(many, order, "2", "WB-CAP")
    follow(many)
    assert many.states()["order_sourced.withdraw_from_location"] == "dead"
    assert many.one("SELECT count(*) FROM fulfilments") == 1
    many.deliver("shipment.sent", sent, account="warehouse")
    many.pump()
    follow(many)
    assert many.one("SELECT count(*) FROM fulfilments") == 1
    step = many.one("SELECT id FROM steps WHERE name = 'withdraw_from_location'")
    says(many, actions.cancel_steps, [step], "anna", "it has left")
    follow(many)
    rows = many.rows("SELECT l->>'sku' AS sku FROM fulfilments f, jsonb_array_elements(f.lines) l ORDER BY f.id, 1")
    assert [row.sku for row in rows] == ["WB-MUG", "WB-TEE", "WB-CAP"], "only what was added goes on"
    assert sum(many.effects("warehouse")["requests"].values()) == 2


def test_what_nobody_has_and_is_not_wanted_any_more_lacks_nowhere(many: World) -> None:
    shelves(many, dc_WB_MUG=9)
    order = many.order()
    many.pump()
    assert many.one("SELECT status FROM cases WHERE code = 'unsourced'") == "open"
    assert many.one("SELECT state FROM order_states WHERE machine = 'order'") == "released"
    parcel(many, "warehouse", requests(many)["dc"][0])
    edited(many, order, "0")
    follow(many)
    assert many.one("SELECT status FROM cases WHERE code = 'unsourced'") == "resolved"


@pytest.mark.parametrize("how", ["edited", "cancelled"])
def test_what_follows_a_first_parcel_and_is_not_wanted_any_more_is_told_to_a_person(many: World, how: str) -> None:
    shelves(many, dc_WB_TEE=9, dc_WB_MUG=9)
    order = many.order()
    many.pump()
    number = requests(many)["dc"][0]
    lines = {"lines": [{"sku": "WB-TEE", "quantity": "1"}]}
    many.deliver(
        "shipment.sent",
        many.ask("warehouse", "POST", f"/_sim/requests/{number}/shipments", json=lines),
        account="warehouse",
    )
    many.pump()
    if how == "edited":
        edited(many, order, "1")
        left = "1 x WB-TEE"
    else:
        many.deliver("order.cancelled", many.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={}))
        many.pump()
        left = "1 x WB-TEE, 1 x WB-MUG"
    follow(many)
    said = many.one("SELECT sentence FROM cases WHERE code = 'leaves_though_unwanted' AND status = 'open'")
    assert said == f"dc has begun to send {waybill(many)}: {left} will leave that are not wanted any more."
    assert sum(many.effects("warehouse")["requests"].values()) == 1


def test_what_is_asked_anew_leaves_once_the_others_have_let_go_of_it(many: World) -> None:
    shelves(many, dc_WB_TEE=9, dc_WB_MUG=9, dc_WB_CAP=9)
    order = many.order()
    many.pump()
    many.bad_day("warehouse", "unavailable", operations=("requests.cancel",), times=3)
    edited(many, order, "1", "WB-CAP")
    follow(many)
    asked = [row.state for row in many.rows("SELECT state FROM fulfilments ORDER BY id")]
    assert asked == ["cancelled", "accepted"]
    assert sum(many.effects("warehouse")["requests"].values()) == 2
    assert sum(many.effects("warehouse")["cancelled"].values()) == 1
    assert many.settled()


def test_a_request_of_which_a_part_has_left_covers_the_rest_of_it(many: World) -> None:
    shelves(many, dc_WB_TEE=2)
    many.order()
    many.pump()
    number = requests(many)["dc"][0]
    one = many.ask(
        "warehouse", "POST", f"/_sim/requests/{number}/shipments", json={"lines": [{"sku": "WB-TEE", "quantity": "1"}]}
    )
    many.deliver("shipment.sent", one, account="warehouse")
    many.pump()
    shelves(many, dc_WB_TEE=5, dc_WB_MUG=5)
    follow(many)
    rows = many.rows(
        "SELECT l->>'sku' AS sku, l->>'quantity' AS n FROM fulfilments f, jsonb_array_elements(f.lines) l ORDER BY f.id"
    )
    assert [(row.sku, row.n) for row in rows] == [("WB-TEE", "2"), ("WB-MUG", "1")]


def test_an_order_from_before_the_rules_stays_with_its_warehouse(acme: World) -> None:
    from app.orders import planning
    from tests.orders.places import in_force, text

    order = acme.order()
    acme.pump()
    in_force(text())
    shelves(acme, dc_WB_TEE=9, dc_WB_MUG=9, store_WB_TEE=9, store_WB_MUG=9)
    says(acme, planning.by_hand, waybill(acme), "anna", "why not")
    edited(acme, order, "1")
    follow(acme)
    assert acme.one("SELECT count(*) FROM fulfilments") == 0
    assert sum(acme.effects("warehouse")["requests"].values()) == 2
    assert sum(acme.effects("warehouse")["cancelled"].values()) == 1


def test_a_backorder_goes_out_once_there_is_stock_and_never_to_whoever_declined_it(many: World) -> None:
    from tasks.feeds import backorders, fulfilled

    shelves(many, store_WB_TEE=2, store_WB_MUG=1)
    many.order()
    many.pump()
    says(many, fulfilling.reject, requests(many)["store"][0], "the store", "broken")
    assert backorders.run() == "0 of 1 backorders were sourced"
    shelves(many, dc_WB_TEE=5)
    assert backorders.run() == "1 of 1 backorders were sourced"
    fulfilled.run()
    many.pump()
    assert {where: state for where, (_, state) in requests(many).items()} == {"store": "rejected", "dc": "accepted"}
    assert "1 x WB-MUG" in many.one("SELECT sentence FROM cases WHERE code = 'unsourced' AND status = 'open'")
    other = many.order()
    many.pump()
    many.deliver("order.cancelled", many.ask("shop", "POST", f"/_sim/orders/{other['id']}/cancellation", json={}))
    many.pump()
    assert many.one("SELECT count(*) FROM cases WHERE code = 'unsourced' AND status = 'open'") == 1
    shelves(many, dc_WB_MUG=5)
    assert backorders.run() == "1 of 1 backorders were sourced"
    fulfilled.run()
    many.pump()
    assert many.one("SELECT status FROM cases WHERE code = 'unsourced' ORDER BY id DESC") == "resolved"
    assert backorders.run() == "0 of 0 backorders were sourced"
    asked = (
        "SELECT sum((l->>'quantity')::int) FROM fulfilments f, jsonb_array_elements(f.lines) l WHERE state = 'accepted'"
    )
    assert many.one(asked) == 3


def test_what_nobody_has_is_a_case_with_the_pieces_and_goes_out_when_it_is_sourced_again(many: World) -> None:
    """A backorder."""
    from app.orders import planning

    shelves(many, store_WB_TEE=1)
    many.order()
    many.pump()
    assert "1 x WB-TEE, 1 x WB-MUG" in many.one("SELECT sentence FROM cases WHERE code = 'unsourced'")
    shelves(many, dc_WB_TEE=5, dc_WB_MUG=5)
    for _ in range(2):
        says(many, planning.by_hand, waybill(many), "anna", "a lorry came")
    assert many.effects("warehouse")["requests"] == {requests(many)["dc"][0]: 1}
    assert many.one("SELECT status FROM cases WHERE code = 'unsourced'") == "resolved"
    assert many.one("SELECT sum((l->>'quantity')::int) FROM fulfilments f, jsonb_array_elements(f.lines) l") == 3


def short(world: World, number: str, status: str, *lines: tuple[str, int]) -> None:
    """The centre's word that pieces of a request will not leave from there."""
    rows = [{"sku": sku, "line_id": "", "quantity": str(many)} for sku, many in lines]
    told = {"id": f"short-{status}", "request": number, "status": status, "lines": rows, "trackings": []}
    world.deliver("shipment.sent", {**told, "updated_at": "2046-12-01T00:00:00.000000Z"}, account="warehouse")
    world.pump()


def first_parcel(world: World) -> str:
    """Of two tees and a mug one tee has left the centre; the store and the maker have some of each."""
    shelves(world, dc_WB_TEE=9, dc_WB_MUG=9)
    world.order()
    world.pump()
    shelves(world, store_WB_TEE=9, store_WB_MUG=9)
    number = requests(world)["dc"][0]
    lines = {"lines": [{"sku": "WB-TEE", "quantity": "1"}]}
    sent = world.ask("warehouse", "POST", f"/_sim/requests/{number}/shipments", json=lines)
    world.deliver("shipment.sent", sent, account="warehouse")
    world.pump()
    return str(number)


def legs(world: World) -> list[tuple[str, str, str]]:
    found = world.rows(
        "SELECT f.location, f.state, string_agg((l->>'quantity') || ' ' || (l->>'sku'), ', ' ORDER BY l->>'sku') AS what "
        "FROM fulfilments f, jsonb_array_elements(f.lines) l GROUP BY f.id ORDER BY f.id"
    )
    return [tuple(row) for row in found]


def test_a_centre_that_cannot_send_the_rest_lets_go_of_it_before_anybody_else_is_asked(many: World) -> None:
    number = first_parcel(many)
    many.bad_day("warehouse", "unavailable", operations=("requests.cancel",), times=1)
    for _ in range(2):
        short(many, number, "failed", ("WB-TEE", 1), ("WB-MUG", 1))
    follow(many)
    sent, rest, store = legs(many)
    assert sent == ("dc", "shipped", "1 WB-TEE")
    assert rest == ("dc", "rejected", "1 WB-MUG, 1 WB-TEE")
    assert store == ("store", "requested", "1 WB-MUG, 1 WB-TEE")
    assert many.effects("warehouse")["cancelled"] == {f"requests {number}": 1}
    assert many.one("SELECT count(*) FROM cases WHERE status = 'open'") == 0
    says(many, fulfilling.ship, requests(many)["store"][0], "the store", [{"number": "ST1"}])
    assert many.one("SELECT state FROM subjects WHERE kind = 'order'") == "shipped"
    assert claims(many) == 0
    assert many.settled()


def test_what_may_have_left_after_all_is_asked_of_nobody_else(many: World) -> None:
    """The second parcel is out of the door when the withdrawal comes: refused there, it is a person's, and nothing is sent twice."""
    number = first_parcel(many)
    sent = many.ask(
        "warehouse", "POST", f"/_sim/requests/{number}/shipments", json={"lines": [{"sku": "WB-MUG", "quantity": "1"}]}
    )
    short(many, number, "failed", ("WB-TEE", 1), ("WB-MUG", 1))
    follow(many)
    assert many.states()["order_fell_short.withdraw_rest"] == "dead"
    assert [state for _, state, _ in legs(many)] == ["shipped", "rejected"]
    many.deliver("shipment.sent", {**sent, "trackings": [{"number": "second", "carrier": "dhl"}]}, account="warehouse")
    many.pump()
    follow(many)
    assert len(legs(many)) == 2, "until somebody decides"
    short(many, number, "cancelled", ("WB-TEE", 1))
    follow(many)
    assert legs(many)[2:] == [("store", "requested", "1 WB-TEE")], "the mug has left, the tee is cancelled there"


def test_what_a_centre_cancels_by_itself_is_passed_on_at_once(many: World) -> None:
    shelves(many, dc_WB_TEE=9, dc_WB_MUG=9)
    many.order()
    many.pump()
    shelves(many, store_WB_TEE=9, store_WB_MUG=9)
    short(many, requests(many)["dc"][0], "cancelled")
    follow(many)
    assert legs(many) == [("dc", "rejected", "1 WB-MUG, 2 WB-TEE"), ("store", "requested", "1 WB-MUG, 2 WB-TEE")]
    assert many.effects("warehouse")["cancelled"] == {}, "nothing is to be withdrawn"
    assert claims(many) == 3
