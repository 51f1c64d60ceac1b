"""Held orders: nothing moves on, nothing is lost, and what waits are rows, not open runs."""

from __future__ import annotations

from typing import Any

from app.orders import holds, waiting
from app.orders.difference import Difference, Kind
from config.reader import HoldRule
from tests.world import World


def subject(acme: World) -> int:
    return int(acme.one("SELECT id FROM subjects WHERE kind = 'order' ORDER BY id DESC LIMIT 1"))


def release(acme: World, hold: int, who: str = "anna") -> None:
    from app.bell import ring
    from app.database import transaction
    from tasks.feeds import held

    with transaction() as tx:
        rings = holds.release_by_hand(tx, hold, who, "looked into it")
    ring(rings or ())
    held.run()


def changed(acme: World, order: dict[str, Any], **what: Any) -> dict[str, Any]:
    told: dict[str, Any] = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json=what)
    acme.deliver("order.changed", told)
    return told


def test_a_held_order_waits_as_rows_and_goes_on_when_its_channel_frees_it(acme: World) -> None:
    order = acme.order(hold="fraud_review")
    acme.pump()
    assert acme.one("SELECT count(*) FROM runs") == 0
    assert acme.rows("SELECT reason, owner FROM holds WHERE released_at IS NULL") == [("fraud", "finance")]
    assert acme.one("SELECT count(*) FROM held_work WHERE kind = 'placed'") == 1
    assert acme.one("SELECT sum(quantity) FROM reservations WHERE state = 'open'") == 3
    changed(acme, order, note="ring twice", hold="fraud_review")
    acme.pump()
    assert acme.one("SELECT count(*) FROM held_work") == 1, "an edit of what has not begun needs no row of its own"
    changed(acme, order, note="ring twice", hold="")
    acme.pump()
    assert acme.one("SELECT count(*) FROM holds WHERE released_at IS NULL") == 0
    assert acme.effects("erp")["bookings"] == {f"shop-{order['id']}": 1}
    assert acme.settled()
    assert acme.one("SELECT state FROM order_states WHERE machine = 'order'") == "released"


def test_a_hold_in_the_middle_sets_aside_what_has_not_begun(acme: World) -> None:
    """Nothing but the release takes it up: no retry, no sweep of parked steps."""
    from app.bell import ring
    from app.database import transaction
    from app.journal import facts
    from app.journal.actions import retry

    order = acme.order()
    acme.pump(until=lambda: acme.states().get("order_placed.book_order") == "ready")
    with transaction() as tx:
        told: dict[str, Any] = {"owner": "logistics", "seconds": 3600.0, "who": "anna", "note": "wrong street"}
        hold = holds.place_by_hand(tx, acme.one("SELECT waybill FROM subjects"), subject(acme), "address", **told)
        assert (
            holds.place_by_hand(tx, acme.one("SELECT waybill FROM subjects"), subject(acme), "address", **told) is None
        )
    assert hold is not None
    acme.pump()
    ids = [row.id for row in acme.rows("SELECT id FROM steps WHERE state = 'parked'")]
    with transaction() as tx:
        rings = [*retry(tx, ids, "bob", "let it go"), *facts.try_again(tx, -1.0)]
    ring(rings)
    acme.pump()
    assert not acme.effects("erp")["bookings"]
    release(acme, hold)
    acme.pump()
    assert acme.effects("erp")["bookings"] == {f"shop-{order['id']}": 1}
    assert acme.settled()
    actions = acme.rows("SELECT who, action, reason FROM audit WHERE object LIKE 'order:%' ORDER BY id")
    assert [tuple(row) for row in actions] == [
        ("anna", "hold order", "wrong street"),
        ("anna", "release order", "looked into it"),
    ]


def test_a_cancellation_of_a_held_order_leaves_nothing_behind(acme: World) -> None:
    """Pain 18: open claims afterwards are what they were before."""
    order = acme.order(hold="payment")
    acme.pump()
    cancelled = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={})
    acme.deliver("order.cancelled", cancelled)
    acme.pump()
    assert acme.one("SELECT count(*) FROM held_work") == 0
    assert acme.one("SELECT count(*) FROM holds WHERE released_at IS NULL") == 0
    assert acme.one("SELECT count(*) FROM reservations WHERE state = 'open'") == 0
    assert acme.one("SELECT count(*) FROM deadlines WHERE state = 'open' AND kind <> 'reconcile'") == 0
    assert not acme.effects("erp")["bookings"]
    assert acme.settled()


def test_an_overdue_hold_is_a_case_of_its_owner_once_and_ends_with_the_release(acme: World) -> None:
    from app.database import transaction
    from tasks.feeds import deadlines

    acme.order(hold="payment")
    acme.pump()
    with transaction() as tx:
        tx.exec_driver_sql("UPDATE deadlines SET due_at = now() - interval '1 minute'")
    assert deadlines.run() == "1 deadlines passed"
    assert deadlines.run() == "0 deadlines passed"
    assert acme.rows("SELECT kind, owner, status FROM cases") == [("hold", "finance", "open")]
    release(acme, acme.one("SELECT id FROM holds"))
    acme.pump()
    assert acme.one("SELECT status FROM cases") == "resolved"
    assert acme.settled()


def test_what_a_person_has_freed_is_not_held_again_for_the_same_word(acme: World) -> None:
    order = acme.order(hold="payment")
    acme.pump()
    release(acme, acme.one("SELECT id FROM holds"))
    acme.pump()
    changed(acme, order, hold="payment", note="again")
    acme.pump()
    assert acme.one("SELECT count(*) FROM holds WHERE released_at IS NULL") == 0
    changed(acme, order, hold="fraud", note="once more")
    acme.pump()
    assert acme.one("SELECT reason FROM holds WHERE released_at IS NULL") == "fraud"


def test_what_has_happened_waits_only_behind_an_order_that_was_not_begun() -> None:
    shipped, placed = Difference(Kind.SHIPPED, "s"), Difference(Kind.PLACED, "p")
    assert waiting.must_wait(placed, True, frozenset())
    assert not waiting.must_wait(shipped, True, frozenset())
    assert waiting.must_wait(shipped, True, frozenset({"placed"}))
    assert not waiting.must_wait(Difference(Kind.CANCELLED, "c"), True, frozenset({"placed"}))


def test_the_first_rule_of_each_reason_holds_and_the_catch_all_only_what_no_other_took() -> None:
    rules = [
        HoldRule("a", "fraud", {"hold": ["fraud"]}, "finance", 1),
        HoldRule("b", "payment", {"payment_status": "pending"}, "finance", 1),
        HoldRule("c", "manual", {"hold": "any"}, "shop", 1),
    ]
    assert [r.name for r in holds.wanted_by(rules, {"hold": "Fraud", "payment_status": "pending"})] == ["a", "b"]
    assert [r.name for r in holds.wanted_by(rules, {"hold": "odd", "payment_status": "paid"})] == ["c"]
    assert holds.wanted_by(rules, {"hold": "", "payment_status": "paid"}) == []
