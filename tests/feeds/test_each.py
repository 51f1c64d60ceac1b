"""Feeds act on one after the other: what fails is told at the end, and holds none of the others up."""

from __future__ import annotations

import pytest

from tasks.feeds.each import each


def test_one_that_fails_holds_none_of_the_others_up_and_is_told_at_the_end() -> None:
    done: list[int] = []

    def act(item: int) -> bool:
        if item in (1, 3):
            raise ValueError(item)
        done.append(item)
        return item > 0

    with pytest.raises(ValueError, match="1"):
        each([0, 1, 2, 3, 4], act)
    assert done == [0, 2, 4]
    assert each([0, 2, 4], act) == 2
