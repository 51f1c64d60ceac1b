"""A ShipBob one can talk to: its API 2026-01 over HTTP, a warehouse that picks by itself, and webhooks to whoever subscribed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

from flask import Response, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

from connectors.kit.simulator import Memory, Simulator
from connectors.shipbob.simulator_limit import SlidingWindow
from connectors.shipbob.simulator_post import Post
from connectors.shipbob.simulator_views import complaints, effects, listed, location_rows, paged, updated_at
from connectors.shipbob.simulator_warehouse import Row, Warehouse

ROOT = "/2026-01"
TOPICS = (
    "order.shipped order.shipment.delivered order.shipment.exception order.shipment.on_hold order.shipment.cancelled return.created "
    "return.updated return.completed billing.charge.created billing.refund.created billing.credit.created"
).split()


def create(settings: Mapping[str, Any]) -> ShipBobSimulator:
    """A simulated ShipBob. Settings (all optional):

    `path` memory file; `token` (default "pat-demo"), `read_token` (no write scope); `channels` {id: name} with write scope (default {"4001": ...});
    `limit`, `window` (150 calls in 60 s); `webhook_url`, `webhook_secret` a first subscription to all shipment topics; `allow_http` for
    subscriptions (ShipBob wants https); `ship_after` seconds until an order is picked (None: only by POST /_sim/ship), `deliver_after`,
    `partial_share`, `freight_share` of the orders; `stock` {sku: pieces}, `default_stock` of products made from an order; `payload` "order" sends
    whole orders; `retry_factor` squeezes the retry schedule; `duplicate_share`, `reorder_share` (`reorder_seconds`), `lost_share`, `clock_skew`.
    """
    return ShipBobSimulator.made(dict(settings))


class _Headers(WSGIRequestHandler):
    """Keeps header names with underscores (shipbob_channel_id), which werkzeug's own server drops."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def make_environ(self) -> Any:
        kept = {f"HTTP_{name.upper()}": value for name, value in self.headers.items() if "_" in name}
        return {**super().make_environ(), **kept, "shipbob.headers": "all"}

    def log(self, type: str, message: str, *args: Any) -> None:
        return


