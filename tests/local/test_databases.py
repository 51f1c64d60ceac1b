"""A database that served a test serves the next one as if it were new, or not at all."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from local.servers import Servers
from tests.databases import SHAPE, Databases

WRITES = "INSERT INTO cases (fingerprint, kind, account, step, code, sentence, remedy, owner) VALUES ('f', 'k', '', '', '', '', '', '')"


@pytest.fixture
def own(real_servers: Servers, template: str) -> Iterator[Databases]:
    """Apart from those of the other tests."""
    made = Databases(real_servers, template)
    yield made
    made.end()


def connected(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def oid(url: str) -> object:
    with connected(url) as connection:
        row = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
        return row[0] if row else None


def test_it_is_given_again_empty_under_another_name_with_its_numbers_from_the_start(own: Databases) -> None:
    first = own.take("waybill_reused_1")
    which = oid(first)
    left = connected(first)  # somebody who forgot to leave
    with connected(first) as connection:
        for _ in range(3):
            connection.execute(f"{WRITES} ON CONFLICT DO NOTHING")
            connection.execute("UPDATE cases SET status = 'resolved'")
        seeds = "SELECT count(*) FROM alembic_version"
        assert connection.execute(seeds).fetchone() == (1,)
        connection.execute("DELETE FROM alembic_version")
    own.give_back("waybill_reused_1")
    second = own.take("waybill_reused_2")
    assert oid(second) == which
    with connected(second) as connection:
        assert connection.execute("SELECT count(*) FROM cases").fetchone() == (0,)
        assert connection.execute(seeds).fetchone() == (1,), "what migrations put there is there"
        assert connection.execute(f"{WRITES} RETURNING id").fetchone() == (1,)
    with pytest.raises(psycopg.Error):
        left.execute("SELECT 1")
    left.close()
    with pytest.raises(psycopg.OperationalError):
        connected(first)
    own.give_back("waybill_reused_2")


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (id int)",
        "ALTER TABLE cases ALTER COLUMN owner SET DEFAULT 'nobody'",
        "DROP INDEX case_members_member",
        "CREATE OR REPLACE FUNCTION close_run(p_run bigint, p_n integer, p_reason text) RETURNS void LANGUAGE sql AS 'SELECT'",
        "ALTER TABLE cases DISABLE TRIGGER ALL; CREATE SCHEMA elsewhere",
    ],
)
def test_one_whose_shape_was_changed_is_not_given_again(own: Databases, change: str) -> None:
    first = own.take("waybill_changed_1")
    which = oid(first)
    with connected(first) as connection:
        connection.execute(
            "DROP FUNCTION IF EXISTS close_run(bigint, integer, text)" if "close_run" in change else "SELECT 1"
        )
        connection.execute(change.encode())
    own.give_back("waybill_changed_1")
    second = own.take("waybill_changed_2")
    assert oid(second) != which
    with connected(second) as connection:
        assert connection.execute(SHAPE).fetchone() == (own.home.shape,)
    own.give_back("waybill_changed_2")
