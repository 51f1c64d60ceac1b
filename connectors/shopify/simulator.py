"""A Shopify shop one can talk to: its Admin GraphQL endpoint over its orders, products and stock.

Checked against the Admin GraphQL 2026-07 schema (tests) and against recorded answers of live shops.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from flask import Response, jsonify, request
from graphql import FieldNode

from connectors.kit.simulator import Memory, Simulator
from connectors.shopify.simulator_control import control
from connectors.shopify.simulator_graphql import (
    Connection,
    Fault,
    Request,
    arguments,
    directive,
    parsed,
    requested_cost,
    selected,
)
from connectors.shopify.simulator_operations import Operations
from connectors.shopify.simulator_shop import Shop
from connectors.shopify.simulator_webhooks import Habits, MailRoom

Json = dict[str, Any]


@dataclass
class Versions:
    """Those that are served; one that is retired is answered as the oldest of them (https://shopify.dev/docs/api/usage/versioning)."""

    served: tuple[str, ...] = ("2025-10", "2026-01", "2026-04", "2026-07", "2026-10")

    def answering(self, asked: str) -> str:
        return asked if asked in self.served else self.served[0]


@dataclass
class Bucket:
    """Points: `burst` at once, `rate` a second more. A call needs what it may cost, and pays what it did cost."""

    burst: float = 2000
    rate: float = 100
    level: float = -1.0
    at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def left(self) -> float:
        now = time.monotonic()
        if self.level < 0:
            self.level, self.at = self.burst, now
        self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now
        return self.level

    def take(self, cost: float) -> bool:
        with self.lock:
            if self.left() < cost:
                return False
            self.level -= cost
            return True

    def give_back(self, points: float) -> None:
        with self.lock:
            self.level = min(self.burst, self.left() + points)

    def status(self) -> Json:
        with self.lock:
            left = int(self.left())
        return {"maximumAvailable": self.burst, "currentlyAvailable": left, "restoreRate": self.rate}


def create(settings: Mapping[str, Any]) -> Simulator:
    """Settings, all optional: `memory` (a file), `shop` (domain), `access_token`, `version`, `locations` (ids),
    `quantity`, `skew` (seconds its clock is ahead), `strict_clock`, `tell_stock`, `promise_stock` (orders take stock),
    `partial` (valid prices are set beside refused ones), `points` {burst, rate}, `webhook_url` (gets every topic),
    `seed`, `senders`, and the mail room's habits (simulator_webhooks.Habits: secret, duplicates ...).
    """
    path = settings.get("memory")
    memory = Memory(Path(path) if path else None)
    simulator = Simulator("shopify", memory, error=lambda status, sentence: ({"errors": sentence}, {}))
    shop = _shop(settings, memory)
    bucket = Bucket(**settings.get("points", {}))
    _endpoint(simulator, shop, bucket, str(settings.get("access_token", "shpat_demo")))
    control(simulator, shop)
    return simulator


def _shop(settings: Mapping[str, Any], memory: Memory) -> Shop:
    given = {name: settings[name] for name in Habits.__dataclass_fields__ if name in settings}
    mail = MailRoom(
        str(settings.get("shop", "waybill-demo.myshopify.com")),
        str(settings.get("version", "2026-07")),
        Habits(**{"url": settings.get("webhook_url", ""), **given}),
        lambda topic: _subscribed(memory, mail, topic),
        lambda topic, url: _unsubscribe(memory, topic, url),
        int(settings.get("senders", 3)),
        int(settings.get("seed", 7)),
    )
    return Shop(
        memory,
        mail,
        tuple(int(one) for one in settings.get("locations", (70001, 70002))),
        int(settings.get("quantity", 1000)),
        float(settings.get("skew", 0)),
        bool(settings.get("strict_clock", False)),
        bool(settings.get("tell_stock", True)),
        bool(settings.get("promise_stock", True)),
        bool(settings.get("partial", True)),
    )


def _subscribed(memory: Memory, mail: MailRoom, topic: str) -> list[str]:
    """Who gets a topic, each address once."""
    habits = cast(Habits, mail.mailing.habits)
    own = [habits.url] if habits.url and topic in habits.topics else []
    rows = (one for one in memory.table("subscriptions").values() if one)
    return list(dict.fromkeys(own + [one["uri"] for one in rows if one["topic"] == _enum(topic)]))


def _unsubscribe(memory: Memory, topic: str, url: str) -> None:
    """A subscription that failed too often is gone."""
    for key, one in list(memory.table("subscriptions").items()):
        if one and (one["uri"], one["topic"]) == (url, _enum(topic)):
            memory.put("subscriptions", key, None)


def _enum(topic: str) -> str:
    return topic.upper().replace("/", "_")


def _endpoint(simulator: Simulator, shop: Shop, bucket: Bucket, token: str) -> None:
    operations, versions = Operations(shop, simulator), Versions()

    @simulator.app.post("/admin/api/<version>/graphql.json")
    def graphql(version: str) -> Response:
        served = {"X-Shopify-API-Version": versions.answering(version)}
        answer = _answered(simulator, operations, bucket, token)
        answer.headers.update(served)
        return answer

    @simulator.app.put("/_sim/versions")
    def retire() -> Response:
        """{"served": [...]}: what is not among them is retired."""
        versions.served = tuple(sorted(request.get_json(force=True)["served"]))
        return jsonify({"served": versions.served})


def _answered(simulator: Simulator, operations: Operations, bucket: Bucket, token: str) -> Response:
    if request.headers.get("X-Shopify-Access-Token") != token:
        body: Json = {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
        return simulator.answer("graphql", False, lambda: (jsonify(body), 401))
    asked = request.get_json(force=True)
    try:
        wanted = parsed(asked.get("query", ""), dict(asked.get("variables") or {}))
    except Fault as fault:
        body = {"errors": [fault.body]}
        return simulator.answer("graphql", False, lambda: jsonify(body))
    return simulator.answer(wanted.name, wanted.write, lambda: jsonify(_executed(operations, bucket, wanted)))


def _executed(operations: Operations, bucket: Bucket, wanted: Request) -> Json:
    """The answer, with what it cost; nothing is done for a call that the bucket cannot pay for."""
    asked = requested_cost(wanted)
    if asked > 1000:
        extensions = {"code": "MAX_COST_EXCEEDED", "cost": asked, "maxCost": 1000}
        message = f"Query cost is {asked}, which exceeds the single query max cost limit (1000)."
        return {"errors": [{"message": message, "extensions": extensions}]}
    if not bucket.take(asked):
        throttled = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return {"errors": [throttled], "extensions": _cost(asked, None, bucket)}
    data: Json = {}
    errors: list[Json] = []
    wanted.spent = 10.0 if wanted.write else 0.0
    for root in wanted.roots:
        name = root.alias.value if root.alias else root.name.value
        try:
            data[name] = _field(operations, wanted, root)
        except Fault as fault:
            data[name] = None
            errors.append(fault.body)
    spent = min(asked, wanted.spent)
    bucket.give_back(asked - spent)
    return {**({"errors": errors} if errors else {}), "data": data, "extensions": _cost(asked, int(spent), bucket)}


def _field(operations: Operations, wanted: Request, root: FieldNode) -> Any:
    given = arguments(root, wanted.variables)
    found = operations.call(root.name.value, given, directive(root, "idempotent", wanted.variables))
    if isinstance(found, Connection):
        wanted.spent += 2
        return selected(wanted, found.page(given), root.selection_set, "edges")
    return selected(wanted, found, root.selection_set, root.name.value)


def _cost(asked: int, spent: int | None, bucket: Bucket) -> Json:
    return {"cost": {"requestedQueryCost": asked, "actualQueryCost": spent, "throttleStatus": bucket.status()}}
