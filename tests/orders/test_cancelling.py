"""Cancelled by the hub: a whole order in its channel, once, as long as nothing has left; the channel's own word does the rest."""

from __future__ import annotations

from typing import Any

import pytest

from app.journal import actions
from app.orders import cancelling, fulfilling, pickups
from app.orders.refused import Refused
from connectors.canonical.order import CancelReason
from tests.orders.places import shelves
from tests.orders.test_exchange import exchange
from tests.orders.test_fulfilment import PICKUP, hour_passes, requests, says, waybill
from tests.orders.test_giving_back import acme, follow, given_back  # noqa: F401 - a fixture among them
from tests.orders.test_returns import ReturnLine, shipped
from tests.world import World

STEP = "sale_cancelled.cancel_sale"


def ask(world: World, name: str = "", reason: CancelReason = CancelReason.CUSTOMER) -> None:
    """What the order's page does."""
    from app.database import transaction

    with transaction() as tx:
        cancelling.ask(tx, name or waybill(world), reason, "olga", "she rang up")


def begin(world: World) -> None:
    """The clock lays it out."""
    from tasks.feeds import deadlines

    deadlines.run()


def cancelled(world: World, **how: Any) -> None:
    ask(world, **how)
    begin(world)
    world.pump()


def told(world: World, order: dict[str, Any]) -> None:
    """The shop's webhook."""
    world.deliver("order.cancelled", world.ask("shop", "GET", "/_sim/state")["orders"][order["id"]])
    world.pump()


def refusal(world: World, name: str = "") -> Refused:
    with pytest.raises(Refused) as refused:
        ask(world, name)
    return refused.value


def revoked(world: World) -> dict[str, str]:
    found: dict[str, str] = world.effects("shop")["revoked"]
    return found


def test_the_channel_is_told_once_and_its_own_word_undoes_the_rest(acme: World) -> None:  # noqa: F811
    order = acme.order()
    acme.pump()
    cancelled(acme)
    assert revoked(acme) == {order["id"]: "yes"}
    assert not acme.effects("erp").get("cancelled"), "nothing is undone before the channel says so"
    assert refusal(acme).code == "asked", "its word is on its way"
    told(acme, order)
    follow(acme)
    assert acme.one("SELECT state FROM subjects WHERE kind = 'order'") == "cancelled"
    assert acme.effects("erp")["cancelled"] == {f"bookings shop-{order['id']}": 1}
    assert len(acme.effects("warehouse")["cancelled"]) == 1
    assert sum(1 for _ in given_back(acme)) == 1, "where the hub gives back, it does"
    assert acme.calls("shop", "orders.cancel") == 1
    assert refusal(acme).code == "cancelled"
    assert acme.settled()
    kept = acme.rows("SELECT who, reason, after->>'reason' AS kind FROM audit WHERE action = 'cancel order'")
    assert [tuple(row) for row in kept] == [("olga", "she rang up", "customer")]
    assert acme.rows("SELECT difference, child->>'reason' FROM runs WHERE flow = 'sale_cancelled'") == [
        (f"{waybill(acme)}-C", "customer")
    ]


def test_what_cannot_be_booked_can_be_cancelled(acme: World) -> None:  # noqa: F811
    """It waits for nothing that the order itself waits for."""
    order = acme.order(lines=[{"sku": "WB-UNMAPPED", "quantity": "1"}])
    acme.pump()
    assert acme.states()["order_placed.book_order"] == "parked"
    cancelled(acme, reason=CancelReason.INVENTORY)
    told(acme, order)
    assert revoked(acme) == {order["id"]: "yes"}
    assert not acme.effects("erp")["bookings"]
    assert acme.settled()


def test_a_held_order_is_cancelled_too(acme: World) -> None:  # noqa: F811
    order = acme.order(hold="fraud_review")
    acme.pump()
    cancelled(acme, reason=CancelReason.FRAUD)
    told(acme, order)
    assert acme.one("SELECT count(*) FROM holds WHERE released_at IS NULL") == 0
    assert acme.settled()


