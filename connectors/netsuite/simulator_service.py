"""The operations of a simulated NetSuite account: records, transforms, SuiteQL, jobs, behind its gauge and tokens."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from connectors.kit.simulator import Simulator
from connectors.netsuite import simulator_errors as errors
from connectors.netsuite import simulator_query as query
from connectors.netsuite.simulator_access import Access, Gauge, NoToken
from connectors.netsuite.simulator_answers import RECORD, answer, body, located, parsed, refusal, shown_record
from connectors.netsuite.simulator_books import KINDS, Books
from connectors.netsuite.simulator_errors import Refused
from connectors.netsuite.simulator_jobs import Jobs
from connectors.netsuite.simulator_money import standing
from connectors.netsuite.simulator_transforms import TRANSFORMS

TOKEN = "/services/rest/auth/oauth2/v1/token"


@dataclass
class NetSuite:
    """The simulated account."""

    simulator: Simulator
    access: Access
    gauge: Gauge
    books: Books
    jobs: Jobs
    latency: float
    busy_status: str


def serve(account: NetSuite) -> None:
    simulator = account.simulator
    simulator.operation(TOKEN, "oauth.token", ["POST"])(lambda: _token(account))
    _add(account, "/services/rest/query/v1/suiteql", "suiteql", "POST", _suiteql)
    _add(account, "/services/rest/async/v1/job/<job>", "job.get", "GET", _job)
    _add(account, "/services/rest/async/v1/job/<job>/task/", "job.tasks", "GET", _tasks)
    _add(account, "/services/rest/async/v1/job/<job>/task/1/result", "job.result", "GET", _result)
    for kind in KINDS.values():
        _add(account, f"{RECORD}/{kind}", f"{kind}.create", "POST", _create, kind)
        _add(account, f"{RECORD}/{kind}/<ref>", f"{kind}.get", "GET", _get, kind)
        _add(account, f"{RECORD}/{kind}/<ref>", f"{kind}.upsert", "PUT", _upsert, kind)
        _add(account, f"{RECORD}/{kind}/<ref>", f"{kind}.update", "PATCH", _update, kind)
    for source, target in TRANSFORMS:
        rule = f"{RECORD}/{source}/<ref>/!transform/{target}"
        _add(account, rule, f"{source}.{target}", "POST", _transform, source, target)


def _add(account: NetSuite, rule: str, name: str, method: str, handle: Callable[..., Any], *more: Any) -> None:
    """One operation behind the gauge and the token; SuiteQL is a read although it is posted."""
    write = method in ("POST", "PUT", "PATCH") and name != "suiteql"

    def act(**args: Any) -> Any:
        if account.latency:
            time.sleep(account.latency)
        try:
            account.access.admit(request.headers.get("authorization", ""))
            account.jobs.run_due(lambda job: perform(account, job))
            return handle(account, *more, **args)
        except Refused as refused:
            return refusal(refused)

    def view(**args: Any) -> Response:
        with account.gauge.call() as room:
            return account.simulator.answer(name, write, (lambda: act(**args)) if room else (lambda: _busy(account)))

    account.simulator.app.add_url_rule(rule, f"{name}:{rule}", view, methods=[method])


def _busy(account: NetSuite) -> Response:
    """Over the limit NetSuite was seen to answer 429 and 400; neither says how long to wait."""
    old = account.busy_status == "400" or (account.busy_status == "both" and account.gauge.refused % 2 == 0)
    detail = "Concurrent request limit exceeded. Request blocked."
    return refusal(Refused(detail, "CONCURRENCY_LIMIT_EXCEEDED", status=400 if old else 429))


def _token(account: NetSuite) -> Response:
    try:
        return answer(account.access.token(request.form.to_dict(), request.url_root.rstrip("/") + TOKEN))
    except NoToken as refused:
        return answer({"error": refused.error}, refused.status)


def _strict() -> bool:
    return request.headers.get("x-netsuite-propertynamevalidation", "Warning").lower() == "error"


def _replace() -> tuple[str, ...]:
    return tuple(filter(None, request.args.get("replace", "").split(",")))


def _do(account: NetSuite, act: str, kind: str, ref: str = "", target: str = "") -> Response:
    job = {
        "act": act,
        "kind": kind,
        "target": target,
        "ref": ref,
        "text": request.get_data(as_text=True),
        "replace": list(_replace()),
        "strict": _strict(),
    }
    if "respond-async" in request.headers.get("prefer", ""):
        return _accept(account, job)
    return located(target or kind, perform(account, job))


def perform(account: NetSuite, job: Mapping[str, Any]) -> dict[str, Any]:
    books, kind, ref, body = account.books, job["kind"], job["ref"], parsed(job["text"])
    if kind == "inventoryItem":
        raise Refused(
            "Permission Violation: you need a higher level of the 'Items' permission.",
            "INSUFFICIENT_PERMISSION",
            status=403,
        )
    if not isinstance(body, Mapping):
        raise Refused("Invalid content in the request body: not a JSON object.", "INVALID_CONTENT")
    if job["act"] == "create":
        return books.create(kind, body, job["strict"])
    if job["act"] == "upsert":
        return books.upsert(kind, ref, body, job["replace"], job["strict"])
    if job["act"] == "transform":
        return TRANSFORMS[kind, job["target"]](books, ref, body, job["replace"], job["strict"])
    return books.save(kind, books.get(kind, ref), body, job["replace"], job["strict"])


def _create(account: NetSuite, kind: str) -> Response:
    return _do(account, "create", kind)


def _upsert(account: NetSuite, kind: str, ref: str) -> Response:
    return _do(account, "upsert", kind, ref)


def _update(account: NetSuite, kind: str, ref: str) -> Response:
    return _do(account, "update", kind, ref)


def _transform(account: NetSuite, source: str, target: str, ref: str) -> Response:
    return _do(account, "transform", source, ref, target)


def _get(account: NetSuite, kind: str, ref: str) -> Response:
    with account.simulator.memory.lock:
        if kind == "inventoryItem":
            found = account.books.item(ref)
            if found is None:
                raise errors.nobody(kind, ref)
            return answer({"id": ref, "itemId": found["sku"], "links": []})
        record = account.books.get(kind, ref)
        expand = request.args.get("expandSubResources", "").lower() == "true"
        return answer(shown_record(kind, record, expand, standing(account.books, kind, record)))


def _suiteql(account: NetSuite) -> Response:
    if "transient" not in request.headers.get("prefer", ""):
        raise Refused(
            "The required header Prefer: transient is missing.", "INVALID_HEADER", "Prefer", part="o:errorHeader"
        )
    asked = body()
    rows = query.run(account.simulator, asked.get("q") if isinstance(asked, Mapping) else None)
    limit, offset = request.args.get("limit", 1000, type=int), request.args.get("offset", 0, type=int)
    shift = account.simulator.passive("page_shift")
    if shift is not None and offset:
        if shift.times is not None:
            shift.times -= 1
        rows = rows[-1:] + rows[:-1]  # one row moved to the front while the pages were walked
    return answer(query.page(rows, limit, offset))


def _accept(account: NetSuite, job: Mapping[str, Any]) -> Response:
    """202 and where the job is; under a key that was used, 400 and where its first job is."""
    key = request.headers.get("x-netsuite-idempotency-key", "")
    job_id, first = account.jobs.add(key, job)
    where = {
        "Preference-Applied": "respond-async",
        "Location": f"{request.url_root.rstrip('/')}/services/rest/async/v1/job/{job_id}",
    }
    if first:
        return Response(status=202, headers=where)
    detail = "A request with this idempotency key was submitted before: Location links to its job."
    return refusal(Refused(detail, "IDEMPOTENCY_ERROR", title="Conflict"), where)


def _job(account: NetSuite, job: str) -> Response:
    held = account.jobs.get(job)
    return answer(
        {"id": job, "completed": held["done"], "progress": "succeeded" if held["done"] else "pending", "links": []}
    )


def _tasks(account: NetSuite, job: str) -> Response:
    account.jobs.get(job)
    return answer(query.page([{"id": "1", "links": []}], 1000, 0))


def _result(account: NetSuite, job: str) -> Response:
    held = account.jobs.get(job)
    if not held["done"]:
        raise errors.nobody("task result", job)
    if held.get("error"):
        refused = Refused(**held["error"])
        return refusal(refused)
    return located(held["job"]["target"] or held["job"]["kind"], {"id": held["record"]})
