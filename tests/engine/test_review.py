"""What a sceptical reader found in the engine: one story for each."""

from __future__ import annotations

from tests.world import World


def test_a_cancellation_after_an_edit_withdraws_the_second_request(acme: World) -> None:
    """An undo is known by the flow of what it undoes: under another flow's name no worker has its task."""
    from tasks.worker import app

    order = acme.order()
    acme.pump()
    lines = [{**line, "current_quantity": "1"} for line in order["lines"]]
    edited = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"lines": lines})
    acme.deliver("order.changed", edited)
    acme.pump()
    cancelled = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={})
    acme.deliver("order.cancelled", cancelled)
    acme.pump()
    assert {f"{row.flow}.{row.name}" for row in acme.rows("SELECT flow, name FROM steps")} <= set(app.tasks)
    assert acme.states()["order_changed.withdraw_again"] == "done"
    assert acme.settled()
