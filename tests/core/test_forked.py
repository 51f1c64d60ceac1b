"""A child that was forked speaks on connections of its own, whatever its parent had open (a prefork worker asks the database before it forks)."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import text


@pytest.fixture(autouse=True)
def _asked(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


def asked() -> int:
    """The server's process behind the connection that is given next."""
    from app.database import transaction

    with transaction() as tx:
        return int(tx.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_a_forked_child_shares_no_connection_with_its_parent() -> None:
    from app.database import engine, plain

    mine = asked()
    read, write = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover
        try:
            os.write(write, f"{asked()}".encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        theirs = int(told.read())
    os.waitpid(child, 0)
    assert theirs != mine
    assert asked() == mine, "and the parent's stays open"
    with engine().connect() as tx:
        assert not plain(tx).closed
    engine().dispose()
