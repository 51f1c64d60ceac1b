"""The stock API beside its floors: availability of 20 SKUs, reservations a second, and a flash sale that must not oversell.

A row of `make bench` (`python -m bench stock`): servers of its own, ours and floor in turn.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import text

from local.ports import pick, wait_open
from local.servers import create_database, temporary

SKUS = 5000
ASKED = 20
CLIENTS = 8
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
MANY = int(os.environ.get("BENCH_MANY", "1500"))
FLASH, CROWD = 100, 400  # pieces of the flash sale, and how many want one
SERVER = "gunicorn --worker-class gthread --workers 2 --threads 8 --bind 127.0.0.1:{port} {app}"
OURS, FLOOR = "app.web:create_app()", "bench.stock_floor:create_app()"
SEED = text("""
INSERT INTO shelves (sku, location, account, told, as_of)
SELECT 'SKU-' || n, place, 'wms', 1000000, now() FROM generate_series(1, :skus) AS n, unnest(ARRAY['main', 'store']) AS place
""")
SALE = text("INSERT INTO shelves (sku, location, account, told, as_of) VALUES ('FLASH', 'main', 'wms', :pieces, now())")
SOLD = text("SELECT coalesce(sum(quantity), 0) FROM reservations WHERE sku = 'FLASH'")


@dataclass
class Told:
    """What the clients saw: requests a second, and each request's seconds."""

    rate: float
    seconds: list[float]
    statuses: list[int] = field(default_factory=list)

    def p99(self) -> float:
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)]


Request = tuple[str, str, bytes, dict[str, str]]


def load(port: int, requests: Sequence[Request], clients: int = CLIENTS) -> Told:
    """So many clients on kept-alive connections, each as fast as it is answered."""
    began = time.monotonic()
    with ThreadPoolExecutor(clients) as crowd:
        parts = list(crowd.map(lambda n: _client(port, requests[n::clients]), range(clients)))
    took = time.monotonic() - began
    seen = [one for part in parts for one in part]
    return Told(len(seen) / took, [seconds for seconds, _ in seen], [status for _, status in seen])


def _client(port: int, requests: Sequence[Request]) -> list[tuple[float, int]]:
    connection, seen = http.client.HTTPConnection("127.0.0.1", port, timeout=60), []
    for method, path, body, headers in requests:
        began = time.perf_counter()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        seen.append((time.perf_counter() - began, answer.status))
    connection.close()
    return seen


def looks(prefix: str, many: int, token: str) -> list[Request]:
    """GETs for 20 SKUs each."""
    asked = ["&".join(f"sku=SKU-{random.randint(1, SKUS)}" for _ in range(ASKED)) for _ in range(many)]  # noqa: S311
    return [("GET", f"{prefix}/availability?{query}", b"", {"Authorization": f"Bearer {token}"}) for query in asked]


def wants(prefix: str, many: int, token: str, name: str, sku: str = "") -> list[Request]:
    """POSTs of one piece each, every one under a key of its own."""
    return [
        (
            "POST",
            f"{prefix}/reservations",
            json.dumps({"lines": [{"sku": sku or f"SKU-{random.randint(1, SKUS)}", "quantity": 1}]}).encode(),  # noqa: S311
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": f"{name}-{n}"},
        )
        for n in range(many)
    ]


@contextmanager
def served(app: str, environ: dict[str, str]) -> Iterator[int]:
    port = pick()
    command = SERVER.format(port=port, app=app).split()
    server = subprocess.Popen(
        [str(Path(sys.executable).parent / command[0]), *command[1:], "--log-level", "warning"],
        env=environ,
        stdout=subprocess.DEVNULL,
    )
    try:
        if not wait_open(port, 180):
            raise TimeoutError("the server does not answer")
        yield port
    finally:
        server.terminate()
        server.wait(30)


