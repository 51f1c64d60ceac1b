"""What the acknowledgement log costs the receiver (python -m labs.acks): pairs of runs with and without it, in turn."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PAIRS, REQUESTS = 7, 300
POLICY = '[shop]\nconnector = "acme"\nbase_url = "http://127.0.0.1:1"\nwebhook_secrets = ["LAB_HOOKS"]\n'
SECRET = "whsec_bGFiIG9ubHksIG5vYm9keSdzIHNlY3JldA=="  # noqa: S105 - of this lab only


def main() -> int:
    """Prints the CPU time of one delivery with and without the log, medians of the pairs, for a body of 8 kB."""
    from local.servers import create_database, temporary

    with temporary() as servers, tempfile.TemporaryDirectory() as folder:
        url = create_database(servers, f"waybill_acks_{os.getpid()}")
        _environment(Path(folder), url, servers.redis_url)
        from app.database import migrate

        migrate(url)
        off, on = _pairs(Path(folder))
    more = statistics.median(b / a for a, b in zip(off, on, strict=True)) - 1
    print(
        f"without {statistics.median(off) * 1e6:.0f} us, with {statistics.median(on) * 1e6:.0f} us of CPU for a delivery: {more:+.1%}"
    )
    print(f"the line alone: {_alone(Path(tempfile.mkdtemp())) * 1e6:.1f} us")
    return 0


def _environment(folder: Path, database: str, redis: str) -> None:
    (folder / "accounts.toml").write_text(POLICY)
    (folder / "routes.toml").write_text("")
    told = {"DATABASE_URL": database, "REDIS_URL": redis, "WAYBILL_CONFIG": str(folder), "LAB_HOOKS": SECRET}
    os.environ.update(told, INTAKE_POOL="2")


def _pairs(folder: Path) -> tuple[list[float], list[float]]:
    figures: dict[str, list[float]] = {"off": [], str(folder / "acks"): []}
    for pair in range(PAIRS + 1):
        for where, kept in figures.items():
            seconds = _run(where, f"{pair}-{len(kept)}-{Path(where).name}")
            if pair:  # the first pair warms up
                kept.append(seconds)
    off, on = figures.values()
    return off, on


def _run(where: str, name: str) -> float:
    """CPU seconds of one delivery through the receiver, proof, commit and ring included."""
    from werkzeug.test import Client

    from app.web import webhooks

    os.environ["ACKS"] = where
    webhooks._acks.cache_clear()
    client = Client(webhooks.Hooks(lambda environ, start: []))
    made = [_signed(f"{name}-{n}") for n in range(REQUESTS)]
    began = time.process_time()
    for body, headers in made:
        assert client.post("/hooks/shop", data=body, headers=headers).status_code == 200
    return (time.process_time() - began) / REQUESTS


def _signed(name: str) -> tuple[bytes, dict[str, Any]]:
    from datetime import UTC, datetime

    from standardwebhooks.webhooks import Webhook

    body, at = (
        b'{"type": "order.placed", "data": {"id": "%s", "note": "%s"}}' % (name.encode(), b"x" * 8000),
        datetime.now(UTC),
    )
    signature = Webhook(SECRET).sign(name, at, body.decode())
    stamp = {"webhook-id": name, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
    return body, {"content-type": "application/json", **stamp}


def _alone(folder: Path) -> float:
    from app.acks import Log

    log, body = Log(folder, lambda: "0" * 32), b"x" * 8000
    log.write("shop", "first", body, True)
    began = time.process_time()
    for n in range(20_000):
        log.write("shop", f"msg-{n}", body, True)
    return (time.process_time() - began) / 20_000


if __name__ == "__main__":
    sys.exit(main())
