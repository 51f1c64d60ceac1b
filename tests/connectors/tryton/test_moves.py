"""Of what waits in Tryton, a parcel takes what left; the rest goes back."""

from decimal import Decimal

import pytest

from connectors.canonical.shipment import ShipmentLine
from connectors.kit.errors import Rejected
from connectors.tryton.moves import Move, changes, taking, touched

TEE, MUG, FEED, ADDED = (
    Move(1, 10, Decimal(3), "TEE", line="a"),
    Move(2, 10, Decimal(1), "MUG", line="b"),
    Move(3, 10, Decimal(3), "TEE", feeds=1),
    Move(4, 20, Decimal(2), "MUG", line="c"),
)
MOVES = (TEE, MUG, FEED, ADDED)


def same(code: str) -> str:
    return code


def shipped(quantity: int, sku: str = "", line: str = "") -> ShipmentLine:
    return ShipmentLine(Decimal(quantity), sku, line)


def test_a_part_of_a_line_leaves_the_rest_and_all_else() -> None:
    taken = taking(MOVES, (shipped(1, "TEE", "a"),), same)
    assert taken == {1: 1}
    told = changes(MOVES, taken, 10)
    assert told == [["write", [1], {"quantity": 1.0}], ["write", [3], {"quantity": 1.0}], ["delete", [2]]]
    assert touched(MOVES, taken) == [10]


def test_lines_of_two_waiting_shipments_stay_in_their_own() -> None:
    taken = taking(MOVES, (shipped(3, "TEE", "a"), shipped(2, "MUG", "c")), same)
    assert touched(MOVES, taken) == [10, 20]
    assert changes(MOVES, taken, 10) == [["delete", [2]]]
    assert changes(MOVES, taken, 20) == []


def test_by_product_where_the_warehouse_does_not_know_our_lines() -> None:
    assert taking(MOVES, (shipped(3, "MUG"),), same) == {2: 1, 4: 2}
    assert taking(MOVES, (shipped(1, "MUG", "bundle"),), same) == {2: 1}


def test_more_than_is_open_is_refused() -> None:
    with pytest.raises(Rejected, match="1 more of MUG left") as refused:
        taking(MOVES, (shipped(4, "MUG"),), same)
    assert refused.value.code == "not_open"
