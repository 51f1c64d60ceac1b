"""A BigCommerce store one can talk to: its REST v2 and v3, its quota, its webhooks, and customers and staff to move it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Response, request

from connectors.bigcommerce.simulator_api import Handle, operations, said
from connectors.bigcommerce.simulator_control import control
from connectors.bigcommerce.simulator_hooks import Habits, Hooks
from connectors.bigcommerce.simulator_quota import Quota
from connectors.bigcommerce.simulator_store import Refused, Store
from connectors.kit.simulator import Memory, Simulator

TYPE = "https://developer.bigcommerce.com/docs/start/about/status-codes"


def create(settings: Mapping[str, Any]) -> Simulator:
    """Settings, all optional: `path` (memory file), `store_hash`, `access_token`, `quota` (150 calls) in `window` (30
    seconds), `locations` (ids), `quantity` (pieces on every shelf), `skew` (seconds its clock is ahead), `allow_http`
    (hooks need not be https), `webhook_url` (gets every scope), and simulator_hooks.Habits (secret, duplicates ...)."""
    path, store_hash = settings.get("path"), str(settings.get("store_hash", "abc123"))
    simulator = Simulator("bigcommerce", Memory(Path(path) if path else None), error=_error)
    given = {name: settings[name] for name in Habits.__dataclass_fields__ if name in settings}
    hooks = Hooks(simulator.memory, Habits(**{"url": settings.get("webhook_url", ""), **given}), store_hash)
    store = Store(
        simulator,
        hooks.tell,
        tuple(settings.get("locations", (1, 2))),
        int(settings.get("quantity", 1000)),
        float(settings.get("skew", 0)),
    )
    store.open()
    quota = Quota(int(settings.get("quota", 150)), float(settings.get("window", 30)))
    token = str(settings.get("access_token", "bc-demo-token"))
    rules = operations(store, hooks, store_hash, bool(settings.get("allow_http", False)))
    for rule, name, method, write, handle in rules:
        simulator.operation(f"/stores/{store_hash}{rule}", name, [method], write)(_admitted(handle, token, quota))
    control(simulator, store, hooks, quota)
    return simulator


def _admitted(handle: Handle, token: str, quota: Quota) -> Handle:
    """Who has no token or no call left does not come in; every answer says what is left of the quota."""

    def answer(**args: Any) -> Response:
        if request.headers.get("X-Auth-Token") != token:
            return _refusal(Refused(401, "The token is not valid for this store."))
        if not quota.take():
            return _with(quota, _refusal(Refused(429, "You have exceeded your quota of requests.")))
        if "json" not in request.headers.get("Accept", ""):
            return _with(quota, _refusal(Refused(406, "Only application/json is served here.")))
        try:
            return _with(quota, handle(**args))
        except Refused as refused:
            return _with(quota, _refusal(refused))

    return answer


def _with(quota: Quota, answer: Response) -> Response:
    answer.headers.update(quota.headers())
    return answer


def _refusal(refused: Refused) -> Response:
    body, _ = _error(refused.status, refused.title, refused.errors)
    return said(body, refused.status)


def _error(status: int, sentence: str, errors: Mapping[str, str] | None = None) -> tuple[Any, Mapping[str, str]]:
    """v2 tells a list of {status, message}, v3 one {status, title, type, errors}; a refund's refusal lies in data."""
    if "/v2/" in request.path:
        return [{"status": status, "message": sentence}], {}
    body = {"status": status, "title": sentence, "type": TYPE, "errors": dict(errors or {})}
    if status == 422 and request.path.endswith("/payment_actions/refunds"):
        return {"data": [body]}, {}
    return body, {}
