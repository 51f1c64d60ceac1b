"""One after the other: what fails is told, and holds none of the others up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import structlog

T = TypeVar("T")
log = structlog.get_logger("feeds")


def each(items: Iterable[T], act: Callable[[T], Any]) -> int:
    """Acts on every item, each in transactions of its own; how often that was to some effect (a truthy answer). The first failure is raised once all
    have had their turn: the job's run is marked as failed and somebody hears of it, and at the next pass it is tried again behind nobody's back."""
    done, broken = 0, None
    for item in items:
        try:
            done += bool(act(item))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this item's: raised below
            log.error("one of a feed's items failed", code=type(error).__name__)
            broken = broken or error
    if broken is not None:
        raise broken
    return done
