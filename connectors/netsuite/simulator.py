"""A NetSuite account over HTTP: its tokens, records, transforms, SuiteQL and jobs, with its limits and errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import simplejson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Response, request

from connectors.kit.simulator import Memory, Simulator
from connectors.netsuite import simulator_errors as errors
from connectors.netsuite import simulator_query as query
from connectors.netsuite.simulator_access import Access, Gauge, NoToken
from connectors.netsuite.simulator_books import KINDS, SHIPS, SUBLISTS, Books
from connectors.netsuite.simulator_effects import effects
from connectors.netsuite.simulator_errors import Refused
from connectors.netsuite.simulator_jobs import Jobs
from connectors.netsuite.simulator_sums import number, sums

TOKEN = "/services/rest/auth/oauth2/v1/token"
RECORD = "/services/rest/record/v1"
COUNTS = (
    "quantity",
    "rate",
    "amount",
    "quantityFulfilled",
    "shippingCost",
    "discountRate",
    "payment",
    "taxAmount",
    "taxBasis",
    "taxRate",
)

# Items that are no products, known in every simulated account, and account settings that go with them.
SPECIAL = {
    "9001": {"sku": "DISCOUNT", "type": "Discount"},
    "9002": {"sku": "FEE", "type": "OthCharge"},
    "9003": {"sku": "TIP", "type": "OthCharge"},
    "9004": {"sku": "DUTY", "type": "OthCharge"},
    "9005": {"sku": "ROUNDING", "type": "OthCharge"},
    "9006": {"sku": "TAX", "type": "OthCharge"},
    "9007": {"sku": "REMITTED-TAX", "type": "OthCharge"},
    "9008": {"sku": "ADJUSTMENT", "type": "OthCharge"},
    "9009": {"sku": "SHIPPING", "type": "OthCharge"},
    "9010": {"sku": "CUSTOM", "type": "NonInvtPart"},
    "9011": {"sku": "GIFT-CARD", "type": "GiftCert"},
}
DEMO_SETTINGS: dict[str, Any] = {
    "subsidiary": "1",
    "base_currency": "EUR",
    "currencies": {"EUR": "1", "USD": "2", "GBP": "3", "JPY": "4", "KWD": "5"},
    "location": "1",
    "ship_method": "31",
    "tax_code": "901",
    "tax_type": "11",
    "items": {
        "discount": "9001",
        "fee": "9002",
        "tip": "9003",
        "duty": "9004",
        "rounding": "9005",
        "tax": "9006",
        "remitted_tax": "9007",
        "adjustment": "9008",
        "shipping": "9009",
        "custom": "9010",
        "gift_card": "9011",
    },
}


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


def create(settings: Mapping[str, Any]) -> Simulator:
    """A simulated account.

    Settings: `client_id`, `certificate_id`, and `public_key` (PEM) or `private_key` (its public part is taken);
    `path` of a memory file; `token_seconds` (3600); `clock_skew` (seconds its clock is ahead); `concurrency` (5) calls
    at a time; `busy` = "429", "400" or "both" in turn: the shape in which it refuses more; `latency` (0 s) that each
    call takes; `job_seconds` (0.2) until an asynchronous job is done;
    `items` (id -> SKU, or {sku, type}; with them an unknown id is refused, without them any number is an item);
    `stock` (item id -> {location id: quantity});
    `subsidiaries`, `locations`, `currencies` (ids that exist; none given: any);
    `refused_emails` (customers that it refuses with USER_ERROR).
    """
    path = settings.get("path")
    simulator = Simulator(
        "netsuite", Memory(Path(path) if path else None), error=errors.plain, key_header="x-netsuite-idempotency-key"
    )
    account = NetSuite(
        simulator=simulator,
        access=Access(
            simulator.memory,
            str(settings.get("client_id", "client")),
            str(settings.get("certificate_id", "certificate")),
            str(settings.get("public_key") or public_part(str(settings["private_key"]))),
            float(settings.get("token_seconds", 3600)),
            float(settings.get("clock_skew", 0)),
        ),
        gauge=Gauge(int(settings.get("concurrency", 5))),
        books=Books(
            simulator,
            subsidiaries=_texts(settings, "subsidiaries"),
            locations=_texts(settings, "locations"),
            currencies=_texts(settings, "currencies"),
            refused_emails=tuple(one.casefold() for one in _texts(settings, "refused_emails")),
            open_catalogue=not settings.get("items"),
        ),
        jobs=Jobs(simulator.memory, float(settings.get("job_seconds", 0.2))),
        latency=float(settings.get("latency", 0)),
        busy_status=str(settings.get("busy", "both")),
    )
    _seed(account, settings)
    _serve(account)
    return simulator


def _texts(settings: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(str(one) for one in settings.get(name, ()))


def private_key() -> str:
    """A new EC P-256 key as PEM, for an account of a demonstration."""
    key = ec.generate_private_key(ec.SECP256R1())
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


def public_part(pem: str) -> str:
    key = serialization.load_pem_private_key(pem.replace("\\n", "\n").encode(), None)
    shape = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, shape).decode()


def _seed(account: NetSuite, settings: Mapping[str, Any]) -> None:
    memory = account.simulator.memory
    given = {
        str(key): one if isinstance(one, Mapping) else {"sku": str(one)}
        for key, one in settings.get("items", {}).items()
    }
    for key, item in {**SPECIAL, **given}.items():
        if key not in memory.table("items"):
            memory.put("items", key, {"type": "InvtPart", **item})
    for item_id, places in settings.get("stock", {}).items():
        for location, quantity in places.items():
            _put_stock(account, {"item": str(item_id), "location": str(location), "available": quantity}, keep=True)


def _put_stock(account: NetSuite, row: Mapping[str, Any], keep: bool = False) -> None:
    key, memory = f"{row['item']}@{row['location']}", account.simulator.memory
    if keep and key in memory.table("stock"):
        return
    whole = {"onhand": row["available"], "incoming": "0", "committed": "0", **row}
    memory.put("stock", key, {name: str(value) for name, value in whole.items()})


# ---- the vendor's operations


def _serve(account: NetSuite) -> None:
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
    _add(account, f"{RECORD}/salesOrder/<ref>/!transform/itemFulfillment", "salesOrder.transform", "POST", _transform)
    _control(account)


def _add(account: NetSuite, rule: str, name: str, method: str, handle: Callable[..., Any], *more: Any) -> None:
    """One operation behind the gauge and the token; SuiteQL is a read although it is posted."""
    write = method in ("POST", "PUT", "PATCH") and name != "suiteql"

    def act(**args: Any) -> Any:
        if account.latency:
            time.sleep(account.latency)
        try:
            account.access.admit(request.headers.get("authorization", ""))
            account.jobs.run_due(lambda job: _perform(account, job))
            return handle(account, *more, **args)
        except Refused as refused:
            return _answer(errors.ns_error(refused), refused.status)

    def view(**args: Any) -> Response:
        with account.gauge.call() as room:
            return account.simulator.answer(name, write, (lambda: act(**args)) if room else (lambda: _busy(account)))

    account.simulator.app.add_url_rule(rule, f"{name}:{rule}", view, methods=[method])


def _answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = simplejson.dumps(body, use_decimal=True)
    return Response(
        text, status, headers, content_type="application/vnd.oracle.resource+json; type=singular; charset=UTF-8"
    )


def _busy(account: NetSuite) -> Response:
    """Over the limit NetSuite was seen to answer 429 and 400; neither says how long to wait."""
    old = account.busy_status == "400" or (account.busy_status == "both" and account.gauge.refused % 2 == 0)
    detail = "Concurrent request limit exceeded. Request blocked."
    if old:
        return _answer(errors.ns_error(Refused(detail, "CONCURRENCY_LIMIT_EXCEEDED")), 400)
    return _answer(errors.ns_error(Refused(detail, "CONCURRENCY_LIMIT_EXCEEDED", status=429)), 429)


def _token(account: NetSuite) -> Response:
    try:
        return _answer(account.access.token(request.form.to_dict(), request.url_root.rstrip("/") + TOKEN))
    except NoToken as refused:
        return _answer({"error": refused.error}, refused.status)


def _body() -> Any:
    return _parsed(request.get_data(as_text=True))


def _parsed(text: str) -> Any:
    try:
        return simplejson.loads(text, use_decimal=True)
    except ValueError:
        raise Refused("Invalid content in the request body: it is not JSON.", "INVALID_CONTENT") from None


def _strict() -> bool:
    return request.headers.get("x-netsuite-propertynamevalidation", "Warning").lower() == "error"


def _replace() -> tuple[str, ...]:
    return tuple(filter(None, request.args.get("replace", "").split(",")))


def _located(kind: str, record: Mapping[str, Any]) -> Response:
    """A create or update answers 204, no body, and where the record is."""
    return Response(status=204, headers={"Location": f"{request.url_root.rstrip('/')}{RECORD}/{kind}/{record['id']}"})


def _do(account: NetSuite, act: str, kind: str, ref: str = "") -> Response:
    job = {
        "act": act,
        "kind": kind,
        "ref": ref,
        "text": request.get_data(as_text=True),
        "replace": list(_replace()),
        "strict": _strict(),
    }
    if "respond-async" in request.headers.get("prefer", ""):
        return _accept(account, job)
    return _located("itemFulfillment" if act == "transform" else kind, _perform(account, job))


def _perform(account: NetSuite, job: Mapping[str, Any]) -> dict[str, Any]:
    books, kind, ref, body = account.books, job["kind"], job["ref"], _parsed(job["text"])
    if kind == "inventoryItem":
        raise Refused(
            "Permission Violation: you need a higher level of the 'Items' permission.",
            "INSUFFICIENT_PERMISSION",
            status=403,
        )
    if job["act"] == "create":
        return books.create(kind, body, job["strict"])
    if job["act"] == "upsert":
        return books.upsert(kind, ref, body, job["replace"], job["strict"])
    if job["act"] == "transform":
        return books.fulfil(ref, body, job["strict"])
    return books.save(kind, books.get(kind, ref), body, job["replace"], job["strict"])


def _create(account: NetSuite, kind: str) -> Response:
    return _do(account, "create", kind)


def _upsert(account: NetSuite, kind: str, ref: str) -> Response:
    return _do(account, "upsert", kind, ref)


def _update(account: NetSuite, kind: str, ref: str) -> Response:
    return _do(account, "update", kind, ref)


def _transform(account: NetSuite, ref: str) -> Response:
    return _do(account, "transform", "salesOrder", ref)


def _get(account: NetSuite, kind: str, ref: str) -> Response:
    with account.simulator.memory.lock:
        if kind == "inventoryItem":
            found = account.books.item(ref)
            if found is None:
                raise errors.nobody(kind, ref)
            return _answer({"id": ref, "itemId": found["sku"], "links": []})
        return _answer(
            _shown(kind, account.books.get(kind, ref), request.args.get("expandSubResources", "").lower() == "true")
        )


def _shown(kind: str, record: Mapping[str, Any], expand: bool) -> dict[str, Any]:
    """A record as a GET tells it: numbers as numbers; its sublists only when they are asked for, else a link
    to each.
    """
    shown = {k: _numeric(k, v) for k, v in record.items() if k not in SUBLISTS.values() and k != "status"}
    if kind in ("salesOrder", "creditMemo"):
        shown |= sums(record)
        shown["status"] = {"id": record["status"]}
    for name, kept in SUBLISTS.items():
        if record.get(kept) is not None:
            rows = [_line(row) for row in record[kept]]
            envelope = {
                "links": [],
                "count": len(rows),
                "hasMore": False,
                "items": rows,
                "offset": 0,
                "totalResults": len(rows),
            }
            shown[name] = envelope if expand else {"links": [{"rel": "self", "href": f"{request.base_url}/{name}"}]}
    return {"links": [], **shown}


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {k: _numeric(k, v) for k, v in row.items()}
    if "itemType" in shown:
        shown["itemType"] = {"id": shown["itemType"], "refName": shown["itemType"]}
        shown.setdefault("quantityFulfilled", Decimal(0) if row["itemType"] in SHIPS else None)
        shown.setdefault("isClosed", False)
    return {k: v for k, v in shown.items() if v is not None}


def _numeric(name: str, value: Any) -> Any:
    return number(value) if name in COUNTS and value is not None else value


def _suiteql(account: NetSuite) -> Response:
    if "transient" not in request.headers.get("prefer", ""):
        raise Refused(
            "The required header Prefer: transient is missing.", "INVALID_HEADER", "Prefer", part="o:errorHeader"
        )
    rows = query.run(account.simulator, (_body() or {}).get("q"))
    limit, offset = int(request.args.get("limit", 1000)), int(request.args.get("offset", 0))
    shift = account.simulator.passive("page_shift")
    if shift is not None and offset:
        if shift.times is not None:
            shift.times -= 1
        rows = rows[-1:] + rows[:-1]  # one row moved to the front while the pages were walked
    return _answer(query.page(rows, limit, offset))


# ---- asynchronous jobs


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
    return _answer(errors.ns_error(Refused(detail, "IDEMPOTENCY_ERROR", title="Conflict")), 400, where)


def _job(account: NetSuite, job: str) -> Response:
    held = account.jobs.get(job)
    return _answer(
        {"id": job, "completed": held["done"], "progress": "succeeded" if held["done"] else "pending", "links": []}
    )


def _tasks(account: NetSuite, job: str) -> Response:
    account.jobs.get(job)
    return _answer(query.page([{"id": "1", "links": []}], 1000, 0))


def _result(account: NetSuite, job: str) -> Response:
    held = account.jobs.get(job)
    if not held["done"]:
        raise errors.nobody("task result", job)
    if held.get("error"):
        refused = Refused(**held["error"])
        return _answer(errors.ns_error(refused), refused.status)
    kind = "itemFulfillment" if held["job"]["act"] == "transform" else held["job"]["kind"]
    return _located(kind, {"id": held["record"]})


# ---- what anyone may ask or do


def _control(account: NetSuite) -> None:
    app = account.simulator.app

    @app.get("/_sim/effects")
    def told_effects() -> Response:
        account.jobs.run_due(lambda job: _perform(account, job))
        with account.simulator.memory.lock:
            return _answer(effects(account.books))

    @app.get("/_sim/concurrency")
    def concurrency() -> Response:
        return _answer({"limit": account.gauge.limit, "peak": account.gauge.peak, "refused": account.gauge.refused})

    @app.post("/_sim/tokens/ends")
    def end_tokens() -> Response:
        return _answer({"ended": account.access.end_all()})

    @app.post("/_sim/items")
    def add_item() -> Response:
        given = _body()
        account.simulator.memory.put("items", str(given["id"]), {"type": "InvtPart", **given})
        return _answer(given, 201)

    @app.post("/_sim/stock")
    def set_stock() -> Response:
        given = _body()
        _put_stock(account, given)
        return _answer(given, 201)
