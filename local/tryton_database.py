"""Tryton's databases on a PostgreSQL server: made, copied, forgotten."""

from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url


class Databases:
    """Those of one server, named by the address of any database on it."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql")

    def exists(self, name: str) -> bool:
        with self._connection() as connection:
            return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None

    def create(self, name: str) -> None:
        """An empty one; what stood under this name is dropped."""
        self.drop(name)
        self._execute("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", name)

    def copy(self, template: str, name: str) -> None:
        """A copy, file by file (under a second); nobody may be connected to the template."""
        self.drop(name)
        self._end_sessions(template)
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)

    def settle(self, half: str, name: str) -> None:
        """Give a database its name, unless somebody else was quicker."""
        self._end_sessions(half)
        if self.exists(name):
            self.drop(half)
        else:
            self._execute("ALTER DATABASE {} RENAME TO {}", half, name)

    def drop(self, name: str) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def environment(self, name: str) -> dict[str, str]:
        """What PostgreSQL's own programs take from the environment: a password has no place on a command line."""
        url = self._url
        found = {
            "PGHOST": url.host,
            "PGPORT": str(url.port or ""),
            "PGUSER": url.username,
            "PGPASSWORD": url.password,
            "PGDATABASE": name,
        }
        return {key: str(value) for key, value in found.items() if value}

    def configure(self, file: Path, *, listen: str = "", careless: bool = False) -> Path:
        """Write Tryton's configuration, closed to others: it holds a password.

        `careless` does not wait for the disk at each commit: for a database that is thrown away when the machine fails.
        """
        options = f"?options={quote('-csynchronous_commit=off')}" if careless else ""
        uri = self._url.set(database="").render_as_string(hide_password=False)
        web = f"\n[web]\nlisten = {listen}\n" if listen else ""
        file.touch(mode=0o600)
        file.write_text(f"[database]\nuri = {uri}{options}\nlist = False\n{web}")
        return file

    def _execute(self, statement: str, *names: str) -> None:
        with self._connection() as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _end_sessions(self, name: str) -> None:
        with self._connection() as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))

    def _connection(self) -> psycopg.Connection:
        return psycopg.connect(self._url.render_as_string(hide_password=False), autocommit=True)
