"""No statement that is asked of a big table reads all of it, however a session planned it.

A worker plans each statement once for its session (app.database.plan_once), before it knows the values. A partial index whose condition only a
value could prove is then of no use, and the plan reads the table from end to end, more each day.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType

import psycopg
import pytest
from sqlalchemy import TextClause
from sqlalchemy.engine import make_url

import app
import tasks
from local.servers import Servers, create_database, drop_database

DATABASE = "waybill_plans"

BIG = frozenset(
    """
    attempts calls case_members cases customer_names customer_orders customers day_sales deadlines deliveries documents events fulfilments held_work
    links money_moves
    movements order_moves order_states payloads price_lines reservations return_requests runs shelves steps subjects till_sales waits
    """.split()
)
# What reads all of a table, and why it may.
MAY = {
    "app.journal.bulk.COUNT": "planned for its values, in a transaction that says so",
    "tasks.feeds.retain.FORGET_SALES": "once a night",
}
FORGET = """
SELECT pg_clear_relation_stats('public', relname::text) FROM pg_class
WHERE relkind IN ('r', 'p', 'i') AND relnamespace = 'public'::regnamespace
"""
READS = re.compile(r"Seq Scan on (\w+)")
FIRST = re.compile(r"\s*(?:SELECT|WITH|UPDATE|INSERT|DELETE)\b")


def _modules() -> Iterator[ModuleType]:
    for package in (app, tasks):
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if found.name != "tasks.worker":  # it changes its process as it is loaded
                yield importlib.import_module(found.name)


def _statements() -> dict[str, str]:
    """Every kept statement, by module and name, with its parameters numbered."""
    found: dict[str, str] = {}
    for module in _modules():
        for name, value in vars(module).items():
            if isinstance(value, TextClause):
                found.setdefault(
                    _numbered(value.text, r"(?<![:\w]):(\w+)").replace("\\:", ":"), f"{module.__name__}.{name}"
                )
            elif isinstance(value, str) and FIRST.match(value) and "%(" in value:
                found.setdefault(_numbered(value, r"%\((\w+)\)s").replace("%%", "%"), f"{module.__name__}.{name}")
    return {name: words for words, name in found.items()}


def _numbered(words: str, parameter: str) -> str:
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match.group(1) not in names:
            names.append(match.group(1))
        return f"${names.index(match.group(1)) + 1}"

    return re.sub(parameter, number, words)


def _table(scanned: str) -> str:
    """Of a partition, the table."""
    return re.sub(r"_(?:\d{4}_\d\d|default)$", "", scanned)


def _read_whole(connection: psycopg.Connection[tuple[object, ...]], words: str) -> set[str] | None:
    """Big tables that a plan without values reads from end to end for want of any other way; None where it needs the values."""
    try:
        plan = connection.execute(f"EXPLAIN (GENERIC_PLAN) {words}".encode()).fetchall()
    except (psycopg.errors.SyntaxError, psycopg.errors.AmbiguousFunction, psycopg.errors.IndeterminateDatatype):
        return None
    return {table for line, *_ in plan for scanned in READS.findall(str(line)) if (table := _table(scanned)) in BIG}


@pytest.fixture
def planning(real_servers: Servers, template: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A database that no other test has had: what was deleted from an index still makes it dear."""
    made = create_database(real_servers, DATABASE, template=template)
    url = make_url(made).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")
        # Where autovacuum has been at the template, PostgreSQL knows that its tables are empty, and reads nothing from end to end gladly.
        connection.execute("VACUUM (ANALYZE)")
        connection.execute(FORGET)
        yield connection
    drop_database(real_servers, DATABASE)


def test_every_statement_goes_by_an_index(planning: psycopg.Connection[tuple[object, ...]]) -> None:
    told = {name: _read_whole(planning, words) for name, words in _statements().items()}
    assert sum(tables is not None for tables in told.values()) > 450
    assert {name: tables for name, tables in told.items() if tables and name not in MAY} == {}
    assert {name for name in MAY if not told.get(name)} == set(), "these read no whole table any more"


def test_what_a_plan_cannot_prove_is_found_out(planning: psycopg.Connection[tuple[object, ...]]) -> None:
    planning.execute("CREATE INDEX open_sku ON reservations (content) WHERE content <> ''")
    assert _read_whole(planning, "SELECT 1 FROM reservations WHERE content = $1") == {"reservations"}
    assert _read_whole(planning, "SELECT 1 FROM reservations WHERE content = $1 AND content <> ''") == set()
