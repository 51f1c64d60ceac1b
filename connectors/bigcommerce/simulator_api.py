"""The operations of BigCommerce's REST v2 and v3 that the hub uses, answered as BigCommerce answers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import simplejson
from flask import Response, request

from connectors.bigcommerce import simulator_payments as payments
from connectors.bigcommerce import simulator_views as views
from connectors.bigcommerce.simulator_hooks import SCOPES, Hooks
from connectors.bigcommerce.simulator_refunds import quote, refund
from connectors.bigcommerce.simulator_store import CANCELLED, Json, Refused, Store
from connectors.kit.http import dump_json

Handle = Callable[..., Any]
V2_MOST, V3_MOST, STOCK_MOST, VARIANTS_MOST = 250, 250, 2000, 50


def said(value: Any, status: int = 200) -> Response:
    """JSON whose decimals are exact."""
    return Response(dump_json(value), status, content_type="application/json")


def document(kind: type = dict) -> Any:
    """The request's body, decimals exact. BigCommerce refuses what is no JSON of the kind it wants."""
    try:
        body = simplejson.loads(request.get_data(), use_decimal=True)
    except (ValueError, UnicodeDecodeError):
        body = None
    if not isinstance(body, kind):
        raise Refused(422 if "/v3/" in request.path else 400, "JSON data is missing or invalid")
    return body


def pages(most: int) -> tuple[int, int]:
    return max(1, int(request.args.get("page", 1))), max(1, min(most, int(request.args.get("limit", 50))))


def rows_or_nothing(rows: Sequence[Json]) -> Response:
    """v2: a page of a list, or 204 where it is empty."""
    page, limit = pages(V2_MOST)
    shown = list(rows[(page - 1) * limit : page * limit])
    return said(shown) if shown else Response(status=204)


