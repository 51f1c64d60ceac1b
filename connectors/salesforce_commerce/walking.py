"""Long lists are walked by a time of their rows, not by number of page: what moves meanwhile shifts nothing.

A page begins again at the last row's own instant, so that a tie across its edge comes whole; only where a page is one
single tie does the offset grow, by one less than a page: the row that is shown twice proves that nothing moved.
Source: GET /orders of orders-oas-1.5.2.yaml (From includes its instant, To does not; offset + limit is at most 10,000), POST
/product-search of products-oas-1.2.0.yaml.
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
    """`page(floor, beyond, offset)` answers rows whose time `at` is in [floor, beyond), oldest first; `size` is a whole page,
    `id` the field that names a row."""

    page: Callable[[datetime, datetime, int], Sequence[Row]]
    size: int
    id: str = "orderNo"
    at: str = "lastModified"

    def rows(self, since: datetime, until: datetime) -> Iterator[Row]:
        """Each state once. Raises Transient where a tie moves faster than it can be read, or is longer than any list."""
        floor, beyond, offset, tries = _tick(since), _tick(until) + TICK, 0, 0
        seen: dict[str, datetime] = {}
        last: Row = {}
        while True:
            rows = self.page(floor, beyond, offset)
            yield from self._fresh(rows, seen)
            if offset and not (rows and self._same(rows[0], last)):
                offset, tries = 0, tries + 1
                if tries > TRIES:
                    raise Transient("Rows move faster than their list can be read.", code="pages_shifted")
                continue
            if len(rows) < self.size:
                return
            last = rows[-1]
            floor, offset = self._next(floor, offset, instant(last, self.at))

    def _next(self, floor: datetime, offset: int, reached: datetime) -> tuple[datetime, int]:
        if reached > floor:
            return reached, 0
        offset += self.size - 1
        if offset + self.size > MOST:
            words = f"More than {MOST} rows have one and the same {self.at} ({stamp(floor)})."
            raise Transient(words, code="too_many_tied")
        return floor, offset

    def _fresh(self, rows: Sequence[Row], seen: dict[str, datetime]) -> Iterator[Row]:
        for row in rows:
            name, at = str(row.get(self.id)), instant(row, self.at)
            if seen.get(name) != at:
                seen[name] = at
                yield row

    def _same(self, row: Row, other: Row) -> bool:
        return (row.get(self.id), row.get(self.at)) == (other.get(self.id), other.get(self.at))


def instant(row: Row, at: str = "lastModified") -> datetime:
    return Place(row).at(at).instant()


def _tick(moment: datetime) -> datetime:
    """The millisecond that holds the moment."""
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


def stamp(moment: datetime) -> str:
    """As Commerce Cloud writes an instant: 2026-03-02T09:30:00.000Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