@pytest.mark.parametrize("fault", ["drop", "commit_then_drop", "commit_late", "server_error"])
def test_a_lost_answer_cancels_once(acme: World, fault: str) -> None:  # noqa: F811
    order = acme.order()
    acme.pump()
    acme.bad_day("shop", fault, operations=("orders.cancel",), times=1, value=0.5)
    cancelled(acme)
    assert revoked(acme) == {order["id"]: "yes"}
    told(acme, order)
    assert len(acme.effects("erp")["cancelled"]) == 1
    assert acme.settled()


def test_the_channels_word_may_come_before_its_answer(acme: World) -> None:  # noqa: F811
    order = acme.order()
    acme.pump()
    acme.bad_day("shop", "commit_then_drop", operations=("orders.cancel",), times=1)
    ask(acme)
    begin(acme)
    acme.pump(until=lambda: bool(revoked(acme)))
    told(acme, order)
    assert acme.outcomes("cancel_sale") == ["unknown", "found"]
    assert acme.calls("shop", "orders.cancel") == 1
    assert acme.settled()


def test_a_customer_who_was_quicker_leaves_nothing_to_say(acme: World) -> None:  # noqa: F811
    order = acme.order()
    acme.pump()
    ask(acme)
    begin(acme)
    acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={})
    told_first(acme, order)
    acme.pump()
    assert acme.states()[STEP] == "cancelled"
    assert acme.calls("shop", "orders.cancel") == 0
    assert acme.settled()


def told_first(world: World, order: dict[str, Any]) -> None:
    """The webhook is read before any step is run."""
    from tasks.receive import receive

    state = world.ask("shop", "GET", "/_sim/state")["orders"][order["id"]]
    receive(world.deliver("order.cancelled", state).event_id)


def test_a_customer_who_cancelled_between_asking_and_laying_out_leaves_nothing_to_say(acme: World) -> None:  # noqa: F811
    order = acme.order()
    acme.pump()
    ask(acme)
    acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={})
    told(acme, order)
    begin(acme)
    acme.pump()
    assert acme.outcomes("cancel_sale") == ["skipped"]
    assert acme.calls("shop", "orders.cancel") == 0
    assert acme.settled()


def test_a_parcel_that_leaves_before_the_channel_is_told_stops_it(acme: World) -> None:  # noqa: F811
    """The order goes on as before, and whoever asked reads why; given up, it is over."""
    order = acme.order()
    acme.pump()
    ask(acme)
    parcel = acme.ask("warehouse", "POST", f"/_sim/requests/{waybill(acme)}/shipments", json={})
    acme.deliver("shipment.sent", parcel, account="warehouse")
    begin(acme)
    acme.pump()
    assert acme.states()[STEP] == "dead"
    assert not revoked(acme)
    found = acme.rows("SELECT code, sentence, remedy FROM cases WHERE status = 'open'")
    assert [(one.code, one.sentence) for one in found] == [
        ("shipped", "Something of it has left: it is cancelled no more, and comes back as a return.")
    ]
    assert acme.one("SELECT state FROM subjects WHERE kind = 'order'") == "shipped"
    assert len(acme.ask("shop", "GET", "/_sim/state")["orders"][order["id"]]["shipments"]) == 1
    give_up(acme)
    assert acme.settled()
    assert refusal(acme).code == "shipped"


def give_up(world: World) -> None:
    from app.database import transaction

    step = world.one("SELECT id FROM steps WHERE name = 'cancel_sale' ORDER BY id DESC LIMIT 1")
    with transaction() as tx:
        actions.cancel_steps(tx, [step], "olga", "too late")


