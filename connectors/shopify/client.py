"""Shopify's Admin GraphQL in its own words: one door for every document, each error sorted by what the hub must do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.kit.account import Connection
from connectors.kit.errors import Ambiguous, Owner, Rejected, Throttled, Transient, Trouble, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.paging import walk
from connectors.kit.verdicts import trouble
from connectors.shopify.documents import Document

VERSION = "2026-07"
Row = Mapping[str, Any]

# The shop or the app is shut out, so the account pauses (https://shopify.dev/docs/api/usage/response-codes).
SHUT = {
    402: "The shop is frozen: its Shopify bill is unpaid.",
    403: "Shopify forbids this app to do that.",
    423: "The shop is locked.",
}
OWNER: Owner = "e-commerce"
REMEDY = "Read what Shopify says, correct it in the shop's admin or in our data, then retry."
DEVELOPERS = "Report it to the developers: a document of ours does not fit this version of the API."


@dataclass
class Client:
    """Calls of one account. `served` is the API version that answered last: another than asked has fallen forward."""

    connection: Connection
    served: str = VERSION
    costs: dict[str, float] = field(default_factory=dict)

    @property
    def fell_forward(self) -> bool:
        return self.served != VERSION

    def ask(self, document: Document, **variables: Any) -> Any:
        """The root field's answer. Raises Throttled, Transient, Ambiguous, Rejected or Unauthorized."""
        answer = self.connection.http.call(
            "POST",
            f"admin/api/{VERSION}/graphql.json",
            operation=document.operation,
            write=document.write,
            json={"query": document.text, "variables": variables},
            headers={"x-shopify-access-token": self.connection.account.credentials["access_token"]},
            cost=self.costs.get(document.text, document.cost),
        )
        self._statuses(answer)
        said = answer.json()
        if not isinstance(said, dict):
            raise unknown(document, "The answer is not the JSON object it should be.", "unreadable_answer")
        self.served = answer.headers.get("x-shopify-api-version", VERSION)
        self._account_for(document, said)
        try:
            return _root(document, said, self._wait(said))
        except Throttled:
            self.connection.http.limits.refused(self.connection.account.name, document.operation, answer.seconds)
            raise

    def _statuses(self, answer: Answer) -> None:
        if answer.status in SHUT:
            raise Unauthorized(
                SHUT[answer.status], code=f"http_{answer.status}", remedy="Open the shop's admin.", owner=OWNER
            )
        found = trouble(answer)
        if isinstance(found, Throttled) and found.retry_after:
            self.connection.http.limits.block(self.connection.account.name, found.retry_after)
        if found is not None:
            raise found

    def _account_for(self, document: Document, said: Row) -> None:
        """What is left by Shopify's own count, and what this document cost."""
        cost = (said.get("extensions") or {}).get("cost") or {}
        left = (cost.get("throttleStatus") or {}).get("currentlyAvailable")
        if left is not None:
            self.connection.http.limits.report(self.connection.account.name, float(left))
        if cost.get("actualQueryCost"):
            self.costs[document.text] = float(cost["actualQueryCost"])

    def _wait(self, said: Row) -> float:
        """Seconds until the bucket holds what was asked for."""
        cost = (said.get("extensions") or {}).get("cost") or {}
        status = cost.get("throttleStatus") or {}
        lacking = float(cost.get("requestedQueryCost") or 0) - float(status.get("currentlyAvailable") or 0)
        return max(0.1, lacking / float(status.get("restoreRate") or 100))

    def changed(self, document: Document, rows: str, **variables: Any) -> Iterator[Row]:
        """Every row of a connection at the root, page by page."""

        def page(cursor: str | None) -> tuple[list[Row], str | None]:
            answer = self.ask(document, **variables, after=cursor)
            return answer["nodes"], following(answer)

        yield from walk(page)

    def whole(self, connection: dict[str, Any], document: Document, node: str, name: str) -> list[Row]:
        """The rows of a connection inside an object, its further pages fetched into it."""
        cursor = following(connection)
        while cursor is not None:
            further = (self.ask(document, id=node, after=cursor) or {}).get(name) or {"nodes": [], "pageInfo": {}}
            connection["nodes"] += further["nodes"]
            cursor = following(further)
        connection["pageInfo"] = {"hasNextPage": False, "endCursor": None}
        rows: list[Row] = connection["nodes"]
        return rows


def following(connection: Row) -> str | None:
    page = connection.get("pageInfo") or {}
    return str(page["endCursor"]) if page.get("hasNextPage") else None


def _root(document: Document, said: Row, wait: float) -> Any:
    """The answer to the root field, or the error raised."""
    errors = said.get("errors")
    if errors:
        raise _sorted(document, errors, wait)
    data = said.get("data")
    if not isinstance(data, dict) or document.operation not in data:
        raise unknown(document, "The answer has no data.", "unreadable_answer")
    answer = data[document.operation]
    if document.write and answer is None:
        raise unknown(document, "The answer says nothing about what was asked.", "unreadable_answer")
    return answer


def unknown(document: Document, sentence: str, code: str) -> Trouble:
    """A write's effect is then unknown; a read is made again."""
    return Ambiguous(sentence, code=code) if document.write else Transient(sentence, code=code)


def _sorted(document: Document, errors: Any, wait: float) -> Trouble:
    """Top-level errors by their code (https://shopify.dev/docs/api/admin-graphql#status_and_error_codes)."""
    told = errors[0] if isinstance(errors, list) else errors
    first: Row = told if isinstance(told, dict) else {"message": str(told)}
    code = str((first.get("extensions") or {}).get("code", ""))
    message = str(first.get("message", ""))
    if code == "THROTTLED":
        return Throttled("Shopify's points are used up for the moment.", retry_after=wait)
    if code in ("INTERNAL_SERVER_ERROR", "TIMEOUT"):
        return unknown(document, f"Shopify failed inside: {message}", code.lower())
    if code in ("ACCESS_DENIED", "SHOP_INACTIVE"):
        return Rejected(
            f"Shopify denies this app access to {document.operation}: {message}",
            code=code.lower(),
            remedy="Grant the app the scope that the message names.",
            owner=OWNER,
        )
    words = f"Shopify does not take the request: {message}"
    return Rejected(words, code=(code or "graphql").lower(), remedy=DEVELOPERS, owner="integration desk")


def path(field_path: Any) -> str:
    """["input", "quantities", "0", "locationId"] as input.quantities[0].locationId."""
    named = ""
    for part in field_path or ():
        named += f"[{part}]" if str(part).isdigit() else f".{part}" if named else str(part)
    return named


def refused(error: Row, what: str) -> Rejected:
    """A userError as a sentence for support staff, with the path of what is refused."""
    return Rejected(
        f"Shopify refuses {what}: {error['message']}",
        code=str(error.get("code") or "user_error").lower(),
        field=path(error.get("field")),
        remedy=REMEDY,
        owner=OWNER,
    )


def accepted(payload: Row, what: str) -> Row:
    """A mutation's payload. Raises Rejected for its first userError."""
    if payload.get("userErrors"):
        raise refused(payload["userErrors"][0], what)
    return payload
