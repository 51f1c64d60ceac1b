"""The simulated seller's customers and staff, moved over HTTP under /_sim/, and what anyone may ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from flask import Response, jsonify, request

from connectors.kit.simulator import Simulator
from connectors.square.simulator_access import Door
from connectors.square.simulator_hooks import Hooks
from connectors.square.simulator_kinds import KINDS, many
from connectors.square.simulator_store import Store

Json = dict[str, Any]
OURS = "waybill"


def control(simulator: Simulator, store: Store, hooks: Hooks, door: Door) -> None:
    """Adds every control endpoint."""
    _orders(simulator, store)
    _staff(simulator, store)
    _goods(simulator, store)
    _mail(simulator, hooks)
    app = simulator.app

    @app.get("/_sim/effects")
    def told() -> Response:
        with simulator.memory.lock:
            return jsonify(effects(store))

    @app.post("/_sim/tokens/expiry")
    def expire() -> Response:
        door.expire()
        return jsonify({})

    @app.put("/_sim/version")
    def serve() -> Response:
        door.serves = str((request.get_json() or {}).get("serves", ""))
        return jsonify({})


def effects(store: Store) -> Json:
    """What was done there, by business identity; a double shows as 2."""
    found: Json = {
        name: {}
        for name in (
            "order",
            "erp_number",
            "shipment",
            "state",
            "cancelled",
            "capture",
            "void",
            "refund",
            "stock",
            "price",
        )
    }
    for order in store.orders():
        name = order["id"]
        found["order"][name] = 1
        found["erp_number"][name] = (order.get("metadata") or {}).get("waybill_erp_number", "")
        stopped = [one for one in order.get("fulfillments", ()) if one["state"] == "CANCELED"]
        found["cancelled"][name] = int(order["state"] == "CANCELED" or bool(stopped))
        for row in order.get("fulfillments", ()):
            _shipped(found, name, row)
    _payments(store, found)
    for one in store.memory.table("refunds").values():
        _count(found["refund"], f"{one['order_id']}/{one['amount_money']['amount']}")
    skus = {one["id"]: one["item_variation_data"]["sku"] for one in store.memory.table("articles").values()}
    for one in store.memory.table("counts").values():
        found["stock"][f"{skus[one['catalog_object_id']]}@{one['location_id']}"] = f"{one['quantity']} pieces"
    for one in store.memory.table("articles").values():
        data = one["item_variation_data"]
        found["price"][data["sku"]] = f"{data['price_money']['amount']} {data.get('location_overrides', '')}"
    return {kind: {name: one for name, one in rows.items() if one} for kind, rows in found.items()}


def _payments(store: Store, found: Json) -> None:
    """What was approved and then taken, or let go."""
    for one in store.memory.table("payments").values():
        if one["status"] == "CANCELED":
            _count(found["void"], f"{one['order_id']}/{one['id']}/{one['total_money']['amount']}")
        if one["status"] == "COMPLETED" and one.get("delay_action"):
            _count(found["capture"], f"{one['order_id']}/{one['id']}/{one['total_money']['amount']}")


def _shipped(found: Json, name: str, row: Json) -> None:
    kept = row.get("metadata") or {}
    for entry in (value for key, value in kept.items() if key.startswith(OURS)):
        _count(found["shipment"], f"{name}/{entry}")
    number = (row.get("shipment_details") or {}).get("tracking_number", "")
    if kept or row["state"] == "COMPLETED":
        found["state"][f"{name}/{row['uid']}"] = f"{row['state']} {number}".strip()


def _count(table: Json, name: str) -> None:
    table[name] = table.get(name, 0) + 1


def _specs(told: Any) -> list[Json]:
    if isinstance(told, list):
        return told
    return many(int(told["count"]), int(told.get("seed", 1)), told.get("kinds")) if "count" in told else [told]


def _orders(simulator: Simulator, store: Store) -> None:
    app = simulator.app

    @app.post("/_sim/orders")
    def place() -> Response:
        """A spec, a list of them, or {"count": 20, "seed": 1, "kinds": [...]}; `kind` stands for what KINDS says; `silent`: no event is sent."""
        with simulator.memory.lock:
            return jsonify(
                [store.place({**KINDS.get(one.get("kind", "till"), {}), **one}) for one in _specs(request.get_json())]
            )

    @app.get("/_sim/orders")
    def orders() -> Response:
        return jsonify(store.orders())


def _readdressed(row: Json, told: Json | None) -> Json:
    if not told:
        return dict(row)
    details = row["shipment_details"]
    person = details["recipient"]
    return {**row, "shipment_details": {**details, "recipient": {**person, "address": {**person["address"], **told}}}}


def _staff(simulator: Simulator, store: Store) -> None:
    app = simulator.app

    @app.post("/_sim/orders/<order_id>/returns")
    def take_back(order_id: str) -> Response:
        """{"lines": {uid: pieces}, "exchange": [lines]}: goods of this order come back at a till."""
        return jsonify(store.take_back(store.find(order_id), request.get_json()))

    @app.post("/_sim/returns")
    def from_elsewhere() -> Response:
        """{"lines": [{sku, quantity, price}], "reference"}: goods that Square never sold."""
        return jsonify(store.take_back(None, request.get_json()))

    @app.post("/_sim/orders/<order_id>/moves")
    def move(order_id: str) -> Response:
        """{"fulfillment_state"}, {"state"}, {"address"} (of its shipment, what differs) or {"note"}: staff do it in Square, whatever the
        version."""
        wanted, order = request.get_json(), store.find(order_id)
        rows = [
            {
                **_readdressed(one, wanted.get("address")),
                **({"state": wanted["fulfillment_state"]} if "fulfillment_state" in wanted else {}),
            }
            for one in order.get("fulfillments", ())
        ]
        changed = {
            **order,
            **({"fulfillments": rows} if rows else {}),
            **({"state": wanted["state"]} if "state" in wanted else {}),
        }
        return jsonify(store.touch(changed))

    @app.post("/_sim/orders/<order_id>/captures")
    def capture(order_id: str) -> Response:
        """What was authorised is completed."""
        for tender in store.find(order_id).get("tenders", ()):
            payment = store.memory.table("payments")[tender["payment_id"]]
            taken = {**payment, "status": "COMPLETED", "updated_at": store.now()}
            store.memory.put("payments", payment["id"], taken)
            store.tell("payment.updated", "payment", payment["id"], {"payment": taken})
        return jsonify({})

    @app.post("/_sim/refunds/settlement")
    def settle() -> Response:
        """{"state": "COMPLETED"}: refunds that wait come to their end."""
        return jsonify({"settled": store.settle_refunds(request.get_json()["state"])})

    @app.post("/_sim/customers")
    def customer() -> Response:
        made = {**request.get_json(), "id": store.name("customer")}
        return jsonify(simulator.memory.put("customers", made["id"], made))


def _goods(simulator: Simulator, store: Store) -> None:
    app = simulator.app

    @app.post("/_sim/articles")
    def article() -> Response:
        told = request.get_json()
        return jsonify(store.add_article(told["sku"], int(told.get("price", 1000)), told.get("currency", "EUR")))

    @app.put("/_sim/articles/<sku>")
    def change_article(sku: str) -> Response:
        """Fields of its variation ({"price_money": {...}}), or {"is_deleted": true}: staff change it, or take it out."""
        found, told = store.article(sku), request.get_json()
        assert found is not None
        gone = bool(told.pop("is_deleted", False))
        data = {**found["item_variation_data"], **told}
        stamped = {"updated_at": store.now(), "version": store.memory.next_id("versions"), "is_deleted": gone}
        return jsonify(store.memory.put("articles", found["id"], {**found, **stamped, "item_variation_data": data}))

    @app.put("/_sim/counts")
    def count() -> Response:
        """{"sku", "location", "quantity"}: staff count."""
        told = request.get_json()
        found = store.article(told["sku"])
        assert found is not None
        return jsonify(
            store.set_count(found["id"], told.get("location", store.locations[0]), str(Decimal(str(told["quantity"]))))
        )


def _mail(simulator: Simulator, hooks: Hooks) -> None:
    app = simulator.app

    @app.get("/_sim/deliveries")
    def deliveries() -> Response:
        return jsonify([asdict(one) for one in hooks.mailing.deliveries])

    @app.put("/_sim/habits")
    def habits() -> Response:
        told: Mapping[str, Any] = request.get_json()
        hooks.mailing.habits = replace(hooks.mailing.habits, **told)
        return jsonify(asdict(hooks.mailing.habits))

    @app.post("/_sim/subscriptions/all/disabling")
    def disable() -> Response:
        """Square gave up on every subscription."""
        for name in list(simulator.memory.table("subscriptions")):
            hooks.disable(name)
        return jsonify({})
