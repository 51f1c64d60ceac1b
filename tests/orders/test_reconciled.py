"""An order that is over is done with once all is booked, nobody has to look at it and its money is right; else somebody hears why."""

from __future__ import annotations

from tests.orders.test_fulfilment import hour_passes, parcel
from tests.world import World

STATE = "SELECT state FROM order_states WHERE machine = 'order' ORDER BY subject_id DESC LIMIT 1"


def sent(acme: World) -> str:
    acme.order()
    acme.pump()
    waybill = str(acme.one("SELECT waybill FROM subjects WHERE kind = 'order' ORDER BY id DESC LIMIT 1"))
    parcel(acme, "warehouse", waybill)
    return waybill


def test_it_is_reconciled_once_it_is_over_and_stays_so(acme: World) -> None:
    sent(acme)
    assert acme.one(STATE) == "shipped"
    hour_passes(acme)
    assert acme.one(STATE) == "reconciled"
    assert acme.one("SELECT count(*) FROM deadlines WHERE state = 'open'") == 0
    hour_passes(acme)
    body = acme.one("SELECT external_id FROM subjects WHERE kind = 'order'")
    note = acme.ask("shop", "POST", f"/_sim/orders/{body}", json={"note": "thank you"})
    acme.deliver("order.changed", note)
    acme.pump()
    assert acme.one(STATE) == "reconciled", "a note opens nothing again"
    assert acme.settled()


def test_what_somebody_has_to_look_at_is_not_and_at_last_another_hears_why(acme: World) -> None:
    from app.bell import ring
    from app.database import transaction
    from app.orders import holds

    waybill = sent(acme)
    subject = acme.one("SELECT id FROM subjects WHERE kind = 'order'")
    with transaction() as tx:
        told = {"owner": "finance", "seconds": 60.0, "who": "anna", "note": "charged back?"}
        hold = holds.place_by_hand(tx, waybill, subject, "fraud", **told)  # type: ignore[arg-type]
    hour_passes(acme)
    hour_passes(acme)
    assert acme.one(STATE) == "shipped"
    assert acme.one("SELECT count(*) FROM cases WHERE code = 'not_reconciled'") == 0, "its own case says so already"
    with transaction() as tx:
        tx.exec_driver_sql("UPDATE order_states SET since = now() - interval '8 days'")
    hour_passes(acme)
    assert "somebody has to look at it" in acme.one("SELECT sentence FROM cases WHERE code = 'not_reconciled'")
    with transaction() as tx:
        rings = holds.release_by_hand(tx, hold or 0, "anna", "it was not")
    ring(rings or [])
    acme.pump()
    hour_passes(acme)
    assert acme.one(STATE) == "reconciled"
    assert acme.one("SELECT status FROM cases WHERE code = 'not_reconciled'") == "resolved"


def refunded(acme: World) -> None:
    """The channel gives one tee's money back and tells of it twice."""
    order = acme.one("SELECT external_id FROM subjects WHERE kind = 'order'")
    back = {"lines": [{"line_id": f"{order}-1", "quantity": "1"}]}
    told = acme.ask("shop", "POST", f"/_sim/orders/{order}/refunds", json=back)
    for _ in range(2):
        acme.deliver("refund.made", told)


def test_a_refund_that_comes_later_is_booked_before_it_is_reconciled_again(acme: World) -> None:
    from app.database import transaction
    from tasks.feeds import deadlines

    sent(acme)
    hour_passes(acme)
    assert acme.one(STATE) == "reconciled"
    acme.bad_day("erp", "unavailable", operations=("credits.create",))
    refunded(acme)
    acme.pump(until=lambda: bool(acme.outcomes("record_refund")))
    assert acme.one(STATE) == "unsettled"
    assert acme.one("SELECT count(*) FROM deadlines WHERE kind = 'reconcile' AND state = 'open'") == 1
    with transaction() as tx:
        tx.exec_driver_sql("UPDATE deadlines SET due_at = now() - interval '1 second' WHERE state = 'open'")
    deadlines.run()
    assert acme.one(STATE) == "unsettled", "its booking has not ended"
    acme.good_day("erp")
    acme.pump()
    assert sum(acme.effects("erp")["credits"].values()) == 1
    assert acme.one(STATE) == "unsettled", "until its hour"
    hour_passes(acme)
    assert acme.one(STATE) == "reconciled"
    moves = acme.rows("SELECT moves FROM order_moves WHERE machine = 'order' ORDER BY id DESC LIMIT 3")
    assert [row.moves for row in moves] == [["reconcile"], ["unsettle"], ["reconcile"]]
    assert acme.one("SELECT count(*) FROM deadlines WHERE state = 'open'") == 0
    assert acme.settled()


def test_a_return_that_is_counted_later_unsettles_it_too_and_all_of_it_makes_it_returned(acme: World) -> None:
    from tasks.feeds import returned
    from tests.orders.test_returns import ask, count

    sent(acme)
    hour_passes(acme)
    name = acme.one("SELECT external_id FROM subjects WHERE kind = 'order'")
    asked = ask({"lines": [{"id": f"{name}-1"}]})
    assert acme.one(STATE) == "reconciled", "nothing has moved yet"
    count(asked.number, f"{name}-1", 1)
    returned.run()
    acme.pump()
    assert acme.one(STATE) == "unsettled"
    hour_passes(acme)
    assert acme.one(STATE) == "unsettled", "the channel has not paid it back yet"
    refunded(acme)
    acme.pump()
    assert acme.one("SELECT state FROM return_requests") == "refunded"
    hour_passes(acme)
    assert acme.one(STATE) == "reconciled"
    assert acme.settled()
