"""An Amazon one can talk to: orders, feeds, listings and notifications of one seller, its quotas, and buyers to move it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import simplejson
from flask import Response, request

from connectors.amazon.simulator_access import PLANS, Buckets, Refused, Tokens
from connectors.amazon.simulator_control import control
from connectors.amazon.simulator_feeds import Feeds
from connectors.amazon.simulator_finances import Finances
from connectors.amazon.simulator_listings import Listings
from connectors.amazon.simulator_notes import OWNER, Habits, Notes
from connectors.amazon.simulator_orders import Orders
from connectors.amazon.simulator_store import Json, Store
from connectors.kit.simulator import Memory, Simulator

MARKETPLACE = "A1PA6795UKMFR9"
DEMO = {
    "seller_id": "A3WAYBILL00001",
    "client_id": "amzn1.application-oa2-client.waybill",
    "client_secret": "lwa-demo-secret",
    "refresh_token": "Atzr|lwa-demo-refresh",
}


def create(settings: Mapping[str, Any]) -> Simulator:
    """Settings, all optional: `path` (memory file), DEMO's names, `marketplace`, `currency`, `skus`, `queue` (a name; none where it is empty, or
    where moto is not installed), `generous` (times the published quotas), `rates` (by operation: rate, burst),
    `feed_seconds`, `skew` (seconds that its orders' clock is ahead), `packed` (reports in GZIP), and simulator_notes.Habits (duplicates ...)."""
    path = settings.get("path")
    simulator = Simulator("amazon", Memory(Path(path) if path else None), error=_error)
    told = {name: str(settings.get(name, value)) for name, value in DEMO.items()}
    marketplace = str(settings.get("marketplace", MARKETPLACE))
    notes = _notes(simulator, settings, told["seller_id"], marketplace)
    store = Store(
        simulator, marketplace, str(settings.get("currency", "EUR")), notes.tell, float(settings.get("skew", 0))
    )
    listings = Listings(store, told["seller_id"])
    for sku in settings.get("skus", ("WB-TEE", "WB-MUG")):
        if sku not in simulator.memory.table("listings"):
            listings.add(sku)
    seconds, packed = float(settings.get("feed_seconds", 0)), bool(settings.get("packed", False))
    feeds = Feeds(store, listings, told["seller_id"], seconds, packed)
    tokens = Tokens(simulator.memory, (told["client_id"], told["client_secret"]), told["refresh_token"])
    buckets = Buckets({**PLANS, **settings.get("rates", {})}, float(settings.get("generous", 1)))
    for rule, name, method, write, handle, grantless in (
        *Orders(store).rules(),
        *Finances(store).rules(),
        *feeds.rules(),
        *listings.rules(),
        *notes.rules(),
        ("/tokens/2021-03-01/restrictedDataToken", "tokens.restricted", "POST", False, _restrict(tokens), False),
    ):
        admitted = _admitted(handle, name, tokens, buckets, grantless)
        simulator.operation(rule, name, [method], write)(admitted)
    _doors(simulator, tokens, feeds, notes)
    control(simulator, store, (tokens, buckets, feeds, listings, notes))
    return simulator


def _notes(simulator: Simulator, settings: Mapping[str, Any], seller: str, marketplace: str) -> Notes:
    """A queue of our own: all queues of a process lie in one server."""
    habits = Habits(**{name: settings[name] for name in Habits.__dataclass_fields__ if name in settings})
    queue = str(settings.get("queue", f"waybill-{uuid.uuid4().hex[:12]}"))
    notes = Notes(simulator.memory, seller, marketplace, queue, habits)
    if not queue:
        return notes
    try:
        from moto.moto_server.werkzeug_app import create_backend_app
    except ImportError:
        return notes
    notes.open(create_backend_app("sqs"))
    return notes


def _restrict(tokens: Tokens) -> Callable[..., Any]:
    def restrict(token: Json) -> Any:
        resources = (request.get_json() or {}).get("restrictedResources")
        if not resources:
            raise Refused(
                400, "InvalidRequest", "Request is missing or has invalid parameters", "Resource not provided."
            )
        return tokens.restrict(resources)

    return restrict


def _admitted(
    handle: Callable[..., Any], name: str, tokens: Tokens, buckets: Buckets, grantless: bool
) -> Callable[..., Any]:
    """Who has no token or no call left does not come in; every answer says what the operation's rate is."""

    def answer(**args: Any) -> Response:
        try:
            token = tokens.check(request.headers.get("x-amz-access-token", ""), grantless)
            buckets.take(name)
            answered = _answer(handle(token, **args))
        except Refused as refused:
            answered = _refusal(refused)
        answered.headers["x-amzn-RateLimit-Limit"] = str(buckets.rate(name))
        answered.headers["x-amzn-RequestId"] = str(uuid.uuid4())
        return answered

    return answer


def _answer(said: Any) -> Response:
    body, status = said if isinstance(said, tuple) else (said, 200)
    if isinstance(body, Response):
        return body
    if body == "":
        return Response(status=status)
    return Response(simplejson.dumps(body, use_decimal=True), status, content_type="application/json")


def _doors(simulator: Simulator, tokens: Tokens, feeds: Feeds, notes: Notes) -> None:
    """What needs no access token: Login with Amazon, the store of documents, the queue."""

    @simulator.operation("/auth/o2/token", "lwa.token", methods=["POST"])
    def grant() -> Response:
        try:
            return _answer(tokens.grant(request.form))
        except Refused as refused:
            body = {"error": refused.error["code"], "error_description": refused.error["message"]}
            return Response(json.dumps(body), refused.status, content_type="application/json")

    @simulator.operation("/stored/<name>", "stored", methods=["GET", "PUT"])
    def stored(name: str) -> Response:
        return feeds.stored(name)

    @simulator.operation("/", "sqs", methods=["POST"])
    def queue() -> Response:
        action = request.headers.get("x-amz-target", "").removeprefix("AmazonSQS.")
        proof = request.headers.get("authorization", "")
        if not proof.startswith("AWS4-HMAC-SHA256 Credential="):
            body = {"__type": "com.amazon.coral.service#MissingAuthenticationTokenException"}
            return Response(json.dumps(body), 403, content_type="application/x-amz-json-1.0")
        return notes.relay(action, request.get_data(), {"authorization": proof})

    @simulator.app.get("/_sim/queue")
    def address() -> dict[str, str]:
        return {"url": f"{request.host_url.rstrip('/')}/{OWNER}/{notes.queue}", "arn": notes.arn}


def _refusal(refused: Refused) -> Response:
    return Response(json.dumps({"errors": [refused.error]}), refused.status, content_type="application/json")


def _error(status: int, sentence: str) -> tuple[Any, Mapping[str, str]]:
    code = {429: "QuotaExceeded", 401: "Unauthorized", 500: "InternalFailure", 503: "ServiceUnavailable"}
    return {"errors": [{"code": code.get(status, "InvalidInput"), "message": sentence, "details": ""}]}, {}
