"""SCAPI Products v1 and OCAPI's inventory records as the simulated site answers them."""

from __future__ import annotations

from decimal import Decimal

from flask import Response

from connectors.salesforce_commerce import simulator_views as views
from connectors.salesforce_commerce.simulator_http import Json, body, number, only, said
from connectors.salesforce_commerce.simulator_orders import Handle
from connectors.salesforce_commerce.simulator_refusal import Refused
from connectors.salesforce_commerce.simulator_site import Site, moment

MOST = 200
SORTABLE = {"id": "sku", "name": "name", "creationDate": "creationDate"}


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
        """All products, filtered by ranges of creationDate and lastModified; sorted by what can be sorted by."""
        wanted = body()
        only(wanted, ("query", "limit", "offset", "sorts"), ("query",))
        limit, offset = int(wanted.get("limit", 25)), int(wanted.get("offset", 0))
        if not 1 <= limit <= MOST or limit + offset > 10_000:
            raise Refused(400, "limit or offset is out of bounds.", "bad-request")
        bounds = _bounds(wanted["query"])
        found = [one for one in self._site.memory.table("products").values() if _fits(one, bounds)]
        for sort in reversed(wanted.get("sorts", [{"field": "id"}])):
            if sort["field"] not in SORTABLE:
                raise Refused(400, f"Products cannot be sorted by {sort['field']}.", "bad-request")
            field = SORTABLE[sort["field"]]
            found.sort(key=lambda one: str(one[field]), reverse=sort.get("sortOrder") == "desc")
        hits = [self._shown(one) for one in found[offset : offset + limit]]
        return said({"limit": limit, "offset": offset, "total": len(found), "query": wanted["query"], "hits": hits})


def _bounds(query: Json) -> list[Json]:
    """The ranges of a filtered query, all of which must hold."""
    if query == {"matchAllQuery": {}}:
        return []
    only(query, ("filteredQuery",), ("filteredQuery",), "$.query")
    chosen = query["filteredQuery"]["filter"]
    rows = chosen["boolFilter"]["filters"] if "boolFilter" in chosen else [chosen]
    found = [row.get("rangeFilter") or {} for row in rows]
    if any(one.get("field") not in ("creationDate", "lastModified") for one in found):
        raise Refused(400, "Only creationDate and lastModified can be ranged over here.", "bad-request")
    return found


def _fits(row: Json, bounds: list[Json]) -> bool:
    return all(moment(row[one["field"]]) >= moment(one["from"]) for one in bounds)


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
