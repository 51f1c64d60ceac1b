"""The simulated seller's buyers, moved over HTTP under /_sim/, and what anyone may ask of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import simplejson
from flask import Response, jsonify, request

from connectors.amazon.simulator_access import Buckets, Refused, Tokens
from connectors.amazon.simulator_feeds import Feeds
from connectors.amazon.simulator_finances import given_back
from connectors.amazon.simulator_kinds import KINDS, many
from connectors.amazon.simulator_listings import Listings
from connectors.amazon.simulator_notes import Notes
from connectors.amazon.simulator_store import Json, Store, total
from connectors.kit.simulator import Simulator


def control(simulator: Simulator, store: Store, parts: tuple[Tokens, Buckets, Feeds, Listings, Notes]) -> None:
    """Adds every control endpoint."""
    tokens, buckets, feeds, listings, notes = parts
    app = simulator.app
    _orders(simulator, store)

    @app.get("/_sim/effects")
    def told() -> Response:
        feeds.work()
        with simulator.memory.lock:
            return jsonify(effects(store))

    @app.post("/_sim/tokens/ends")
    def ends() -> Response:
        tokens.end()
        return jsonify({"ended": True})

    @app.post("/_sim/listings")
    def listed() -> Response:
        """{sku, channel (DEFAULT or AMAZON_EU), quantity, product_type}: a listing more, or anew."""
        one = request.get_json()
        listings.add(
            one["sku"], one.get("channel", "DEFAULT"), one.get("quantity", 0), one.get("product_type", "SHIRT")
        )
        return jsonify(one)

    @app.put("/_sim/feeds")
    def habits() -> Response:
        """{"stuck": true}: no feed is worked through; {"fatal": 1}: the next is given up; {"seconds": 3}."""
        asked = request.get_json()
        feeds.stuck, feeds.fatal = bool(asked.get("stuck", False)), int(asked.get("fatal", 0))
        feeds.seconds = float(asked.get("seconds", feeds.seconds))
        return jsonify(asked)

    @app.post("/_sim/quotas/<operation>")
    def spend(operation: str) -> Response:
        """Other software of the application empties the operation's bucket."""
        buckets.spend(operation)
        return jsonify({operation: 0})

    @app.post("/_sim/subscriptions/lapse")
    def lapse() -> Response:
        notes.lapse()
        return jsonify({"lapsed": True})

    @app.post("/_sim/notifications")
    def note() -> Response:
        """Any body into the queue, as somebody else's software may put it there; {"flush": true}: what was held back."""
        asked = request.get_json()
        notes.flush() if asked == {"flush": True} else notes.send(simplejson.dumps(asked))
        return jsonify({"sent": True})


def effects(store: Store) -> Json:
    """What was done there, by business identity; a double shows as 2."""
    kinds = ("order", "acknowledged", "package", "pieces", "cancelled", "refund", "stock", "price")
    found: Json = {kind: {} for kind in kinds}
    for order in store.orders():
        _order_effects(found, order)
    for sku, row in store.memory.table("listings").items():
        attributes = simplejson.loads(row["attributes"], use_decimal=True)
        for held in attributes["fulfillment_availability"]:
            found["stock"][f"{sku}/{held['fulfillment_channel_code']}"] = f"{held.get('quantity')} pieces"
        for offer in attributes["purchasable_offer"]:
            price = offer["our_price"][0]["schedule"][0]["value_with_tax"]
            found["price"][f"{sku}/{offer['marketplace_id']}"] = f"{price} {offer['currency']}"
    return found


def _order_effects(found: Json, order: Json) -> None:
    name = order["id"]
    found["order"][name] = 1
    if order["alias"]:
        found["acknowledged"][f"{name}/{order['alias']}"] = 1
    if order.get("cancelled_by") == "MERCHANT":
        found["cancelled"][name] = 1
    for package in order["packages"]:
        _count(found["package"], f"{name}/{package['carrier']}/{package['trackingNumber']}")
        for one in package["packageItems"]:
            told = f"{name}/{one['orderItemId']}"
            found["pieces"][told] = f"{int(found['pieces'].get(told, '0').split()[0]) + one['quantity']} pieces"
    for row in (row for refund in order["refunds"] if refund["by"] == "us" for row in refund["rows"]):
        _count(found["refund"], f"{name}/{row['kind']}/{row['amount']}")


def _count(table: Json, name: str) -> None:
    table[name] = table.get(name, 0) + 1


def summary(order: Json) -> Json:
    names = ("id", "status", "by", "kind", "currency", "alias", "created", "updated")
    return {
        **{name: order[name] for name in names},
        "cancelled_by": order.get("cancelled_by", ""),
        "total": str(total(order)),
        "items": [{name: item[name] for name in ("id", "sku", "quantity", "shipped")} for item in order["items"]],
        "packages": order["packages"],
        "refunds": order["refunds"],
    }


def _orders(simulator: Simulator, store: Store) -> None:
    app = simulator.app

    @app.post("/_sim/orders")
    def place() -> Response:
        """A spec, a list of them, or {"count": 20, "seed": 1, "kinds": [...]}; `kind` stands for what KINDS says."""
        with simulator.memory.lock:
            specs = _specs(request.get_json())
            placed = [store.place({**KINDS.get(one.get("kind", "plain"), {}), **one}) for one in specs]
            return jsonify([summary(one) for one in placed])

    @app.get("/_sim/orders")
    def orders() -> Response:
        return jsonify([summary(one) for one in store.orders()])

    @app.get("/_sim/kinds")
    def kinds() -> Response:
        return jsonify(KINDS)

    @app.post("/_sim/orders/<name>/refunds")
    def give_back(name: str) -> Any:
        """What the seller in Seller Central, or Amazon itself, gives back (simulator_finances.given_back)."""
        try:
            with simulator.memory.lock:
                return jsonify(summary(given_back(store, name, request.get_json())))
        except Refused as refused:
            return jsonify(refused.error), 422

    @app.post("/_sim/orders/<name>/<what>")
    def change(name: str, what: str) -> Any:
        """paid (no longer pending), cancel (by the buyer), ask (the buyer asks for it), amazon (Amazon has sent it)."""
        try:
            with simulator.memory.lock:
                return jsonify(summary(CHANGES[what](store, name)))
        except Refused as refused:
            return jsonify(refused.error), 422


def _specs(asked: Any) -> list[Json]:
    if isinstance(asked, dict) and "count" in asked:
        return many(random.Random(asked.get("seed", 1)), int(asked["count"]), asked.get("kinds"))
    return asked if isinstance(asked, list) else [asked]


def _paid(store: Store, name: str) -> Json:
    order = store.find(name)
    order["status"] = "UNSHIPPED"
    return store.save(order, "OrderStatusChange")


def _ask(store: Store, name: str) -> Json:
    order = store.find(name)
    order["asked"] = True
    return store.save(order, "BuyerRequestedChange")


CHANGES: dict[str, Callable[[Store, str], Json]] = {
    "paid": _paid,
    "ask": _ask,
    "cancel": lambda store, name: store.cancel(name, "BUYER", "Changed my mind"),
    "amazon": lambda store, name: store.sent_by_amazon(name),
}
