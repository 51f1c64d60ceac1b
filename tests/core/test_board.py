"""What a channel shows is told once: named there, looked at together, set where it differs, the last word of one slot, each with its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from connectors.kit.board import Board
from connectors.kit.errors import Missing, Rejected, Transient
from connectors.kit.writes import BatchItem

CODES = {"TEE": "T", "SHIRT": "T", "MUG": "M", "CAP": "C"}


@dataclass(frozen=True)
class Count:
    article: str
    pieces: int
    before: int

    @property
    def id(self) -> str:
        return f"{self.article}@main"

    @property
    def there(self) -> bool:
        return self.pieces == self.before


class Channel:
    """Shows counts of three articles; refuses more than nine, and is busy with a hundred."""

    def __init__(self) -> None:
        self.shown = {"T": 3, "M": 5}
        self.asked: list[list[str]] = []
        self.puts: list[list[Count]] = []

    @property
    def board(self) -> Board[tuple[str, int], str, dict[str, int], Count]:
        return Board("stock", self._name, self._look, self._want, self._put)

    def _name(self, document: tuple[str, int]) -> str:
        if document[0] not in CODES:
            raise Missing("No code.", kind="sku", value=document[0])
        return CODES[document[0]]

    def _look(self, names: Sequence[str]) -> dict[str, int]:
        self.asked.append(list(names))
        return dict(self.shown)

    def _want(self, item: BatchItem[tuple[str, int]], name: str, shown: dict[str, int]) -> Count | Exception:
        return (
            Count(name, item.document[1], shown[name]) if name in shown else Rejected("Not there.", code="unknown_sku")
        )

    def _put(self, due: Sequence[Count]) -> list[Exception | None]:
        self.puts.append(list(due))
        if any(one.pieces >= 100 for one in due):
            raise Transient("Busy.")
        refused = [Rejected("Too many.", code="many") if one.pieces > 9 else None for one in due]
        self.shown |= {one.article: one.pieces for one, no in zip(due, refused, strict=True) if no is None}
        return list(refused)


def items(*documents: tuple[str, int]) -> list[BatchItem[tuple[str, int]]]:
    return [BatchItem(document, f"k{n}") for n, document in enumerate(documents)]


def test_each_has_its_own_verdict_in_order_and_all_are_looked_at_together() -> None:
    channel = Channel()
    batch = channel.board.batch()
    told = batch.send(items(("MUG", 12), ("HAT", 1), ("CAP", 1), ("TEE", 4)))
    assert [getattr(one, "code", one) for one in told] == ["many", "missing", "unknown_sku", "T@main"]
    assert batch.name == "stock"
    assert channel.asked == [["M", "C", "T"]]
    assert channel.shown == {"T": 4, "M": 5}


def test_what_is_there_needs_no_call() -> None:
    channel = Channel()
    assert list(channel.board.batch().send(items(("MUG", 5)))) == ["M@main"]
    assert channel.puts == []


def test_two_of_one_slot_are_not_sent_side_by_side_and_the_last_holds() -> None:
    channel = Channel()
    assert list(channel.board.batch().send(items(("TEE", 7), ("SHIRT", 8)))) == ["T@main", "T@main"]
    assert channel.puts == [[Count("T", 8, 3)]]
    assert list(channel.board.batch().send(items(("TEE", 9), ("SHIRT", 8)))) == ["T@main", "T@main"]
    assert len(channel.puts) == 1  # the last word is what is shown


def test_what_is_no_verdict_is_raised_for_all() -> None:
    with pytest.raises(Transient):
        Channel().board.batch().send(items(("TEE", 100)))


def test_a_lost_answer_is_looked_up_one_by_one() -> None:
    board = Channel().board
    find = board.batch().find
    (same, other, unknown, nameless) = items(("TEE", 3), ("TEE", 4), ("CAP", 1), ("HAT", 1))
    assert [find(one) for one in (same, other, unknown, nameless)] == ["T@main", None, None, None]
    blind = Board("stock", board.name, board.look, board.want, board.put, seen=lambda one: one.pieces == 4).batch()
    assert [blind.find(same), blind.find(other)] == [None, "T@main"]