class Orders:
    """/v2/orders and what belongs to an order."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> Response:
        """By id unless told otherwise; modified between two bounds."""
        late = [one for one in self._store.orders() if self._store.simulator.indexed("orders", str(one["id"]))]
        bounds = {name: request.args.get(f"{name}_date_modified") for name in ("min", "max")}
        first = datetime.fromisoformat(bounds["min"]) if bounds["min"] else None
        last = datetime.fromisoformat(bounds["max"]) if bounds["max"] else None
        found = [one for one in late if _within(datetime.fromisoformat(one["date_modified"]), first, last)]
        field, _, direction = request.args.get("sort", "id:asc").partition(":")
        found.sort(key=lambda one: (one[field], one["id"]), reverse=direction == "desc")
        page, limit = pages(V2_MOST)
        answer = rows_or_nothing([views.header(self._store, one) for one in found])
        self._shift(found[(page - 1) * limit : page * limit])
        return answer

    def _shift(self, shown: Sequence[Json]) -> None:
        """On a day of shifting pages an order that was just listed is touched, and moves."""
        shift = self._store.simulator.passive("page_shift")
        if shift is not None and shown:
            shift.times = None if shift.times is None else shift.times - 1
            self._store.changed(self._store.find(shown[0]["id"]))

    def get(self, order_id: str) -> Response:
        order = self._worked_off(order_id)
        wanted = request.args.get("include", "").split(",")
        told = views.header(self._store, order)
        if "consignments" in wanted and request.args.get("consignment_structure") == "object":
            told["consignments"] = views.consignments(order)
        if "fees" in wanted:
            told["fees"] = views.fees(order)
        return said(told)

    def update(self, order_id: str) -> Response:
        order, wanted = self._store.find(order_id), document()
        if "status_id" in wanted:
            self._store.set_status(order, int(wanted["status_id"]))
            if int(wanted["status_id"]) == CANCELLED:
                self._store.memory.put("called_off", order_id, True)  # by an app, not by its customer
        return said(views.header(self._store, order))

    def products(self, order_id: str) -> Response:
        return rows_or_nothing(views.products(self._store.find(order_id)))

    def taxes(self, order_id: str) -> Response:
        return rows_or_nothing(views.taxes(self._store.find(order_id), request.args.get("details") == "true"))

    def coupons(self, order_id: str) -> Response:
        return rows_or_nothing(views.coupons(self._store.find(order_id)))

    def shipments(self, order_id: str) -> Response:
        order = self._store.find(order_id)
        there = [one for one in order["shipments"] if self._store.simulator.indexed("shipments", str(one["id"]))]
        return rows_or_nothing([views.shipment(order, one) for one in there])

    def ship(self, order_id: str) -> Response:
        order = self._store.find(order_id)
        with self._store.memory.lock:
            made = self._store.ship(order, document())
            self._store.simulator.created("shipments", str(made["id"]))
        return said(views.shipment(order, made), 201)

    def transactions(self, order_id: str) -> Response:
        order = self._worked_off(order_id)
        rows = [views.transaction(order, row) for row in order["transactions"]]
        return said(views.paged(rows, 1, 250)) if rows else Response(status=204)

    def _worked_off(self, order_id: str) -> Json:
        """The order, with what was asked of its payment before."""
        with self._store.memory.lock:
            order = self._store.find(order_id)
            payments.work_off(self._store, order)
        return order


def _within(at: datetime, first: datetime | None, last: datetime | None) -> bool:
    return (first is None or at >= first) and (last is None or at <= last)


class Money:
    """/v3/orders/{id}: refunds and metafields."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def quote(self, order_id: str) -> Response:
        order = self._store.find(order_id)
        told = quote(self._store, order, document().get("items") or ())
        data = {
            "order_id": order["id"],
            "total_refund_amount": told["total"],
            "total_refund_tax_amount": told["tax"],
            "order_level_refund_amount": 0,
            "rounding": 0,
            "adjustment": 0,
            "tax_inclusive": order["inclusive"],
            "refund_methods": told["methods"],
        }
        return said({"data": data, "meta": {}}, 201)

    def capture(self, order_id: str) -> Response:
        with self._store.memory.lock:
            payments.ask(self._store, self._store.find(order_id), "capture")
        return said({}, 201)

    def void(self, order_id: str) -> Response:
        with self._store.memory.lock:
            payments.ask(self._store, self._store.find(order_id), "void")
        return said({}, 201)

    def refund(self, order_id: str) -> Response:
        with self._store.memory.lock:
            order = self._store.find(order_id)
            made = refund(self._store, order, document())
        return said({"data": views.refund(order, made), "meta": {}}, 201)

    def refunds(self, order_id: str) -> Response:
        order = self._store.find(order_id)
        there = [one for one in order["refunds"] if self._store.simulator.indexed("refunds", str(one["id"]))]
        return said({"data": [views.refund(order, one) for one in there], "meta": {}})

    def metafields(self, order_id: str) -> Response:
        order = self._store.find(order_id)
        rows = [views.metafield(order, one) for one in order["metafields"] if self._asked_for(one)]
        return said(views.paged(rows, 1, 250))

    def _asked_for(self, one: Json) -> bool:
        named = all(request.args.get(name, one[name]) == one[name] for name in ("namespace", "key"))
        return named and self._store.simulator.indexed("metafields", str(one["id"]))

    def create_metafield(self, order_id: str) -> Response:
        with self._store.memory.lock:
            order, wanted = self._store.find(order_id), document()
            _complete(wanted)
            same = [one for one in order["metafields"] if _name(one) == _name(wanted)]
            if same:
                raise Refused(409, "The metafield conflicts with another metafield.", {"key": "is taken"})
            made = {**wanted, "id": self._store.memory.next_id("metafields", 6), "date_created": _now(self._store)}
            return self._kept(order, made)

    def update_metafield(self, order_id: str, metafield_id: int) -> Response:
        order, wanted = self._store.find(order_id), document()
        known = next((one for one in order["metafields"] if one["id"] == metafield_id), None)
        if known is None:
            raise Refused(404, "The resource at that URL is not found.")
        return self._kept(order, {**known, **wanted})

    def _kept(self, order: Json, made: Json) -> Response:
        made = {**made, "date_modified": _now(self._store)}
        order["metafields"] = [*(one for one in order["metafields"] if one["id"] != made["id"]), made]
        self._store.memory.put("orders", str(order["id"]), order)
        self._store.simulator.created("metafields", str(made["id"]))
        return said({"data": views.metafield(order, made), "meta": {}})


def _complete(wanted: Json) -> None:
    missing = {
        name: "error.path.missing" for name in ("permission_set", "namespace", "key", "value") if not wanted.get(name)
    }
    if missing:
        raise Refused(422, "JSON data is missing or invalid", missing)


def _name(one: Json) -> tuple[str, str]:
    return str(one["namespace"]), str(one["key"])


def _now(store: Store) -> str:
    return store.now().replace(microsecond=0).isoformat()


