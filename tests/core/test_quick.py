"""Statements that go straight to the driver answer, fail and belong to their transaction as SQLAlchemy's own do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError, InvalidRequestError, OperationalError, PendingRollbackError

from app.database import at_once, engine, plain, transaction
from app.quick import Quick, Told

ROWS = text(
    "SELECT n AS id, 'a:b' || '%' AS word, CAST(:tree AS jsonb) AS tree FROM generate_series(1, :many) n ORDER BY n"
)


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    made = engine(database_url)
    yield made
    made.dispose()


def _as_ever(tx: Connection, statement: object, values: object = None) -> object:
    return Connection.execute(tx, statement, values)  # type: ignore[call-overload]  # what Quick stands in for


def test_rows_are_the_same_in_every_way_of_taking_them(database: Engine) -> None:
    values = {"many": 3, "tree": '{"a": [1, null]}', "beside": "is left out"}
    with database.connect() as tx:
        assert isinstance(tx, Quick)
        assert isinstance(tx.execute(ROWS, values), Told)
        for take in (
            lambda result: result.all(),
            lambda result: result.mappings().all(),
            lambda result: result.scalars().all(),
            lambda result: [(row.id, row.word, row.tree["a"], row[0]) for row in result],
            lambda result: dict(result.mappings().first()),
            lambda result: result.keys(),
            lambda result: result.partitions(2).__next__(),
        ):
            assert take(tx.execute(ROWS, values)) == take(_as_ever(tx, ROWS, values))
        assert tx.execute(ROWS, {"many": 0, "tree": "{}"}).scalar() is None
        assert tx.execute(ROWS, {"many": 0, "tree": "{}"}).mappings().first() is None


def test_what_is_counted_and_undone(database: Engine) -> None:
    with database.connect() as tx:
        tx.execute(text("CREATE TEMPORARY TABLE pots (id int PRIMARY KEY, name text) ON COMMIT DROP"))
        tx.execute(text("INSERT INTO pots VALUES (:id, :name)"), [{"id": n, "name": "a"} for n in range(3)])
        assert tx.execute(text("UPDATE pots SET name = 'b' WHERE id > :low"), {"low": 0}).rowcount == 2
        assert tx.execute(text("SELECT name FROM pots ORDER BY id")).scalars().all() == ["a", "b", "b"]
        with tx.begin_nested() as part:
            tx.execute(text("DELETE FROM pots"))
            part.rollback()
        assert tx.execute(text("SELECT count(*) FROM pots")).scalar_one() == 3


def test_a_fault_is_sorted_and_keeps_its_values_to_itself(database: Engine) -> None:
    with database.connect() as tx:
        tx.execute(text("CREATE TEMPORARY TABLE pots (name text UNIQUE) ON COMMIT DROP"))
        with pytest.raises(IntegrityError) as told:
            tx.execute(text("INSERT INTO pots VALUES (:name)"), [{"name": "ana@shop.example"}] * 2)
        assert "ana@" not in str(told.value)
    with database.begin() as tx:
        tx.rollback()
        with pytest.raises(InvalidRequestError):
            tx.execute(text("SELECT 1"))


def test_a_connection_that_is_gone_leaves_the_pool(database: Engine) -> None:
    with database.connect() as tx, database.connect() as other:
        pid = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(OperationalError) as told:
            tx.execute(text("SELECT 1"))
        assert told.value.connection_invalidated
        assert tx.invalidated
        with pytest.raises(PendingRollbackError):
            tx.execute(text("SELECT 1"))
        tx.rollback()
        assert tx.execute(text("SELECT pg_backend_pid()")).scalar_one() != pid


def test_a_connection_that_broke_off_while_it_committed_by_itself_is_given_to_nobody(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a transaction of somebody else would commit statement by statement."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    engine.cache_clear()
    with at_once() as tx:
        driver = plain(tx)
        driver.pgconn.send_query(b"SELECT pg_sleep(0.2)")  # and whoever waited for it is gone
    assert driver.closed
    with transaction() as tx:
        assert plain(tx) is not driver
        assert not plain(tx).autocommit
    engine().dispose()
    engine.cache_clear()
