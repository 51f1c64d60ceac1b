"""A fault of the database names its rule, never the row: in the error's own words and in its repr()."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import database, scrub

ANA = "Ana Example, Musterweg 5"
KNOWN = "INSERT INTO customers_told (name, pieces) VALUES (%(name)s, 1)"
TABLE = "CREATE TABLE customers_told (name text PRIMARY KEY, pieces int CHECK (pieces > 0))"
FAULTS = {
    "a row that is there": (KNOWN, "duplicate key"),
    "a rule that is broken": (
        "INSERT INTO customers_told (name, pieces) VALUES (%(name)s || '2', 0)",
        "check constraint",
    ),
    "a value of the wrong kind": ("SELECT %(name)s::text::uuid", "invalid input syntax"),
    "a value that is no JSON": ("SELECT %(name)s::text::json", "invalid input syntax"),
    "a value that is too great": ("SELECT (%(name)s::text || '')::int WHERE %(name)s <> ''", "invalid input syntax"),
}


@pytest.fixture
def told(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with database.engine(database_url).begin() as tx:
        tx.execute(text(TABLE))
        database.plain(tx).execute(KNOWN, {"name": ANA})
    yield database_url
    database.engine(database_url).dispose()


def by_sqlalchemy(url: str, statement: str) -> None:
    with database.engine(url).begin() as tx:
        tx.execute(
            text(statement.replace("%(name)s::", "CAST(:name AS text)::").replace("%(name)s", ":name")), {"name": ANA}
        )


def by_hand(url: str, statement: str) -> None:
    with database.engine(url).begin() as tx:
        database.plain(tx).execute(statement.encode(), {"name": ANA})


def at_the_door(url: str, statement: str) -> None:
    """The receiver's own pool."""
    from app.journal import accept

    accept._pool.cache_clear()
    try:
        with accept._pool(os.getpid()).connection() as connection:
            connection.execute(statement.encode(), {"name": ANA})
    finally:
        for pool in accept.pools():
            pool.close()
        accept._pool.cache_clear()


@pytest.mark.parametrize("way", [by_sqlalchemy, by_hand, at_the_door])
def test_an_error_names_its_rule_and_not_the_row(told: str, way: Callable[[str, str], None]) -> None:
    for statement, rule in FAULTS.values():
        with pytest.raises((psycopg.Error, DBAPIError)) as broken:
            way(told, statement)
        for words in (str(broken.value), repr(broken.value), scrub.words(repr(broken.value))):
            assert rule in words, words
            assert not [word for word in ("Ana", "Musterweg") if word in words], words


def test_repeated_words_of_a_plain_driver_are_cut_before_the_row_s_values(told: str) -> None:
    """Whoever connects without our cursor (a library): its words may reach us as they are, or as repr() writes them."""
    url = told.replace("+psycopg", "")
    with psycopg.connect(url) as connection, pytest.raises(psycopg.Error) as broken:
        connection.execute(KNOWN, {"name": ANA})
    assert ANA in str(broken.value)
    for words in (str(broken.value), repr(broken.value)):
        assert "duplicate key" in scrub.words(words)
        assert "Ana" not in scrub.words(words)
