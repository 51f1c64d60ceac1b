"""Acme's API in Acme's words: one method an operation, each answer's error sorted by what the hub must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kit.account import Connection
from connectors.kit.errors import Ambiguous, Rejected, Throttled, Transient, Trouble, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.verdicts import retry_after, trouble

VERSION = "2026-01"  # https://acme.example/docs/api/2026-01: sent as Acme-Version with every call
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Client:
    """Calls of one account. Answers are Acme's documents as JSON, with exact decimals."""

    connection: Connection

    # ---- documents that are listed or fetched

    def order(self, order_id: str) -> Row | None:
        """One order, None when Acme does not (or no longer) have it."""
        return self._found(self._ask("GET", f"/v1/orders/{_plain(order_id)}", "orders.get"))

    def changed(self, listing: str, since: str, until: str, after: str | None, limit: int) -> Row:
        """A page of orders, stock or products, both ends included: {"rows": [...], "next": cursor or null}."""
        query = {"updated_from": since, "updated_to": until, "limit": limit, **({"after": after} if after else {})}
        return self._read("GET", f"/v1/{listing}", f"{listing}.list", query)

    def stock(self, skus: Sequence[str], after: str | None, limit: int) -> Row:
        query = {"skus": ",".join(skus), "limit": limit, **({"after": after} if after else {})}
        return self._read("GET", "/v1/stock", "stock.list", query)

    def prices(self, skus: Sequence[str]) -> Row:
        return self._read("GET", "/v1/prices", "prices.list", {"skus": ",".join(skus)})

    # ---- records that are made: bookings, deliveries, credits, requests, dispatches, letters

    def make(self, kind: str, body: Row, key: str = "", later: bool = False) -> Row:
        """POST a record. With a key: once in 24 h. `later`: 202 and {"job": {"id", "state"}} instead of the record."""
        headers = {**({"idempotency-key": key} if key else {}), **({"prefer": "respond-async"} if later else {})}
        return self._write("POST", f"/v1/{kind}", f"{kind}.create", body, headers)

    def confirm(self, kind: str, record: str, body: Row) -> Row:
        return self._write("POST", f"/v1/{kind}/{record}/confirmation", f"{kind}.confirm", body)

    def by_key(self, kind: str, key: str) -> Row | None:
        """The record made under an idempotency key; consistent at once."""
        return _first(self._read("GET", f"/v1/{kind}", f"{kind}.search", {"key": key}))

    def by_reference(self, kind: str, reference: str) -> Row | None:
        """The record with exactly this reference, once the search index shows it."""
        return next(iter(self.all_by_reference(kind, reference)), None)

    def all_by_reference(self, kind: str, reference: str) -> Sequence[Row]:
        """Every record with exactly this reference, oldest first: nothing keeps it unique."""
        rows: Sequence[Row] = self._read("GET", f"/v1/{kind}", f"{kind}.search", {"reference": reference})["rows"]
        return rows

    def made(self, kind: str, since: str, until: str, after: str | None, limit: int) -> Row:
        """A page of the records made in a window, both ends included: {"rows": [...], "next": cursor or null}."""
        query = {"created_from": since, "created_to": until, "limit": limit, **({"after": after} if after else {})}
        return self._read("GET", f"/v1/listings/{kind}", f"{kind}.list", query)

    def record(self, kind: str, record: str) -> Row:
        return self._read("GET", f"/v1/{kind}/{record}", f"{kind}.get")

    def job(self, job: str) -> Row:
        """{"id", "state": "queued" | "done" | "failed", "record", "error"}"""
        return self._read("GET", f"/v1/jobs/{job}", "jobs.get")

    def amend(self, kind: str, record: str, body: Row) -> Row:
        return self._write("PUT", f"/v1/{kind}/{record}", f"{kind}.amend", body)

    def cancel(self, kind: str, record: str, lines: Sequence[Row] = (), key: str = "") -> Row:
        """All of it, or just these `lines` of what is left of it, once under `key`."""
        body = {"lines": list(lines), "key": key} if lines else {}
        return self._write("POST", f"/v1/{kind}/{record}/cancellation", f"{kind}.cancel", body)

    def acknowledge(self, order_id: str, number: str) -> Row:
        body = {"number": number}
        return self._write("PUT", f"/v1/orders/{order_id}/acknowledgement", "orders.acknowledge", body)

    def revoke(self, order_id: str) -> Row:
        """Gives up an order of the shop; one that has left is refused (already_shipped)."""
        return self._write("POST", f"/v1/orders/{_plain(order_id)}/cancellation", "orders.cancel", {})

    def capture(self, order_id: str, body: Row, key: str) -> Row:
        """Takes a part of an authorisation, once in 24 h for each key; never more than is left of it."""
        headers = {"idempotency-key": key}
        return self._write("POST", f"/v1/orders/{_plain(order_id)}/captures", "orders.capture", body, headers)

    def void(self, order_id: str, body: Row, key: str) -> Row:
        """Releases what is left of an authorisation, once in 24 h for each key."""
        headers = {"idempotency-key": key}
        return self._write("POST", f"/v1/orders/{_plain(order_id)}/voids", "orders.void", body, headers)

    def charge(self, order_id: str, body: Row, key: str) -> Row:
        """Takes a further sum in the way of an earlier transaction, once in 24 h for each key."""
        headers = {"idempotency-key": key}
        return self._write("POST", f"/v1/orders/{_plain(order_id)}/charges", "orders.charge", body, headers)

    def reimburse(self, order_id: str, body: Row, key: str) -> Row:
        """A refund, once in 24 h for each key; no transaction gives back more than it took."""
        headers = {"idempotency-key": key}
        return self._write("POST", f"/v1/orders/{_plain(order_id)}/refunds", "orders.refund", body, headers)

    def set_prices(self, prices: Sequence[Row]) -> Sequence[Row]:
        """One verdict for each price, in order, as for stock."""
        verdicts: Sequence[Row] = self._write("POST", "/v1/prices", "prices.set", {"prices": prices})["results"]
        return verdicts

    def set_stock(self, levels: Sequence[Row]) -> Sequence[Row]:
        """One verdict for each level, in order: {"status": "ok" | "refused", "code", "message"}."""
        verdicts: Sequence[Row] = self._write("POST", "/v1/stock", "stock.set", {"levels": levels})["results"]
        return verdicts

    # ---- queue and subscriptions

    def receive(self, limit: int, hidden: float) -> Sequence[Row]:
        body = {"limit": limit, "hidden_seconds": hidden}
        messages: Sequence[Row] = self._read("POST", "/v1/queue/receipts", "queue.receive", body=body)["messages"]
        return messages

    def settle(self, receipts: Sequence[str]) -> None:
        self._write("POST", "/v1/queue/deletions", "queue.delete", {"receipts": receipts})

    def subscriptions(self) -> Sequence[Row]:
        rows: Sequence[Row] = self._read("GET", "/v1/subscriptions", "subscriptions.list")["rows"]
        return rows

    def subscribe(self, topics: Sequence[str], address: str) -> None:
        body = {"topics": topics, "address": address}
        self._write("POST", "/v1/subscriptions", "subscriptions.create", body)

    # ---- one call

    def _read(self, method: str, path: str, operation: str, query: Row | None = None, body: Row | None = None) -> Row:
        return _row(_checked(self._ask(method, path, operation, query=query, json=body)))

    def _write(
        self, method: str, path: str, operation: str, body: Row, headers: Mapping[str, str] | None = None
    ) -> Row:
        return _row(_checked(self._ask(method, path, operation, write=True, json=body, headers=headers)))

    def _found(self, answer: Answer) -> Row | None:
        return None if answer.status == 404 else _row(_checked(answer))

    def _ask(self, method: str, path: str, operation: str, **more: Any) -> Answer:
        """A call under a token; one that Acme refuses is renewed once, by one worker, then the account pauses."""
        token = self._token()
        answer = self._send(token, method, path, operation, **more)
        if answer.status == 401:
            self.connection.tokens.refused("access", token)
            answer = self._send(self._token(), method, path, operation, **more)
        if answer.status == 429:
            self.connection.http.limits.block(self.connection.account.name, retry_after(answer.headers) or 1.0)
        return answer

    def _send(self, token: str, method: str, path: str, operation: str, **more: Any) -> Answer:
        headers = {"authorization": f"Bearer {token}", "acme-version": VERSION, **(more.pop("headers", None) or {})}
        return self.connection.http.call(method, path, operation=operation, headers=headers, **more)

    def _token(self) -> str:
        return self.connection.tokens.get("access", self._refresh)

    def _refresh(self) -> tuple[str, float]:
        credentials = self.connection.account.credentials
        form = {name: credentials[name] for name in ("client_id", "client_secret")}
        headers = {"acme-version": VERSION}
        call = self.connection.http.call
        answer = call("POST", "/v1/token", operation="token", form=form, headers=headers, secret=True)
        told = _row(_checked(answer))
        return str(told["access_token"]), float(told["expires_in"])