def measured(rounds: int = ROUNDS, many: int = MANY) -> dict[str, Any]:
    """The rows: ours as a share of the floor's rate (availability, reservations), ours' p99 in the floor's (availability_p99), pieces
    sold beyond what was there (oversold)."""
    with tempfile.TemporaryDirectory() as folder, temporary({}) as servers:
        environ, token = _prepared(servers, Path(folder))
        with served(OURS, environ) as ours, served(FLOOR, environ) as floor:
            load(ours, looks("/api/v1", 200, token)), load(floor, looks("", 200, token))
            load(ours, wants("/api/v1", 200, token, "warm")), load(floor, wants("", 200, token, "warm"))
            seen = _in_turn(
                rounds, lambda: load(ours, looks("/api/v1", many, token)), lambda: load(floor, looks("", many, token))
            )
            names = iter(f"round-{n}" for n in range(rounds * 2))
            kept = _in_turn(
                rounds,
                lambda: load(ours, wants("/api/v1", many, token, next(names))),
                lambda: load(floor, wants("", many, token, next(names))),
            )
            sale = load(ours, wants("/api/v1", CROWD, token, "flash", "FLASH"), 32)
        return {**_rows(seen, kept), **_oversold(sale)}


def _in_turn(rounds: int, ours: Callable[[], Told], floor: Callable[[], Told]) -> list[tuple[Told, Told]]:
    pairs = [(ours(), floor()) for _ in range(rounds)]
    for one in (told for pair in pairs for told in pair):
        assert set(one.statuses) <= {200, 201}, set(one.statuses)
    return pairs


def _rows(seen: Sequence[tuple[Told, Told]], kept: Sequence[tuple[Told, Told]]) -> dict[str, Any]:
    return {
        "availability": round(median(a.rate / b.rate for a, b in seen), 3),
        "availability_p99": round(median(a.p99() / b.p99() for a, b in seen), 3),
        "availability_per_second": round(median(a.rate for a, _ in seen), 1),
        "reservations": round(median(a.rate / b.rate for a, b in kept), 3),
        "reservations_per_second": round(median(a.rate for a, _ in kept), 1),
    }


def _oversold(sale: Told) -> dict[str, int]:
    from app.database import transaction

    with transaction() as tx:
        sold = int(tx.execute(SOLD).scalar_one())
    granted = sale.statuses.count(201)
    assert granted == sold, (granted, sold)
    return {"oversold": max(0, sold - FLASH), "flash_sold": sold}


def _prepared(servers: Any, folder: Path) -> tuple[dict[str, str], str]:
    """A migrated database with its shelves, the policy of a shop, and a key without a limit that would be felt."""
    from app.database import migrate, transaction
    from app.web import keys

    (folder / "accounts.toml").write_text('[wms]\nconnector = "acme"\n[shop]\nconnector = "acme"\n')
    (folder / "routes.toml").write_text(
        '[[route]]\nname = "stock"\nkind = "stock"\nwhen = { account = "wms" }\nroles = { publish = ["shop"] }\n'
    )
    told = {
        "DATABASE_URL": create_database(servers, "waybill_bench_stock"),
        "REDIS_URL": servers.redis_url,
        "WAYBILL_CONFIG": str(folder),
        "SECRET_KEY": "bench only",
        "WAYBILL_SECRET_KEY": "bench only",
    }
    os.environ.update(told)
    migrate()
    with transaction() as tx:
        tx.execute(SEED, {"skus": SKUS})
        tx.execute(SALE, {"pieces": FLASH})
        token = keys.make(tx, "bench", "bench", scopes=keys.SCOPES, per_minute=100_000)
    with transaction() as tx:
        tx.execute(text("UPDATE api_keys SET per_minute = 100000000"))
        tx.execute(text("ANALYZE shelves"))
    return dict(os.environ), token


def apart() -> dict[str, Any]:
    """`measured` in a process of its own: this one's engine belongs to servers that have gone."""
    asked = "import json; from bench import stock; print(json.dumps(stock.measured()))"
    told = subprocess.run([sys.executable, "-c", asked], check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(json.loads(told.splitlines()[-1]))
