"""ShipBob's words: one method for each operation of the API 2026-01 that the hub uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.kit.account import Connection
from connectors.kit.errors import Transient
from connectors.kit.http import Answer
from connectors.kit.paging import walk, walk_numbered
from connectors.shipbob.refusals import sorted_out

ROOT = "/2026-01"
PAGE = 250  # the most that a page of orders holds
WALKS = 6  # through a list that moves while it is read


class Client:
    """Calls of one account. Raises what `refusals.sorted_out` makes of an answer, and the kit's errors for lost
    ones."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._page = int(connection.account.settings.get("page_size", PAGE))

    def create_order(self, body: Mapping[str, Any]) -> Any:
        return self._call("POST", "/order", "orders.create", write=True, json=body).json()

    def order(self, order_id: str) -> Any:
        """The order with its shipments; None when there is none of this id."""
        answer = self._call("GET", f"/order/{order_id}", "orders.get", absent=(404,))
        return None if answer.status == 404 else answer.json()

    def orders_by_reference(self, reference: str) -> list[Any]:
        """Orders of our channel under exactly this reference (unique in a channel: at most one)."""
        found = self._call("GET", "/order", "orders.list", query={"ReferenceIds": reference, "Limit": 50}).json() or []
        return [order for order in found if order.get("reference_id") == reference and self._ours(order)]

    def orders_updated(self, since: datetime, until: datetime) -> Iterator[Any]:
        """Orders touched in [since, until], each once.

        Pages are numbered, and an order that is touched meanwhile leaves the window: the rest moves up, over the
        edge of a
        page. So where there is more than one page the list is walked until a walk finds nothing new. Raises
        Transient when
        it does not come to rest.
        """
        query = {"LastUpdateStartDate": stamp(since), "LastUpdateEndDate": stamp(until), "SortOrder": "Oldest"}
        found: dict[Any, Any] = {}
        for _ in range(WALKS):
            rows = {order.get("id"): order for order in self._orders(query)}
            settled = len(rows) < self._page if not found else rows.keys() <= found.keys()
            found |= rows
            if settled:
                return iter(found.values())
        raise Transient("The list of orders moves faster than it can be read.", code="pages_shifted")

    def _orders(self, query: Mapping[str, Any]) -> Iterator[Any]:
        def page(number: int) -> Sequence[Any]:
            asked = {**query, "Page": number, "Limit": self._page}
            return self._call("GET", "/order", "orders.list", query=asked).json() or []

        return walk_numbered(page, self._page)

    def cancel_order(self, order_id: str) -> Any:
        return self._call("POST", f"/order/{order_id}:cancel", "orders.cancel", write=True).json()

    def levels(self, search: str = "") -> Iterator[Any]:
        """Inventory items with their quantities at each fulfilment centre; `search` matches part of a name or SKU."""
        query = {"PageSize": self._page, **({"SearchBy": search} if search else {})}
        return self._paged("/inventory-level/locations", "inventory.levels", query)

    def lots(self, search: str = "") -> Iterator[Any]:
        """The same items with what is there of each lot at each fulfilment centre; one that is kept without lots has none."""
        query = {"PageSize": self._page, **({"SearchBy": search} if search else {})}
        return self._paged("/inventory-level/lots", "inventory.lots", query)

    def returns_completed(self, since: datetime, until: datetime) -> Iterator[Any]:
        """Returns that were completed in [since, until]: what is completed does not move to another page."""
        window = {"CompletedStartDate": stamp(since), "CompletedEndDate": stamp(until)}
        query = {"Status": "Completed", "SortOrder": "Asc", "Limit": self._page, **window}
        return self._paged("/return", "returns.list", query)

    def webhooks(self) -> Iterator[Any]:
        return self._paged("/webhook", "webhooks.list", {"RecordsPerPage": 50})

    def create_webhook(self, body: Mapping[str, Any]) -> None:
        """Answer and request hold the signing secret, so neither is kept."""
        self._call("POST", "/webhook", "webhooks.create", write=True, json=body, secret=True)

    def _paged(self, path: str, operation: str, query: Mapping[str, Any]) -> Iterator[Any]:
        """Rows of a list whose `next` is an address: only its query is taken, the host and path stay ours."""

        def page(cursor: str | None) -> tuple[Sequence[Any], str | None]:
            asked = dict(parse_qsl(urlsplit(cursor).query)) if cursor else dict(query)
            found = self._call("GET", path, operation, query=asked).json() or {}
            return found.get("items") or [], found.get("next") or None

        return walk(page)

    def _ours(self, order: Mapping[str, Any]) -> bool:
        channel = (order.get("channel") or {}).get("id")
        return channel is None or str(channel) == self._channel

    @property
    def _channel(self) -> str:
        return str(self._connection.account.settings.get("channel_id", ""))

    def _call(self, method: str, path: str, operation: str, *, absent: Sequence[int] = (), **rest: Any) -> Answer:
        account, http = self._connection.account, self._connection.http
        headers = {"authorization": f"Bearer {account.credentials['token']}", "shipbob_channel_id": self._channel}
        answer = http.call(method, ROOT + path, operation=operation, headers=headers, **rest)
        return (
            answer
            if answer.status in absent
            else sorted_out(answer, lambda wait: http.limits.block(account.name, wait))
        )


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
