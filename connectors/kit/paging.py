"""Lists that come in pages, walked to their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def walk(page: Callable[[str | None], tuple[Sequence[T], str | None]]) -> Iterator[T]:
    """Every row of a cursor-paged list: `page(cursor)` answers rows and the next cursor, None at the end."""
    cursor: str | None = None
    while True:
        rows, cursor = page(cursor)
        yield from rows
        if cursor is None:
            return


def walk_numbered(page: Callable[[int], Sequence[T]], size: int, first: int = 1) -> Iterator[T]:
    """Every row of a list paged by number; a page shorter than `size` is the last."""
    number = first
    while True:
        rows = page(number)
        yield from rows
        if len(rows) < size:
            return
        number += 1
