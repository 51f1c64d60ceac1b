"""A Square seller one can talk to: Connect v2, its tokens, its webhooks, and customers and staff to move it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Response, request

from connectors.kit.simulator import Memory, Simulator
from connectors.square.simulator_access import Door
from connectors.square.simulator_api import Handle, operations
from connectors.square.simulator_control import control
from connectors.square.simulator_hooks import Habits, Hooks
from connectors.square.simulator_refused import Refused
from connectors.square.simulator_store import Store
from connectors.square.simulator_words import said

OWN = {
    "application_id": "sq0idp-demo",
    "application_secret": "sq0csp-demo-secret",
    "refresh_token": "sq-demo-refresh",
    "application_token": "sq-demo-application",
}
KINDS = {
    401: ("AUTHENTICATION_ERROR", "UNAUTHORIZED"),
    429: ("RATE_LIMIT_ERROR", "RATE_LIMITED"),
    503: ("API_ERROR", "SERVICE_UNAVAILABLE"),
}


def create(settings: Mapping[str, Any]) -> Simulator:
    """Settings, all optional: `path` (memory file), the four of OWN, `rate` (calls a second; 0: no limit) and `burst`, `locations` (ids), `quantity`
    (pieces on every shelf), `merchant_id`, `refund_orders` (RefundPayment makes a return order), `refunds_take` (seconds until a refund is
    completed by itself), `serves` (a version, whatever is asked for), `webhook_url` (gets every topic), and
    simulator_hooks.Habits (secret, duplicates ...)."""
    path = settings.get("path")
    simulator = Simulator("square", Memory(Path(path) if path else None), error=_error)
    given = {name: settings[name] for name in Habits.__dataclass_fields__ if name in settings}
    hooks = Hooks(
        simulator.memory,
        Habits(**{"url": settings.get("webhook_url", ""), **given}),
        str(settings.get("merchant_id", "MERCHANT1")),
    )
    store = Store(
        simulator, hooks.tell, settings.get("locations", ("LOC1", "LOC2")), int(settings.get("quantity", 1000))
    )
    store.refund_orders = bool(settings.get("refund_orders", False))
    store.refunds_take = None if settings.get("refunds_take") is None else float(settings["refunds_take"])
    store.settle_in(store.refunds_take)  # what a start before this one left behind
    store.open()
    own = {name: str(settings.get(name, value)) for name, value in OWN.items()}
    door = Door(simulator.memory, own, float(settings.get("rate", 0)), float(settings.get("burst", 20)))
    door.serves = str(settings.get("serves", ""))
    simulator.operation("/oauth2/token", "oauth.token", ["POST"])(_answered(lambda: None, door.token))
    for rule, name, method, write, handle in operations(store):
        simulator.operation(rule, name, [method], write)(
            _answered(lambda name=name: door.admit(name), handle, lambda: door.serves)
        )
    control(simulator, store, hooks, door)
    return simulator


def _answered(admit: Any, handle: Handle, serves: Callable[[], str] = str) -> Handle:
    """Who is not let in, or asks for what cannot be, is told so in Square's words."""

    def answer(**args: Any) -> Response:
        try:
            admit()
            done: Response = handle(**args)
            done.headers["Square-Version"] = serves() or request.headers["Square-Version"]
            return done
        except Refused as refused:
            told = {"category": refused.category, "code": refused.code, "detail": refused.detail}
            return said({"errors": [{**told, **({"field": refused.field} if refused.field else {})}]}, refused.status)

    return answer


def _error(status: int, sentence: str) -> tuple[Any, Mapping[str, str]]:
    category, code = KINDS.get(status, ("API_ERROR", "INTERNAL_SERVER_ERROR"))
    return {"errors": [{"category": category, "code": code, "detail": sentence}]}, {}
