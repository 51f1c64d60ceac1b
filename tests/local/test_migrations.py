"""Migrations keep nobody out of big tables: each new one is read for what would, and the way round it is tried."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import text

from app import database
from migrations import quietly

HERE = Path(database.__file__).parents[1] / "migrations"
LAST_OF_OLD = 19
BIG = """
events payloads attempts deliveries subjects documents runs steps waits calls links reservations movements order_states order_moves fulfilments
shelves price_lines prices prices_told till_sales api_answers audit usage
""".split()
TABLE = rf"(?:ONLY\s+)?(?:public\.)?({'|'.join(BIG)})\b"
ALTER = rf"ALTER\s+TABLE\s+{TABLE}[^;]*\b"
OWN = r"(?:clock_timestamp|random|gen_random_uuid|nextval|uuidv7)\b"
FORBIDDEN = {
    "an index that keeps writers out (migrations/quietly.py)": (
        rf"CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)[^;]*?\sON\s+{TABLE}"
    ),
    "a rule that is tried on every row: add it NOT VALID, then VALIDATE": (
        rf"{ALTER}ADD\s+(?:CONSTRAINT|CHECK|FOREIGN|UNIQUE|PRIMARY)(?![^;]*NOT\s+VALID)"
    ),
    "a table written anew": rf"{ALTER}ALTER\s+(?:COLUMN\s+)?\w+\s+(?:SET\s+DATA\s+)?TYPE\b",
    "a column that every row is read for": rf"{ALTER}SET\s+NOT\s+NULL",
    "a default that differs row by row": rf"{ALTER}ADD\s+(?:COLUMN\s+)?[^;,]*DEFAULT\s+{OWN}",
}


def wrong(said: str) -> list[str]:
    """What a migration's text does that would keep a big table's writers waiting."""
    plain = re.sub(r"--[^\n]*", "", said)
    return [why for why, form in FORBIDDEN.items() if re.search(form, plain, re.IGNORECASE | re.DOTALL)]


def new_ones() -> list[Path]:
    found = [*HERE.glob("versions/[0-9]*.py"), *HERE.glob("sql/[0-9]*.sql")]
    return sorted(path for path in found if int(path.name[:4]) > LAST_OF_OLD)


def test_no_new_migration_keeps_writers_of_a_big_table_out() -> None:
    assert not {path.name: why for path in new_ones() if (why := wrong(path.read_text()))}


@pytest.mark.parametrize(
    ("said", "is_wrong"),
    [
        ("CREATE INDEX steps_told ON steps (account, id DESC) WHERE flow = 'x';", True),
        ("create unique index a\n  on public.subjects (number)", True),
        ("CREATE INDEX CONCURRENTLY a ON steps (account)", False),
        ("CREATE INDEX a ON day_totals (day)", False),
        ("CREATE TABLE small (id int);\nCREATE INDEX small_id ON small (id); -- ON steps\n", False),
        ("ALTER TABLE subjects ADD COLUMN told text NOT NULL DEFAULT '';", False),
        ("ALTER TABLE subjects ADD COLUMN token uuid DEFAULT gen_random_uuid();", True),
        ("ALTER TABLE steps ADD CONSTRAINT c CHECK (tries >= 0);", True),
        ("ALTER TABLE steps ADD CONSTRAINT c CHECK (tries >= 0) NOT VALID;", False),
        ("ALTER TABLE runs ALTER COLUMN flow_version TYPE bigint;", True),
        ("ALTER TABLE runs ALTER child SET NOT NULL;", True),
        ('quietly.index("steps_x", "steps", "(account)")', False),
    ],
)
def test_what_is_read_for(said: str, is_wrong: bool) -> None:
    assert bool(wrong(said)) == is_wrong


def test_the_old_ones_that_the_operator_is_told_of_are_those() -> None:
    """docs/operations.md names them; the rule would have caught them."""
    assert wrong((HERE / "sql" / "0012_partners.sql").read_text())


@pytest.mark.parametrize(("table", "column"), [("steps", "sentence"), ("events", "code")])
def test_an_index_is_built_beside_who_writes(database_url: str, table: str, column: str) -> None:
    """A writer that has the table open from before and one that begins meanwhile; also of a partitioned table, and again after a break."""
    engine = database.engine(database_url)
    name = f"{table}_quietly"

    def build() -> None:
        with engine.connect() as connection:
            migration = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
            with migration.begin_transaction(_per_migration=True), Operations.context(migration):
                quietly.index(name, table, f"({column})")

    write = text(f"UPDATE {table} SET {column} = '' WHERE false")
    waits = text(
        f"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%INDEX%{name}%' AND wait_event_type = 'Lock'"
    )
    with ThreadPoolExecutor(1) as other:
        with engine.begin() as before:
            before.execute(write)
            building = other.submit(build)
            end = time.monotonic() + 10
            with engine.connect() as looking:
                while not building.done() and not looking.execute(waits).scalar_one() and time.monotonic() < end:
                    looking.rollback()
                    time.sleep(0.02)
            with engine.begin() as meanwhile:
                meanwhile.execute(text("SET LOCAL lock_timeout = '5s'"))
                meanwhile.execute(write)
            assert not building.done()
        building.result(30)
    build()
    with engine.connect() as looking:
        valid = "SELECT bool_and(indisvalid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname LIKE :name"
        assert looking.execute(text(valid), {"name": f"{name}%"}).scalar_one() is True
    engine.dispose()
