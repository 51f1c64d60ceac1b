"""SCAPI's own words: one method for each operation of Orders v1 and Products v1 that the hub uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from connectors.kit.account import Connection
from connectors.kit.errors import Rejected, Transient
from connectors.kit.http import Answer
from connectors.kit.paging import walk
from connectors.salesforce_commerce.auth import SCAPI
from connectors.salesforce_commerce.door import Door, done
from connectors.salesforce_commerce.walking import Walk, stamp

Row = Mapping[str, Any]
PAGE = 200  # the most that both lists show
SEARCHED = 10_000  # offset and limit together, of any list


class Client:
    """Calls to one site of one organization. Raises the kit's errors (see refusals.py)."""

    def __init__(self, connection: Connection) -> None:
        settings = connection.account.settings
        self.door = Door(connection, SCAPI)
        self.site = str(settings.get("site", ""))
        self._organization = str(settings.get("organization", ""))
        self._page = min(PAGE, max(2, int(settings.get("page_size", PAGE))))

    # ---- orders

    def order(self, number: str) -> Any:
        """The order whole; None when there is none of this number at the site."""
        answer = self._call("GET", self._order(number), "orders.get", absent=(404,))
        return None if answer.status == 404 else _record(answer, "orderNo")

    def orders_changed(self, since: datetime, until: datetime, **query: str) -> Iterator[Row]:
        """Placed orders last modified in [since, until], oldest first (see walking.py); none that is created or failed."""

        def page(floor: datetime, beyond: datetime, offset: int) -> Sequence[Row]:
            bounds = {"lastModifiedDateFrom": stamp(floor), "lastModifiedDateTo": stamp(beyond)}
            order = {"sortBy": "last_modified_date", "sortOrder": "asc"}
            asked = {**bounds, **order, **query, "limit": self._page, "offset": offset}
            return _rows(self._call("GET", self._orders, "orders.list", query=asked), "data")

        return Walk(page, self._page).rows(since, until)

    def set_status(self, number: str, which: str, value: str) -> None:
        """`which` is confirmation-status, export-status, external-status, shipping-status or status."""
        path, name = f"{self._order(number)}/{which}", f"orders.{which}"
        done(self._call("PUT", path, name, write=True, json={"status": value}), 204, 201)

    def set_custom(self, number: str, values: Row) -> None:
        """Custom attributes (c_...) of an order, which must be defined in Business Manager."""
        done(self._call("PATCH", self._order(number), "orders.update", write=True, json=values), 204)

    def tell(self, number: str, event: Row) -> None:
        """A fulfilment event for those who listen to the site's order events."""
        path = f"{self._order(number)}/oms-status-events"
        done(self._call("POST", path, "orders.events", write=True, json=event), 202)

    # ---- products

    def product(self, product_id: str) -> Any:
        """The product with its price at the site; None when there is none."""
        path = f"product/products/v1/organizations/{self._organization}/products/{_part(product_id)}"
        answer = self._call("GET", path, "products.get", absent=(404,))
        return None if answer.status == 404 else _record(answer, "id")

    def products(self, since: datetime | None = None) -> Iterator[Row]:
        """Products that can be sold (items and variants), by id; only those modified since then."""
        path = f"product/products/v1/organizations/{self._organization}/product-search"
        query: Row = {"matchAllQuery": {}}
        if since is not None:
            changed = {"rangeFilter": {"field": "lastModified", "from": stamp(since)}}
            query = {"filteredQuery": {"query": query, "filter": changed}}

        def page(cursor: str | None) -> tuple[Sequence[Row], str | None]:
            offset = int(cursor or 0)
            if offset + self._page > SEARCHED:
                words = f"Commerce Cloud lists no more than {SEARCHED} products of a search."
                raise Rejected(
                    words, code="too_many", remedy="Read the catalogue's export file instead.", owner="catalogue"
                )
            asked = {
                "query": query,
                "limit": self._page,
                "offset": offset,
                "sorts": [{"field": "id"}],
            }
            answer = self._call("POST", path, "products.search", json=asked)
            rows = _rows(answer, "hits")
            further = offset + len(rows)
            return rows, str(further) if rows and further < int(answer.json()["total"]) else None

        return walk(page)

    # ---- the door

    @property
    def _orders(self) -> str:
        return f"checkout/orders/v1/organizations/{self._organization}/orders"

    def _order(self, number: str) -> str:
        return f"{self._orders}/{_part(number)}"

    def _call(self, method: str, path: str, operation: str, *, query: Row | None = None, **more: Any) -> Answer:
        return self.door.call(method, path, operation, query={"siteId": self.site, **(query or {})}, **more)


def _part(name: str) -> str:
    """An id as one part of an address: nothing in it can lead elsewhere. Raises Rejected for one that cannot be such."""
    if not name or len(name) > 100 or name in (".", ".."):
        raise Rejected(f"{name!r} is no id of Commerce Cloud.", code="bad_id", owner="integration")
    return quote(name, safe="")


def _rows(answer: Answer, name: str) -> Sequence[Row]:
    body = answer.json()
    rows = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Transient("Commerce Cloud's answer is not the list that was asked for.", code="unreadable_answer")
    return rows


def _record(answer: Answer, name: str) -> Any:
    body = answer.json()
    if not isinstance(body, dict) or not body.get(name):
        raise Transient("Commerce Cloud's answer is not the record that was asked for.", code="unreadable_answer")
    return body
