"""A database for each test: one that an earlier test left, emptied and under a new name, else a copy of the template.

To copy the template's nine hundred files takes 0.35 s of processor, to empty what a test has written a twentieth of that.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from local.servers import Servers, create_database, drop_database

MOST_ROWS = 20_000  # of which to rid a database takes longer than to copy one
OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
TABLES = (
    "SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
)
SEQUENCES = (
    "SELECT quote_ident(sequencename), start_value, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"
)
# All that a test might have changed beside rows: relations, columns, rules, functions, triggers, schemas, settings of the database.
SHAPE = """
SELECT md5(string_agg(part, ',' ORDER BY part)) FROM (
    SELECT concat('relation ', relname, relkind, relpersistence) AS part FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat('column ', attrelid::regclass, attnum, attname, atttypid, attnotnull, pg_get_expr(adbin, adrelid))
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0
    UNION ALL SELECT concat('rule ', conrelid::regclass, conname, contype) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat('function ', proname, md5(prosrc), proconfig::text) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat('trigger ', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat('schema ', nspname) FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast_temp)'
    UNION ALL SELECT concat('setting ', setconfig::text) FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())) AS parts
"""


@dataclass(frozen=True)
class Home:
    """The template as it was migrated: its shape, its tables, the rows that migrations put there (table -> COPY), its sequences."""

    shape: str
    tables: tuple[str, ...]
    rows: dict[str, bytes]
    sequences: tuple[tuple[str, int, int | None], ...]


@dataclass
class Databases:
    servers: Servers
    template: str
    _spare: list[str] = field(default_factory=list)
    _home: Home | None = None

    def take(self, name: str) -> str:
        """The address of a database of this name, as the template is."""
        if not self._spare:
            return create_database(self.servers, name, template=self.template)
        spare = self._spare.pop()
        try:
            with psycopg.connect(self.servers.database_url.replace("+psycopg", ""), autocommit=True) as connection:
                rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
                connection.execute(rename.format(sql.Identifier(spare), sql.Identifier(name)))
        except psycopg.Error:  # somebody came back to it
            drop_database(self.servers, spare)
            return self.take(name)
        return self._address(name)

    def give_back(self, name: str) -> None:
        """Emptied it serves another test; where a test has changed more than rows, or its server forbids it, it is dropped."""
        try:
            with self._connect(name) as connection:
                fit = self._emptied(connection)
        except psycopg.Error:
            fit = False
        if fit:
            self._spare.append(name)
        else:
            drop_database(self.servers, name)

    def end(self) -> None:
        while self._spare:
            drop_database(self.servers, self._spare.pop())

    def _emptied(self, connection: psycopg.Connection[tuple[object, ...]]) -> bool:
        home = self.home
        connection.execute(OTHERS)
        if _one(connection, SHAPE) != home.shape:
            return False
        full = _full(connection, home.tables)
        connection.execute("SET session_replication_role = replica")
        gone = sum(connection.execute(f"DELETE FROM {table}".encode()).rowcount for table in full)
        for table, rows in home.rows.items():
            connection.execute(f"DELETE FROM {table}".encode())
            with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as into:
                into.write(rows)
        values = ", ".join(
            f"setval('{name}', {start if last is None else last}, {last is not None})"
            for name, start, last in home.sequences
        )
        connection.execute(f"SELECT {values}".encode())
        return gone <= MOST_ROWS

    @property
    def home(self) -> Home:
        if self._home is None:
            with self._connect(self.template) as connection:
                tables = tuple(str(row[0]) for row in connection.execute(TABLES))
                self._home = Home(
                    str(_one(connection, SHAPE)),
                    tables,
                    {table: _copied(connection, table) for table in _full(connection, tables)},
                    tuple((str(name), start, last) for name, start, last in connection.execute(SEQUENCES)),  # type: ignore[misc]
                )
        return self._home

    def _address(self, name: str) -> str:
        return make_url(self.servers.database_url).set(database=name).render_as_string(hide_password=False)

    def _connect(self, name: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._address(name).replace("+psycopg", ""), autocommit=True)


def _one(connection: psycopg.Connection[tuple[object, ...]], statement: str) -> object:
    row = connection.execute(statement.encode()).fetchone()
    return row[0] if row is not None else None


def _full(connection: psycopg.Connection[tuple[object, ...]], tables: tuple[str, ...]) -> list[str]:
    asked = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in tables)
    return [str(row[0]) for row in connection.execute(asked.encode())]


def _copied(connection: psycopg.Connection[tuple[object, ...]], table: str) -> bytes:
    with connection.cursor().copy(f"COPY {table} TO STDOUT".encode()) as out:
        return b"".join(bytes(part) for part in out)
