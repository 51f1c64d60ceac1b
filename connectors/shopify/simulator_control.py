"""The simulated shop's customers and staff, moved over HTTP under /_sim/, and what anyone may ask of it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from flask import Flask, Response, jsonify, request

from connectors.kit.simulator import Simulator
from connectors.kit.simulator_mailing import Mailing
from connectors.shopify.simulator_changes import Refused
from connectors.shopify.simulator_kinds import KINDS, drawn, many
from connectors.shopify.simulator_orders import public
from connectors.shopify.simulator_shop import Shop

Json = dict[str, Any]


def control(simulator: Simulator, shop: Shop) -> None:
    """Adds every control endpoint."""
    _orders(simulator, shop)
    _articles(simulator, shop)
    _mail(simulator.app, shop.mail.mailing)

    @simulator.app.get("/_sim/effects")
    def effects() -> Response:
        with simulator.memory.lock:
            return jsonify(shop.effects())

    @simulator.app.errorhandler(Refused)
    def refused(error: Refused) -> tuple[Response, int]:
        return jsonify({"error": error.message, "field": error.field}), 422


def _orders(simulator: Simulator, shop: Shop) -> None:
    app = simulator.app

    @app.post("/_sim/orders")
    def place() -> Response:
        """A spec, a list of them, or {"count": 20, "seed": 1, "kinds": [...]}; `kind` stands for what KINDS says."""
        orders = [_placed(simulator, shop, spec) for spec in _specs(request.get_json(force=True))]
        return jsonify([shop.summary(order) for order in orders])

    @app.get("/_sim/orders")
    def orders() -> Response:
        return jsonify([shop.summary(order) for order in shop.orders()])

    @app.get("/_sim/orders/<name>")
    def order(name: str) -> Response:
        """The body that a webhook about this order carries now."""
        return jsonify(public(shop.find(name)))

    @app.post("/_sim/orders/<name>/<what>")
    def change_order(name: str, what: str) -> Response:
        """fulfil, pay, edit, refund, cancel or note (simulator_shop.CHANGES)."""
        return jsonify(shop.summary(shop.change(shop.find(name), what, request.get_json(silent=True) or {})))

    @app.get("/_sim/kinds")
    def kinds() -> Response:
        return jsonify({kind: drawn(random.Random(1), kind) for kind in KINDS})


def _specs(asked: Any) -> list[Json]:
    if isinstance(asked, Mapping) and "count" in asked:
        return many(int(asked["count"]), int(asked.get("seed", 1)), asked.get("kinds"))
    return list(asked) if isinstance(asked, list) else [dict(asked)]


def _placed(simulator: Simulator, shop: Shop, spec: Json) -> Json:
    order = shop.place({**KINDS.get(spec.get("kind", "plain"), {}), **spec})
    simulator.created("orders", str(order["id"]))
    return order


def _articles(simulator: Simulator, shop: Shop) -> None:
    app, mail = simulator.app, shop.mail

    @app.post("/_sim/products")
    def product() -> Response:
        """A new article {sku, title, price, gift_card, updated_at}; `variants`: further ones [{sku, price}] of the same product."""
        made = shop.stock_article(request.get_json(force=True))
        mail.post("products/create", str(made["id"]), public(made), shop.now())
        return jsonify(public(made))

    @app.post("/_sim/products/<sku>")
    def change_product(sku: str) -> Response:
        """Changes title, price or status; the status "deleted" removes it."""
        made = _changed(simulator, shop, sku, request.get_json(force=True))
        gone = made["status"] == "deleted"
        told = {"id": made["id"]} if gone else public(made)
        mail.post("products/delete" if gone else "products/update", str(made["id"]), told, shop.now())
        return jsonify(public(made))

    @app.put("/_sim/price_lists/<name>")
    def price_list(name: str) -> Response:
        """A list of fixed prices {currency}, and none in it."""
        made = {"currency": request.get_json(force=True)["currency"], "prices": {}}
        return jsonify(simulator.memory.put("price_lists", name, made))

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


def _changed(simulator: Simulator, shop: Shop, sku: str, asked: Json) -> Json:
    products = simulator.memory.table("products").values()
    found: Json = next(one for one in products if one["variants"][0]["sku"] == sku)
    found.update({name: asked[name] for name in ("title", "status") if name in asked}, updated_at=shop.now())
    found["variants"][0].update({name: asked[name] for name in ("price",) if name in asked})
    simulator.memory.put("products", str(found["id"]), found)
    return found


def _mail(app: Flask, mail: Mailing) -> None:
    @app.get("/_sim/deliveries")
    def deliveries() -> Response:
        """Every webhook with its tries; ?body=1 with what it carried. Never a secret."""
        hidden = {"secret", "hook"} if request.args.get("body") == "1" else {"secret", "hook", "body"}
        rows = [asdict(one) for one in list(mail.deliveries)]
        return jsonify([{name: value for name, value in row.items() if name not in hidden} for row in rows])

    @app.get("/_sim/webhooks")
    def habits() -> Response:
        return jsonify({name: value for name, value in asdict(mail.habits).items() if "secret" not in name})

    @app.put("/_sim/webhooks")
    def set_habits() -> Response:
        """Any of the mail room's switches (simulator_webhooks.Habits)."""
        asked: Json = request.get_json(force=True)
        changed: Any = {name: tuple(one) if isinstance(one, list) else one for name, one in asked.items()}
        mail.habits = replace(mail.habits, **changed)
        return habits()

    @app.post("/_sim/secrets")
    def rotate() -> Response:
        """{secret, old_share}: the secret is rotated; a share of what is sent is still signed with the old one."""
        asked = request.get_json(force=True)
        old, share = mail.habits.secret, float(asked.get("old_share", 0.5))
        mail.habits = replace(mail.habits, secret=asked["secret"], old_secret=old, old_share=share)
        return jsonify({"rotated": True})
