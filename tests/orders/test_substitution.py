"""Substitution: another article goes out in place of the one that was sold; claims follow it, and follow back."""

from __future__ import annotations

from typing import Any

import pytest

from app.orders import fulfilling
from app.orders.refused import Refused
from tests.orders.places import shelves
from tests.orders.test_fulfilment import claims, requests, says
from tests.world import World

AGREED = "the customer agreed by telephone"


@pytest.fixture
def asked(many: World) -> Any:
    """The store is asked for two tees and a mug; answers the world, the request's number and the tees' line."""
    shelves(many, store_WB_TEE=5, store_WB_MUG=5, store_WB_CAP=5)
    many.code("erp", "sku", "WB-CAP", "WB-CAP")
    order = many.order()
    many.pump()
    assert list(requests(many)) == ["store"]
    return many, requests(many)["store"][0], order["lines"][0]["id"]


def held(world: World) -> dict[str, int]:
    rows = world.rows(
        "SELECT sku, sum(quantity - shipped) AS n FROM reservations WHERE state = 'open' GROUP BY sku ORDER BY sku"
    )
    return {row.sku: int(row.n) for row in rows if row.n}


def test_another_article_is_claimed_sent_booked_and_told_in_its_place(asked: Any) -> None:
    world, number, line = asked
    assert held(world) == {"WB-TEE": 2, "WB-MUG": 1}
    for _ in range(2):
        says(world, fulfilling.substitute, number, "the store", line, "WB-CAP", AGREED)
    assert held(world) == {"WB-CAP": 2, "WB-MUG": 1}
    assert world.one("SELECT state FROM order_states WHERE machine = 'line' AND part = :p", p=line) == "substituted"
    assert world.one("SELECT reason FROM audit WHERE action = 'substitute'") == AGREED
    says(world, fulfilling.ship, number, "the store", [{"number": "ST1", "carrier": "dhl"}])
    assert claims(world) == 0
    gone = world.rows("SELECT sku, quantity FROM movements WHERE kind = 'pick' ORDER BY sku")
    assert [(row.sku, int(row.quantity)) for row in gone] == [("WB-CAP", -2), ("WB-MUG", -1)]
    (booked,) = world.ask("erp", "GET", "/_sim/state")["deliveries"].values()
    assert [one["sku"] for one in booked["body"]["lines"]] == ["WB-CAP", "WB-MUG"]
    assert world.one("SELECT state FROM order_states WHERE machine = 'line' AND part = :p", p=line) == "shipped"
    assert world.one("SELECT state FROM subjects WHERE kind = 'order'") == "shipped"
    assert world.settled()


def test_a_store_that_gives_it_back_after_all_leaves_the_claims_as_they_were(asked: Any) -> None:
    world, number, line = asked
    before = held(world)
    shelves(world, maker_WB_TEE=9, maker_WB_MUG=9)
    says(world, fulfilling.substitute, number, "the store", line, "WB-CAP", AGREED)
    says(world, fulfilling.reject, number, "the store", "it is not here either")
    assert held(world) == before
    assert requests(world)["maker"][1] == "accepted", "what was sold is offered elsewhere"
    wanted = world.one(
        "SELECT l->>'sku' FROM fulfilments f, jsonb_array_elements(f.lines) l WHERE location = 'maker' AND l->>'line_id' = :l",
        l=line,
    )
    assert wanted == "WB-TEE"


def test_a_cancellation_lets_go_of_what_was_to_go_out_instead(asked: Any) -> None:
    world, number, line = asked
    says(world, fulfilling.substitute, number, "the store", line, "WB-CAP", AGREED)
    (name,) = world.ask("shop", "GET", "/_sim/state")["orders"]
    world.deliver("order.cancelled", world.ask("shop", "POST", f"/_sim/orders/{name}/cancellation", json={}))
    world.pump()
    assert held(world) == {}
    assert world.settled()


def test_an_edit_after_a_substitution_claims_what_was_sold_again(asked: Any) -> None:
    world, number, line = asked
    says(world, fulfilling.substitute, number, "the store", line, "WB-CAP", AGREED)
    (order,) = world.ask("shop", "GET", "/_sim/state")["orders"].values()
    lines = [{**one, "current_quantity": "1"} for one in order["lines"]]
    world.deliver("order.changed", world.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"lines": lines}))
    world.pump()
    assert held(world) == {"WB-TEE": 1, "WB-MUG": 1}
    assert world.settled()


@pytest.mark.parametrize(
    "wrong", [("another line", "WB-CAP", AGREED), ("", "WB-CAP", AGREED), (None, "", AGREED), (None, "WB-CAP", "")]
)
def test_what_cannot_be_substituted_is_refused(asked: Any, wrong: tuple[str | None, str, str]) -> None:
    world, number, line = asked
    name, sku, why = wrong
    with pytest.raises(Refused):
        says(world, fulfilling.substitute, number, "the store", line if name is None else name, sku, why)
    assert held(world) == {"WB-TEE": 2, "WB-MUG": 1}


def test_what_has_left_is_not_substituted(asked: Any) -> None:
    world, number, line = asked
    says(world, fulfilling.ship, number, "the store", [])
    with pytest.raises(Refused):
        says(world, fulfilling.substitute, number, "the store", line, "WB-CAP", AGREED)
