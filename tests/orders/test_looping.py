"""Two systems that rewrite each other: the hub writes so often and no oftener, one case, and a true edit goes on (pain 21)."""

from __future__ import annotations

from typing import Any

from tests.orders.test_holds import changed, release
from tests.world import World

OPEN = "SELECT kind, code, owner, status FROM cases WHERE code = 'loop'"


def amended(acme: World) -> int:
    return sum(call.operation.endswith(".amend") for call in acme.simulators["erp"].calls)


def quarrel(acme: World, order: dict[str, Any], most: int = 12) -> int:
    """The ERP's own connection puts its words in the shop's note whenever a booking is amended there; an app of the shop puts them
    back at once. Answers how many hops they made until nobody moved any more."""
    for hop in range(most):
        before = amended(acme)
        changed(acme, order, note="as the app says" if hop % 2 == 0 else "as the books say")
        acme.pump()
        if amended(acme) == before:
            return hop
    return most


def test_two_systems_that_rewrite_each_other_are_stopped_at_the_third_time(acme: World) -> None:
    order = acme.order()
    acme.pump()
    assert quarrel(acme, order) == 4, "each said it twice; the third time nothing is written"
    assert [tuple(row) for row in acme.rows(OPEN)] == [("loop", "loop", "integration desk", "open")]
    state, reason = acme.rows("SELECT state, reason FROM events ORDER BY id DESC LIMIT 1")[0]
    assert state == "applied"
    assert "kept back, for the same change of note is told for the third time" in reason
    written = amended(acme)
    changed(acme, order, note="as the books say")
    changed(acme, order, note="as the app says")
    acme.pump()
    assert (amended(acme), len(acme.rows(OPEN))) == (written, 1), (
        "whoever goes on is not followed, and opens no second case"
    )


def test_a_true_edit_afterwards_is_written_and_ends_the_case(acme: World) -> None:
    order = acme.order()
    acme.pump()
    quarrel(acme, order)
    changed(acme, order, note="the customer rang: leave it with the neighbour")
    acme.pump()
    content = acme.effects("erp")["amended"].values()
    assert any("leave it with the neighbour" in one for one in content)
    assert acme.one("SELECT status FROM cases WHERE code = 'loop'") == "resolved"
    assert acme.one("SELECT count(*) FROM holds WHERE released_at IS NULL") == 0
    assert acme.settled()


def test_a_person_releases_it_and_the_newest_state_is_written_once(acme: World) -> None:
    order = acme.order()
    acme.pump()
    quarrel(acme, order)
    before = amended(acme)
    release(acme, acme.one("SELECT id FROM holds WHERE rule = 'loop' AND released_at IS NULL"))
    acme.pump()
    assert amended(acme) == before + 1
    assert any("as the app says" in one for one in acme.effects("erp")["amended"].values())
    assert acme.one("SELECT status FROM cases WHERE code = 'loop'") == "resolved"
    assert acme.settled()


def test_edits_that_nobody_writes_anywhere_are_no_loop(acme: World) -> None:
    """A shop's app that sets a tag and takes it off again moves nobody."""
    order = acme.order()
    acme.pump()
    for hop in range(8):
        changed(acme, order, tags=["seen"] if hop % 2 == 0 else [])
        acme.pump()
    assert (amended(acme), acme.rows(OPEN)) == (0, [])
