"""SCAPI Products v1 and OCAPI's inventory records as the simulated site answers them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Response

from connectors.salesforce_commerce import simulator_views as views
from connectors.salesforce_commerce.simulator_http import Json, body, number, only, said
from connectors.salesforce_commerce.simulator_orders import Handle
from connectors.salesforce_commerce.simulator_refusal import Refused
from connectors.salesforce_commerce.simulator_site import Site, moment

MOST = 200


class Products:
    def __init__(self, site: Site) -> None:
        self._site = site

    def _shown(self, row: Json) -> Json:
        return views.product(row, self._site.price_of(row["sku"]))

    def get(self, product_id: str) -> Response:
        row = self._site.memory.table("products").get(product_id)
        if row is None:
            raise Refused(404, f"No product with ID '{product_id}' was found.", "product-not-found")
        return said(self._shown(row))

    def search(self) -> Response:
        """matchAllQuery, alone or filtered by a range of lastModified; sorted by id."""
        wanted = body()
        only(wanted, ("query", "limit", "offset", "sorts"), ("query",))
        limit, offset = int(wanted.get("limit", 25)), int(wanted.get("offset", 0))
        if not 1 <= limit <= MOST or limit + offset > 10_000:
            raise Refused(400, "limit or offset is out of bounds.", "bad-request")
        found = [one for one in self._site.memory.table("products").values() if self._fits(one, wanted["query"])]
        found.sort(key=lambda one: str(one["sku"]))
        hits = [self._shown(one) for one in found[offset : offset + limit]]
        return said({"limit": limit, "offset": offset, "total": len(found), "query": wanted["query"], "hits": hits})

    def _fits(self, row: Json, query: Any) -> bool:
        if query == {"matchAllQuery": {}}:
            return True
        only(query, ("filteredQuery",), ("filteredQuery",), "$.query")
        bounds = query["filteredQuery"]["filter"].get("rangeFilter") or {}
        if bounds.get("field") != "lastModified":
            raise Refused(400, "Only lastModified can be ranged over here.", "bad-request")
        return moment(row["lastModified"]) >= moment(bounds["from"])


class Inventory:
    def __init__(self, site: Site) -> None:
        self._site = site

    def list(self, inventory: str) -> Response:
        start, count = number("start", 0, 0, 1_000_000), number("count", 25, 1, MOST)
        if inventory not in self._site.lists:
            raise Refused(404, f"No inventory list '{inventory}'.", "InventoryListNotFoundException")
        rows = [one for one in self._site.memory.table("stock").values() if one["inventory"] == inventory]
        rows.sort(key=lambda one: str(one["sku"]))
        shown = [views.record(one) for one in rows[start : start + count]]
        told = {"_v": "25.6", "_type": "product_inventory_records", "count": len(shown), "data": shown}
        return said({**told, "start": start, "total": len(rows)})

    def get(self, inventory: str, product: str) -> Response:
        return said(views.record(self._site.record(inventory, product)))

    def update(self, inventory: str, product: str) -> Response:
        self._site.record(inventory, product)
        return self._set(inventory, product)

    def create(self, inventory: str, product: str) -> Response:
        if inventory not in self._site.lists:
            raise Refused(404, f"No inventory list '{inventory}'.", "InventoryListNotFoundException")
        return self._set(inventory, product)

    def _set(self, inventory: str, product: str) -> Response:
        wanted = body()
        amount = (wanted.get("allocation") or {}).get("amount")
        if isinstance(amount, bool) or not isinstance(amount, int | Decimal) or amount < 0:
            raise Refused(400, "The allocation's amount is no number from 0.", "InvalidPropertyTypeException")
        with self._site.memory.lock:
            return said(views.record(self._site.allocate(inventory, product, Decimal(amount))))


def products(site: Site) -> list[tuple[str, str, str, bool, Handle]]:
    """Below /product/products/v1/organizations/{id}."""
    at = Products(site)
    return [
        ("/products/<product_id>", "products.get", "GET", False, at.get),
        ("/product-search", "products.search", "POST", False, at.search),
    ]


def inventory(site: Site) -> list[tuple[str, str, str, bool, Handle]]:
    """Below /s/-/dw/data/v25_6."""
    at, rows = Inventory(site), "/inventory_lists/<inventory>/product_inventory_records"
    return [
        (rows, "inventory.list", "GET", False, at.list),
        (f"{rows}/<product>", "inventory.get", "GET", False, at.get),
        (f"{rows}/<product>", "inventory.update", "PATCH", True, at.update),
        (f"{rows}/<product>", "inventory.create", "PUT", True, at.create),
    ]
