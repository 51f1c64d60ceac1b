"""The flows, on good days and bad: changed, shipped, refunded, stock told, parked, refused, out of order, twice, busy."""

from __future__ import annotations

from typing import Any

from tests.joined import anew
from tests.world import World

OPEN = "SELECT count(*) FROM steps WHERE state NOT IN ('done', 'skipped', 'cancelled')"


def shipped(world: World, order: dict[str, Any], lines: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """The warehouse sends a parcel, and its webhook arrives."""
    reference = world.one("SELECT waybill FROM subjects WHERE external_id = :id", id=order["id"])
    parcel = world.ask(
        "warehouse", "POST", f"/_sim/requests/{reference}/shipments", json={"lines": lines} if lines else {}
    )
    world.deliver("shipment.sent", parcel, account="warehouse")
    return parcel


def test_a_shipment_is_booked_confirmed_and_told(acme: World) -> None:
    order = acme.order()
    acme.pump()
    shipped(acme, order)
    acme.pump()
    assert sum(acme.effects("erp")["deliveries"].values()) == 1
    assert sum(acme.effects("shop")["dispatches"].values()) == 1
    assert sum(acme.effects("letters")["letters"].values()) == 1
    assert acme.one("SELECT count(*) FROM reservations WHERE state = 'committed'") == len(order["lines"])


def test_the_shop_tells_us_of_our_own_shipment(acme: World) -> None:
    """An echo starts nothing, whether it comes after our answer or before (pain 21)."""
    order = acme.order()
    acme.pump()
    shipped(acme, order)
    acme.pump()
    echo = acme.ask("shop", "GET", "/_sim/state")["orders"][order["id"]]
    assert echo["shipments"]
    acme.deliver("order.changed", echo)
    acme.pump()
    assert sum(acme.effects("erp")["deliveries"].values()) == 1
    assert acme.events() == {"applied": 2, "echo": 1}


def test_a_refund_is_credited_once(acme: World) -> None:
    order = acme.order()
    acme.pump()
    refund = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/refunds", json={})
    acme.deliver("refund.made", refund)
    acme.deliver("order.changed", acme.ask("shop", "GET", "/_sim/state")["orders"][order["id"]])
    acme.pump()
    assert acme.effects("erp")["credits"] == {f"shop-{refund['id']}": 1}


def test_a_refund_is_told_before_its_order(acme: World) -> None:
    order = acme.place()
    refund = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/refunds", json={})
    acme.deliver("refund.made", refund)
    acme.pump()
    assert acme.one("SELECT count(*) FROM runs") == 0
    acme.deliver("order.placed", order)
    acme.pump()
    assert acme.effects("erp")["credits"] == {f"shop-{refund['id']}": 1}
    assert acme.effects("erp")["bookings"] == {f"shop-{order['id']}": 1}


def test_an_edit_amends_the_booking_and_asks_the_warehouse_anew(acme: World) -> None:
    order = acme.order()
    acme.pump()
    lines = [{**line, "current_quantity": "1"} for line in order["lines"]]
    changed = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"lines": lines, "note": "one each"})
    acme.deliver("order.changed", changed)
    acme.pump()
    assert len(acme.effects("erp")["amended"]) == 1
    assert len(acme.effects("warehouse")["requests"]) == 2
    assert len(acme.effects("warehouse")["cancelled"]) == 1
    assert acme.one("SELECT sum(quantity) FROM reservations WHERE state = 'open'") == len(lines)


def test_an_edit_before_anything_was_done_is_merged(acme: World) -> None:
    order = acme.order()
    changed = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"note": "gift wrap"})
    acme.deliver("order.changed", changed)
    acme.pump()
    assert acme.effects("erp")["bookings"] == {f"shop-{order['id']}": 1}
    assert not acme.effects("erp")["amended"]


