"""SCAPI's own words: one method for each operation of Orders v1 and Products v1 that the hub uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from connectors.kit.account import Connection
from connectors.kit.errors import Rejected, Transient
from connectors.kit.http import Answer
from connectors.salesforce_commerce.auth import SCAPI
from connectors.salesforce_commerce.door import Door, done
from connectors.salesforce_commerce.walking import Walk, stamp

Row = Mapping[str, Any]
PAGE = 200  # the most that both lists show
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)  # of all that can have been made


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
        """Products of every type, oldest first (see walking.py); only those modified since then."""
        path = f"product/products/v1/organizations/{self._organization}/product-search"
        changed = () if since is None else ({"rangeFilter": {"field": "lastModified", "from": stamp(since)}},)

        def page(floor: datetime, beyond: datetime, offset: int) -> Sequence[Row]:
            made = {"rangeFilter": {"field": "creationDate", "from": stamp(floor)}}
            chosen = {"boolFilter": {"operator": "and", "filters": [made, *changed]}}
            query = {"filteredQuery": {"query": {"matchAllQuery": {}}, "filter": chosen}}
            sorts = [{"field": "creationDate", "sortOrder": "asc"}, {"field": "id", "sortOrder": "asc"}]
            asked = {"query": query, "limit": self._page, "offset": offset, "sorts": sorts}
            return _rows(self._call("POST", path, "products.search", json=asked), "hits")

        return Walk(page, self._page, id="id", at="creationDate").rows(FIRST, LAST)

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
        raise Rejected(f"{name!r} is no id of Commerce Cloud.", code="bad_id", owner="integration desk")
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
