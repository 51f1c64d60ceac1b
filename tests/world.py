"""A small world for stories: simulators over HTTP, a hub with its own database, and a pump that does what the workers would."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import redis
import requests
from sqlalchemy import text

from connectors.kit.simulator import Fault, Simulator

SECRET = "whsec_YWNtZS1zaW11bGF0b3Itc2VjcmV0LTAwMDE="
ROLES = ("shop", "erp", "warehouse", "letters")
READY = text(
    "SELECT id, flow || '.' || name AS task FROM steps WHERE rung_at IS NOT NULL ORDER BY subject_id, id LIMIT 50"
)
EVENTS = text("SELECT id FROM events WHERE state = 'accepted' ORDER BY id LIMIT 50")


@dataclass
class World:
    """Acme in every role, by default; `pump()` runs what is ready until nothing is."""

    folder: Path
    simulators: dict[str, Simulator] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    shapes: Mapping[str, str] = field(default_factory=dict)

    # ---- what the world does to the hub

    def deliver(
        self,
        topic: str,
        data: Mapping[str, Any],
        name: str = "",
        account: str = "shop",
        at: str = "2026-11-20T10:00:00Z",
    ) -> Any:
        """A delivery at the one door, as the receiver accepts it once its signature is proved."""
        from app.journal.accept import accept

        body = json.dumps({"type": topic, "timestamp": at, "data": data}).encode()
        return accept(
            account, name or f"msg-{topic}-{data['id']}-{data.get('updated_at', at)}", topic, {"webhook-id": name}, body
        )

    def place(self, **wanted: Any) -> dict[str, Any]:
        """A customer orders in the shop; the order as the shop has it."""
        return self.ask("shop", "POST", "/_sim/orders", json=wanted)

    def order(self, **wanted: Any) -> dict[str, Any]:
        """A customer orders, and the shop's webhook arrives."""
        placed = self.place(**wanted)
        self.deliver("order.placed", placed)
        return placed

    def ask(self, who: str, method: str, path: str, **more: Any) -> Any:
        answer = requests.request(method, self.addresses[who] + path, timeout=10, **more)
        answer.raise_for_status()
        return answer.json()

    def bad_day(self, who: str, kind: str, **more: Any) -> None:
        self.simulators[who].faults.append(Fault(kind, **more))

    def good_day(self, who: str) -> None:
        self.simulators[who].faults.clear()

    # ---- what the workers would do

    def pump(self, seconds: float = 90.0, until: Callable[[], bool] | None = None) -> None:
        """Receives and performs whatever is due, and sweeps, until nothing is under way (or `until`)."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if until is not None and until():
                return
            if not self.turn() and (until is None and not self._later()):
                return
        raise AssertionError(
            f"not {'reached' if until else 'at rest'} within {seconds} s: {self.states()} {self.events()}"
        )

    def turn(self) -> int:
        """One round: every accepted event, every rung step."""
        from tasks.engine.loop import perform
        from tasks.feeds import sweep
        from tasks.receive import receive

        events = list(self.rows(EVENTS))
        for event in events:
            receive(event.id)
        sweep.run()
        steps = list(self.rows(READY))
        for step in steps:
            perform(step.id)
        if not events and not steps:
            time.sleep(0.05)
        return len(events) + len(steps)

    def _later(self) -> bool:
        """Whether something waits for its time (a retry, a look-up, a job)."""
        return bool(self.one("SELECT count(*) FROM steps WHERE state IN ('ready', 'unknown', 'submitted', 'running')"))

    # ---- what one sees

    def rows(self, statement: Any, **values: Any) -> Any:
        from app.database import engine

        with engine().connect() as tx:
            return tx.execute(text(statement) if isinstance(statement, str) else statement, values).all()

    def one(self, statement: str, **values: Any) -> Any:
        found = self.rows(statement, **values)
        return found[0][0] if found else None

    def states(self) -> dict[str, str]:
        """Step -> state, of all runs (the last one under a name)."""
        return {
            f"{row.flow}.{row.name}": row.state for row in self.rows("SELECT flow, name, state FROM steps ORDER BY id")
        }

    def outcomes(self, name: str) -> list[str]:
        """What each attempt at a step brought, in order."""
        found = self.rows(
            "SELECT a.outcome FROM attempts a JOIN steps s ON s.id = a.step_id WHERE s.name = :name ORDER BY a.id",
            name=name,
        )
        return [row.outcome for row in found]

    def events(self) -> dict[str, int]:
        """Events by state."""
        return {row.state: row.n for row in self.rows("SELECT state, count(*) AS n FROM events GROUP BY state")}

    def settled(self) -> bool:
        """Every accepted event has ended and no step is open."""
        open_events = self.one("SELECT count(*) FROM events WHERE state IN ('accepted', 'running')")
        return not open_events and not self.one(
            "SELECT count(*) FROM steps WHERE state NOT IN ('done', 'skipped', 'cancelled')"
        )

    def effects(self, who: str) -> Any:
        return self.ask(who, "GET", "/_sim/effects")

    def calls(self, who: str, operation: str) -> int:
        return sum(1 for call in self.simulators[who].calls if call.operation == operation)

    def code(self, account: str, kind: str, ours: str, theirs: str) -> None:
        """Someone adds a mapping."""
        from app.bell import ring
        from app.catalogue import codes
        from app.database import transaction

        with transaction() as tx:
            rings = codes.add(tx, account, kind, ours, theirs, "tester")
        ring(rings)


def fresh_process() -> None:
    """What a new process would not have: caches of configuration, pools, tokens."""
    from app.accounts import entries, tokens
    from app.catalogue import codes
    from app.database import engine
    from app.journal import accept, nourish
    from config.reader import config
    from tasks.engine import connecting

    for pool in accept.pools():
        pool.close()
    for cached in (engine, config, entries.account, connecting._limiter, accept._pool):
        cached.cache_clear()
    entries._seen.clear()
    nourish._seen.clear()
    nourish._rooms.clear()
    tokens._near.clear()
    tokens._dead.clear()
    codes._near.clear()


@contextmanager
def world(
    folder: Path,
    database_url: str,
    redis_url: str,
    shapes: Mapping[str, str] | None = None,
    quick: bool = True,
    more: tuple[str, ...] = (),
) -> Iterator[World]:
    """Acme as shop, ERP, warehouse and letter writer, each an account of its own; `shapes` by role."""
    made = World(folder, shapes=shapes or {})
    with ExitStack() as stack:
        for role in (*ROLES, *more):
            settings = {
                "shape": (shapes or {}).get(role, "fat"),
                "secrets": [SECRET],
                "client_id": "tests",
                "client_secret": "tests-secret",
            }
            simulator = import_module("connectors.acme.simulator").create(settings)
            made.simulators[role] = simulator
            made.addresses[role] = stack.enter_context(simulator.served())
        _configure(made, shapes or {}, quick)
        os.environ.update(
            DATABASE_URL=database_url,
            REDIS_URL=redis_url,
            WAYBILL_CONFIG=str(folder),
            TESTS_ID="tests",
            TESTS_SECRET="tests-secret",
            TESTS_HOOKS=SECRET,
        )
        redis.Redis.from_url(redis_url).flushall()
        fresh_process()
        warm(more)
        try:
            yield made
        finally:
            from app.database import engine

            engine().dispose()
            fresh_process()


def warm(more: tuple[str, ...] = ()) -> None:
    from tasks.engine.connecting import limiter

    for role in (*ROLES, *more):
        limiter().warm(role)


def _configure(made: World, shapes: Mapping[str, str], quick: bool) -> None:
    accounts = "".join(
        f'[{role}]\nconnector = "acme"\nbase_url = "{made.addresses[role]}"\ntimeout = 1.0\n'
        f'credentials = {{ client_id = "TESTS_ID", client_secret = "TESTS_SECRET" }}\nwebhook_secrets = ["TESTS_HOOKS"]\n'
        f'settings = {{ shape = "{shapes.get(role, "fat")}" }}\n'
        + ('codes = { sku = "mapped" }\n' if role == "erp" else "")
        + "\n"
        for role in made.addresses
    )
    made.folder.mkdir(parents=True, exist_ok=True)
    (made.folder / "accounts.toml").write_text(accounts)
    (made.folder / "routes.toml").write_text(
        '[[route]]\nname = "orders"\nkind = "order"\nwhen = { account = "shop" }\n'
        'roles = { channel = "shop", erp = "erp", warehouse = "warehouse", notify = "letters" }\n\n'
        '[[route]]\nname = "stock"\nkind = "stock"\nwhen = { account = "warehouse" }\nroles = { publish = ["shop"] }\n'
    )
    if quick:
        (made.folder / "settings.toml").write_text(QUICK)


QUICK = """
[engine]
lease = 4
rung_again = 2
feed_seconds = 2
feed_floor = 8
share = 0.5
slots = 16
bulk_floor = 0.1
rings = 1
receive_on = 8
go_along = false
go_on_steps = 20
go_on_seconds = 0.5
[retry]
first = 0.05
factor = 1.5
most = 0.5
tries = 24
not_there = 3
unexpected = 3
budget = 50
refill = 0.2
[breaker]
failures = 8
pause = 0.3
most = 1
probes = 2
[parked]
case_after = 0
try_again = 900
[intake]
max_body = 2000000
ring_patience = 0.2
"""