class Goods:
    """Inventory, catalogue and price lists."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def items(self) -> Response:
        wanted = request.args.get("sku:in")
        named = wanted.split(",") if wanted else None
        rows = [one for one in self._articles() if named is None or one["sku"] in named]
        page, limit = pages(1000)
        return said(views.paged([views.item(self._store, one) for one in rows], page, limit))

    def set_stock(self) -> Response:
        """All of it, or none."""
        items = document().get("items")
        if not isinstance(items, list) or not 0 < len(items) <= STOCK_MOST:
            raise Refused(422, "Payload contains invalid fields", {"items": "from 1 to 2000"})
        for n, one in enumerate(items):
            self._countable(n, one)
        for one in items:
            key = f"{one['sku']}@{one['location_id']}"
            level = self._store.memory.table("stock").get(key) or {"safety": 0}
            kept = {**level, "sku": one["sku"], "location": one["location_id"], "onhand": one["quantity"]}
            self._store.memory.put("stock", key, kept)
        return said({"transaction_id": f"tx-{self._store.memory.next_id('adjustments')}"})

    def _countable(self, n: int, one: Json) -> None:
        if self._store.article(one.get("sku", "")) is None:
            raise Refused(422, "Payload contains invalid fields", {f"items.{n}.sku": "unknown sku"})
        if one.get("location_id") not in self._store.locations:
            raise Refused(422, "Payload contains invalid fields", {f"items.{n}.location_id": "unknown location"})
        if not isinstance(one.get("quantity"), int) or one["quantity"] < 0:
            raise Refused(422, "Payload contains invalid fields", {f"items.{n}.quantity": "must be a whole number"})

    def _articles(self) -> list[Json]:
        return [one for one in self._store.memory.table("products").values() if one]

    def products(self) -> Response:
        first = request.args.get("date_modified:min")
        since = datetime.fromisoformat(first) if first else None
        found = [one for one in self._articles() if _within(datetime.fromisoformat(one["date_modified"]), since, None)]
        page, limit = pages(V3_MOST)
        answer = said(views.paged([views.article(one) for one in found], page, limit))
        shift = self._store.simulator.passive("page_shift")
        if shift is not None and found:
            shift.times = None if shift.times is None else shift.times - 1
            self._store.change_article(found[(page - 1) * limit]["sku"], {})
        return answer

    def product(self, product_id: str) -> Response:
        found = self._store.memory.table("products").get(product_id)
        if not found:
            raise Refused(404, "A product was not found with an id of the one given.")
        return said({"data": views.article(found), "meta": {}})

    def variants(self) -> Response:
        sku = request.args.get("sku")
        rows = [views.variant(one) for one in self._articles() if sku in (None, one["sku"])]
        page, limit = pages(V3_MOST)
        return said(views.paged(rows, page, limit))

    def set_variants(self) -> Response:
        rows = document(list)
        if len(rows) > VARIANTS_MOST:
            raise Refused(413, "The batch is too large.")
        known = {one["variant"]: one for one in self._articles()}
        for row in rows:
            if row.get("id") not in known:
                raise Refused(422, "Unknown variant", {"id": "not found"})
        for row in rows:
            product = {**known[row["id"]], **{name: str(row[name]) for name in ("price", "sale_price") if name in row}}
            self._store.memory.put("products", str(product["id"]), product)
            self._store.memory.put("priced", product["sku"], _priced(self._store, product["sku"]))
        return said(views.paged([views.variant(known[row["id"]]) for row in rows], 1, VARIANTS_MOST))

    def records(self, price_list: int) -> Response:
        named = request.args.get("sku:in", "").split(",")
        rows = [one for one in self._store.memory.table("records").values() if one["price_list_id"] == price_list]
        shown = [_record(one) for one in rows if one["sku"] in named]
        page, limit = pages(V3_MOST)
        return said(views.paged(shown, page, limit))

    def set_records(self, price_list: int) -> Response:
        rows = document(list)
        wrong = [one for one in rows if self._store.article(one.get("sku", "")) is None or not one.get("currency")]
        if wrong:
            told = [
                {"data": {**one, "price_list_id": price_list}, "field_errors": {"sku": "unknown sku"}} for one in wrong
            ]
            return said({"batch_errors": told}, 422)
        for one in rows:
            article = self._store.article(one["sku"]) or {}
            kept = {
                "price_list_id": price_list,
                "sku": one["sku"],
                "currency": one["currency"],
                "price": str(one["price"]),
                "sale_price": str(one.get("sale_price", one["price"])),
                "variant_id": article["variant"],
                "product_id": article["id"],
            }
            self._store.memory.put("records", f"{price_list}/{one['sku']}/{one['currency']}", kept)
        return said({"data": {}, "meta": {}})


def _priced(store: Store, sku: str) -> int:
    return int(store.memory.table("priced").get(sku) or 0) + 1


def _record(one: Json) -> Json:
    sums = {name: Decimal(one[name]) for name in ("price", "sale_price")}
    return {**one, **sums, "calculated_price": min(sums.values()), "bulk_pricing_tiers": []}


class Subscriptions:
    """/v3/hooks."""

    def __init__(self, store: Store, hooks: Hooks, store_hash: str, allow_http: bool) -> None:
        self._store, self._hooks, self._hash, self._http = store, hooks, store_hash, allow_http

    def list(self) -> Response:
        page, limit = pages(V3_MOST)
        rows = [views.hook(one) for one in self._store.memory.table("hooks").values() if one]
        return said(views.paged(rows, page, limit))

    def create(self) -> Response:
        wanted = document()
        missing = {name: "error.path.missing" for name in ("scope", "destination") if not wanted.get(name)}
        if missing:
            raise Refused(422, "JSON data is missing or invalid", missing)
        if wanted["scope"] not in SCOPES:
            raise Refused(422, "Scope is invalid.", {"scope": wanted["scope"]})
        if not self._http and not wanted["destination"].startswith("https://"):
            raise Refused(422, "Destination must be served on port 443.", {"destination": "https only"})
        now = int(self._store.now().timestamp())
        number = self._store.memory.next_id("hook_ids", 18048287)
        made = {
            "id": number,
            "scope": wanted["scope"],
            "destination": wanted["destination"],
            "is_active": bool(wanted.get("is_active", True)),
            "headers": wanted.get("headers"),
            "store_hash": self._hash,
            "created_at": now,
            "updated_at": now,
        }
        self._store.memory.put("hooks", str(number), made)
        return said({"data": views.hook(made), "meta": {}})

    def update(self, hook_id: int) -> Response:
        known = self._store.memory.table("hooks").get(str(hook_id))
        if not known:
            raise Refused(404, f"Webhook with id [{hook_id}] not found")
        made = {**known, **document(), "updated_at": int(self._store.now().timestamp())}
        self._store.memory.put("hooks", str(hook_id), made)
        return said({"data": views.hook(made), "meta": {}})


Operation = tuple[str, str, str, bool, Handle]


def operations(store: Store, hooks: Hooks, store_hash: str, allow_http: bool) -> tuple[Operation, ...]:
    """(rule below the store, name, method, whether it writes, who answers)."""
    orders, money, goods = Orders(store), Money(store), Goods(store)
    subscriptions = Subscriptions(store, hooks, store_hash, allow_http)
    order, paid = "/v2/orders/<order_id>", "/v3/orders/<order_id>"
    return (
        ("/v2/orders", "orders.list", "GET", False, orders.list),
        (order, "orders.get", "GET", False, orders.get),
        (order, "orders.update", "PUT", True, orders.update),
        (f"{order}/products", "orders.products", "GET", False, orders.products),
        (f"{order}/taxes", "orders.taxes", "GET", False, orders.taxes),
        (f"{order}/coupons", "orders.coupons", "GET", False, orders.coupons),
        (f"{order}/shipments", "orders.shipments", "GET", False, orders.shipments),
        (f"{order}/shipments", "orders.shipments.create", "POST", True, orders.ship),
        (f"{paid}/transactions", "orders.transactions", "GET", False, orders.transactions),
        (f"{paid}/payment_actions/capture", "payments.capture", "POST", True, money.capture),
        (f"{paid}/payment_actions/void", "payments.void", "POST", True, money.void),
        (f"{paid}/payment_actions/refund_quotes", "refunds.quote", "POST", False, money.quote),
        (f"{paid}/payment_actions/refunds", "refunds.list", "GET", False, money.refunds),
        (f"{paid}/payment_actions/refunds", "refunds.create", "POST", True, money.refund),
        (f"{paid}/metafields", "metafields.list", "GET", False, money.metafields),
        (f"{paid}/metafields", "metafields.create", "POST", True, money.create_metafield),
        (f"{paid}/metafields/<int:metafield_id>", "metafields.update", "PUT", True, money.update_metafield),
        ("/v3/inventory/items", "inventory.items", "GET", False, goods.items),
        ("/v3/inventory/adjustments/absolute", "inventory.set", "PUT", True, goods.set_stock),
        ("/v3/catalog/products", "products.list", "GET", False, goods.products),
        ("/v3/catalog/products/<product_id>", "products.get", "GET", False, goods.product),
        ("/v3/catalog/variants", "variants.list", "GET", False, goods.variants),
        ("/v3/catalog/variants", "variants.update", "PUT", True, goods.set_variants),
        ("/v3/pricelists/<int:price_list>/records", "prices.list", "GET", False, goods.records),
        ("/v3/pricelists/<int:price_list>/records", "prices.set", "PUT", True, goods.set_records),
        ("/v3/hooks", "hooks.list", "GET", False, subscriptions.list),
        ("/v3/hooks", "hooks.create", "POST", True, subscriptions.create),
        ("/v3/hooks/<int:hook_id>", "hooks.update", "PUT", True, subscriptions.update),
    )
