"""The simulated site's customers and staff, moved over HTTP under /_sim/, and what anyone may ask of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, jsonify, request

from connectors.kit.simulator import Simulator
from connectors.salesforce_commerce.simulator_access import Access
from connectors.salesforce_commerce.simulator_imports import Imports
from connectors.salesforce_commerce.simulator_kinds import KINDS, drawn, many
from connectors.salesforce_commerce.simulator_refusal import Refused
from connectors.salesforce_commerce.simulator_site import Site, shelf, stamp

Json = dict[str, Any]
Change = Callable[[Site, Json, Json], None]


def control(simulator: Simulator, site: Site, access: Access, imports: Imports) -> None:
    """Adds every control endpoint."""
    _orders(simulator, site)
    _goods(simulator, site, imports)
    app = simulator.app

    @app.get("/_sim/effects")
    def told() -> Response:
        with simulator.memory.lock:
            return jsonify(effects(site))

    @app.post("/_sim/tokens/expiry")
    def expire() -> Response:
        """Every token ends now."""
        access.expire()
        return jsonify({})

    @app.put("/_sim/load")
    def load() -> Response:
        """{"percent": 95}: how much of the capacity is in use; 100 sheds everything. {"quota", "window"}: another rate."""
        wanted = request.get_json()
        access.load = float(wanted.get("percent", access.load))
        access.quota, access.window = int(wanted.get("quota", access.quota)), float(wanted.get("window", access.window))
        return jsonify(access.headers())


def effects(site: Site) -> Json:
    """What was done there, by business identity. An event counts the different ones told under one id."""
    found: Json = {name: {} for name in ("order", "exported", "confirmed", "custom", "event", "shipping", "state")}
    for order in site.orders():
        name = order["orderNo"]
        found["order"][name] = 1
        found["exported"][name] = int(order["exportStatus"] == "exported")
        found["confirmed"][name] = int(order["confirmationStatus"] == "confirmed")
        found["shipping"][name] = order["shippingStatus"].replace("not_shipped", "")
        found["state"][name] = order["status"] if order["status"] in ("cancelled", "completed") else ""
        found["custom"][name] = ", ".join(f"{key}={order[key]}" for key in sorted(order) if key.startswith("c_"))
        for told in {json.dumps(json.loads(one), sort_keys=True) for one in order["events"]}:
            event = json.loads(told)
            key = f"{name}/{(event.get('fulfillmentEvent') or event.get('adjustment'))['id']}"
            found["event"][key] = found["event"].get(key, 0) + 1
    found["stock"] = {key: f"{one['allocation']} pieces" for key, one in site.memory.table("stock").items() if one}
    found["price"] = {
        key: "; ".join(f"{one['quantity']}: {one['amount']} {one['currency']}" for one in rows)
        for key, rows in site.memory.table("prices").items()
    }
    return {kind: {name: one for name, one in rows.items() if one} for kind, rows in found.items()}


def summary(order: Json) -> Json:
    names = "orderNo status exportStatus confirmationStatus shippingStatus paymentStatus orderTotal taxTotal currency lastModified"
    return {
        **{name: order[name] for name in names.split()},
        "kind": order["kind"],
        "lines": [
            {"id": one["itemId"], "sku": one["productId"], "quantity": one["quantity"]} for one in order["productItems"]
        ],
        "events": [json.loads(one) for one in order["events"]],
        "custom": {key: value for key, value in order.items() if key.startswith("c_")},
    }


def _orders(simulator: Simulator, site: Site) -> None:
    app = simulator.app

    @app.post("/_sim/orders")
    def place() -> Response:
        """A spec, a list of them, or {"count": 20, "seed": 1, "kinds": [...]}; `kind` stands for what KINDS says."""
        with simulator.memory.lock:
            specs = [{**KINDS.get(one.get("kind", "plain"), {}), **one} for one in _specs(request.get_json())]
            return jsonify([summary(site.place(one)) for one in specs])

    @app.get("/_sim/orders")
    def orders() -> Response:
        return jsonify([summary(one) for one in site.orders()])

    @app.get("/_sim/kinds")
    def kinds() -> Response:
        return jsonify({kind: drawn(random.Random(1), kind) for kind in KINDS})

    @app.post("/_sim/orders/<name>/<what>")
    def change(name: str, what: str) -> Any:
        """cancel, place, confirm, ship (its shipments, with a number), pay, ready, touch, total (a wrong one)."""
        try:
            with simulator.memory.lock:
                CHANGES[what](site, site.order(name), request.get_json(silent=True) or {})
                return jsonify(summary(site.order(name)))
        except Refused as refused:
            return jsonify({"error": refused.detail}), 422


def _specs(asked: Any) -> list[Json]:
    if isinstance(asked, Mapping) and "count" in asked:
        return many(int(asked["count"]), int(asked.get("seed", 1)), asked.get("kinds"))
    return list(asked) if isinstance(asked, list) else [dict(asked)]


def _cancel(site: Site, order: Json, asked: Json) -> None:
    site.set_status(order, "cancelled")
    told = {"cancelCode": asked.get("code", "customer"), "cancelDescription": asked.get("reason", "Ordered by mistake")}
    site.changed(site.order(order["orderNo"]), **told)


def _ship(site: Site, order: Json, asked: Json) -> None:
    """Another system's order import: its shipments, all or the named one, are shipped under a number."""
    rows = [
        {**one, "shippingStatus": "shipped", "trackingNumber": asked.get("number", "JD99")}
        if asked.get("shipment", one["shipmentId"]) == one["shipmentId"]
        else one
        for one in order["shipments"]
    ]
    whole = all(one["shippingStatus"] == "shipped" for one in rows)
    site.changed(order, shipments=rows, shippingStatus="shipped" if whole else "part_shipped")


CHANGES: dict[str, Change] = {
    "cancel": _cancel,
    "place": lambda site, order, asked: site.set_status(order, "new"),
    "confirm": lambda site, order, asked: site.changed(order, confirmationStatus="confirmed"),
    "pay": lambda site, order, asked: site.changed(order, paymentStatus="paid"),
    "ready": lambda site, order, asked: site.set_export(order, "ready"),
    "touch": lambda site, order, asked: site.changed(order),
    "ship": _ship,
    "total": lambda site, order, asked: site.changed(order, orderTotal=asked["total"]),
}


def _goods(simulator: Simulator, site: Site, imports: Imports) -> None:
    app = simulator.app

    @app.post("/_sim/products")
    def product() -> Response:
        """A new article {sku, price, kind, lastModified, master}."""
        return jsonify(site.article(request.get_json()))

    @app.post("/_sim/stock")
    def stock() -> Response:
        """Staff count {sku, location, pieces}; {"turnover": "2"}: so many were sold and exported since."""
        asked = request.get_json()
        key = f"{asked['sku']}@{asked.get('location', site.lists[0])}"
        inventory = asked.get("location", site.lists[0])
        at = stamp(site.now())
        before = site.memory.table("stock").get(key) or shelf(asked["sku"], inventory, "0", at)
        changed = {
            "allocation": asked.get("pieces"),
            "turnover": asked.get("turnover"),
            "on_order": asked.get("on_order"),
        }
        told = {name: str(value) for name, value in changed.items() if value is not None}
        return jsonify(simulator.memory.put("stock", key, {**before, **told}))

    @app.get("/_sim/imports")
    def files() -> Response:
        """The price book files that were imported, and the archives that still lie in the folder."""
        return jsonify({"files": [one.decode() for one in imports.seen], "left": sorted(imports.files)})
