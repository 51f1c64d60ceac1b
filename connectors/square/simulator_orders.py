"""Orders, payments and refunds of Connect v2, answered as Square answers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Response, request

from connectors.square import simulator_captures as taken
from connectors.square.simulator_refused import Refused
from connectors.square.simulator_store import Store
from connectors.square.simulator_words import document, needed, once, paged, said

Json = dict[str, Any]
FIELDS = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "CLOSED_AT": "closed_at"}


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
            if "CANCELED" in (wanted.get("state"), *(one.get("state") for one in wanted.get("fulfillments", ()))):
                self._store.memory.put("called_off", order_id, True)  # by an application, not by staff
            return said({"order": self._store.find(order_id)})


def _within(at: str | None, span: Mapping[str, str]) -> bool:
    if at is None:
        return False
    moment = datetime.fromisoformat(at)
    first, last = span.get("start_at"), span.get("end_at")
    return (not first or moment >= datetime.fromisoformat(first)) and (
        not last or moment <= datetime.fromisoformat(last)
    )


SORTS = {
    "sort_field": ("CREATED_AT", "UPDATED_AT"),
    "sort_order": ("DESC", "ASC"),
}  # what is taken where nothing is said first


def _is_time(at: str) -> bool:
    try:
        return datetime.fromisoformat(at).tzinfo is not None
    except ValueError:
        return False


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

    def refunds(self) -> Response:
        """Those that changed in a time, once they are indexed, a page at a time."""
        asked = request.args
        for name, known in SORTS.items():
            if asked.get(name, known[0]) not in known:
                raise Refused(400, "INVALID_ENUM_VALUE", f"{name} is none of those that there are", name)
        span = {"start_at": asked.get("updated_at_begin_time", ""), "end_at": asked.get("updated_at_end_time", "")}
        for name, at in zip(("updated_at_begin_time", "updated_at_end_time"), span.values(), strict=True):
            if at and not _is_time(at):
                raise Refused(400, "INVALID_TIME", f"{name} is no RFC 3339 time", name)
        rows = [
            one
            for one in self._store.memory.table("refunds").values()
            if _within(one["updated_at"], span) and self._store.simulator.indexed("refunds", one["id"])
        ]
        rows.sort(key=lambda one: one["updated_at"], reverse=asked.get("sort_order", "DESC") == "DESC")
        start, size = int(asked.get("cursor") or 0), min(100, int(asked.get("limit") or 100))
        more = {"cursor": str(start + size)} if start + size < len(rows) else {}
        return said({"refunds": rows[start : start + size], **more})

    def customer(self, customer_id: str) -> Response:
        return said({"customer": self._found("customers", customer_id)})

    def _found(self, table: str, name: str) -> Json:
        found: Json | None = self._store.memory.table(table).get(name)
        if found is None:
            raise Refused(404, "NOT_FOUND", f"{table[:-1].title()} not found", f"{table[:-1]}_id")
        return found

    def complete(self, payment_id: str) -> Response:
        """Whole, by its version, and only where the order's payments come to its total."""
        body = document()
        with self._store.memory.lock:
            paid = self._found("payments", payment_id)
            if body.get("version_token") not in (None, paid["version_token"]):
                raise Refused(409, "VERSION_MISMATCH", "The payment has another version", "version_token")
            taken.together(self._store, paid["order_id"], [payment_id])
            return said({"payment": self._found("payments", payment_id)})

    def cancel(self, payment_id: str) -> Response:
        with self._store.memory.lock:
            taken.let_go(self._store, self._found("payments", payment_id))
            return said({"payment": self._found("payments", payment_id)})

    def pay(self, order_id: str) -> Response:
        body = document()
        key, names = needed(body, "idempotency_key"), needed(body, "payment_ids")
        with self._store.memory.lock:
            once(self._store, f"pay:{order_id}:{key}", body, lambda: taken.together(self._store, order_id, names))
            return said({"order": self._store.find(order_id)})

    def give_back(self) -> Response:
        body = document()
        key = needed(body, "idempotency_key")
        if len(key) > 45:
            raise Refused(400, "VALUE_TOO_LONG", "At most 45 characters", "idempotency_key")
        needed(body, "amount_money.amount")
        return said(once(self._store, f"refund:{key}", body, lambda: {"refund": self._store.refund(body)}))
