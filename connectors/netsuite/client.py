"""The calls that the hub makes to a NetSuite account, in NetSuite's own words: records, transforms, SuiteQL, jobs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.kit.account import Connection
from connectors.kit.errors import Ambiguous, Rejected, Throttled, Transient
from connectors.kit.http import Answer
from connectors.kit.writes import ExternalId, Job
from connectors.netsuite import errors
from connectors.netsuite.auth import access_token

RECORD = "/services/rest/record/v1"
QUERY = "/services/rest/query/v1/suiteql"
JOB = "/services/rest/async/v1/job"
PAGE = 1000  # rows of SuiteQL a call may give
PAUSE = 1.0  # seconds that nobody calls after a refusal for concurrency: NetSuite names none
TOKEN = "access"  # noqa: S105 - the name of the token, not a token
WALKS = 3
FIRST = "waybill-first-job"  # a mark of ours beside the answer's headers: the job was made by an earlier call
# By default NetSuite takes a field that it does not know with a warning that nobody reads, and drops it.
STRICT = {"x-netsuite-propertynamevalidation": "Error", "x-netsuite-propertyvaluevalidation": "Error"}
NAMESPACE = uuid.UUID("6f7c1e5e-6a53-4a6c-9a0e-5c2d5a6f0b41")
WORDS = {
    "salesOrder": "sales order",
    "itemFulfillment": "item fulfilment",
    "creditMemo": "credit memo",
    "customerRefund": "customer refund",
    "customerDeposit": "customer deposit",
    "depositApplication": "deposit application",
    "invoice": "invoice",
    "cashSale": "cash sale",
    "returnAuthorization": "return authorization",
    "itemReceipt": "item receipt",
    "inventoryTransfer": "inventory transfer",
    "purchaseOrder": "purchase order",
}


class Client:
    """One account. Every method raises the kit's errors, sorted by NetSuite's own codes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def upsert(
        self, record: str, external_id: str, body: Mapping[str, Any], *, replace: Sequence[str] = (), job_key: str = ""
    ) -> ExternalId | Job:
        """PUT .../eid:...: insert, or update what bears the external id. `replace`: sublists that the body replaces.

        With a `job_key` it is an asynchronous job under an idempotency key (which a synchronous call would ignore).
        """
        path = f"{RECORD}/{record}/eid:{external_id}"
        answer = self._write("PUT", path, f"{record}.upsert", body, replace, job_key)
        if answer.status != 202:
            return self._id(answer, record)
        job = self._tail(answer)
        if answer.headers.get(FIRST) and self._failed(job, record):
            return self.upsert(record, external_id, body, replace=replace, job_key=f"{job_key}-{job}")
        return Job(job)

    def _failed(self, job: str, record: str) -> bool:
        """Whether the first job of a key was refused: its key would only ever tell that again, though the
        cause may be gone.
        """
        try:
            self.job(job, record)
        except Rejected:
            return True
        return False

    def update(self, record: str, ref: str, body: Mapping[str, Any], *, replace: Sequence[str] = ()) -> ExternalId:
        """PATCH: lines with `line` are changed, lines without are added, sublists in `replace` are replaced."""
        answer = self._write("PATCH", f"{RECORD}/{record}/{ref}", f"{record}.update", body, replace)
        return self._id(answer, record)

    def transform(
        self, record: str, ref: str, target: str, body: Mapping[str, Any], *, replace: Sequence[str] = ()
    ) -> ExternalId:
        """POST .../!transform/...: makes a record out of another; lines that the body does not name are taken whole."""
        path = f"{RECORD}/{record}/{ref}/!transform/{target}"
        return self._id(self._write("POST", path, f"{record}.{target}", body, replace), target)

    def get(self, record: str, ref: str, *, lines: bool = False) -> dict[str, Any] | None:
        """A record by its id or "eid:..."; None where NetSuite says that there is none. `lines` brings its
        sublists along.
        """
        query = {"expandSubResources": "true"} if lines else None
        answer = self._call("GET", f"{RECORD}/{record}/{ref}", operation=f"{record}.get", query=query)
        said = errors.refusal(answer)
        if said is not None and said.code in errors.ABSENT:
            return None
        found = self._checked(answer, WORDS.get(record, record)).json()
        if not isinstance(found, dict) or "id" not in found:
            raise Transient("NetSuite's answer is not the record that was asked for.", code="unreadable_answer")
        return found

    def id_of(self, record: str, external_id: str) -> ExternalId | None:
        found = self.get(record, f"eid:{external_id}")
        return str(found["id"]) if found else None

    def suiteql(self, query: str, key: Sequence[str], page: int = PAGE) -> list[dict[str, str]]:
        """Every row of a query. `key` names the columns that tell rows apart: pages that shifted under us are
        walked again.
        """
        for _ in range(WALKS):
            rows, total = self._walk(query, page)
            distinct = {tuple(str(row.get(name, "")) for name in key): row for row in rows}
            if len(distinct) == len(rows) == total:
                return rows
        raise Transient("The rows of a query moved while they were read.", code="pages_shifted")

    def _walk(self, query: str, page: int) -> tuple[list[dict[str, str]], int]:
        rows: list[dict[str, str]] = []
        for part in self._pages(query, page):
            rows += part["items"]
            total = int(part["totalResults"])
        return rows, total

    def _pages(self, query: str, page: int) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            answer = self._call(
                "POST",
                QUERY,
                operation="suiteql",
                query={"limit": page, "offset": offset},
                json={"q": query},
                headers={"prefer": "transient"},
            )
            part = self._checked(answer, "query").json()
            if not isinstance(part, dict) or not isinstance(part.get("items"), list):
                raise Transient("NetSuite's answer is not the rows that were asked for.", code="unreadable_answer")
            yield part
            if not part.get("hasMore"):
                return
            offset += page

    def job(self, job_id: str, record: str) -> ExternalId | Job:
        """What became of a job: itself while it runs, the record's id, or the refusal of its only task."""
        told = self._checked(self._call("GET", f"{JOB}/{job_id}", operation="job.get"), "job").json()
        if not told.get("completed"):
            return Job(job_id)
        answer = self._call("GET", f"{JOB}/{job_id}/task/1/result", operation="job.result", write=True)
        return self._id(self._checked(answer, WORDS.get(record, record)), record)

    def _write(
        self,
        method: str,
        path: str,
        operation: str,
        body: Mapping[str, Any],
        replace: Sequence[str] = (),
        job_key: str = "",
    ) -> Answer:
        headers = dict(STRICT)
        if job_key:
            headers |= {"prefer": "respond-async", "x-netsuite-idempotency-key": str(uuid.uuid5(NAMESPACE, job_key))}
        query = {"replace": ",".join(replace)} if replace else None
        answer = self._call(method, path, operation=operation, write=True, json=body, query=query, headers=headers)
        said = errors.refusal(answer)
        if said is not None and said.code == errors.SAME_KEY and answer.headers.get("location"):
            return Answer(
                202, {**answer.headers, FIRST: "true"}, b"", write=True
            )  # the key's first job stands for this call
        record, _, target = operation.partition(".")
        return self._checked(answer, WORDS.get(target) or WORDS.get(record, record))

    def _id(self, answer: Answer, record: str) -> ExternalId:
        """The id at the end of Location: a create or update answers 204 and no body."""
        if (
            answer.status not in (200, 201, 204)
            or f"/{record.lower()}/" not in answer.headers.get("location", "").lower()
        ):
            raise Ambiguous("NetSuite's answer does not say which record was written.", code="unreadable_answer")
        return self._tail(answer)

    @staticmethod
    def _tail(answer: Answer) -> str:
        tail = answer.headers.get("location", "").rstrip("/").rpartition("/")[2]
        if not tail:
            raise Ambiguous("NetSuite's answer does not say where it put the record.", code="unreadable_answer")
        return tail

    def _checked(self, answer: Answer, what: str) -> Answer:
        found = errors.sorted_trouble(answer, what)
        if isinstance(found, Throttled):
            pause = PAUSE if found.retry_after is None else found.retry_after
            self._connection.http.limits.block(self._connection.account.name, pause)
        if found is not None:
            raise found
        if answer.status >= 300:
            raise Rejected(
                f"NetSuite answered HTTP {answer.status}, which is no answer to this.", code=f"http_{answer.status}"
            )
        return answer

    def _call(
        self, method: str, path: str, *, operation: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Answer:
        """One call under the shared token; a refused token is bought anew once, by one worker for all."""
        answer, token = self._once(method, path, operation, headers, more)
        if answer.status != 401:
            return answer
        self._connection.tokens.refused(TOKEN, token)
        return self._once(method, path, operation, headers, more)[0]

    def _heed(self, answer: Answer, operation: str) -> None:
        """NetSuite refuses for concurrency with 400 too: either way others use the account, and our share shrinks."""
        said = errors.refusal(answer)
        if said is not None and said.code in errors.BUSY and answer.status != 429:
            self._connection.http.limits.refused(self._connection.account.name, operation, answer.seconds)

    def _once(
        self, method: str, path: str, operation: str, headers: Mapping[str, str] | None, more: Mapping[str, Any]
    ) -> tuple[Answer, str]:
        connection = self._connection
        token = connection.tokens.get(TOKEN, lambda: access_token(connection.http, connection.account))
        bearer = {"authorization": f"Bearer {token}", **(headers or {})}
        answer = connection.http.call(method, path, operation=operation, headers=bearer, **more)
        self._heed(answer, operation)
        return answer, token
