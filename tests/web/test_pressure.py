"""More deliveries than a receiver can keep: those beyond its queue are sent away at once, and nothing that it took is lost."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from sqlalchemy.engine import make_url

from tests.hub import Hub, hub, signed
from tests.world import World, world

MOST = 4


@pytest.fixture
def acme(tmp_path: Path, database_url: str, redis_url: str) -> Any:
    with world(tmp_path / "config", database_url, redis_url) as made:
        settings = tmp_path / "config" / "settings.toml"
        settings.write_text(settings.read_text().replace("[intake]\n", f"[intake]\nqueue_most = {MOST}\n"))
        yield made


def _posted(running: Hub, order: dict[str, Any], name: str) -> requests.Response:
    body, headers = signed("order.placed", order, name)
    return requests.post(f"{running.address}/hooks/shop", data=body, headers=headers, timeout=30)


def test_what_cannot_be_kept_is_sent_away_at_once_and_nothing_that_was_taken_is_lost(
    acme: World, tmp_path: Path, database_url: str
) -> None:
    order = acme.place()
    address = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with hub(tmp_path / "hub") as running:
        running.web(workers=1, threads=1)
        assert _posted(running, order, "msg-first").status_code == 200
        with ThreadPoolExecutor(40) as crowd:
            with psycopg.connect(address) as somebody:  # the journal stands still for a moment: forty wait behind one
                somebody.execute("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE")
                sent = [crowd.submit(_posted, running, order, f"msg-{n}") for n in range(40)]
                assert not any(one.done() for one in sent[:1])
                somebody.execute("SELECT pg_sleep(1.5)")
            answers = [one.result() for one in sent]
        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) == {200, 503}
        assert statuses[503] >= 40 - MOST - 8, "only what stood in the queue at the end was kept"
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers if answer.status_code == 503)
        assert acme.one("SELECT count(*) FROM deliveries") == statuses[200] + 1
        assert _posted(running, order, "msg-last").status_code == 200, "it is itself again at once"
        assert "deliveries are sent away" in (tmp_path / "hub" / "web.log").read_text()