def test_an_unmapped_sku_parks_and_resumes_by_itself(acme: World) -> None:
    """Pain 13: one line unmapped, the order is kept, visible and parked; the mapping resumes it without a click."""
    from sqlalchemy import text

    from app.database import transaction

    with transaction() as tx:
        tx.execute(text("DELETE FROM codes WHERE ours = 'WB-MUG'"))
    order = acme.order()
    acme.pump()
    row = acme.rows("SELECT state, code, fact, sentence FROM steps WHERE name = 'book_order'")[0]
    assert (row.state, row.code, row.fact) == ("parked", "missing_sku", "erp:sku:WB-MUG")
    assert not acme.effects("erp")["bookings"]
    acme.code("erp", "sku", "WB-MUG", "WB-MUG")
    acme.pump()
    assert acme.effects("erp")["bookings"] == {f"shop-{order['id']}": 1}
    assert acme.states()["order_placed.acknowledge_order"] == "done"


def test_an_unknown_carrier_parks_the_shipment_and_its_arrival_tells_it(acme: World) -> None:
    """The warehouse ships with somebody whom the shop calls by a code of its own list: the order is booked, and only the shop's word waits."""
    with (acme.folder / "accounts.toml").open("a") as kept:
        kept.write('\n[shop.codes]\ncarrier = "mapped"\n')
    anew()
    order = acme.order()
    acme.pump()
    reference = acme.one("SELECT waybill FROM subjects WHERE external_id = :id", id=order["id"])
    parcel = acme.ask("warehouse", "POST", f"/_sim/requests/{reference}/shipments", json={})
    acme.deliver("shipment.sent", parcel, account="warehouse")
    acme.pump()
    row = acme.rows("SELECT state, code, fact, sentence FROM steps WHERE name = 'confirm_shipment'")[0]
    assert (row.state, row.code, row.fact) == ("parked", "missing_carrier", "shop:carrier:dhl")
    assert row.sentence == "Carrier dhl is not mapped for shop."
    assert acme.states()["order_shipped.record_shipment"] == "done"
    assert not acme.effects("shop")["dispatches"]
    acme.code("shop", "carrier", "dhl", "DHL-DE")
    acme.pump()
    assert list(acme.effects("shop")["dispatches"].values()) == [1]
    shown = acme.ask("shop", "GET", "/_sim/state")
    assert "DHL-DE" in str(shown)
    assert acme.settled()


def test_parking_reads_the_fact_once_more(acme: World) -> None:
    """The mapping arrives between the look and the parking: the step does not sleep on a fact that is there."""
    from app.database import transaction
    from tasks.engine.act import Acted
    from tasks.engine.conclude import conclude
    from tasks.engine.judge import Verdict
    from tasks.engine.loop import _claimed

    acme.order()
    acme.pump(until=lambda: acme.states().get("order_placed.book_order") == "ready")
    work = _claimed(acme.one("SELECT id FROM steps WHERE name = 'book_order'"), 4.0, 0.0)
    assert work is not None
    late = Verdict(
        "parked", "parked", untried=True, fact=("erp", "sku", "WB-MUG"), code="missing_sku", sentence="not mapped"
    )
    with transaction() as tx:
        conclude(tx, work, late, Acted())
    assert acme.states()["order_placed.book_order"] == "ready"


def test_a_refusal_is_dead_with_an_owner(acme: World) -> None:
    """A customer that the ERP refuses: a case with an owner; the retry after it was mended goes through under the same key."""
    from app.bell import ring
    from app.database import transaction
    from app.journal.actions import retry

    order = acme.order(customer={"id": "c-9", "email": "blocked@example.com"})
    acme.pump()
    step = acme.rows("SELECT id, state, code, sentence FROM steps WHERE name = 'book_order'")[0]
    assert step.state == "dead"
    assert step.sentence
    case = acme.rows("SELECT owner, status, kind FROM cases")[0]
    assert (case.owner, case.status, case.kind) == ("finance systems", "open", "dead")
    with transaction() as tx:
        rings = retry(tx, [step.id], "anna", "perhaps they unblocked it")
    ring(rings)
    acme.pump()
    assert acme.states()["order_placed.book_order"] == "dead"
    assert (
        acme.one("SELECT who || ': ' || reason FROM audit WHERE action = 'retry step'")
        == "anna: perhaps they unblocked it"
    )
    mended = acme.ask(
        "shop",
        "POST",
        f"/_sim/orders/{order['id']}",
        json={"customer": {**order["customer"], "email": "mended@example.com"}},
    )
    acme.deliver("order.changed", mended)
    acme.pump()
    assert acme.effects("erp")["bookings"] == {f"shop-{order['id']}": 1}
    assert acme.one("SELECT status FROM cases") == "resolved"