class ShipBobSimulator(Simulator):
    """The base with a warehouse, a post and a limit."""

    settings: Row
    warehouse: Warehouse
    post: Post
    window: SlidingWindow

    @classmethod
    def made(cls, settings: Row) -> ShipBobSimulator:
        settings.setdefault("channels", {"4001": "Waybill"})
        memory = Memory(Path(settings["path"]) if settings.get("path") else None)
        made = cls("shipbob", memory, error=_error)
        made.settings, made.post = settings, Post(memory, settings)
        made.window = SlidingWindow(int(settings.get("limit", 150)), float(settings.get("window", 60)))
        _first_hook(made)
        made.warehouse = Warehouse(memory, settings, made.post.tell)
        for sku, pieces in dict(settings.get("stock", {})).items():
            if not any(item["sku"] == sku for item in memory.table("inventory").values()):
                made.warehouse.stocked(sku, sku, int(pieces))
        for rule, name, method, write, handle in OPERATIONS:
            made.operation(ROOT + rule, name, [method], write)(_admitted(made, handle))
        _control(made)
        return made

    @contextmanager
    def served(self, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
        server = make_server(host, port, self.app, threaded=True, request_handler=_Headers)
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://{host}:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()


def _first_hook(sim: ShipBobSimulator) -> None:
    if sim.settings.get("webhook_url") and "configured" not in sim.memory.table("webhooks"):
        hook = {
            "id": "configured",
            "url": sim.settings["webhook_url"],
            "secret": sim.settings.get("webhook_secret", ""),
            "topics": TOPICS[:5],
        }
        sim.memory.put(
            "webhooks",
            "configured",
            {**hook, "enabled": True, "created_at": "2026-01-01T00:00:00Z", "description": "configured"},
        )


def _error(status: int, sentence: str) -> tuple[Any, Mapping[str, str]]:
    """An error in the shape of the service that answers: inventory in problem details, the rest as field -> sentences."""
    if status == 429:
        return {"statusCode": 429, "message": sentence}, {"x-remaining-calls": "0"}
    if "/inventory" in request.path:
        return {
            "type": "about:blank",
            "title": sentence,
            "status": status,
            "detail": sentence,
            "instance": request.path,
        }, {}
    return ({"": [sentence]} if status in (400, 404, 422, 500) else {"message": sentence}), {}


def _admitted(sim: ShipBobSimulator, handle: Callable[..., Any]) -> Callable[..., Any]:
    """Token, then limit, then the operation; every answer tells what is left."""

    @wraps(handle)
    def admit(**args: Any) -> Any:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token not in (
            sim.settings.get("token", "pat-demo"),
            sim.settings.get("read_token", "pat-read"),
        ):
            return sim.refuse(401, "Access denied due to a missing or invalid token.")
        wait, left = sim.window.take(token)
        if wait:
            headers = {"x-retry-after": str(wait), "x-remaining-calls": "0"}
            return sim.refuse(429, f"Rate limit is exceeded. Try again in {wait} seconds.", headers)
        if request.method != "GET" and token != sim.settings.get("token", "pat-demo"):
            return sim.refuse(403, "The token has no write scope.")
        with sim.memory.lock:
            answer: Response = sim.app.make_response(handle(sim, **args))
        answer.headers["x-remaining-calls"] = str(left)
        return answer

    return admit


def _channel(sim: ShipBobSimulator) -> str:
    """The channel of the call. A server in front that drops underscored names (werkzeug, nginx, gunicorn) hides it: then the first."""
    said = request.headers.get("shipbob_channel_id", "")
    return said if said or request.environ.get("shipbob.headers") else next(iter(sim.settings["channels"]))


def _complain(status: int, field: str, sentence: str) -> tuple[Response, int]:
    return jsonify({field: [sentence]}), status


# ---- operations


def create_order(sim: ShipBobSimulator) -> Any:
    channel, body = _channel(sim), request.get_json(silent=True)
    if not channel:
        return _complain(400, "shipbob_channel_id", "The shipbob_channel_id header is required.")
    if channel not in sim.settings["channels"]:
        return jsonify({"message": "No access to this channel."}), 403
    if not isinstance(body, dict):
        return _complain(400, "", "A non-empty request body is required.")
    for status, field, sentence in complaints(body, sim.warehouse.known()):
        return _complain(status, field, sentence)
    with sim.memory.lock:
        if any(str(order["channel"]["id"]) == channel for order in sim.warehouse.by_reference(body["reference_id"])):
            return _complain(422, "", "Cannot insert order with existing ReferenceId")
        order = sim.warehouse.take(int(channel), body)
    sim.created("orders", str(order["id"]))
    return jsonify(order), 201


def get_orders(sim: ShipBobSimulator) -> Any:
    rows = [order for order in sim.warehouse.orders() if sim.indexed("orders", str(order["id"]))]
    channel = request.headers.get("shipbob_channel_id", "")
    rows = [order for order in rows if not channel or str(order["channel"]["id"]) == channel]
    wanted = listed(rows, request.args)
    if isinstance(wanted, tuple):
        return _complain(400, *wanted)
    shift = sim.passive("page_shift")
    page, further = paged(wanted, request.args, int(shift.value) if shift else 0)
    answer = jsonify(page)
    if further:
        answer.headers["next-page"] = (
            f"{ROOT}/order?{urlencode({**request.args, 'Page': int(request.args.get('Page', 1)) + 1})}"
        )
    return answer


def get_order(sim: ShipBobSimulator, order_id: int) -> Any:
    found = sim.warehouse.order(order_id)
    return jsonify(found) if found else sim.refuse(404, "Order not found")


def get_shipments(sim: ShipBobSimulator, order_id: int) -> Any:
    found = sim.warehouse.order(order_id)
    return jsonify(found["shipments"]) if found else sim.refuse(404, "Order not found")


def cancel_order(sim: ShipBobSimulator, order_id: int) -> Any:
    found = sim.warehouse.order(order_id)
    if found is None:
        return sim.refuse(404, "Order not found")
    if found["status"] in ("Cancelled", "Fulfilled"):
        return _complain(422, "", f"Order in status {found['status']} cannot be cancelled")
    results = sim.warehouse.cancel(order_id)
    return jsonify(
        {
            "order_id": order_id,
            "status": "Success",
            "canceled_shipment_results": results,
            "order": sim.warehouse.order(order_id),
        }
    )


def get_levels(sim: ShipBobSimulator) -> Any:
    rows = location_rows(list(sim.memory.table("inventory").values()), request.args)
    size, start = int(request.args.get("PageSize", 100)), int(request.args.get("Cursor", 0))
    more = {**request.args, "Cursor": str(start + size)}
    following = f"{request.url_root.rstrip('/')}{request.path}?{urlencode(more)}" if start + size < len(rows) else None
    return jsonify({"items": rows[start : start + size], "next": following, "prev": None, "first": None, "last": None})


def create_webhook(sim: ShipBobSimulator) -> Any:
    body = request.get_json(silent=True) or {}
    topics, url = body.get("topics") or [], str(body.get("url") or "")
    unknown = [topic for topic in topics if topic not in TOPICS]
    if (
        not topics
        or unknown
        or not re.match(r"https://|http://" if sim.settings.get("allow_http") else r"https://", url)
    ):
        return jsonify(
            {"$type": "UnprocessableEntityObjectResult", "status_code": 422, "value": {"topics": unknown, "url": url}}
        ), 422
    number = f"wh_{sim.memory.next_id('webhooks', 1)}"
    hook = {"id": number, "url": url, "topics": topics, "secret": body.get("secret") or "whsec_c2ltdWxhdGVkLXNlY3JldC1vZi10aGlzLWhvb2s=",
            "description": body.get("description"), "created_at": updated_at()}  # fmt: skip
    sim.memory.put("webhooks", number, {**hook, "enabled": True})
    return jsonify(hook)


def get_webhooks(sim: ShipBobSimulator) -> Any:
    hooks = [{k: v for k, v in hook.items() if k != "secret"} for hook in sim.memory.table("webhooks").values() if hook]
    size, start = int(request.args.get("RecordsPerPage", 50)), int(request.args.get("Cursor", 0))
    more = (
        f"{ROOT}/webhook?{urlencode({'RecordsPerPage': size, 'Cursor': start + size})}"
        if start + size < len(hooks)
        else None
    )
    return jsonify({"items": hooks[start : start + size], "next": more, "prev": None})


def delete_webhook(sim: ShipBobSimulator, hook_id: str) -> Any:
    if sim.memory.table("webhooks").get(hook_id):
        sim.memory.put("webhooks", hook_id, {**sim.memory.table("webhooks")[hook_id], "enabled": False, "topics": []})
    return "", 204


def get_channels(sim: ShipBobSimulator) -> Any:
    rows = [{"id": int(number), "name": name, "application_name": "Waybill", "scopes": ["orders_read", "orders_write"]}
            for number, name in sim.settings["channels"].items()]  # fmt: skip
    return jsonify({"items": rows, "next": None, "prev": None})


OPERATIONS: tuple[tuple[str, str, str, bool, Callable[..., Any]], ...] = (
    ("/order", "orders.create", "POST", True, create_order),
    ("/order", "orders.list", "GET", False, get_orders),
    ("/order/<int:order_id>", "orders.get", "GET", False, get_order),
    ("/order/<int:order_id>:cancel", "orders.cancel", "POST", True, cancel_order),
    ("/order/<int:order_id>/shipment", "shipments.list", "GET", False, get_shipments),
    ("/inventory-level/locations", "inventory.levels", "GET", False, get_levels),
    ("/webhook", "webhooks.create", "POST", True, create_webhook),
    ("/webhook", "webhooks.list", "GET", False, get_webhooks),
    ("/webhook/<hook_id>", "webhooks.delete", "DELETE", True, delete_webhook),
    ("/channel", "channels.list", "GET", False, get_channels),
)


# ---- what anyone may ask of the simulator


def _control(sim: ShipBobSimulator) -> None:
    app = sim.app

    @app.get("/_sim/effects")
    def business() -> Response:
        with sim.memory.lock:
            return jsonify(effects(sim.warehouse.orders()))

    @app.get("/_sim/deliveries")
    def deliveries() -> Response:
        return jsonify({"attempts": sim.post.attempts, "never_sent": sim.post.never_sent})

    @app.get("/_sim/limit")
    def limit() -> Response:
        return jsonify(
            {
                "most": sim.window.most,
                "seconds": sim.window.seconds,
                "busiest": sim.window.busiest,
                "refused": sim.window.refused,
            }
        )

    @app.put("/_sim/settings")
    def switch() -> Response:
        sim.settings.update(request.get_json())
        return jsonify({"set": sorted(request.get_json())})

    @app.post("/_sim/stock")
    def stock() -> Response:
        said = request.get_json()
        return jsonify(
            sim.warehouse.stocked(
                said["sku"], said.get("name", ""), int(said["on_hand"]), str(said.get("location", "11"))
            )
        )

    @app.post("/_sim/<any(ship, deliver, hold):what>")
    def act(what: str) -> Any:
        said = request.get_json()
        orders = sim.warehouse.by_reference(said["reference_id"])
        if not orders:
            return jsonify({"error": f"no order {said['reference_id']}"}), 404
        try:
            done = ACTS[what](sim.warehouse, orders[0], said)
        except ValueError as refused:
            return jsonify({"error": str(refused)}), 409
        return jsonify(done or orders[0])


def _deliver(warehouse: Warehouse, order: Row, said: Row) -> None:
    for shipment in order["shipments"]:
        if shipment["status"] == "Completed" and not shipment["delivery_date"]:
            warehouse.deliver(order["id"], shipment["id"])


ACTS: dict[str, Callable[[Warehouse, Row, Row], Any]] = {
    "ship": lambda warehouse, order, said: warehouse.ship(order["id"], said.get("lines")),
    "deliver": _deliver,
    "hold": lambda warehouse, order, said: warehouse.hold(order["id"]),
}
