"""Lines are allocated and picked as the locations tell that are to send them, and go back where these give them back."""

from __future__ import annotations

from decimal import Decimal

from app.orders import fulfilling, sharing
from tests.orders.places import shelves
from tests.orders.test_fulfilment import edited, parcel, requests, says
from tests.world import World

LINES = "SELECT part, state FROM order_states WHERE machine = 'line' ORDER BY part"


def lines(world: World) -> list[str]:
    return [row.state for row in world.rows(LINES)]


def test_a_line_is_allocated_when_all_of_it_was_taken_on_and_picked_when_all_of_it_is_off_the_shelf(
    many: World,
) -> None:
    """One tee comes from the centre, which takes it on at once; the other and the mug from the store."""
    shelves(many, dc_WB_TEE=1, store_WB_TEE=1, store_WB_MUG=1)
    many.order()
    many.pump()
    assert lines(many) == ["open", "open"], "the store has not answered"
    store = requests(many)["store"][0]
    says(many, fulfilling.accept, store, "the store")
    assert lines(many) == ["allocated", "allocated"]
    says(many, fulfilling.pick, store, "the store")
    assert lines(many) == ["allocated", "picked"], "the centre's tee is not told as picked"
    says(many, fulfilling.ship, store, "the store", [{"number": "S1"}])
    parcel(many, "warehouse", requests(many)["dc"][0])
    assert lines(many) == ["shipped", "shipped"]
    moves = many.rows("SELECT moves, account FROM order_moves WHERE machine = 'line' AND part LIKE '%-2' ORDER BY id")
    assert [(row.moves, row.account) for row in moves][-3:] == [
        (["allocate"], "store"),
        (["pick"], "store"),
        (["ship_all"], "store"),
    ]
    assert many.settled()


def test_what_is_given_back_is_open_again(many: World) -> None:
    shelves(many, store_WB_TEE=9, store_WB_MUG=9)
    order = many.order()
    many.pump()
    store = requests(many)["store"][0]
    says(many, fulfilling.accept, store, "the store")
    assert lines(many) == ["allocated", "allocated"]
    says(many, sharing.reject, store, "the store", "one is torn", {f"{order['id']}-1": Decimal(1)})
    assert lines(many) == ["open", "allocated"], "one tee is nobody's"
    says(many, fulfilling.pick, store, "the store")
    assert lines(many) == ["open", "picked"]


def test_an_edit_of_what_is_picked_is_a_conflict_and_what_is_left_is_asked_for_anew(many: World) -> None:
    shelves(many, store_WB_TEE=9, store_WB_MUG=9)
    order = many.order()
    many.pump()
    says(many, fulfilling.pick, requests(many)["store"][0], "the store")
    assert lines(many) == ["picked", "picked"]
    edited(many, order, "1")
    said = many.one("SELECT sentence FROM cases WHERE code = 'edit_conflict' AND status = 'open'")
    assert "2 became 1 in the channel, but 2 were picked already" in said
    assert lines(many) == ["open", "open"], "the store has not answered the new request"
