"""A Shopify shop one can talk to: its Admin GraphQL endpoint, its webhooks, and the customers' and staff's doings.

Checked against the Admin GraphQL 2026-07 schema (tests) and against recorded answers of live shops.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from flask import Response, jsonify, request

from connectors.kit.simulator import Memory, Simulator
from connectors.shopify.simulator_changes import Refused
from connectors.shopify.simulator_graphql import Fault, Request, arguments, directive, parsed, requested_cost, selected
from connectors.shopify.simulator_kinds import KINDS, drawn, many
from connectors.shopify.simulator_operations import Operations
from connectors.shopify.simulator_orders import public
from connectors.shopify.simulator_shop import Shop
from connectors.shopify.simulator_webhooks import TOPICS, Habits, MailRoom

Json = dict[str, Any]
SUPPORTED = ("2025-10", "2026-01", "2026-04", "2026-07", "2026-10")


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
        return {"maximumAvailable": self.burst, "currentlyAvailable": int(self.left()), "restoreRate": self.rate}


def create(settings: Mapping[str, Any]) -> Simulator:
    """Settings (all optional): `memory` (file), `shop` (domain), `access_token`, `version`, `locations` (ids), `quantity`,
    `skew` (seconds its clock is ahead), `strict_clock`, `tell_stock`, `points` {burst, rate}, `webhook_url` (gets every
    topic), `topics` (those it gets), `secret`, `old_secret` and every other habit of the mail room, `seed`, `senders`.
    """
    path = settings.get("memory")
    memory = Memory(Path(path) if path else None)
    simulator = Simulator("shopify", memory, error=lambda status, sentence: ({"errors": sentence}, {}))
    shop = _shop(settings, memory)
    bucket = Bucket(**settings.get("points", {}))
    _endpoint(simulator, shop, bucket, str(settings.get("access_token", "shpat_demo")))
    _control(simulator, shop)
    return simulator


def _shop(settings: Mapping[str, Any], memory: Memory) -> Shop:
    habits = Habits(**{name: settings[name] for name in Habits.__dataclass_fields__ if name in settings})
    address = {"url": settings.get("webhook_url", ""), "topics": tuple(settings.get("topics", TOPICS))}
    memory.table("sequences")

    def addresses(topic: str) -> list[str]:
        named = topic.upper().replace("/", "_")
        subscribed = [one["uri"] for one in memory.table("subscriptions").values() if one and one["topic"] == named]
        own = [address["url"]] if address["url"] and topic in address["topics"] else []
        return list(dict.fromkeys(own + subscribed))

    def unsubscribe(topic: str, url: str) -> None:
        for key, one in list(memory.table("subscriptions").items()):
            if one and one["uri"] == url and one["topic"] == topic.upper().replace("/", "_"):
                memory.put("subscriptions", key, None)

    domain = settings.get("shop", "waybill-demo.myshopify.com")
    mail = MailRoom(
        domain,
        settings.get("version", "2026-07"),
        habits,
        addresses,
        unsubscribe,
        int(settings.get("senders", 3)),
        int(settings.get("seed", 7)),
    )
    shop = Shop(
        memory,
        mail,
        tuple(int(one) for one in settings.get("locations", (70001, 70002))),
        int(settings.get("quantity", 1000)),
        float(settings.get("skew", 0)),
        bool(settings.get("strict_clock", False)),
        bool(settings.get("tell_stock", True)),
    )
    shop.mail_address = address  # type: ignore[attr-defined]  # changed by PUT /_sim/webhooks
    return shop


def _endpoint(simulator: Simulator, shop: Shop, bucket: Bucket, token: str) -> None:
    operations = Operations(shop, simulator)

    @simulator.app.post("/admin/api/<version>/graphql.json")
    def graphql(version: str) -> Response:
        served = {"X-Shopify-API-Version": version if version in SUPPORTED else SUPPORTED[0]}
        if request.headers.get("X-Shopify-Access-Token") != token:
            body = {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
            refused = simulator.answer("graphql", False, lambda: (jsonify(body), 401))
            return _with(refused, served)
        asked = request.get_json(force=True)
        try:
            wanted = parsed(asked.get("query", ""), dict(asked.get("variables") or {}))
        except Fault as fault:
            body = {"errors": [fault.body]}
            return _with(simulator.answer("graphql", False, lambda: jsonify(body)), served)
        answered = simulator.answer(wanted.name, wanted.write, lambda: jsonify(_executed(operations, bucket, wanted)))
        return _with(answered, served)


def _with(response: Response, headers: Mapping[str, str]) -> Response:
    response.headers.update(headers)
    return response


def _executed(operations: Operations, bucket: Bucket, wanted: Request) -> Json:
    """The answer, with what it cost; nothing is done for a call that the bucket cannot pay for."""
    asked = requested_cost(wanted)
    if asked > 1000:
        message = f"Query cost is {asked}, which exceeds the single query max cost limit (1000)."
        return {
            "errors": [
                {"message": message, "extensions": {"code": "MAX_COST_EXCEEDED", "cost": asked, "maxCost": 1000}}
            ]
        }
    if not bucket.take(asked):
        throttled = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return {"errors": [throttled], "extensions": _cost(asked, None, bucket)}
    data: Json = {}
    errors: list[Json] = []
    wanted.spent = 10.0 if wanted.write else 0.0
    for root in wanted.roots:
        name = root.alias.value if root.alias else root.name.value
        try:
            found = operations.call(
                root.name.value, arguments(root, wanted.variables), directive(root, "idempotent", wanted.variables)
            )
            data[name] = _chosen(wanted, root, found)
        except Fault as fault:
            data[name] = None
            errors.append(fault.body)
    spent = min(asked, wanted.spent)
    bucket.give_back(asked - spent)
    return {**({"errors": errors} if errors else {}), "data": data, "extensions": _cost(asked, int(spent), bucket)}


def _chosen(wanted: Request, root: Any, found: Any) -> Any:
    from connectors.shopify.simulator_graphql import Connection

    if isinstance(found, Connection):
        wanted.spent += 2
        return selected(wanted, found.page(arguments(root, wanted.variables)), root.selection_set, "edges")
    return selected(wanted, found, root.selection_set, root.name.value)


def _cost(asked: int, spent: int | None, bucket: Bucket) -> Json:
    return {"cost": {"requestedQueryCost": asked, "actualQueryCost": spent, "throttleStatus": bucket.status()}}


def _control(simulator: Simulator, shop: Shop) -> None:
    """What customers and staff do, and what anyone may ask."""
    app, mail = simulator.app, shop.mail

    def placed(spec: Json) -> Json:
        kind = {**KINDS.get(spec.get("kind", "plain"), {}), **spec}
        order = shop.place(kind)
        simulator.created("orders", str(order["id"]))
        return order

    @app.post("/_sim/orders")
    def place() -> Response:
        """A spec, a list of them, or {"count": 20, "seed": 1, "kinds": [...]}."""
        asked = request.get_json(force=True)
        if isinstance(asked, Mapping) and "count" in asked:
            asked = many(int(asked["count"]), int(asked.get("seed", 1)), asked.get("kinds"))
        orders = [placed(spec) for spec in (asked if isinstance(asked, list) else [asked])]
        return jsonify([shop.summary(order) for order in orders])

    @app.get("/_sim/orders")
    def orders() -> Response:
        return jsonify([shop.summary(order) for order in shop.orders()])

    @app.get("/_sim/orders/<name>")
    def order(name: str) -> Response:
        """The body that a webhook about this order carries now."""
        return jsonify(public(shop.find(name)))

    @app.post("/_sim/orders/<name>/<what>")
    def change(name: str, what: str) -> Response:
        return jsonify(shop.summary(shop.change(shop.find(name), what, request.get_json(silent=True) or {})))

    @app.errorhandler(Refused)
    def refused(error: Refused) -> tuple[Response, int]:
        return jsonify({"error": error.message, "field": error.field}), 422

    @app.post("/_sim/products")
    def product() -> Response:
        made = shop.stock_article(request.get_json(force=True))
        mail.post("products/create", str(made["id"]), public(made), shop.now())
        return jsonify(public(made))

    @app.post("/_sim/products/<sku>")
    def change_product(sku: str) -> Response:
        """Changes title, status ("deleted" removes it) or price."""
        asked = request.get_json(force=True)
        found = next(one for one in simulator.memory.table("products").values() if one["variants"][0]["sku"] == sku)
        found.update({name: asked[name] for name in ("title", "status") if name in asked}, updated_at=shop.now())
        found["variants"][0].update({name: asked[name] for name in ("price",) if name in asked})
        simulator.memory.put("products", str(found["id"]), found)
        gone = found["status"] == "deleted"
        told = {"id": found["id"]} if gone else public(found)
        mail.post("products/delete" if gone else "products/update", str(found["id"]), told, shop.now())
        return jsonify(public(found))

    @app.post("/_sim/stock")
    def stock() -> Response:
        """Staff count {sku, location, available}."""
        asked = request.get_json(force=True)
        item = shop.articles()[asked["sku"]]["inventory_item_id"]
        level = shop.level(item, asked.get("location", shop.locations[0]))
        if level is None:
            raise Refused("not stocked there", "location")
        shop.move(level, int(asked["available"]) - level["quantities"]["available"])
        return jsonify(level)

    @app.get("/_sim/effects")
    def effects() -> Response:
        with simulator.memory.lock:
            return jsonify(shop.effects())

    @app.get("/_sim/kinds")
    def kinds() -> Response:
        return jsonify({kind: drawn(__import__("random").Random(1), kind) for kind in KINDS})

    @app.get("/_sim/deliveries")
    def deliveries() -> Response:
        with_body = request.args.get("body") == "1"
        rows = [asdict(one) for one in list(mail.deliveries)]
        hidden = ("secret",) if with_body else ("secret", "body")
        return jsonify([{name: value for name, value in row.items() if name not in hidden} for row in rows])

    @app.get("/_sim/webhooks")
    def habits() -> Response:
        shown = {name: value for name, value in asdict(mail.habits).items() if "secret" not in name}
        return jsonify({**shown, **shop.mail_address})  # type: ignore[attr-defined]

    @app.put("/_sim/webhooks")
    def set_habits() -> Response:
        """Any of the mail room's switches (see Habits), `url` and `topics`."""
        asked = request.get_json(force=True)
        shop.mail_address.update({k: asked.pop(k) for k in ("url", "topics") if k in asked})  # type: ignore[attr-defined]
        mail.habits = replace(mail.habits, **{k: tuple(v) if isinstance(v, list) else v for k, v in asked.items()})
        return habits()

    @app.post("/_sim/secrets")
    def rotate() -> Response:
        """{secret, old_share}: the secret is rotated; a share of what is sent is still signed with the old one."""
        asked = request.get_json(force=True)
        changed = {
            "old_secret": mail.habits.secret,
            "secret": asked["secret"],
            "old_share": asked.get("old_share", 0.5),
        }
        mail.habits = replace(mail.habits, **changed)
        return jsonify({"rotated": True})
