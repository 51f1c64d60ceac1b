"""The simulated store's customers and staff, moved over HTTP under /_sim/, and what anyone may ask of it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from flask import Response, jsonify, request

from connectors.bigcommerce import simulator_views as views
from connectors.bigcommerce.simulator_hooks import Hooks
from connectors.bigcommerce.simulator_kinds import KINDS, drawn, many
from connectors.bigcommerce.simulator_quota import Quota
from connectors.bigcommerce.simulator_refunds import quote, refund
from connectors.bigcommerce.simulator_store import CANCELLED, Json, Refused, Store
from connectors.kit.simulator import Simulator


def control(simulator: Simulator, store: Store, hooks: Hooks, quota: Quota) -> None:
    """Adds every control endpoint."""
    _orders(simulator, store)
    _goods(simulator, store)
    _mail(simulator, hooks)
    app = simulator.app

    @app.get("/_sim/effects")
    def told() -> Response:
        with simulator.memory.lock:
            return jsonify(effects(store))

    @app.put("/_sim/quota")
    def spend() -> Response:
        """{"spend": 20}: other software calls so often; {"most", "seconds"}: another plan."""
        wanted = request.get_json()
        quota.most, quota.seconds = wanted.get("most", quota.most), wanted.get("seconds", quota.seconds)
        quota.spend(int(wanted.get("spend", 0)))
        return jsonify({"refused": quota.refused, "busiest": quota.busiest})


def effects(store: Store) -> Json:
    """What was done there, by business identity; a double shows as 2."""
    kinds = ("order", "erp_number", "shipment", "pieces", "cancelled", "capture", "void", "refund")
    found: Json = {kind: {} for kind in kinds}
    for order in store.orders():
        name = str(order["id"])
        found["order"][name] = 1
        found["erp_number"][name] = sum(1 for one in order["metafields"] if one["key"] == "erp_number")
        found["cancelled"][name] = int(order["status_id"] == CANCELLED)
        for one in order["shipments"]:
            _count(found["shipment"], f"{name}/{one['tracking_number']}")
            for item in one["items"]:
                told = f"{name}/{item['order_product_id']}"
                found["pieces"][told] = f"{int(found['pieces'].get(told, '0').split()[0]) + item['quantity']} pieces"
        for one in (row for row in order["transactions"] if row["event"] in ("capture", "void")):
            _count(found[one["event"]], f"{name}/{one['of']}/{one['amount']}")
        for one in order["refunds"]:
            for paid in one["payments"]:
                _count(found["refund"], f"{name}/{paid['provider_id']}/{paid['amount']}")
    found["stock"] = {name: f"{one['onhand']} pieces" for name, one in store.memory.table("stock").items()}
    found["price"] = {
        one["sku"]: f"{one['price']}/{one.get('sale_price')}" for one in store.memory.table("products").values() if one
    }
    found["record"] = {
        name: f"{one['price']}/{one['sale_price']}" for name, one in store.memory.table("records").items()
    }
    return {kind: {name: one for name, one in rows.items() if one} for kind, rows in found.items()}


def _count(table: Json, name: str) -> None:
    table[name] = table.get(name, 0) + 1


def summary(store: Store, order: Json) -> Json:
    told = views.header(store, order)
    names = ("id", "status_id", "status", "total_inc_tax", "payment_status", "items_shipped")
    return {
        **{name: told[name] for name in names},
        "kind": order["kind"],
        "currency": order["currency"],
        "email": order["email"],
        "lines": [{name: one[name] for name in ("id", "sku", "quantity", "type")} for one in order["lines"]],
        "metafields": {one["key"]: one["value"] for one in order["metafields"]},
        "shipments": order["shipments"],
        "refunds": order["refunds"],
    }


def _orders(simulator: Simulator, store: Store) -> None:
    app = simulator.app

    @app.post("/_sim/orders")
    def place() -> Response:
        """A spec, a list of them, or {"count": 20, "seed": 1, "kinds": [...]}; `kind` stands for what KINDS says."""
        with simulator.memory.lock:
            placed = [
                store.place({**KINDS.get(one.get("kind", "plain"), {}), **one}) for one in _specs(request.get_json())
            ]
            return jsonify([summary(store, one) for one in placed])

    @app.get("/_sim/orders")
    def orders() -> Response:
        return jsonify([summary(store, one) for one in store.orders()])

    @app.get("/_sim/kinds")
    def kinds() -> Response:
        return jsonify({kind: drawn(random.Random(1), kind) for kind in KINDS})

    @app.post("/_sim/orders/<name>/<what>")
    def change(name: str, what: str) -> Any:
        """cancel, edit, ship, refund, status, archive, decline (every refund to the named providers) or provider (its mood)."""
        try:
            with simulator.memory.lock:
                order = store.find(name)
                CHANGES[what](store, order, request.get_json(silent=True) or {})
                return jsonify(summary(store, store.find(name)))
        except Refused as refused:
            return jsonify({"error": refused.title, "errors": refused.errors}), 422


def _specs(asked: Any) -> list[Json]:
    if isinstance(asked, Mapping) and "count" in asked:
        return many(int(asked["count"]), int(asked.get("seed", 1)), asked.get("kinds"))
    return list(asked) if isinstance(asked, list) else [dict(asked)]


def _ship(store: Store, order: Json, asked: Json) -> None:
    """Staff ship {line id: quantity} or all, from the control panel."""
    for address in order["addresses"]:
        lines = [one for one in order["lines"] if one["address"] == address and one["type"] == "physical"]
        wanted = {one["id"]: int(asked.get("lines", {}).get(str(one["id"]), one["quantity"])) for one in lines}
        items = [{"order_product_id": name, "quantity": count} for name, count in wanted.items() if count]
        if items:
            tracking = {"tracking_number": asked.get("number", ""), "tracking_carrier": asked.get("carrier", "")}
            store.ship(order, {"order_address_id": address, "items": items, **tracking})


def _refund(store: Store, order: Json, asked: Json) -> None:
    """Staff refund {lines: {sku: quantity}, amount}: by the first way that the quote offers."""
    wanted = asked.get("lines", {})
    items: list[Json] = [
        {"item_type": "PRODUCT", "item_id": one["id"], "quantity": int(wanted[one["sku"]])}
        for one in order["lines"]
        if one["sku"] in wanted
    ]
    if "amount" in asked:
        items.append({"item_type": "ORDER", "item_id": order["id"], "amount": Decimal(str(asked["amount"]))})
    told = quote(store, order, items)
    payments = [{name: one[name] for name in ("provider_id", "amount", "offline")} for one in told["methods"][0]]
    refund(store, order, {"items": items, "payments": payments, "reason": asked.get("reason", "")})


def _decline(store: Store, order: Json, asked: Json) -> None:
    order["declines"] = list(asked["providers"])


def _provider(store: Store, order: Json, asked: Json) -> None:
    """{"mood": "slow"}: what is asked of the payment waits; "declines": it comes to nothing; "": it is done."""
    order["provider"] = asked.get("mood", "")
    store.memory.put("orders", str(order["id"]), order)


def _archive(store: Store, order: Json, asked: Json) -> None:
    order["is_deleted"] = True
    store.changed(order, "store/order/archived")


CHANGES = {
    "cancel": lambda store, order, asked: store.set_status(order, CANCELLED),
    "status": lambda store, order, asked: store.set_status(order, int(asked["status_id"])),
    "edit": lambda store, order, asked: store.edit(order, asked),
    "ship": _ship,
    "refund": _refund,
    "archive": _archive,
    "decline": _decline,
    "provider": _provider,
}


def _goods(simulator: Simulator, store: Store) -> None:
    app = simulator.app

    @app.post("/_sim/products")
    def product() -> Response:
        """A new article {sku, title, price, type, date_modified}."""
        made = store.stock_article(request.get_json())
        store.tell("store/product/created", {"type": "product", "id": made["id"]})
        return jsonify(made)

    @app.post("/_sim/products/<sku>")
    def change_product(sku: str) -> Response:
        return jsonify(store.change_article(sku, request.get_json()))

    @app.post("/_sim/empty")
    def empty() -> Response:
        """The catalogue is cleared."""
        for name in list(simulator.memory.table("products")):
            simulator.memory.put("products", name, None)
        return jsonify({})

    @app.post("/_sim/stock")
    def stock() -> Response:
        """Staff count {sku, location, onhand, safety}."""
        asked = request.get_json()
        key = f"{asked['sku']}@{asked.get('location', store.locations[0])}"
        return jsonify(simulator.memory.put("stock", key, {**simulator.memory.table("stock")[key], **asked}))


def _mail(simulator: Simulator, hooks: Hooks) -> None:
    app = simulator.app

    @app.get("/_sim/deliveries")
    def deliveries() -> Response:
        """Every webhook with its tries; ?body=1 with what it carried."""
        rows = [asdict(one) for one in list(hooks.mailing.deliveries)]
        if request.args.get("body") != "1":
            rows = [{name: value for name, value in row.items() if name != "body"} for row in rows]
        return jsonify(rows)

    @app.put("/_sim/webhooks")
    def habits() -> Response:
        """Any of simulator_hooks.Habits."""
        hooks.mailing.habits = replace(hooks.mailing.habits, **request.get_json())
        return jsonify({name: value for name, value in asdict(hooks.mailing.habits).items() if "secret" not in name})

    @app.post("/_sim/hooks/<name>/deactivation")
    def deactivate(name: str) -> Response:
        """What BigCommerce does after 48 hours of failures or 90 quiet days; "all" for every hook."""
        known = list(simulator.memory.table("hooks")) if name == "all" else [name]
        for one in known:
            hooks.deactivate(one)
        return jsonify({"deactivated": len(known)})
