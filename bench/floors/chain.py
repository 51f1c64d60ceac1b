"""Floor (iii), the usual Celery chain: four tasks, each a POST that is retried by itself; no journal, no limiter.

`celery -A bench.floors.chain worker -P prefork -c 2 -Q floor-chain`
"""

from __future__ import annotations

import os
import threading

import requests
from celery import Celery, chain

app = Celery("floor", broker=os.environ.get("FLOOR_BROKER", ""), set_as_current=False)
app.conf.update(
    task_ignore_result=True,
    task_default_queue="floor-chain",
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=4,
)
_own = threading.local()


def _session() -> requests.Session:
    if not hasattr(_own, "session"):
        _own.session = requests.Session()
        _own.session.trust_env = False
    kept: requests.Session = _own.session
    return kept


@app.task(name="floor.post", autoretry_for=(requests.RequestException,), retry_backoff=True, max_retries=5)
def post(n: int, body: str) -> None:
    answer = _session().post(f"{os.environ['FLOOR_SINK']}/chain/{n}", data=body, timeout=5)
    answer.raise_for_status()


def order(body: str) -> None:
    """What the usual receiver would start."""
    chain(*(post.si(n, body) for n in range(1, 5))).apply_async()
