"""The operations of Connect v2 that the hub uses, answered as Square answers them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import simplejson
from flask import Response, request

from connectors.kit.http import dump_json
from connectors.square.simulator_store import Refused, Store

Json = dict[str, Any]
Handle = Callable[..., Any]
FIELDS = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "CLOSED_AT": "closed_at"}


def said(value: Any, status: int = 200) -> Response:
    return Response(dump_json(value), status, content_type="application/json")


def document() -> Json:
    """The request's body, decimals exact."""
    try:
        body = simplejson.loads(request.get_data(), use_decimal=True)
    except (ValueError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "EXPECTED_JSON_BODY", "A JSON object is expected")
    return body


def needed(body: Mapping[str, Any], name: str) -> Any:
    found: Any = body
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if found in (None, "", []):
        raise Refused(400, "MISSING_REQUIRED_PARAMETER", f"Field must be set: {name}", name)
    return found


def once(store: Store, key: str, what: Any, do: Callable[[], Json]) -> Json:
    """The same key with the same content is answered as before; with another content it is refused."""
    content = hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()
    with store.memory.lock:
        known = store.memory.table("keys").get(key)
        if known and known["content"] != content:
            raise Refused(
                400,
                "IDEMPOTENCY_KEY_REUSED",
                "Different request parameters used for the same idempotency_key",
                "idempotency_key",
            )
        if known:
            return dict(known["answer"])
        answer = do()
        store.memory.put("keys", key, {"content": content, "answer": answer})
        return answer


def paged(rows: Sequence[Json], body: Mapping[str, Any], name: str, most: int) -> Json:
    """Rows by a cursor, which belongs to its query."""
    query = hashlib.sha256(
        json.dumps({k: v for k, v in body.items() if k != "cursor"}, sort_keys=True, default=str).encode()
    ).hexdigest()[:12]
    start = 0
    if body.get("cursor"):
        try:
            told, _, at = base64.b64decode(body["cursor"]).decode().partition(":")
            start = int(at)
        except (ValueError, UnicodeDecodeError):
            told = ""
        if told != query:
            raise Refused(400, "INVALID_CURSOR", "The cursor belongs to another query", "cursor")
    size = max(1, min(most, int(body.get("limit") or most)))
    shown = list(rows[start : start + size])
    further = (
        {"cursor": base64.b64encode(f"{query}:{start + size}".encode()).decode()} if start + size < len(rows) else {}
    )
    return {**({name: shown} if shown else {}), **further}


class Orders:
    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, order_id: str) -> Response:
        return said({"order": self._store.find(order_id)})

    def batch(self) -> Response:
        ids = needed(document(), "order_ids")
        if len(ids) > 100:
            raise Refused(400, "ARRAY_LENGTH_TOO_LONG", "At most 100 ids", "order_ids")
        table = self._store.memory.table("orders")
        return said({"orders": [table[one] for one in ids if one in table]})

    def search(self) -> Response:
        """By location, one of three times and in its order."""
        body = document()
        places = needed(body, "location_ids")
        if len(places) > 10:
            raise Refused(400, "ARRAY_LENGTH_TOO_LONG", "At most 10 locations", "location_ids")
        query = body.get("query") or {}
        sort = query.get("sort") or {}
        field = FIELDS[sort.get("sort_field", "CREATED_AT")]
        rows = [
            one
            for one in self._store.orders()
            if one["location_id"] in places and self._store.simulator.indexed("orders", one["id"])
        ]
        for name, span in ((query.get("filter") or {}).get("date_time_filter") or {}).items():
            if name != field:
                raise Refused(400, "BAD_REQUEST", "sort_field must be the filtered time", "query.sort.sort_field")
            rows = [one for one in rows if _within(one.get(name), span)]
        rows.sort(key=lambda one: (one.get(field, ""), one["id"]), reverse=sort.get("sort_order", "DESC") == "DESC")
        answer = paged(rows, body, "orders", 1000)
        self._shift(answer.get("orders", ()))
        return said(answer)

    def _shift(self, shown: Sequence[Json]) -> None:
        """On a day of shifting pages an order that was just listed is touched, and moves."""
        shift = self._store.simulator.passive("page_shift")
        if shift is not None and shown:
            shift.times = None if shift.times is None else shift.times - 1
            self._store.touch(shown[0])

    def update(self, order_id: str) -> Response:
        body = document()
        wanted = needed(body, "order")
        with self._store.memory.lock:
            key = f"order:{order_id}:{body.get('idempotency_key') or self._store.name('key')}"
            once(self._store, key, wanted, lambda: {"id": self._store.update(order_id, wanted)["id"]})
            return said({"order": self._store.find(order_id)})


def _within(at: str | None, span: Mapping[str, str]) -> bool:
    if at is None:
        return False
    moment = datetime.fromisoformat(at)
    first, last = span.get("start_at"), span.get("end_at")
    return (not first or moment >= datetime.fromisoformat(first)) and (
        not last or moment <= datetime.fromisoformat(last)
    )


