"""Exchange: what is wanted instead leaves as an order of its own; the difference is charged or given back, to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.orders import exchanging, inspecting, worth
from app.orders.return_requests import ReturnLine
from app.orders.returning import net
from connectors.canonical.gate import equation
from tests.core.generated_orders import order as generated
from tests.orders.test_capture import NOW
from tests.orders.test_giving_back import acme, follow, given_back, in_the_books  # noqa: F401 - a fixture among them
from tests.orders.test_returns import ask, count, shipped
from tests.world import World

ALL = "SELECT sum(quantity - shipped) FROM reservations WHERE state = 'open'"


def exchange(world: World, order: dict[str, Any], *wanted: ReturnLine, pieces: int = 1) -> str:
    """So many tees come back and something else is wanted; answers the return's number."""
    from tasks.feeds import returned

    asked = ask(order, pieces, "x", exchange=wanted)
    count(asked.number, order["lines"][0]["id"], pieces)
    for _ in range(2):
        returned.run()
        world.pump()
    return asked.number


def replacement(world: World) -> Any:
    return world.rows(
        "SELECT id, waybill, external_id, number, amount, state FROM subjects WHERE kind = 'order' ORDER BY id DESC"
    )[0]


def sent(world: World, waybill: str) -> None:
    """The warehouse sends what it was asked for under that number."""
    parcel = world.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={})
    parcel = {**parcel, "trackings": [{**one, "number": f"X{one['number']}"} for one in parcel["trackings"]]}
    world.deliver("shipment.sent", parcel, account="warehouse")
    world.pump()


def test_the_same_again_costs_nothing_and_leaves_as_an_order_of_its_own(acme: World) -> None:  # noqa: F811
    order = shipped(acme)
    number = exchange(acme, order, ReturnLine(order["lines"][0]["id"], Decimal(1)))
    mine = replacement(acme)
    assert (mine.external_id, mine.amount) == (f"{order['id']}-R1", Decimal(0))
    assert acme.one("SELECT state FROM return_requests") == "exchanged"
    assert acme.one("SELECT replaced_by FROM return_requests") == mine.waybill
    assert acme.one(ALL) == 1, "its goods are claimed"
    assert acme.effects("erp")["bookings"] == {f"shop-{order['id']}": 1, f"shop-{order['id']}-R1": 1}
    sent(acme, mine.waybill)
    follow(acme)
    assert acme.one("SELECT state FROM subjects WHERE id = :id", id=mine.id) == "shipped"
    assert acme.one(ALL) is None
    assert (given_back(acme), in_the_books(acme)) == ([], []), "nobody pays anything"
    assert acme.calls("shop", "orders.acknowledge") == 1, "the channel knows nothing of it"
    shown = acme.ask("shop", "GET", "/_sim/state")["orders"][order["id"]]
    assert len(shown["shipments"]) == 1
    assert [name for name in acme.effects("letters")["letters"] if f"{order['id']}-R1-shipped" in name], (
        "its customer hears of it"
    )
    assert number.endswith("-R1")
    assert acme.effects("erp")["returns"] == {number: 1}, (
        "no refund brings the goods: the ERP is told of them by themselves"
    )
    assert acme.settled()


def test_pieces_in_quarantine_come_into_the_books_and_go_where_they_belong_once(acme: World) -> None:  # noqa: F811
    """Without money all of it; with the hub's own refund what that does not put on the shelf."""
    from app.database import transaction
    from app.journal import subjects
    from tasks.feeds import returned

    order = shipped(acme)
    line, first = order["lines"][0]["id"], acme.one("SELECT id FROM subjects WHERE kind = 'order'")
    even = ask(order, 1, "x", exchange=(ReturnLine(line, Decimal(1)),)).number
    paid = ask(order, 1, "y").number
    for number in (even, paid):
        count(number, line, 1, "quarantine")
    returned.run()
    acme.pump()
    follow(acme)
    came = acme.ask("erp", "GET", "/_sim/state")["returns"].values()
    assert {row["reference"]: row["body"]["lines"][0]["condition"] for row in came} == dict.fromkeys(
        (even, paid), "quarantined"
    )
    (credit,) = in_the_books(acme)
    assert [one["restock"] for one in credit["body"]["lines"]] == [False]
    for number, word in ((even, "scrap"), (paid, "restock")):
        with transaction() as tx:
            inspecting.dispose(tx, number, subjects.lock_id(tx, first).document, line, word, "the store")
        for _ in range(2):
            returned.run()
            acme.pump()
    ended = acme.ask("erp", "GET", "/_sim/state")["disposals"].values()
    assert sorted(row["body"]["lines"][0]["condition"] for row in ended) == ["scrapped", "sellable"]
    assert acme.settled()


def test_something_cheaper_gives_the_difference_back(acme: World) -> None:  # noqa: F811
    order = shipped(acme)
    exchange(acme, order, ReturnLine(order["lines"][1]["id"], Decimal(1)))
    follow(acme)
    assert given_back(acme) == [("card", "10.59")], "a tee of 20.71 for a mug of 10.12"
    assert acme.one("SELECT state FROM return_requests") == "refunded"
    assert replacement(acme).amount == Decimal(0)
    assert acme.settled()


