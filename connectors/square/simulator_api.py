"""The operations of Connect v2 that the hub uses, by address; and what belongs to the application: locations, subscriptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, request

from connectors.square.simulator_goods import Goods
from connectors.square.simulator_orders import Money, Orders
from connectors.square.simulator_refused import Refused
from connectors.square.simulator_store import Store
from connectors.square.simulator_words import document, needed, once, said

Json = dict[str, Any]
Handle = Callable[..., Any]


class Application:
    """Locations, and the application's subscriptions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def locations(self) -> Response:
        rows = [
            {"id": one, "name": one, "status": "ACTIVE", "country": "DE", "currency": "EUR"}
            for one in self._store.locations
        ]
        return said({"locations": rows})

    def subscriptions(self) -> Response:
        """Disabled ones only when they are asked for."""
        rows = [
            {k: v for k, v in one.items() if k != "signature_key"}
            for one in self._store.memory.table("subscriptions").values()
        ]
        shown = [one for one in rows if one["enabled"] or request.args.get("include_disabled") == "true"]
        return said({"subscriptions": shown} if shown else {})

    def subscribe(self) -> Response:
        body = document()
        wanted = needed(body, "subscription")
        needed(wanted, "notification_url")
        needed(wanted, "event_types")

        def do() -> Json:
            at, name = self._store.now(), f"wbhk_{self._store.name('subscription')}"
            row = {**wanted, "id": name, "enabled": wanted.get("enabled", True), "created_at": at, "updated_at": at}
            return {
                "subscription": self._store.memory.put(
                    "subscriptions", name, {**row, "signature_key": f"key-of-{name}"}
                )
            }

        return said(once(self._store, f"webhook:{body.get('idempotency_key') or self._store.name('key')}", body, do))

    def change(self, subscription_id: str) -> Response:
        known = self._store.memory.table("subscriptions").get(subscription_id)
        if known is None:
            raise Refused(404, "NOT_FOUND", "Subscription not found", "subscription_id")
        kept = {**known, **needed(document(), "subscription"), "updated_at": self._store.now()}
        made = self._store.memory.put("subscriptions", subscription_id, kept)
        return said({"subscription": {k: v for k, v in made.items() if k != "signature_key"}})


def operations(store: Store) -> tuple[tuple[str, str, str, bool, Handle], ...]:
    """(address, name, method, write, handler) of each."""
    orders, money, goods, own = Orders(store), Money(store), Goods(store), Application(store)
    return (
        ("/v2/orders/<order_id>", "orders.get", "GET", False, orders.get),
        ("/v2/orders/batch-retrieve", "orders.batch", "POST", False, orders.batch),
        ("/v2/orders/search", "orders.search", "POST", False, orders.search),
        ("/v2/orders/<order_id>", "orders.update", "PUT", True, orders.update),
        ("/v2/payments/<payment_id>", "payments.get", "GET", False, money.payment),
        ("/v2/payments/<payment_id>/complete", "payments.complete", "POST", True, money.complete),
        ("/v2/payments/<payment_id>/cancel", "payments.cancel", "POST", True, money.cancel),
        ("/v2/orders/<order_id>/pay", "orders.pay", "POST", True, money.pay),
        ("/v2/refunds/<refund_id>", "refunds.get", "GET", False, money.refund),
        ("/v2/refunds", "refunds.list", "GET", False, money.refunds),
        ("/v2/refunds", "refunds.create", "POST", True, money.give_back),
        ("/v2/customers/<customer_id>", "customers.get", "GET", False, money.customer),
        ("/v2/catalog/search", "catalog.search", "POST", False, goods.search),
        ("/v2/catalog/batch-retrieve", "catalog.get", "POST", False, goods.retrieve),
        ("/v2/catalog/batch-upsert", "catalog.put", "POST", True, goods.put),
        ("/v2/inventory/counts/batch-retrieve", "inventory.counts", "POST", False, goods.counts),
        ("/v2/inventory/changes/batch-create", "inventory.change", "POST", True, goods.change),
        ("/v2/locations", "locations.list", "GET", False, own.locations),
        ("/v2/webhooks/subscriptions", "webhooks.list", "GET", False, own.subscriptions),
        ("/v2/webhooks/subscriptions", "webhooks.create", "POST", True, own.subscribe),
        ("/v2/webhooks/subscriptions/<subscription_id>", "webhooks.update", "PUT", True, own.change),
    )
