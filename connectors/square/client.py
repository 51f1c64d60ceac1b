"""Square's own words: one method for each operation of Connect v2 that the hub uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from connectors.kit.account import Connection
from connectors.kit.errors import Throttled, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.paging import walk
from connectors.square.auth import access_token
from connectors.square.refusals import BUSY, OWNER, sorted_out

Row = Mapping[str, Any]
VERSION = "2025-08-20"  # that of ../shared/specs/square/api.json, and of manifest.toml
TOKEN = "access"  # noqa: S105 - its name
ORDERS, PLACES, COUNTS, ARTICLES, OBJECTS, REFUNDS = 500, 10, 1000, 250, 1000, 100  # the most of one request


class Client:
    """Calls of one seller. Raises what refusals.sorted_out makes of an answer, and the kit's errors for lost ones.

    `served` is the API version that answered last.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.served = VERSION
        self.page = int(connection.account.settings.get("page_size", ORDERS))

    @property
    def fell_forward(self) -> bool:
        """Square answers in the version that it is asked for, else in the application's own."""
        return self.served != VERSION

    # ---- orders

    def order(self, order_id: str) -> Any:
        """The order; None when there is none of this id."""
        found = self._found(f"v2/orders/{_id(order_id)}", "orders.get")
        return found.get("order") if found else None

    def orders(self, ids: Sequence[str]) -> list[Row]:
        """Several at once; one that does not exist is left out."""
        asked = {"order_ids": list(ids)}
        return list(
            self._call("POST", "v2/orders/batch-retrieve", "orders.batch", json=asked).json().get("orders") or ()
        )

    def search_orders(self, places: Sequence[str], field: str, since: datetime, until: datetime) -> Iterator[Row]:
        """Orders whose `field` (updated_at, created_at) lies in [since, until], oldest first, by cursor."""
        span = {"start_at": stamp(since), "end_at": stamp(until)}
        query = {
            "filter": {"date_time_filter": {field: span}},
            "sort": {"sort_field": field.upper(), "sort_order": "ASC"},
        }
        asked = {"location_ids": list(places), "query": query, "limit": self.page, "return_entries": False}
        return self._paged("v2/orders/search", "orders.search", asked, "orders")

    def update_order(self, order_id: str, change: Row, key: str) -> Any:
        """A sparse order under its version; the same key again answers the order as it is, changed once."""
        asked = {"order": change, "idempotency_key": key}
        return self._call("PUT", f"v2/orders/{_id(order_id)}", "orders.update", write=True, json=asked).json()["order"]

    def locations(self) -> list[Row]:
        return list(self._call("GET", "v2/locations", "locations.list").json().get("locations") or ())

    # ---- money, customers

    def payment(self, payment_id: str) -> Any:
        found = self._found(f"v2/payments/{_id(payment_id)}", "payments.get")
        return found.get("payment") if found else None

    def complete_payment(self, payment_id: str, version: str | None) -> Any:
        """Takes what was approved, all of it, where the payment is still of this version."""
        asked = {"version_token": version} if version else {}
        path = f"v2/payments/{_id(payment_id)}/complete"
        return self._call("POST", path, "payments.complete", write=True, json=asked).json()["payment"]

    def cancel_payment(self, payment_id: str) -> Any:
        """Lets go what was approved."""
        path = f"v2/payments/{_id(payment_id)}/cancel"
        return self._call("POST", path, "payments.cancel", write=True).json()["payment"]

    def pay_order(self, order_id: str, payments: Sequence[str], key: str) -> Any:
        """Completes these payments together; they come to the order's total. The same key again does nothing more."""
        asked = {"idempotency_key": key, "payment_ids": list(payments)}
        return self._call("POST", f"v2/orders/{_id(order_id)}/pay", "orders.pay", write=True, json=asked).json()[
            "order"
        ]

    def refund(self, refund_id: str) -> Any:
        found = self._found(f"v2/refunds/{_id(refund_id)}", "refunds.get")
        return found.get("refund") if found else None

    def refunds(self, since: datetime, until: datetime) -> Iterator[Row]:
        """Refunds that changed in [since, until], oldest first, by cursor; a change may take some seconds to be listed."""
        asked: dict[str, Any] = {
            "updated_at_begin_time": stamp(since),
            "updated_at_end_time": stamp(until),
            "sort_field": "UPDATED_AT",
            "sort_order": "ASC",
            "limit": min(self.page, REFUNDS),
        }

        def page(cursor: str | None) -> tuple[Sequence[Row], str | None]:
            query = {**asked, **({"cursor": cursor} if cursor else {})}
            said = self._call("GET", "v2/refunds", "refunds.list", query=query).json() or {}
            return said.get("refunds") or [], said.get("cursor") or None

        return walk(page)

    def give_back(self, asked: Row) -> Any:
        return self._call("POST", "v2/refunds", "refunds.create", write=True, json=asked).json()["refund"]

    def customer(self, customer_id: str) -> Any:
        found = self._found(f"v2/customers/{_id(customer_id)}", "customers.get")
        return found.get("customer") if found else None

    # ---- articles and their prices

    def variations(self, skus: Sequence[str]) -> Iterator[Row]:
        """Articles with one of these SKUs; Square compares without case."""
        for start in range(0, len(skus), ARTICLES):
            query = {"set_query": {"attribute_name": "sku", "attribute_values": list(skus[start : start + ARTICLES])}}
            yield from self._paged(
                "v2/catalog/search", "catalog.search", {"object_types": ["ITEM_VARIATION"], "query": query}, "objects"
            )

    def changed_articles(self, since: datetime | None) -> Iterator[tuple[Row, Row]]:
        """Variations modified after an instant (all without one), those that were deleted too, each with its item as far as that is there."""
        asked: dict[str, Any] = {"object_types": ["ITEM_VARIATION"], "include_related_objects": True, "limit": OBJECTS}
        if since is not None:
            asked |= {"begin_time": stamp(since), "include_deleted_objects": True}

        def page(cursor: str | None) -> tuple[Sequence[tuple[Row, Row]], str | None]:
            body = {**asked, **({"cursor": cursor} if cursor else {})}
            said = self._call("POST", "v2/catalog/search", "catalog.search", json=body).json() or {}
            items = {str(one["id"]): one for one in said.get("related_objects") or () if one.get("id")}
            rows = said.get("objects") or ()
            parents = (str((row.get("item_variation_data") or {}).get("item_id")) for row in rows)
            return [(row, items.get(name, {})) for row, name in zip(rows, parents, strict=True)], said.get(
                "cursor"
            ) or None

        return walk(page)

    def articles(self, ids: Sequence[str]) -> list[Row]:
        """Articles by id, those that were deleted too."""
        found: list[Row] = []
        for start in range(0, len(ids), OBJECTS):
            asked = {"object_ids": list(ids[start : start + OBJECTS]), "include_deleted_objects": True}
            found += (
                self._call("POST", "v2/catalog/batch-retrieve", "catalog.get", json=asked).json().get("objects") or ()
            )
        return found

    def put_articles(self, objects: Sequence[Row], key: str) -> list[Row]:
        """All of them or none, each under its version."""
        asked = {"idempotency_key": key, "batches": [{"objects": list(objects)}]}
        return list(
            self._call("POST", "v2/catalog/batch-upsert", "catalog.put", write=True, json=asked).json().get("objects")
            or ()
        )

    # ---- stock

    def counts(self, articles: Sequence[str], places: Sequence[str]) -> Iterator[Row]:
        """Counts IN_STOCK."""
        asked: dict[str, Any] = {"states": ["IN_STOCK"], "limit": COUNTS}
        if articles:
            asked["catalog_object_ids"] = list(articles)
        if places:
            asked["location_ids"] = list(places)
        return self._paged("v2/inventory/counts/batch-retrieve", "inventory.counts", asked, "counts")

    def count(self, changes: Sequence[Row], key: str) -> None:
        """Physical counts: all of them or none. A count that changes nothing is no change."""
        asked = {"idempotency_key": key, "changes": list(changes), "ignore_unchanged_counts": True}
        self._call("POST", "v2/inventory/changes/batch-create", "inventory.change", write=True, json=asked).json()

    # ---- webhooks: they belong to the application, so its own token opens them, not the seller's

    def subscriptions(self) -> Iterator[Row]:
        def page(cursor: str | None) -> tuple[Sequence[Row], str | None]:
            query = {"include_disabled": "true", **({"cursor": cursor} if cursor else {})}
            said = self._own("GET", "v2/webhooks/subscriptions", "webhooks.list", query=query, secret=True).json() or {}
            return said.get("subscriptions") or [], said.get("cursor") or None

        return walk(page)

    def subscribe(self, name: str, topics: Sequence[str], address: str, key: str) -> None:
        made = {
            "name": name,
            "enabled": True,
            "event_types": list(topics),
            "notification_url": address,
            "api_version": VERSION,
        }
        asked = {"idempotency_key": key, "subscription": made}
        self._own("POST", "v2/webhooks/subscriptions", "webhooks.create", write=True, json=asked, secret=True)

    def change_subscription(self, name: str, change: Row) -> None:
        asked = {"subscription": change}
        self._own(
            "PUT", f"v2/webhooks/subscriptions/{_id(name)}", "webhooks.update", write=True, json=asked, secret=True
        )

    # ---- the door

    def _paged(self, path: str, operation: str, asked: Row, rows: str) -> Iterator[Row]:
        """Rows of a list by its cursors; the query must stay the same."""

        def page(cursor: str | None) -> tuple[Sequence[Row], str | None]:
            said = (
                self._call("POST", path, operation, json={**asked, **({"cursor": cursor} if cursor else {})}).json()
                or {}
            )
            return said.get(rows) or [], said.get("cursor") or None

        return walk(page)

    def _found(self, path: str, operation: str) -> Any:
        answer = self._call("GET", path, operation, absent=(404,))
        return None if answer.status == 404 else answer.json()

    def _call(self, method: str, path: str, operation: str, *, absent: Sequence[int] = (), **rest: Any) -> Answer:
        """One call under the shared token; a refused token is bought anew once, by one worker for all."""
        answer, token = self._once(method, path, operation, rest)
        if answer.status == 401:
            self._connection.tokens.refused(TOKEN, token)
            answer, _ = self._once(method, path, operation, rest)
        return self._checked(answer, absent)

    def _once(self, method: str, path: str, operation: str, rest: Mapping[str, Any]) -> tuple[Answer, str]:
        to = self._connection
        token = to.tokens.get(TOKEN, lambda: access_token(to.http, to.account, to.now(), VERSION))
        return to.http.call(method, path, operation=operation, headers=_headers(token), **rest), token

    def _own(self, method: str, path: str, operation: str, **rest: Any) -> Answer:
        """A call under the application's token. Raises Unauthorized without one."""
        token = self._connection.account.credentials.get("application_token")
        if not token:
            words, remedy = (
                "Webhook subscriptions need the application's own token.",
                "Add application_token to the account.",
            )
            raise Unauthorized(words, code="no_application_token", remedy=remedy, owner=OWNER)
        return self._checked(
            self._connection.http.call(method, path, operation=operation, headers=_headers(token), **rest), ()
        )

    def _checked(self, answer: Answer, absent: Sequence[int]) -> Answer:
        self.served = answer.headers.get("square-version", VERSION)
        found = None if answer.status in absent else sorted_out(answer)
        if isinstance(found, Throttled):
            self._connection.http.limits.block(self._connection.account.name, found.retry_after or BUSY)
        if found is not None:
            raise found
        return answer


def _headers(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "square-version": VERSION}


def _id(name: str) -> str:
    return quote(name, safe="")


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC; Square compares milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
