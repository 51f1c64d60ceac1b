"""What makes a purchase's lines the wanted ones: changed, gone, new; nothing is left as it should not be."""

from __future__ import annotations

from connectors.tryton.purchases import _towards


def test_lines_are_changed_dropped_and_added_by_our_names_of_them() -> None:
    there = [{"id": 11, "note": "a", "quantity": 2.0}, {"id": 12, "note": "b", "quantity": 1.0}]
    less = {"note": "a", "quantity": 1.0}
    new = {"note": "c", "quantity": 4.0}
    assert _towards(there, [less, new]) == [["write", [11], less], ["delete", [12]], ["create", [new]]]
    assert _towards(there, [{"note": "a", "quantity": 2.0}]) == [
        ["write", [11], {"note": "a", "quantity": 2.0}],
        ["delete", [12]],
    ]
