"""The calls that the hub makes to one company of Business Central, in the words of its API v2.0."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.business_central import errors
from connectors.business_central.auth import access_token
from connectors.kit.account import Connection
from connectors.kit.errors import Ambiguous, Rejected, Transient
from connectors.kit.http import Answer
from connectors.kit.verdicts import hold_off

PAGE = 1000
PAUSE = 10.0  # seconds that nobody calls after a 429 that names none: the window is five minutes long
TOKEN = "access"  # noqa: S105 - the name of the token, not a token
MOST = 100  # operations of one $batch
WALKS = 3
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
WORDS = {
    "salesOrders": "sales order",
    "salesCreditMemos": "credit memo",
    "salesShipments": "shipment",
    "salesInvoices": "invoice",
    "customers": "customer",
    "items": "item",
    "journals": "journal line",
    "customerPaymentJournals": "payment",
    "subscriptions": "webhook subscription",
}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request inside a $batch; `path` is below the company."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    etag: str = "*"


def text(value: str) -> str:
    """A string of an OData filter: a quote in it is doubled."""
    return "'" + value.replace("'", "''") + "'"


def guid(value: str) -> str:
    """A SystemId as it stands in an address. Raises Rejected for anything else, so that no id can lead elsewhere."""
    if GUID.fullmatch(value):
        return value
    raise Rejected(f"{value!r} is no SystemId of Business Central.", code="bad_id", owner="integration desk")


class Client:
    """One company. Every method raises the kit's errors, sorted by Business Central's own codes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        settings = connection.account.settings
        environment = str(settings.get("environment", "Production"))
        self.service = f"/v2.0/{settings.get('tenant', '')}/{environment}/api"
        self.root = f"{self.service}/v2.0"
        self._company = f"companies({settings.get('company', '')})"
        self._page = int(settings.get("page_size", PAGE))

    # ---- reading

    def get(self, path: str, expand: str = "") -> Row | None:
        """A record by its address below the company; None where Business Central says that there is none."""
        answer = self._call("GET", self._under(path), _operation(path, "get"), query=_query(expand=expand))
        said = errors.refusal(answer)
        if answer.status == 404 or (said is not None and said.code in errors.ABSENT):
            return None
        return self._record(self._checked(answer, path), path)

    def rows(self, path: str, where: str = "", expand: str = "") -> list[Row]:
        """Every row of a filtered list, its pages walked to the end."""
        return list(self._walk(self._under(path), _operation(path, "list"), _query(where, expand)))

    def all_rows(self, path: str, where: str = "", expand: str = "") -> list[Row]:
        """Every row of a long list. Pages that shifted while they were read are walked again until the rows are as
        many as the list says.
        """
        for _ in range(WALKS):
            counts: list[int] = []
            address, query = self._under(path), {**_query(where, expand), "$count": "true"}
            rows = list(self._walk(address, _operation(path, "list"), query, counts))
            if len({str(row.get("id")) for row in rows}) == len(rows) == counts[0]:
                return rows
        raise Transient("The rows of a list moved while they were read.", code="pages_shifted")

    def subscriptions(self) -> list[Row]:
        """Of every company. Their answers hold the shared secret, so they are not kept."""
        return list(self._walk(f"{self.root}/subscriptions", "subscriptions.list", {}, secret=True))

    def custom(self, entity: str) -> list[Row]:
        """The rows of a custom API page: publisher/group/version/entitySet."""
        publisher, group, version, name = (*entity.strip("/").split("/"), "", "", "", "")[:4]
        address = f"{self.service}/{publisher}/{group}/{version}/{self._company}/{name}"
        return list(self._walk(address, "custom.list", {}))

    def _walk(
        self,
        address: str,
        operation: str,
        query: Mapping[str, str],
        counts: list[int] | None = None,
        secret: bool = False,
    ) -> Iterator[Row]:
        prefer = {"prefer": f"odata.maxpagesize={self._page}"}
        while address:
            answer = self._call("GET", address, operation, query=query, headers=prefer, secret=secret)
            part = self._checked(answer, operation).json()
            if not isinstance(part, dict) or not isinstance(part.get("value"), list):
                raise Transient(
                    "Business Central's answer is not the rows that were asked for.", code="unreadable_answer"
                )
            if counts is not None:
                counts.append(int(part.get("@odata.count", -1)))
            yield from part["value"]
            address, query = str(part.get("@odata.nextLink", "")), {}

    # ---- writing

    def create(self, path: str, body: Mapping[str, Any]) -> Row:
        answer = self._call("POST", self._under(path), _operation(path, "create"), write=True, json=body)
        return self._record(self._checked(answer, path), path)

    def remove(self, path: str, etag: str) -> None:
        headers = {"if-match": etag}
        answer = self._call("DELETE", self._under(path), _operation(path, "delete"), write=True, headers=headers)
        said = errors.refusal(answer)
        if answer.status == 404 or (said is not None and said.code in errors.ABSENT):
            return
        _done(self._checked(answer, path))

    def act(self, path: str, action: str) -> None:
        """A bound action: it answers 204 and no body."""
        address = f"{self._under(path)}/Microsoft.NAV.{action}"
        _done(self._checked(self._call("POST", address, _operation(path, action), write=True), path))

    def batch(self, asked: Sequence[Ask], what: str) -> list[Row]:
        """Requests that are done all together or not at all (Isolation: snapshot); the bodies of their answers, in order.

        Only reads go without `Isolation`. Raises what the first refused one means; then nothing of it was done.
        """
        write = any(one.method != "GET" for one in asked)
        body = {"requests": [self._inner(n, one) for n, one in enumerate(asked)]}
        headers = {"isolation": "snapshot"} if write else {}
        operation = "batch.write" if write else "batch.read"
        answer = self._call("POST", f"{self.root}/$batch", operation, write=write, json=body, headers=headers)
        told = self._checked(answer, what).json()
        answers = told.get("responses") if isinstance(told, dict) else None
        if not isinstance(answers, list) or not all(isinstance(one, dict) for one in answers):
            raise _unreadable(write)
        return self._parts(answers, len(asked), write, what)

    def _parts(self, answers: list[Row], wanted: int, write: bool, what: str) -> list[Row]:
        for one in answers:
            status, headers = (
                int(one.get("status", 0)),
                {str(k).lower(): str(v) for k, v in one.get("headers", {}).items()},
            )
            if status >= 400:
                said = errors.read(one.get("body")) or errors.Refusal("", "")
                raise errors.of(said, Answer(status, headers, b"", write), what)
        if len(answers) != wanted:
            raise _unreadable(write)
        return [one.get("body") or {} for one in answers]

    def _inner(self, number: int, one: Ask) -> Row:
        headers = {"Content-Type": "application/json", "If-Match": one.etag} if one.method != "GET" else {}
        if one.method == "POST":
            headers.pop("If-Match")
        inner: Row = {
            "id": str(number + 1),
            "method": one.method,
            "url": f"{self._company}/{one.path}",
            "headers": headers,
        }
        return inner if one.body is None else {**inner, "body": one.body}

    def subscribe(self, body: Mapping[str, Any]) -> None:
        address = f"{self.root}/subscriptions"
        self._checked(
            self._call("POST", address, "subscriptions.create", write=True, json=body, secret=True), "subscriptions"
        )

    def renew(self, subscription: str, body: Mapping[str, Any], etag: str) -> None:
        address = f"{self.root}/subscriptions({text(subscription)})"
        headers = {"if-match": etag}
        answer = self._call(
            "PATCH", address, "subscriptions.update", write=True, json=body, headers=headers, secret=True
        )
        self._checked(answer, "subscriptions")

    # ---- one call

    def resource(self, name: str) -> str:
        """What a subscription names: an entity set of the company, without the host."""
        return f"/api/v2.0/{self._company}/{name}"

    def _under(self, path: str) -> str:
        return f"{self.root}/{self._company}/{path}"

    def _record(self, answer: Answer, path: str) -> Row:
        found = answer.json()
        if isinstance(found, dict) and found.get("id"):
            return found
        raise _unreadable(answer.write)

    def _checked(self, answer: Answer, path: str) -> Answer:
        found = errors.sorted_trouble(answer, WORDS.get(re.split(r"[(./]", path)[0], path))
        if found is not None:
            hold_off(self._connection, answer, PAUSE)
            raise found
        if answer.status >= 300:
            words = f"Business Central answered HTTP {answer.status}, which is no answer to this."
            raise Rejected(words, code=f"http_{answer.status}")
        return answer

    def _call(
        self, method: str, path: str, operation: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Answer:
        """One call under the shared token; a refused token is bought anew once, by one worker for all."""
        answer, token = self._once(method, path, operation, headers, more)
        if answer.status != 401:
            return answer
        self._connection.tokens.refused(TOKEN, token)
        return self._once(method, path, operation, headers, more)[0]

    def _once(
        self, method: str, path: str, operation: str, headers: Mapping[str, str] | None, more: Mapping[str, Any]
    ) -> tuple[Answer, str]:
        connection = self._connection
        token = connection.tokens.get(TOKEN, lambda: access_token(connection.http, connection.account))
        bearer = {"authorization": f"Bearer {token}", **(headers or {})}
        return connection.http.call(method, path, operation=operation, headers=bearer, **more), token


def _done(answer: Answer) -> None:
    """What leaves nothing to tell answers 204; a page of somebody else's says nothing of what was done."""
    if answer.status != 204:
        raise _unreadable(answer.write)


def _unreadable(write: bool) -> Ambiguous | Transient:
    words = "Business Central's answer is not the record that was asked for."
    return (Ambiguous if write else Transient)(words, code="unreadable_answer")


def _operation(path: str, act: str) -> str:
    """ "salesOrders.get", "journals.journalLines.create": what the limits and the record of calls name."""
    return ".".join([*(re.sub(r"\(.*?\)", "", part) for part in path.split("/")), act])


def _query(where: str = "", expand: str = "") -> dict[str, str]:
    query = {"$filter": where, "$expand": expand}
    return {name: value for name, value in query.items() if value}
