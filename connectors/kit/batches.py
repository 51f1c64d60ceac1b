"""A call that takes all rows or none: where it refuses, the rows are halved until the bad ones stand alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from connectors.kit.errors import Rejected

Row = TypeVar("Row")


def each(rows: Sequence[Row], put: Callable[[Sequence[Row]], None], most: int) -> list[Rejected | None]:
    """The refusal of each row, or None. Only for writes that set: what was set before a refusal may be set again."""
    found: list[Rejected | None] = []
    for start in range(0, len(rows), most):
        found += _tried(rows[start : start + most], put)
    return found


def _tried(rows: Sequence[Row], put: Callable[[Sequence[Row]], None]) -> list[Rejected | None]:
    try:
        put(rows)
    except Rejected as refused:
        if len(rows) == 1:
            return [refused]
        half = len(rows) // 2
        return _tried(rows[:half], put) + _tried(rows[half:], put)
    return [None] * len(rows)
