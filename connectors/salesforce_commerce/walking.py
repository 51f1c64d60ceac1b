"""Orders are walked by the time of their change, not by number of page: what moves meanwhile shifts nothing.

A page begins again at the last row's own instant, so that a tie across its edge comes whole; only where a page is one
single tie does the offset grow, by one less than a page: the row that is shown twice proves that nothing moved.
Source: GET /orders of orders-oas-1.5.2.yaml (From includes its instant, To does not; offset + limit is at most 10,000).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.kit.errors import Transient
from connectors.kit.place import Place

Row = Mapping[str, Any]
TICK = timedelta(milliseconds=1)  # Commerce Cloud tells milliseconds
TRIES = 4
MOST = 10_000


@dataclass(frozen=True)
class Walk:
    """`page(floor, beyond, offset)` answers rows modified in [floor, beyond), oldest first; `size` is a whole page."""

    page: Callable[[datetime, datetime, int], Sequence[Row]]
    size: int

    def rows(self, since: datetime, until: datetime) -> Iterator[Row]:
        """Each state once. Raises Transient where a tie moves faster than it can be read, or is longer than any list."""
        floor, beyond, offset, tries = _tick(since), _tick(until) + TICK, 0, 0
        seen: dict[str, datetime] = {}
        while True:
            rows = self.page(floor, beyond, offset)
            if offset and not (rows and _known(rows[0], seen)):
                offset, tries = 0, tries + 1
                if tries > TRIES:
                    raise Transient("Orders move faster than their list can be read.", code="pages_shifted")
                continue
            yield from _fresh(rows, seen)
            if len(rows) < self.size:
                return
            last = modified(rows[-1])
            floor, offset = (last, 0) if last > floor else (floor, offset + self.size - 1)
            if offset + self.size > MOST:
                words = f"More than {MOST} orders were changed in one instant ({stamp(floor)})."
                raise Transient(words, code="too_many_tied")


def _fresh(rows: Sequence[Row], seen: dict[str, datetime]) -> Iterator[Row]:
    for row in rows:
        if not _known(row, seen):
            seen[str(row.get("orderNo"))] = modified(row)
            yield row


def _known(row: Row, seen: dict[str, datetime]) -> bool:
    return seen.get(str(row.get("orderNo"))) == modified(row)


def modified(row: Row) -> datetime:
    return Place(row).at("lastModified").instant()


def _tick(moment: datetime) -> datetime:
    """The millisecond that holds the moment."""
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


def stamp(moment: datetime) -> str:
    """As Commerce Cloud writes an instant: 2026-03-02T09:30:00.000Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