def test_a_parcel_that_leaves_while_the_channel_is_away_stops_what_was_not_taken(acme: World) -> None:  # noqa: F811
    """The first try broke off before it was taken: looked up, not there, and not said again."""
    acme.order()
    acme.pump()
    acme.bad_day("shop", "drop", operations=("orders.cancel",), times=1)
    ask(acme)
    begin(acme)
    acme.pump(until=lambda: acme.states()[STEP] == "unknown")
    parcel = acme.ask("warehouse", "POST", f"/_sim/requests/{waybill(acme)}/shipments", json={})
    acme.deliver("shipment.sent", parcel, account="warehouse")
    from tasks.receive import receive

    receive(acme.one("SELECT max(id) FROM events"))
    acme.pump()
    assert acme.outcomes("cancel_sale")[-1] == "rejected"
    assert not revoked(acme)


def test_what_the_channel_refuses_is_a_case_and_can_be_asked_for_again(acme: World) -> None:  # noqa: F811
    """The shop's staff sent it by themselves; here nobody knows of a parcel."""
    order = acme.order()
    acme.pump()
    sent = [{"id": "par-x", "status": "shipped", "lines": [], "trackings": []}]
    acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"shipments": sent})
    cancelled(acme)
    assert acme.rows("SELECT code, account FROM cases WHERE status = 'open'") == [("shipped", "shop")]
    assert acme.one("SELECT state FROM subjects WHERE kind = 'order'") == "open"
    assert refusal(acme).code == "asked"
    give_up(acme)
    acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"shipments": []})
    cancelled(acme)
    assert revoked(acme) == {order["id"]: "yes"}
    names = [
        row.difference for row in acme.rows("SELECT difference FROM runs WHERE flow = 'sale_cancelled' ORDER BY id")
    ]
    assert names == [f"{waybill(acme)}-C", f"{waybill(acme)}-C2"]


def test_what_has_left_is_not_cancelled(acme: World) -> None:  # noqa: F811
    shipped(acme)
    assert refusal(acme).sentence.startswith("Something of it has left")
    assert refusal(acme, "WB99999999").code == "unknown"


def test_asked_twice_it_is_asked_once(acme: World) -> None:  # noqa: F811
    acme.order()
    acme.pump()
    ask(acme)
    assert refusal(acme).code == "asked"


def test_an_exchange_is_no_order_of_its_channels(acme: World) -> None:  # noqa: F811
    from decimal import Decimal

    order = shipped(acme)
    exchange(acme, order, ReturnLine(order["lines"][0]["id"], Decimal(1)))
    assert refusal(acme).code == "not_sold"


def test_what_is_set_out_for_somebody_is_not_cancelled_until_it_is_put_back(many: World) -> None:
    shelves(many, store_WB_TEE=5, store_WB_MUG=5)
    many.order(delivery=PICKUP)
    many.pump()
    number = requests(many)["store"][0]
    says(many, fulfilling.accept, number, "the store")
    says(many, pickups.ready, number, "the store", 7200.0)
    assert refusal(many).sentence.startswith(f"{number} is set out at store for its customer")
    hour_passes(many)
    assert refusal(many).sentence == f"{number} was not fetched at store: have it put back there first."
    says(many, pickups.put_back, number, "anna", "nobody came")
    cancelled(many)
    assert len(revoked(many)) == 1


def test_what_was_handed_over_has_left_before_its_word_is_followed(many: World) -> None:
    """The store has said it; the worker that makes it a parcel has not come to it yet."""
    from app.database import transaction

    shelves(many, store_WB_TEE=5, store_WB_MUG=5)
    many.order(delivery=PICKUP)
    many.pump()
    number = requests(many)["store"][0]
    says(many, pickups.ready, number, "the store", 7200.0)
    with transaction() as tx:
        pickups.collect(tx, number, "the store", many.one("SELECT verify FROM fulfilments"))
    assert refusal(many).code == "shipped"


def test_what_is_packed_is_not_cancelled(many: World) -> None:
    shelves(many, store_WB_TEE=5, store_WB_MUG=5)
    many.order()
    many.pump()
    number = requests(many)["store"][0]
    says(many, fulfilling.pick, number, "the store")
    says(many, fulfilling.pack, number, "the store")
    assert refusal(many).sentence.startswith(f"{number} is packed at store and about to leave")