class Money:
    def __init__(self, store: Store) -> None:
        self._store = store

    def payment(self, payment_id: str) -> Response:
        """A refund is among its ids once it is indexed."""
        row = dict(self._found("payments", payment_id))
        ids = [one for one in row.get("refund_ids", ()) if self._store.simulator.indexed("refunds", one)]
        row.pop("refund_ids", None)
        return said({"payment": {**row, **({"refund_ids": ids} if ids else {})}})

    def refund(self, refund_id: str) -> Response:
        return said({"refund": self._found("refunds", refund_id)})

    def customer(self, customer_id: str) -> Response:
        return said({"customer": self._found("customers", customer_id)})

    def _found(self, table: str, name: str) -> Json:
        found: Json | None = self._store.memory.table(table).get(name)
        if found is None:
            raise Refused(404, "NOT_FOUND", f"{table[:-1].title()} not found", f"{table[:-1]}_id")
        return found

    def give_back(self) -> Response:
        body = document()
        key = needed(body, "idempotency_key")
        if len(key) > 45:
            raise Refused(400, "VALUE_TOO_LONG", "At most 45 characters", "idempotency_key")
        needed(body, "amount_money.amount")
        return said(once(self._store, f"refund:{key}", body, lambda: {"refund": self._store.refund(body)}))


class Goods:
    """Catalogue and inventory."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def search(self) -> Response:
        """Variations by SKU, without case."""
        body = document()
        told = needed(body, "query.set_query")
        if told["attribute_name"] != "sku" or len(told["attribute_values"]) > 250:
            raise Refused(400, "BAD_REQUEST", "Not searchable", "query.set_query")
        wanted = {str(one).lower() for one in told["attribute_values"]}
        rows = [
            one
            for one in self._articles()
            if str(one["item_variation_data"].get("sku", "")).lower() in wanted and not one["is_deleted"]
        ]
        return said(paged(rows, body, "objects", 1000))

    def _articles(self) -> list[Json]:
        return list(self._store.memory.table("articles").values())

    def retrieve(self) -> Response:
        body = document()
        ids = needed(body, "object_ids")
        rows = [
            one
            for one in self._articles()
            if one["id"] in ids and (body.get("include_deleted_objects") or not one["is_deleted"])
        ]
        return said({"objects": rows} if rows else {})

    def put(self) -> Response:
        """Each batch as a whole, under the versions of its objects."""
        body = document()
        rows = [one for batch in needed(body, "batches") for one in batch["objects"]]

        def do() -> Json:
            for one in rows:
                known = self._store.memory.table("articles").get(one["id"])
                if known is None:
                    raise Refused(404, "NOT_FOUND", f"Object {one['id']} not found", "batches.objects.id")
                if one.get("version") != known["version"]:
                    raise Refused(
                        400,
                        "VERSION_MISMATCH",
                        f"Object version does not match latest database version: {one['id']}",
                        "version",
                    )
                price = one["item_variation_data"].get("price_money", {})
                if not isinstance(price.get("amount"), int) or price["amount"] < 0:
                    raise Refused(400, "VALUE_TOO_LOW", "The price must not be negative", "price_money.amount")
            return {"objects": [self._written(one) for one in rows]}

        return said(once(self._store, f"catalog:{needed(body, 'idempotency_key')}", body, do))

    def _written(self, one: Json) -> Json:
        known = self._store.memory.table("articles")[one["id"]]
        version = self._store.memory.next_id("versions")
        kept = {**one, "created_at": known["created_at"], "updated_at": self._store.now(), "version": version}
        made: Json = self._store.memory.put("articles", one["id"], kept)
        return made

    def counts(self) -> Response:
        body = document()
        table = list(self._store.memory.table("counts").values())
        for field, name in (
            ("catalog_object_id", "catalog_object_ids"),
            ("location_id", "location_ids"),
            ("state", "states"),
        ):
            table = [one for one in table if not body.get(name) or one[field] in body[name]]
        return said(paged(table, body, "counts", 1000))

    def change(self) -> Response:
        """Physical counts: all of them or none."""
        body = document()
        changes = needed(body, "changes")
        if len(changes) > 100:
            raise Refused(400, "ARRAY_LENGTH_TOO_LONG", "At most 100 changes", "changes")

        def do() -> Json:
            rows = [self._counted(n, one["physical_count"]) for n, one in enumerate(changes)]
            return {"counts": [self._store.set_count(*row) for row in rows]}

        return said(once(self._store, f"inventory:{needed(body, 'idempotency_key')}", body, do))

    def _counted(self, n: int, row: Json) -> tuple[str, str, str]:
        if row["catalog_object_id"] not in self._store.memory.table("articles"):
            raise Refused(400, "INVALID_VALUE", "No such object", f"changes[{n}].physical_count.catalog_object_id")
        if row["location_id"] not in self._store.locations:
            raise Refused(400, "INVALID_LOCATION", "No such location", f"changes[{n}].physical_count.location_id")
        if Decimal(row["quantity"]) < 0:
            raise Refused(400, "VALUE_TOO_LOW", "Must not be negative", f"changes[{n}].physical_count.quantity")
        return row["catalog_object_id"], row["location_id"], row["quantity"]


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
        ("/v2/refunds/<refund_id>", "refunds.get", "GET", False, money.refund),
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