def test_the_same_delivery_twice_and_the_same_content_under_another_name(acme: World) -> None:
    """Pains 1, 2: a duplicate is counted, equal content with another time stamp is recorded and writes nothing."""
    order = acme.place()
    for n in range(4):
        acme.deliver("order.placed", {**order, "updated_at": f"2026-11-20T10:00:0{n}.000000Z"}, name=f"msg-{n}")
    assert not acme.deliver("order.placed", order, name="msg-0").fresh
    acme.pump()
    assert acme.one("SELECT count(*) FROM events") == 4
    assert acme.one("SELECT seen FROM deliveries WHERE delivery_id = 'msg-0'") == 2
    assert acme.calls("erp", "bookings.create") == 1
    assert acme.events() == {"applied": 1, "superseded": 3}


def test_stock_is_told_in_one_call_and_refusals_are_isolated(acme: World) -> None:
    """Pain 20: one bad item does not hold the batch back; what was told is not told again."""
    from tasks.feeds import publish

    for sku, available in (("WB-TEE", "40"), ("WB-MUG", "30"), ("WB-GONE", "5")):
        level = {
            "id": f"lev-{sku}",
            "sku": sku,
            "location": "main",
            "available": available,
            "on_hand": available,
            "updated_at": "2030-01-01T00:00:00.000000Z",
        }
        acme.deliver("stock.changed", level, account="warehouse")
    acme.pump()
    publish.run()
    acme.pump()
    assert {key.split("@")[0]: value for key, value in acme.effects("shop")["stock"].items()} == {
        "WB-TEE": "40",
        "WB-MUG": "30",
    }
    assert acme.calls("shop", "stock.set") == 1
    assert acme.one("SELECT owner FROM cases WHERE code = 'stock_refused'")
    publish.run()
    acme.pump()
    assert acme.calls("shop", "stock.set") == 1


def test_the_shops_own_stock_is_an_echo_or_drift_but_no_write(acme: World) -> None:
    from tasks.feeds import publish

    level = {
        "id": "lev-1",
        "sku": "WB-TEE",
        "location": "",
        "available": "40",
        "on_hand": "40",
        "updated_at": "2030-01-01T00:00:00.000000Z",
    }
    acme.deliver("stock.changed", {**level, "location": "main"}, account="warehouse")
    acme.pump()
    publish.run()
    acme.pump()
    acme.deliver("stock.changed", {**level, "available": "40"}, account="shop", name="echo")
    acme.deliver("stock.changed", {**level, "available": "7"}, account="shop", name="drift")
    acme.pump()
    assert acme.one("SELECT state FROM events WHERE delivery_id = 'echo'") == "echo"
    assert acme.one("SELECT state FROM events WHERE delivery_id = 'drift'") == "ignored"


def test_an_order_that_does_not_add_up_is_quarantined_with_the_difference(acme: World) -> None:
    """Pain 34: nothing is booked that is a cent off."""
    order = acme.place()
    order["totals"]["total"] = "1.23"
    acme.deliver("order.placed", order)
    acme.pump()
    row = acme.rows("SELECT state, code, reason FROM events")[0]
    assert (row.state, row.code) == ("quarantined", "money_gate")
    assert "difference" in row.reason
    assert acme.one("SELECT owner FROM cases") == "finance"
    assert not acme.effects("erp")["bookings"]
