"""A page of rows: as many as are shown, and the key where the next page begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.sql.elements import TextClause

T = TypeVar("T")
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next` is the key to ask for what comes after, None on the last page."""

    rows: tuple[T, ...]
    next: str | None = None

    def __bool__(self) -> bool:
        return bool(self.rows)


def listed(tx: Connection, kind: type[T], statement: TextClause, /, **values: Any) -> tuple[T, ...]:
    """Every row as a value of `kind`, whose fields are the statement's columns."""
    return tuple(kind(**row) for row in tx.execute(statement, values).mappings())


def found(tx: Connection, kind: type[T], statement: TextClause, /, **values: Any) -> T | None:
    row = tx.execute(statement, values).mappings().first()
    return None if row is None else kind(**row)


def paged(
    tx: Connection,
    kind: type[T],
    select: str,
    filters: Mapping[str, str],
    given: Mapping[str, Any],
    order: str,
) -> Page[T]:
    """One page of `select`, narrowed by those of `filters` (name -> condition) that are `given`; `before` continues.

    The texts are ours; only values come from outside, and they are bound.
    """
    said = {name: value for name, value in given.items() if name in filters and value not in (None, "")}
    where = " AND ".join(filters[name] for name in said) or "true"
    rows = listed(tx, kind, text(f"{select} WHERE {where} ORDER BY {order} LIMIT :shown_"), **said, shown_=SHOWN + 1)
    return Page(rows[:SHOWN], str(rows[SHOWN - 1].id) if len(rows) > SHOWN else None)  # type: ignore[attr-defined]


def number(word: str | None) -> int | None:
    """A key as it stands in an address; None for anything else."""
    return int(word) if word and word.isascii() and word.isdigit() and len(word) < 19 else None


def by_key(rows: Iterable[Any], key: str) -> dict[Any, list[Any]]:
    """Rows under the value of one of their fields, in their order."""
    grouped: dict[Any, list[Any]] = {}
    for row in rows:
        grouped.setdefault(getattr(row, key), []).append(row)
    return grouped
