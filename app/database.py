"""The one database: an engine for each process, and the schema brought up to date."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import psycopg
from sqlalchemy import Connection, Engine, create_engine, text

from app.cursors import Discreet
from app.quick import Quick

# A peer that vanished without a word (power, a firewall, a failover) is found out in about 20 s, not in the two hours that systems default to.
# https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-CONNECT-KEEPALIVES ; tcp_user_timeout is in milliseconds and ignored where unsupported.
ALIVE: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


def _dumps(value: object) -> str:
    return orjson.dumps(value, default=str).decode()


PLANS = "-c plan_cache_mode=force_generic_plan"


def plan_once() -> None:
    """For processes that make the same few statements by key all day: each is planned once for a session, not at every call.

    Not for the screens, whose filters want a plan for their values. Must be asked before the first use of the engine.
    """
    os.environ["DATABASE_PLANS"] = PLANS


@cache
def engine(url: str | None = None) -> Engine:
    """The pool of this process (DATABASE_URL). Sessions keep their safety: fsync and synchronous_commit are the server's own."""
    made = create_engine(
        url or os.environ["DATABASE_URL"],
        pool_size=int(os.environ.get("DATABASE_POOL", "12")),
        max_overflow=20,
        pool_pre_ping=False,
        hide_parameters=True,  # they are orders, people and secrets: an error's own words go to the log
        pool_recycle=1800,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        connect_args={
            "connect_timeout": 5,
            **ALIVE,
            "options": "-c timezone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s "
            + os.environ.get("DATABASE_PLANS", ""),
            "prepare_threshold": 2,
            "cursor_factory": Discreet,
        },
    )
    made._connection_cls = Quick
    _made.append(made)
    return made


_made: list[Engine] = []


def _leave_to_the_parent() -> None:
    """In a process that was forked (a child of a prefork worker, of a preloaded server): what its parent has open is its parent's alone. Two that
    speak on one connection read each other's answers. https://docs.sqlalchemy.org/en/20/core/pooling.html#using-connection-pools-with-multiprocessing
    """
    for one in _made:
        one.dispose(close=False)


os.register_at_fork(after_in_child=_leave_to_the_parent)


@contextmanager
def transaction() -> Iterator[Connection]:
    """One transaction: committed at the end, undone by an error."""
    with engine().begin() as tx:
        yield tx


@contextmanager
def at_once() -> Iterator[Connection]:
    """A connection whose every statement commits itself: for an end that is one statement, without a BEGIN and a COMMIT to be sent.

    A look that is only rolled back would make the driver forget all that it has prepared on this connection.
    """
    with engine().connect() as tx:
        driver = plain(tx)
        driver.autocommit = True
        try:
            yield tx
        finally:
            try:
                if not driver.closed:
                    driver.autocommit = False
            except psycopg.Error:  # broken off in the middle of a statement: nobody else may get it as it is
                tx.invalidate()


def plain(tx: Connection) -> psycopg.Connection[tuple[Any, ...]]:
    """The driver's own connection, in the same transaction: for the few statements that every step makes (docs/performance.md)."""
    driver: psycopg.Connection[tuple[Any, ...]] = tx.connection.driver_connection  # type: ignore[assignment]
    return driver


def gently(connection: psycopg.Connection[Any], statement: str, patience: float = 0.3, tries: int = 100) -> None:
    """A statement that wants a table for itself, in autocommit: who waits for the table also holds up all who come after, so it waits only
    `patience` seconds, lets them pass, and asks again. Raises LockNotAvailable after so many tries."""
    for left in reversed(range(tries)):
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = {int(patience * 1000)}".encode())
                connection.execute(statement.encode())
                return
        except psycopg.errors.LockNotAvailable:
            if not left:
                raise
            time.sleep(patience)


@contextmanager
def statement() -> Iterator[psycopg.Connection[Any]]:
    """A plain connection whose every statement commits itself: for hot paths of one statement. Raises psycopg.Error."""
    held = engine().raw_connection()
    plain: psycopg.Connection[Any] = held.driver_connection  # type: ignore[assignment]
    try:
        plain.autocommit = True
        yield plain
        plain.autocommit = False
    except psycopg.OperationalError:
        held.invalidate()
        raise
    finally:
        if not plain.closed and plain.autocommit:
            plain.autocommit = False
        held.close()


def migrate(url: str | None = None) -> None:
    """Brings the schema up to date; several processes may ask at once (one does it, under a lock)."""
    from alembic import command
    from alembic.config import Config

    with engine(url).connect() as held:
        held.execute(text("SELECT pg_advisory_lock(77010001)"))
        held.commit()
        with engine(
            url
        ).connect() as connection:  # each migration has its own transaction, or none (migrations/quietly.py)
            settings = Config()
            settings.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")
        held.execute(text("SELECT pg_advisory_unlock(77010001)"))
