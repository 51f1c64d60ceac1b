"""The operations of ShipBob's API 2026-01 that the hub uses, answered as ShipBob answers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Response, jsonify, request

from connectors.shipbob.simulator_house import ShipBobSimulator
from connectors.shipbob.simulator_shelves import Row, now
from connectors.shipbob.simulator_views import asked_for, complaints, completed, listed, location_row, lot_row, paged

ROOT = "/2026-01"
TOPICS = """
order.shipped order.shipment.delivered order.shipment.exception order.shipment.on_hold order.shipment.cancelled
return.created return.updated return.completed billing.charge.created billing.refund.created billing.credit.created
""".split()
GIVEN_SECRET = "whsec_c2ltdWxhdGVkLXNlY3JldC1vZi10aGlzLWhvb2s="


def _complain(status: int, field: str, sentence: str) -> tuple[Response, int]:
    return jsonify({field: [sentence]}), status


def _channel(sim: ShipBobSimulator) -> str:
    """The channel of the call; the first where the server in front drops names with underscores (as many do)."""
    said = request.headers.get("shipbob_channel_id", "")
    return said if said or request.environ.get("shipbob.headers") else next(iter(sim.settings["channels"]))


# ---- orders


def create_order(sim: ShipBobSimulator) -> Any:
    channel, body = _channel(sim), request.get_json(silent=True) or {}
    refused = _refused(sim, channel, body)
    if refused is not None:
        return refused
    order = sim.warehouse.take(int(channel), body)
    sim.created("orders", str(order["id"]))
    return jsonify(order), 201


def _refused(sim: ShipBobSimulator, channel: str, body: Any) -> Any:
    """The answer to a request that makes no order; None for one that does."""
    if not channel:
        return _complain(400, "shipbob_channel_id", "The shipbob_channel_id header is required.")
    if channel not in sim.settings["channels"]:
        return jsonify({"message": "No access to this channel."}), 403
    if not isinstance(body, dict) or not body:
        return _complain(400, "", "A non-empty request body is required.")
    first = next(complaints(body, sim.warehouse.shelves.known()), None)
    if first is not None:
        return _complain(*first)
    there = sim.warehouse.by_reference(body["reference_id"])
    if any(str(order["channel"]["id"]) == channel for order in there):
        return _complain(422, "", "Cannot insert order with existing ReferenceId")
    return None


def get_orders(sim: ShipBobSimulator) -> Any:
    rows = [order for order in sim.warehouse.orders() if sim.indexed("orders", str(order["id"]))]
    channel = request.headers.get("shipbob_channel_id", "")
    wanted = listed([o for o in rows if not channel or str(o["channel"]["id"]) == channel], request.args)
    if isinstance(wanted, tuple):
        return _complain(400, *wanted)
    page, further = paged(wanted, request.args)
    answer = jsonify(page)
    if further:
        query = urlencode({**request.args, "Page": int(request.args.get("Page", 1)) + 1})
        answer.headers["next-page"] = f"{ROOT}/order?{query}"
        _shift(sim, page[0]["id"])
    return answer


def _shift(sim: ShipBobSimulator, order_id: int) -> None:
    """On a day of shifting pages an order is touched between two pages, and leaves the window."""
    shift = sim.passive("page_shift")
    if shift is not None:
        shift.times = None if shift.times is None else shift.times - 1
        sim.warehouse.touch(order_id)


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
    said = {"order_id": order_id, "status": "Success", "canceled_shipment_results": results}
    return jsonify({**said, "order": sim.warehouse.order(order_id)})


# ---- stock


def get_levels(sim: ShipBobSimulator) -> Any:
    return _inventory(sim, location_row)


def get_lots(sim: ShipBobSimulator) -> Any:
    return _inventory(sim, lot_row)


def _inventory(sim: ShipBobSimulator, seen: Callable[[Row], Row]) -> Any:
    rows = [seen(item) for item in asked_for(sim.warehouse.shelves.items(), request.args)]
    size, start = int(request.args.get("PageSize", 100)), int(request.args.get("Cursor", 0))
    query = urlencode({**request.args, "Cursor": str(start + size)})
    following = f"{request.url_root.rstrip('/')}{request.path}?{query}" if start + size < len(rows) else None
    return jsonify({"items": rows[start : start + size], "next": following, "prev": None, "first": None, "last": None})


# ---- returns


def get_returns(sim: ShipBobSimulator) -> Any:
    rows = completed(list(sim.memory.table("returns").values()), request.args)
    if isinstance(rows, tuple):
        return _complain(400, *rows)
    size, page = int(request.args.get("Limit", 50)), int(request.args.get("Cursor", 1))
    query = urlencode({**request.args, "Cursor": page + 1})
    following = f"{request.url_root.rstrip('/')}{request.path}?{query}" if page * size < len(rows) else None
    return jsonify(
        {"items": rows[(page - 1) * size : page * size], "next": following, "prev": None, "first": None, "last": None}
    )


# ---- webhooks, channels


def create_webhook(sim: ShipBobSimulator) -> Any:
    body = request.get_json(silent=True) or {}
    topics, url = body.get("topics") or [], str(body.get("url") or "")
    unknown = [topic for topic in topics if topic not in TOPICS]
    allowed = ("https://", "http://") if sim.settings.get("allow_http") else ("https://",)
    if not topics or unknown or not url.startswith(allowed):
        value = {"topics": unknown, "url": url}
        return jsonify({"$type": "UnprocessableEntityObjectResult", "status_code": 422, "value": value}), 422
    number = f"wh_{sim.memory.next_id('webhooks', 1)}"
    hook = {"id": number, "url": url, "topics": topics, "secret": body.get("secret") or GIVEN_SECRET}
    hook |= {"description": body.get("description"), "created_at": now()}
    sim.memory.put("webhooks", number, {**hook, "enabled": True})
    return jsonify(hook)


def get_webhooks(sim: ShipBobSimulator) -> Any:
    hooks = [{k: v for k, v in hook.items() if k != "secret"} for hook in sim.memory.table("webhooks").values()]
    size, start = int(request.args.get("RecordsPerPage", 50)), int(request.args.get("Cursor", 0))
    query = urlencode({"RecordsPerPage": size, "Cursor": start + size})
    more = f"{ROOT}/webhook?{query}" if start + size < len(hooks) else None
    return jsonify({"items": hooks[start : start + size], "next": more, "prev": None})


def delete_webhook(sim: ShipBobSimulator, hook_id: str) -> Any:
    hook = sim.memory.table("webhooks").get(hook_id)
    if hook:
        sim.memory.put("webhooks", hook_id, {**hook, "enabled": False, "topics": []})
    return "", 204


def get_channels(sim: ShipBobSimulator) -> Any:
    channels: Row = sim.settings["channels"]
    scopes = ["orders_read", "orders_write"]
    rows = [
        {"id": int(number), "name": name, "application_name": "Waybill", "scopes": scopes}
        for number, name in channels.items()
    ]
    return jsonify({"items": rows, "next": None, "prev": None})


OPERATIONS: tuple[tuple[str, str, str, bool, Callable[..., Any]], ...] = (
    ("/order", "orders.create", "POST", True, create_order),
    ("/order", "orders.list", "GET", False, get_orders),
    ("/order/<int:order_id>", "orders.get", "GET", False, get_order),
    ("/order/<int:order_id>:cancel", "orders.cancel", "POST", True, cancel_order),
    ("/order/<int:order_id>/shipment", "shipments.list", "GET", False, get_shipments),
    ("/inventory-level/locations", "inventory.levels", "GET", False, get_levels),
    ("/inventory-level/lots", "inventory.lots", "GET", False, get_lots),
    ("/return", "returns.list", "GET", False, get_returns),
    ("/webhook", "webhooks.create", "POST", True, create_webhook),
    ("/webhook", "webhooks.list", "GET", False, get_webhooks),
    ("/webhook/<hook_id>", "webhooks.delete", "DELETE", True, delete_webhook),
    ("/channel", "channels.list", "GET", False, get_channels),
)
