"""The stage: servers of its own, the Procfile as shipped with the sink behind every account, and whoever competes with it."""

from __future__ import annotations

import os
import shutil
import signal
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis
import requests
from honcho.environ import parse_procfile
from sqlalchemy.engine import make_url

from bench import load, measure
from local.environment import environment
from local.ports import pick, wait_open
from local.processes import Processes
from local.servers import CHECKOUT, Servers, temporary

VAR = CHECKOUT / "var" / "bench"
ACCOUNTS = ("shop", "erp", "warehouse", "letters")
SLOTS = 16
# Wide enough that none holds anybody back; every one of them is asked at every call all the same.
WIDE = "{ all = { burst = 1000000 }, creates = { rate = 100000, burst = 100000 }, searches = { burst = 10000000 }, at_once = { burst = 64 } }"


@dataclass
class Stage:
    """Everything that runs, by name. `database` and `broker` are the hub's; the floors have their own beside them."""

    servers: Servers
    processes: Processes
    sink_port: int
    web_port: int
    limits: dict[str, str] = field(default_factory=dict)
    workers: tuple[str, ...] = ()

    @property
    def admin_password(self) -> str:
        return os.environ["ADMIN_PASSWORD"]

    @property
    def sink(self) -> str:
        return f"http://127.0.0.1:{self.sink_port}"

    # ---- what the sink saw

    def clear_sink(self, delay: float = 0.0, on: str = "/") -> None:
        requests.delete(f"{self.sink}/_sink", timeout=10)
        if delay:
            self.slow(delay, on)

    def slow(self, delay: float, on: str = "/") -> None:
        requests.put(f"{self.sink}/_sink", params={"delay": str(delay), "on": on}, timeout=10)

    def calls(self) -> list[tuple[float, str]]:
        """(moment, path) of each call since it was cleared; only those that make or change something."""
        return [(at, path) for at, path in self.every_call() if not path.endswith("/token")]

    def every_call(self) -> list[tuple[float, str]]:
        """Tokens too: a vendor counts them."""
        told = requests.get(f"{self.sink}/_sink?all=1", timeout=30).json()["calls"]
        return [(float(at), str(path)) for at, path in told]

    def new_calls(self, since: int, on: str) -> tuple[int, list[float]]:
        """How many calls there were in all, and the moments of those after the first `since` whose path begins with `on`."""
        told = requests.get(f"{self.sink}/_sink", params={"all": "1", "since": str(since), "on": on}, timeout=30).json()
        return int(told["seen"]), [float(at) for at, _ in told["calls"]]

    def seen(self) -> int:
        return int(requests.get(f"{self.sink}/_sink", timeout=10).json()["n"])

    def sink_cpu(self) -> float:
        return float(requests.get(f"{self.sink}/_sink", timeout=10).json()["cpu_seconds"])

    # ---- the hub's processes

    def freeze(self, *names: str) -> None:
        """Stops processes where they stand, so that others have the machine to themselves."""
        for name in names:
            os.killpg(self.processes.pid(name), signal.SIGSTOP)

    def thaw(self, *names: str) -> None:
        for name in names:
            os.killpg(self.processes.pid(name), signal.SIGCONT)

    @property
    def hub(self) -> tuple[str, ...]:
        return ("web", *self.workers, "beat", "flower")

    def cpu(self) -> dict[str, float]:
        """Processor seconds so far: receivers, workers, PostgreSQL, Redis."""
        postgres = int((self.servers.root / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        store = int((self.servers.root / "redis" / "server.pid").read_text())
        named = {"web": [self.processes.pid("web")], "workers": [self.processes.pid(name) for name in self.workers]}
        spent = {name: sum(map(measure.processor_seconds, pids)) for name, pids in named.items()}
        return {**spent, "postgres": measure.processor_seconds(postgres), "redis": measure.processor_seconds(store)}

    def warm(self) -> None:
        """No call is under way at any account: buckets need not begin empty."""
        from tasks.engine.connecting import limiter

        for name in self.accounts:
            limiter().warm(name)

    def forget(self) -> None:
        """Forgets everything that was delivered and queued, while the workers stand still."""
        tables = "deliveries, events, payloads, attempts, subjects, documents, runs, steps, waits, calls, links, cases, case_members, reservations"
        with self.rows() as connection:
            connection.execute(f"TRUNCATE {tables} CASCADE".encode())
        self.broker().flushall()
        self.warm()

    @property
    def accounts(self) -> tuple[str, ...]:
        return (*ACCOUNTS, *(name for name in self.limits if name not in ACCOUNTS))

    # ---- the hub's rows

    @property
    def database(self) -> str:
        """psycopg's address of the hub's database."""
        return _plain(self.servers.database_url)

    @contextmanager
    def rows(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        with psycopg.connect(self.database, autocommit=True) as connection:
            yield connection

    def one(self, statement: str, *values: object) -> object:
        with self.rows() as connection:
            found = connection.execute(statement.encode(), values or None).fetchone()
        return found[0] if found else None

    def open_steps(self) -> int:
        return int(str(self.one("SELECT count(*) FROM steps WHERE state NOT IN ('done', 'skipped', 'cancelled')")))

    def broker(self) -> redis.Redis:
        return redis.Redis.from_url(self.servers.redis_url)

    def deliver(self, names: Sequence[str], at_once: int = 16, account: str = "shop") -> load.Told:
        """Signed webhooks to the hub's receivers, as fast as they are answered."""
        return load.closed(self.web_port, [load.delivery(name, account) for name in names], at_once)


def until(reached: Callable[[], bool], seconds: float, step: float = 0.1) -> float:
    """Waits; answers how long it took. Raises TimeoutError."""
    began = time.monotonic()
    while not reached():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"not reached within {seconds:g} s")
        time.sleep(step)
    return time.monotonic() - began


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def stage(
    limits: dict[str, str] | None = None, workers: int = 2, slots: int = SLOTS, counting: bool = False
) -> Iterator[Stage]:
    """Servers on a new data root, the schema, the sink and the Procfile's processes; all of it gone at the end.

    `limits` by account name, as TOML tables in the words of Acme's manifest; accounts that are not among ACCOUNTS are made.
    `counting`: PostgreSQL counts its statements (pg_stat_statements).
    """
    shutil.rmtree(VAR, ignore_errors=True)
    VAR.mkdir(parents=True)
    with temporary({}) as servers:
        sink_port = pick()
        own = environment(servers)
        os.environ.update(
            {
                **own,
                "PORT": own["PORT"],
                "GUNICORN_CMD_ARGS": "--no-control-socket",
                "WAYBILL_CONFIG": str(VAR / "config"),
                "WAYBILL_SECRET_KEY": "the load lab",
                "ADMIN_LOGIN": "admin",
                "PLAIN_HTTP": "1",
                "BENCH_ID": "bench",
                "BENCH_SECRET": "bench",
                "BENCH_HOOKS": load.SECRET,
                "WORKER_THREADS": str(slots // workers),
                "FLOOR_DATABASE_URL": _plain(servers.database_url),
                "FLOOR_BROKER": servers.redis_url.removesuffix("/0") + "/5",
                "FLOOR_SINK": f"http://127.0.0.1:{sink_port}",
                "PYTHONPATH": str(CHECKOUT),
            }
        )
        _configure(VAR / "config", sink_port, limits or {}, slots)
        if counting:
            _count_statements(servers)
        from app.database import migrate

        migrate()
        with Processes(os.environ, VAR) as processes:
            made = Stage(servers, processes, sink_port, int(own["PORT"]), limits or {}, _names(workers))
            processes.start("sink", f"exec python -m bench.sink {sink_port}")
            _open(made)
            yield made


def _count_statements(servers: Servers) -> None:
    def tell(statement: str) -> None:
        with psycopg.connect(_plain(servers.database_url), autocommit=True) as connection:
            connection.execute(statement.encode())

    tell("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
    servers.postgres.stop()
    servers.postgres.start()
    tell("CREATE EXTENSION pg_stat_statements")


def _names(workers: int) -> tuple[str, ...]:
    return tuple(f"worker{n}" for n in range(1, workers + 1))


def _open(made: Stage) -> None:
    """Every line of the Procfile; the worker's once for each worker, with the bench's flow beside the shipped ones."""
    lines = parse_procfile((CHECKOUT / "Procfile").read_text()).processes
    made.warm()
    for name, command in lines.items():
        if name == "worker":
            for each in made.workers:
                line = command.replace(" celery -A", " python -m bench.celery -A")
                made.processes.start(each, f"export WORKER_NAME={each}; {line}")
        else:
            made.processes.start(name, command)
    for port in (made.sink_port, made.web_port):
        if not wait_open(port, 300):
            raise TimeoutError(f"nothing answers on port {port}; the logs are in {VAR / 'log'}")
    until(lambda: _listening(made) >= len(made.workers), 600)


def _listening(made: Stage) -> int:
    """Workers that are ready, by their own word."""
    logs = (made.processes.log(name) for name in made.workers)
    return sum(1 for log in logs if log.exists() and b" ready." in log.read_bytes())


def _configure(folder: Path, sink_port: int, limits: dict[str, str], slots: int) -> None:
    folder.mkdir(parents=True)
    names = (*ACCOUNTS, *(name for name in limits if name not in ACCOUNTS))
    (folder / "accounts.toml").write_text("".join(_account(name, sink_port, limits.get(name, WIDE)) for name in names))
    alone = [name for name in names if name not in ACCOUNTS]
    (folder / "routes.toml").write_text(
        _route("shop", "shop", "erp", "warehouse", "letters") + "".join(_route(name, *[name] * 4) for name in alone)
    )
    # The sink serves no lists: nothing is polled or watched.
    jobs = tomllib.loads((CHECKOUT / "config" / "schedules.toml").read_text())
    wanted = {name: job for name, job in jobs.items() if name not in ("poll", "watch")}
    told = (f'[{name}]\nevery = {job["every"]}\npolicy = "{job["policy"]}"\n' for name, job in wanted.items())
    (folder / "schedules.toml").write_text("\n".join(told))
    shipped = (CHECKOUT / "config" / "settings.toml").read_text()
    (folder / "settings.toml").write_text(shipped.replace("slots = 16 ", f"slots = {slots} "))


def _route(source: str, channel: str, erp: str, warehouse: str, notify: str) -> str:
    """Orders of an account; one that is not among ACCOUNTS plays every role itself."""
    roles = f'{{ channel = "{channel}", erp = "{erp}", warehouse = "{warehouse}", notify = "{notify}" }}'
    return f'[[route]]\nname = "orders of {source}"\nkind = "order"\nwhen = {{ account = "{source}" }}\nroles = {roles}\n\n'


def _account(name: str, sink_port: int, limits: str) -> str:
    return (
        f'[{name}]\nconnector = "acme"\nbase_url = "http://127.0.0.1:{sink_port}/{name}"\ntimeout = 40.0\n'
        'credentials = { client_id = "BENCH_ID", client_secret = "BENCH_SECRET" }\nwebhook_secrets = ["BENCH_HOOKS"]\n'
        f"limits = {limits}\n\n"
    )
