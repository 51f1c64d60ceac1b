"""The real PostgreSQL and Redis of one data root, started together and stopped together."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from local.elsewhere import Elsewhere
from local.errors import NotStarted, ServerError
from local.lock import Lock
from local.ports import Ports, is_free
from local.postgres import Postgres
from local.redis import Valkey
from local.user import forget, place, server_user

CHECKOUT = Path(__file__).resolve().parent.parent
ROOT = CHECKOUT / "var" / "servers"
TRIES = 3


class Server(Protocol):
    """What a test may do to a server."""

    @property
    def url(self) -> str: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def running(self) -> bool: ...


@dataclass(frozen=True)
class Servers:
    """Both servers, up; also a context manager that stops them."""

    postgres: Server
    redis: Server
    root: Path
    lock: Lock

    @property
    def database_url(self) -> str:
        """SQLAlchemy's address with the psycopg driver: postgresql+psycopg://..."""
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        """redis://... with database 0, or as configured."""
        return self.redis.url

    def stop(self) -> None:
        """Stop both cleanly and let another supervisor in; data and ports are kept."""
        self.redis.stop()
        self.postgres.stop()
        self.lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def start(root: Path | None = None, environ: Mapping[str, str] = os.environ) -> Servers:
    """Start what no URL configures (DATABASE_URL, REDIS_URL) under the data root, over the data that are there.

    The root is the argument, else WAYBILL_SERVERS, else var/servers of the checkout. Servers that a killed
    supervisor left behind are stopped first. Raises Busy, NoBinary, OtherVersion or NotStarted.
    """
    chosen = place(root or Path(environ.get("WAYBILL_SERVERS", ROOT)))
    lock = Lock(chosen)
    ports = Ports(chosen / "ports.json")
    try:
        return Servers(
            postgres=_configured_database(environ) or _ours(Postgres, "postgres", chosen, ports),
            redis=_configured_redis(environ) or _ours(Valkey, "redis", chosen, ports),
            root=chosen,
            lock=lock,
        )
    except ServerError:
        stop_left_behind(chosen)
        lock.release()
        raise


@contextmanager
def temporary(environ: Mapping[str, str] = os.environ) -> Iterator[Servers]:
    """Servers on a new data root that is forgotten at the end: what a test session runs on."""
    root = Path(tempfile.mkdtemp(prefix="waybill-"))
    try:
        with start(root, environ) as servers:
            yield servers
    finally:
        forget(root)


def create_database(servers: Servers, name: str, template: str = "template1") -> str:
    """Create an empty database (or a copy of another one that nobody uses now) and return its address.

    One that exists under this name is dropped first: a test wants its own, empty.
    """
    with psycopg.connect(_plain(servers.database_url), autocommit=True) as connection:
        identifier = sql.Identifier(name)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(identifier, sql.Identifier(template)))
    return make_url(servers.database_url).set(database=name).render_as_string(hide_password=False)


def drop_database(servers: Servers, name: str) -> None:
    """Drop a database with whatever sessions are still in it."""
    with psycopg.connect(_plain(servers.database_url), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def stop_left_behind(root: Path) -> None:
    """Stop the servers of a data root whose supervisor is gone; the caller holds the lock."""
    for kind in (Valkey, Postgres):
        kind(root, 0, server_user()).stop()


def _ours(kind: type[Postgres] | type[Valkey], name: str, root: Path, ports: Ports) -> Server:
    """Our own server on its remembered port, or on a new one when somebody takes the port in that very moment."""
    kind(root, 0, server_user()).stop()
    for attempt in range(TRIES):
        port = ports.get(name)
        server = kind(root, port, server_user())
        try:
            server.start()
            return server
        except NotStarted:
            if is_free(port) or attempt == TRIES - 1:
                raise
    raise NotStarted(f"{name}: no port could be kept")


def _configured_database(environ: Mapping[str, str]) -> Server | None:
    given = environ.get("DATABASE_URL")
    if not given:
        return None
    url = make_url(given.replace("postgres://", "postgresql://", 1))
    return Elsewhere(url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False))


def _configured_redis(environ: Mapping[str, str]) -> Server | None:
    given = environ.get("REDIS_URL")
    return Elsewhere(given) if given else None


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