def test_something_dearer_is_charged_first_and_held_until_then(acme: World) -> None:  # noqa: F811
    order = shipped(acme)
    acme.bad_day("shop", "commit_then_drop", operations=("orders.charge",), times=1)
    exchange(acme, order, ReturnLine(order["lines"][0]["id"], Decimal(1), sku="WB-MUG", price=Decimal("30.00")))
    mine = replacement(acme)
    assert mine.amount == Decimal("14.99"), "30.00 and 19 % on it, less 20.71"
    assert acme.effects("shop")["charged"] == {
        f"{order['id']} {acme.one('SELECT waybill FROM subjects ORDER BY id')}-M1 #1": "14.99"
    }
    assert len(acme.effects("warehouse")["requests"]) == 1, (
        "it is held, though its money was taken: nobody noted it yet"
    )
    assert acme.one("SELECT count(*) FROM holds WHERE released_at IS NULL") == 1
    assert acme.one(ALL) == 1
    follow(acme)
    assert acme.one("SELECT count(*) FROM holds WHERE released_at IS NULL") == 0
    assert acme.effects("warehouse")["requests"][mine.waybill] == 1
    told = acme.ask("warehouse", "GET", "/_sim/state")["requests"]
    assert [
        line["sku"] for row in told.values() if row["reference"] == mine.waybill for line in row["body"]["lines"]
    ] == ["WB-MUG"]
    sent(acme, mine.waybill)
    follow(acme)
    assert sum(map(Decimal, acme.effects("shop")["charged"].values())) == Decimal("14.99")
    booked = acme.ask("erp", "GET", "/_sim/state")
    paid = {row["reference"]: [one["amount"] for one in row["body"]["payments"]] for row in booked["bookings"].values()}
    assert paid[f"shop-{order['id']}-R1"] == ["14.99"], "it pays the order that replaces, which is booked with it"
    assert not booked.get("payments"), "and that alone"
    assert acme.settled()


def test_a_declined_charge_keeps_it_held_and_gives_its_stock_back_when_it_is_given_up(acme: World) -> None:  # noqa: F811
    from app.database import transaction
    from app.stock import reservations

    order = shipped(acme)
    claims = acme.one(ALL)
    exchange(acme, order, ReturnLine(order["lines"][0]["id"], Decimal(1), sku="WB-MUG", price=Decimal("2000.00")))
    follow(acme)
    assert acme.states()["payment_charged.charge_difference"] == "dead"
    assert acme.one("SELECT code FROM cases WHERE kind = 'dead'") == "declined"
    assert len(acme.effects("warehouse")["requests"]) == 1, "nothing of it leaves"
    with transaction() as tx:
        reservations.release(tx, replacement(acme).id)
    assert acme.one(ALL) == claims


@pytest.mark.parametrize("fault", ["drop", "server_error", "commit_late"])
def test_a_bad_day_charges_once(acme: World, fault: str) -> None:  # noqa: F811
    order = shipped(acme)
    acme.bad_day("shop", fault, operations=("orders.charge",), times=1, value=0.5)
    exchange(acme, order, ReturnLine(order["lines"][0]["id"], Decimal(1), sku="WB-MUG", price=Decimal("30.00")))
    follow(acme)
    assert list(acme.effects("shop")["charged"].values()) == ["14.99"]


def test_goods_that_did_not_come_are_not_exchanged(acme: World) -> None:  # noqa: F811
    from tasks.feeds import returned

    order = shipped(acme)
    asked = ask(order, 1, "x", exchange=(ReturnLine(order["lines"][0]["id"], Decimal(1)),))
    count(asked.number, order["lines"][0]["id"], 0)
    returned.run()
    assert acme.one("SELECT count(*) FROM subjects WHERE kind = 'order'") == 1
    assert acme.one("SELECT replaced_by FROM return_requests") == ""


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 5000), st.data())
def test_any_exchange_adds_up_and_nets_to_what_it_should(number: int, data: Any) -> None:
    """Pains 34 and 36: the new order holds the money gate, and what is charged or given back is exactly the difference."""
    made = generated(number)
    lines = [one for one in made.lines if one.quantity > 0 and not one.bundle_id]
    if not lines:
        return
    wanted = []
    for line in data.draw(st.lists(st.sampled_from(lines), min_size=1, max_size=3)):
        price = data.draw(st.sampled_from([None, worth.unit(made) * data.draw(st.integers(0, 100000))]))
        pieces = Decimal(data.draw(st.integers(1, int(line.quantity) + 1)))
        wanted.append(ReturnLine(line.id, pieces, sku=data.draw(st.sampled_from(["", "OTHER"])), price=price))
    back = worth.upto(made, lines[0], Decimal(data.draw(st.integers(0, int(lines[0].quantity)))))
    new = exchanging.replacement(made, "WB1-R1", tuple(wanted), back, NOW)
    assert equation(new).holds
    to_give, to_pay = net(made, back, wanted)
    total = new.totals.total.in_role(made.money_role).amount
    assert total == to_pay
    assert to_give - to_pay == back - sum((exchanging.value(made, one) for one in wanted), Decimal(0))
    assert (new.hold == "payment") == (to_pay > 0)
    assert new.replaces == made.id
