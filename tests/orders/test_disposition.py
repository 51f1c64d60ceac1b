"""Disposition: what came back is for sale again, in quarantine, or gone, and the shelf says so, once."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.orders import inspecting, return_requests, returning
from app.orders.refused import Refused
from tests.orders.test_returns import ask, count, shipped, subject
from tests.world import World

MOVED = "SELECT kind, sku, location, quantity FROM movements WHERE location = 'store' ORDER BY number, n"


def told(acme: World, sku: str = "WB-TEE") -> Decimal:
    return Decimal(acme.one("SELECT coalesce(sum(told), 0) FROM shelves WHERE sku = :s AND location = 'store'", s=sku))


def dispose(number: str, line: str, word: str) -> return_requests.ReturnRow:
    from app.database import transaction

    with transaction() as tx:
        return inspecting.dispose(tx, number, subject(tx).document, line, word, "the store")


@pytest.mark.parametrize(
    ("word", "there", "moves"),
    [("restock", 1, ["return"]), ("quarantine", 0, ["return", "quarantine"]), ("scrap", 0, ["return", "scrap"])],
)
def test_goods_go_where_they_belong_however_often_they_are_counted(
    acme: World, word: str, there: int, moves: list[str]
) -> None:
    from tasks.feeds import returned

    order = shipped(acme)
    line, number = order["lines"][0]["id"], ask(order).number
    for _ in range(2):
        count(number, line, 1, word)
        returned.run()
    assert (told(acme), [row.kind for row in acme.rows(MOVED)]) == (there, moves)
    assert acme.one("SELECT sum(returned) FROM reservations") == 1
    states = {row.part: row.state for row in acme.rows("SELECT part, state FROM order_states WHERE machine = 'return'")}
    assert states == {number: {"restock": "restocked"}.get(word, "quarantined")}
    assert acme.one("SELECT state FROM order_states WHERE machine = 'line' AND part = :p", p=line) == "partly_returned"
    assert acme.settled()


def test_what_was_in_quarantine_is_sold_again_or_gone(acme: World) -> None:
    order = shipped(acme)
    line = order["lines"][0]["id"]
    first, second = ask(order, 1, "a").number, ask(order, 1, "b").number
    for number in (first, second):
        count(number, line, 1, "quarantine")
    assert told(acme) == 0
    for _ in range(2):
        assert dispose(first, line, "restock").state == "restocked"
        assert dispose(second, line, "scrap").state == "scrapped"
    assert told(acme) == 1
    with pytest.raises(Refused) as wrong:
        dispose(first, line, "scrap")
    assert wrong.value.code == "not_in_quarantine"


def test_the_owners_later_count_has_it_already(acme: World) -> None:
    """The store counts its shelf after the return was put there: one piece, not two."""
    from app.database import transaction
    from app.stock import authority, positions
    from config.reader import config
    from connectors.canonical.stock import StockLevel

    (acme.folder / "authority.toml").write_text('[stock]\nowner = "warehouse"\n[stock.locations]\nstore = "pos"\n')
    config.cache_clear()
    order = shipped(acme)
    count(ask(order).number, order["lines"][0]["id"], 1)
    assert told(acme) == 1
    with transaction() as tx:
        assert authority.owns("pos", "on_hand", "store")
        level = StockLevel("WB-TEE", "store", on_hand=Decimal(1), as_of=datetime.now(UTC))
        positions.set_level(tx, "pos", level, "2")
    assert told(acme) == 1


def test_a_return_that_nobody_placed_moves_no_stock_and_is_paid_all_the_same(acme: World) -> None:
    from app.database import transaction

    order = shipped(acme)
    line = order["lines"][0]["id"]
    number = ask(order).number
    with transaction() as tx:
        row = returning.receive(tx, number, subject(tx).document, {line: (Decimal(1), "restock")}, location="", who="x")
    assert row.refunds == (("card", Decimal("20.71")),)
    assert acme.one("SELECT count(*) FROM movements WHERE kind = 'return'") == 0


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["restock", "quarantine", "scrap"]), min_size=1, max_size=6))
def test_the_machine_knows_a_way_for_every_disposition(words: list[str]) -> None:
    from app.orders.machines import RETURN

    state = "requested"
    for event in ("authorise", "receive", *words):
        state = RETURN.table.get((state, event), state)
    assert RETURN.after(state, "refund") == "refunded"
