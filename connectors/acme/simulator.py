"""Acme's servers as one can talk to them: its contract enforced, its memory kept, its bad days switched on at will."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.acme.simulator_door import Door
from connectors.acme.simulator_hooks import Hooks
from connectors.acme.simulator_limits import LIMITS, Counter
from connectors.acme.simulator_queue import Queue
from connectors.acme.simulator_records import Records
from connectors.acme.simulator_shop import Shop
from connectors.acme.simulator_subscriptions import Subscriptions
from connectors.kit.simulator import Memory, Simulator


def create(settings: Mapping[str, Any]) -> Simulator:
    """Acme with these settings, all of which may be left out:

    `shape` (shapes.py; how it tells of changes), `path` (memory file), `client_id`, `client_secret`, `token_seconds`,
    `webhook_url`, `secrets` (deliveries are signed with all of them), `retries` (seconds before each further try),
    `chaos` ({"duplicate": 0.1, "drop": 0.05, "reorder": 0.2}: shares of deliveries; also PUT /_sim/hooks), `seed`,
    `limits` (tables like simulator_limits.LIMITS; [] for none), `retry_after` (False: 429 does not say when),
    `index_seconds` (how late the search index is), `job_seconds`, `skew_seconds` (how wrong its clock is),
    `withdrawn` (SKUs that it refuses), `blocked` (e-mail addresses whose bookings it refuses).
    """
    path = settings.get("path")
    simulator = Simulator("acme", Memory(Path(path) if path else None), error=_error, key_header="Idempotency-Key")
    hooks = Hooks(simulator, settings)
    door = Door(simulator, settings, Counter(settings.get("limits", LIMITS), settings.get("retry_after", True)))
    shop = Shop(door, hooks, settings)
    Records(door, shop, settings)
    Queue(door, hooks)
    Subscriptions(door, hooks)
    return simulator


# The codes of Acme's own errors where a bad day answers with a status only.
STATUS_CODES = {401: "invalid_token", 429: "too_many_requests", 500: "internal_error", 503: "maintenance"}


def _error(status: int, sentence: str) -> tuple[Any, Mapping[str, str]]:
    return {"error": {"code": STATUS_CODES.get(status, "error"), "message": sentence}}, {}
