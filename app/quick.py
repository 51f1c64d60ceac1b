"""A connection that makes the hub's own statements, which are text, without what SQLAlchemy does for those that it composes.

Of the processor time of a short statement by key, SQLAlchemy's execution context and cursor result took more than the driver and the wire
(docs/performance.md). What callers see is the same: a Result of Rows, SQLAlchemy's errors, its transactions.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import psycopg
from sqlalchemy import Connection, TextClause
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.engine.util import TransactionalContext

KEPT = 2000  # statements; those of the screens that differ by their filters included


class Told(IteratorResult[Any]):
    """Everything that a statement answered, fetched already; `rowcount` as the driver counts."""

    rowcount: int


class Quick(Connection):
    """Text goes straight to the driver, in the same transaction; everything else as ever."""

    def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:
        if type(statement) is not TextClause or execution_options or self._has_events:
            return super().execute(statement, parameters, execution_options=execution_options)
        words = _worded(self, statement)
        driver: Any = self._ready().driver_connection
        cursor: psycopg.Cursor[Any] | None = None
        try:
            cursor = driver.cursor()
            if parameters and isinstance(parameters, list | tuple):
                cursor.executemany(words, parameters)
            else:
                cursor.execute(words, parameters or {})
            return _told(cursor)
        except BaseException as error:  # noqa: BLE001 - as SQLAlchemy sorts it: a connection that is gone leaves the pool
            known = words if isinstance(error, psycopg.Error) else None
            self._handle_dbapi_exception(error, known, parameters, cursor, None)  # type: ignore[arg-type]  # the driver's cursor

    def _ready(self) -> Any:
        """The connection, once it is sure that a transaction is open in which something may be said."""
        held = self._dbapi_connection
        if held is None:
            held = self._revalidate_connection()
        inner, outer = self._nested_transaction, self._transaction
        if (outer is not None and not outer.is_active) or (inner is not None and not inner.is_active):
            self._invalid_transaction()
        elif self._trans_context_manager:
            TransactionalContext._trans_ctx_check(self)
        if self._transaction is None:
            self._autobegin()
        return held


_words: dict[str, str] = {}


def _worded(connection: Connection, statement: TextClause) -> str:
    """A statement in the driver's words: %(name)s for :name."""
    found = _words.get(statement.text)
    if found is None:
        if len(_words) >= KEPT:
            _words.clear()
        found = _words[statement.text] = str(statement.compile(dialect=connection.dialect))
    return found


def _told(cursor: psycopg.Cursor[Any]) -> Told:
    answer = cursor.pgresult
    many = answer.nfields if answer is not None else 0
    names = tuple(answer.fname(n) for n in range(many)) if answer is not None else ()
    told = Told(_columns(names), iter(cursor.fetchall() if many else ()))
    told.rowcount = cursor.rowcount
    return told


@lru_cache(maxsize=KEPT)
def _columns(names: tuple[bytes | None, ...]) -> SimpleResultMetaData:
    return SimpleResultMetaData([name.decode() if name is not None else "" for name in names])
