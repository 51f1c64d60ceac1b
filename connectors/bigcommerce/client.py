"""BigCommerce's own words: one method for each operation of REST v2 and v3 that the hub uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from connectors.bigcommerce.refusals import RESET, sorted_out
from connectors.kit.account import Connection
from connectors.kit.errors import Throttled
from connectors.kit.http import Answer
from connectors.kit.paging import walk, walk_numbered

Row = Mapping[str, Any]
PAGE = 250  # the most that v2 and the catalogue list
AT_ONCE = 50  # SKUs of one look-up: an address has its length


class Client:
    """Calls of one store. Raises what refusals.sorted_out makes of an answer, and the kit's errors for lost ones."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        settings = connection.account.settings
        self._root = f"stores/{settings.get('store_hash', '')}"
        self._page = int(settings.get("page_size", PAGE))

    # ---- orders (v2)

    def order(self, order_id: str) -> Any:
        """The order with its consignments and fees; None when there is none of this id."""
        query = {"include": "consignments,fees", "consignment_structure": "object"}
        return self._found(f"v2/orders/{quote(order_id, safe='')}", "orders.get", query)

    def order_rows(self, order_id: str, what: str, **query: str) -> list[Row]:
        """All products, taxes, coupons or shipments of an order; an empty page is 204 without a body."""

        def page(number: int) -> Sequence[Row]:
            path = f"v2/orders/{quote(order_id, safe='')}/{what}"
            asked = {**query, "page": number, "limit": PAGE}
            return self._call("GET", path, f"orders.{what}", query=asked).json() or []

        return list(walk_numbered(page, PAGE))

    def orders_changed(self, since: datetime) -> Iterator[Row]:
        """Orders modified at or after `since`, by id: an order that is touched meanwhile stays at its place."""

        def page(number: int) -> Sequence[Row]:
            asked = {"min_date_modified": stamp(since), "sort": "id:asc", "page": number, "limit": self._page}
            return self._call("GET", "v2/orders", "orders.list", query=asked).json() or []

        return walk_numbered(page, self._page)

    def change_order(self, order_id: str, body: Row) -> Any:
        return self._call("PUT", f"v2/orders/{order_id}", "orders.update", write=True, json=body).json()

    def ship(self, order_id: str, body: Row) -> Any:
        return self._call(
            "POST", f"v2/orders/{order_id}/shipments", "orders.shipments.create", write=True, json=body
        ).json()

    # ---- payments and metafields of orders (v3)

    def transactions(self, order_id: str) -> list[Row]:
        return self._data(f"v3/orders/{order_id}/transactions", "orders.transactions")

    def capture(self, order_id: str) -> None:
        """Asks for what was authorised, all of it; the provider is asked later, and `payment_status` is "capture pending" until then."""
        path = f"v3/orders/{quote(order_id, safe='')}/payment_actions/capture"
        self._call("POST", path, "payments.capture", write=True, json={}).json()

    def void(self, order_id: str) -> None:
        """Asks to let go what was authorised; the provider is asked later, and `payment_status` is "void pending" until then."""
        path = f"v3/orders/{quote(order_id, safe='')}/payment_actions/void"
        self._call("POST", path, "payments.void", write=True, json={}).json()

    def refunds(self, order_id: str) -> list[Row]:
        return self._data(f"v3/orders/{order_id}/payment_actions/refunds", "refunds.list")

    def quote_refund(self, order_id: str, items: Sequence[Row]) -> Any:
        """What a refund of these items comes to, and through which tenders it can go. Nothing is moved."""
        path = f"v3/orders/{order_id}/payment_actions/refund_quotes"
        return self._call("POST", path, "refunds.quote", json={"items": items}).json()["data"]

    def refund(self, order_id: str, body: Row) -> Any:
        path = f"v3/orders/{order_id}/payment_actions/refunds"
        return self._call("POST", path, "refunds.create", write=True, json=body).json()["data"]

    def metafields(self, order_id: str, namespace: str, key: str) -> list[Row]:
        path = f"v3/orders/{order_id}/metafields"
        return self._data(path, "metafields.list", {"namespace": namespace, "key": key})

    def set_metafield(self, order_id: str, known: str | None, body: Row) -> Any:
        """A new metafield, or the one that is known."""
        path = f"v3/orders/{order_id}/metafields" + (f"/{known}" if known else "")
        operation = "metafields.update" if known else "metafields.create"
        return self._call("PUT" if known else "POST", path, operation, write=True, json=body).json()["data"]

    # ---- stock, catalogue, prices (v3)

    def stock(self, skus: Sequence[str] = (), location: str = "") -> Iterator[Row]:
        """Items with their levels at each location; all of them when no SKU is named."""
        for some in _several(skus) if skus else ([],):
            query = {
                **({"sku:in": ",".join(some)} if some else {}),
                **({"location_id:in": location} if location else {}),
            }
            yield from self._paged("v3/inventory/items", "inventory.items", query)

    def set_stock(self, items: Sequence[Row], reason: str) -> None:
        """All of them, or none (422)."""
        body = {"reason": reason, "items": items}
        self._call("PUT", "v3/inventory/adjustments/absolute", "inventory.set", write=True, json=body).json()

    def product(self, product_id: str) -> Any:
        found = self._found(
            f"v3/catalog/products/{quote(product_id, safe='')}", "products.get", {"include": "variants"}
        )
        return None if found is None else found["data"]

    def products_changed(self, since: datetime | None) -> Iterator[Row]:
        """Products modified at or after `since` (all of them without a time) with their variants, by id."""
        query = {"include": "variants", "sort": "id", "direction": "asc"}
        bounds = {"date_modified:min": stamp(since)} if since else {}
        return self._paged("v3/catalog/products", "products.list", {**query, **bounds})

    def variant(self, sku: str) -> Row | None:
        """The variant with exactly this SKU."""
        rows = self._paged("v3/catalog/variants", "variants.list", {"sku": sku})
        return next((row for row in rows if row.get("sku") == sku), None)

    def set_variant_prices(self, rows: Sequence[Row]) -> None:
        self._call("PUT", "v3/catalog/variants", "variants.update", write=True, json=rows).json()

    def price_records(self, price_list: str, skus: Sequence[str], currency: str = "") -> Iterator[Row]:
        for some in _several(skus):
            query = {"sku:in": ",".join(some), "include": "sku", **({"currency": currency} if currency else {})}
            yield from self._paged(f"v3/pricelists/{price_list}/records", "prices.list", query)

    def set_price_records(self, price_list: str, rows: Sequence[Row]) -> None:
        self._call("PUT", f"v3/pricelists/{price_list}/records", "prices.set", write=True, json=rows).json()

    # ---- webhooks (v3)

    def hooks(self) -> Iterator[Row]:
        return self._paged("v3/hooks", "hooks.list", {})

    def create_hook(self, scope: str, address: str) -> None:
        body = {"scope": scope, "destination": address, "is_active": True, "headers": {}}
        self._call("POST", "v3/hooks", "hooks.create", write=True, json=body)

    def wake_hook(self, hook_id: str) -> None:
        self._call("PUT", f"v3/hooks/{hook_id}", "hooks.update", write=True, json={"is_active": True})

    # ---- the door

    def _paged(self, path: str, operation: str, query: Row) -> Iterator[Row]:
        """Rows of a v3 list by its numbered pages."""

        def page(cursor: str | None) -> tuple[Sequence[Row], str | None]:
            number = int(cursor or 1)
            asked = {**query, "page": number, "limit": self._page}
            said = self._call("GET", path, operation, query=asked).json() or {}
            pages = (said.get("meta") or {}).get("pagination") or {}
            further = int(pages.get("total_pages") or 0) > number
            return said.get("data") or [], str(number + 1) if further else None

        return walk(page)

    def _data(self, path: str, operation: str, query: Row | None = None) -> list[Row]:
        said = self._call("GET", path, operation, query=query).json() or {}
        return list(said.get("data") or [])

    def _found(self, path: str, operation: str, query: Row) -> Any:
        answer = self._call("GET", path, operation, absent=(404,), query=query)
        return None if answer.status == 404 else answer.json()

    def _call(self, method: str, path: str, operation: str, *, absent: Sequence[int] = (), **rest: Any) -> Answer:
        account, http = self._connection.account, self._connection.http
        headers = {"x-auth-token": account.credentials["access_token"]}
        answer = http.call(method, f"{self._root}/{path}", operation=operation, headers=headers, **rest)
        self._heed(answer)
        found = None if answer.status in absent else sorted_out(answer)
        if isinstance(found, Throttled) and found.retry_after:
            http.limits.block(account.name, found.retry_after)
        if found is not None:
            raise found
        return answer

    def _heed(self, answer: Answer) -> None:
        """Other software spends the same quota: our share follows what is left; where nothing is, all wait for the next window."""
        left, reset = answer.headers.get("x-rate-limit-requests-left", ""), answer.headers.get(RESET, "")
        limits, account = self._connection.http.limits, self._connection.account.name
        if left.isdigit():
            limits.report(account, float(left))
        if left == "0" and reset.isdigit():
            limits.block(account, int(reset) / 1000)


def stamp(moment: datetime) -> str:
    """BigCommerce compares whole seconds: the bound is the second that holds the moment."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()


def _several(names: Iterable[str]) -> Iterator[list[str]]:
    unique = list(dict.fromkeys(names))
    for start in range(0, len(unique), AT_ONCE):
        yield unique[start : start + AT_ONCE]