def _plain(name: str) -> str:
    """An id as a part of a path. Raises Rejected for what would lead elsewhere."""
    if not name or not all(c.isalnum() or c in "-_." for c in name) or set(name) == {"."}:
        raise Rejected(f"{name!r} is no id of Acme's.", code="no_id")
    return name


def _first(answer: Row) -> Row | None:
    return next(iter(answer["rows"]), None)


def _row(answer: Answer) -> Row:
    """The answer's document. One that is no object is no answer: Ambiguous after a write, Transient after a read."""
    document = answer.json()
    if not isinstance(document, dict):
        raise (Ambiguous if answer.write else Transient)("Acme's answer is no document.", code="unreadable_answer")
    return document


# Acme's error codes (https://acme.example/docs/errors) where they say more than the status does.
ERRORS: dict[str, Callable[[Answer, str, str], Trouble]] = {
    "daily_quota": lambda answer, words, field: Throttled(
        words, code="daily_quota", retry_after=retry_after(answer.headers), daily=True
    ),
    "maintenance": lambda answer, words, field: Transient(words, code="maintenance"),
    "already_shipped": lambda answer, words, field: Rejected(words, code="shipped", field=field, owner="logistics"),
    "already_received": lambda answer, words, field: Rejected(words, code="received", field=field, owner="finance"),
    "account_closed": lambda answer, words, field: Unauthorized(words, code="account_closed"),
}


def _checked(answer: Answer) -> Answer:
    """The answer, or its trouble raised: Acme's code first, then the status."""
    if answer.status < 400:
        return answer
    code, words, field = _said(answer)
    known = ERRORS.get(code)
    found = known(answer, words, field) if known else trouble(answer, words, code, field)
    raise found or Transient(words)


def _said(answer: Answer) -> tuple[str, str, str]:
    """Code, sentence and field of Acme's error body {"error": {"code", "message", "field"}}; empty where it is none."""
    try:
        body = answer.json()
    except Trouble:
        return "", "", ""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", "", ""
    return str(error.get("code", "")), str(error.get("message", "")), str(error.get("field") or "")
