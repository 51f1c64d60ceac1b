"""The operations of a simulated company: its pages, bound actions and $batch, behind the gate and the tokens."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import simplejson
from flask import Response, request

from connectors.business_central import simulator_refusals as refusals
from connectors.business_central.simulator_access import Access, Gate, NoToken
from connectors.business_central.simulator_books import Books
from connectors.business_central.simulator_hooks import Hooks
from connectors.business_central.simulator_posting import post_memo, ship_and_invoice
from connectors.business_central.simulator_query import listed, told_record
from connectors.business_central.simulator_refusals import Refused, nobody
from connectors.kit.simulator import Simulator

MOST = 100  # operations of a $batch


@dataclass(frozen=True)
class Asked:
    """One request below the company, whether it came by itself or in a $batch."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    etag: str = ""
    size: int = 20_000


@dataclass
class Company:
    """The simulated company and its environment."""

    simulator: Simulator
    access: Access
    gate: Gate
    books: Books
    hooks: Hooks
    company: str
    environment: str
    latency: float
    retry_after: int
    stock_page: str = ""

    @property
    def root(self) -> str:
        """The company's address as the caller sees it."""
        base = request.url_root.rstrip("/")
        return f"{base}/v2.0/{self.access.tenant}/{self.environment}/api/v2.0/companies({self.company})"


Handle = Callable[[Company, Asked, tuple[str, ...]], tuple[int, Any]]


def _list(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        within = parts[0].lower() if parts else ""
        return 200, listed(company.books, table, asked.query, company.root, asked.path, asked.size, within)

    return act


def _get(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        found = company.books.get(table, parts[0])
        return 200, told_record(table, found, asked.query.get("$expand", ""))

    return act


def _create(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        made = company.books.customer(asked.body) if table == "customers" else company.books.create(table, asked.body)
        return 201, told_record(table, made)

    return act


def _change(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        return 200, told_record(table, company.books.change(table, parts[0], asked.body, asked.etag))

    return act


def _delete(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        company.books.delete(table, parts[0], asked.etag)
        return 204, None

    return act


def _line(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        return 201, _shown_line(company, table, company.books.line(table, parts[0], asked.body))

    return act


def _change_line(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        return 200, _shown_line(company, table, company.books.change_line(table, parts[0], asked.body, asked.etag))

    return act


def _delete_line(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        company.books.delete_line(table, parts[0], asked.etag)
        return 204, None

    return act


def _shown_line(company: Company, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    owner = company.books.owner(table, row["id"])
    name = "salesOrderLines" if table == "salesOrders" else "salesCreditMemoLines"
    lines: list[dict[str, Any]] = told_record(table, owner, name)[name]
    return next(one for one in lines if one["id"] == row["id"])


def _journal(table: str) -> Handle:
    def act(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
        return 201, told_record(table, company.books.journal(table, parts[0], asked.body))

    return act


def _post(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
    post_memo(company.books, parts[0])
    return 204, None


def _ship(company: Company, asked: Asked, parts: tuple[str, ...]) -> tuple[int, Any]:
    ship_and_invoice(company.books, parts[0])
    return 204, None


KEY = r"\(([^()]+)\)"
# method, address below the company -> what does it
ROUTES: tuple[tuple[str, str, Handle], ...] = (
    ("GET", "customers", _list("customers")),
    ("POST", "customers", _create("customers")),
    ("GET", f"customers{KEY}", _get("customers")),
    ("GET", "salesOrders", _list("salesOrders")),
    ("POST", "salesOrders", _create("salesOrders")),
    ("GET", f"salesOrders{KEY}", _get("salesOrders")),
    ("PATCH", f"salesOrders{KEY}", _change("salesOrders")),
    ("DELETE", f"salesOrders{KEY}", _delete("salesOrders")),
    ("POST", f"salesOrders{KEY}/salesOrderLines", _line("salesOrders")),
    ("POST", f"salesOrders{KEY}/Microsoft.NAV.shipAndInvoice", _ship),
    ("PATCH", f"salesOrderLines{KEY}", _change_line("salesOrders")),
    ("DELETE", f"salesOrderLines{KEY}", _delete_line("salesOrders")),
    ("GET", "salesShipments", _list("salesShipments")),
    ("GET", "salesInvoices", _list("salesInvoices")),
    ("GET", f"salesInvoices{KEY}", _get("salesInvoices")),
    ("GET", "salesCreditMemos", _list("salesCreditMemos")),
    ("POST", "salesCreditMemos", _create("salesCreditMemos")),
    ("GET", f"salesCreditMemos{KEY}", _get("salesCreditMemos")),
    ("DELETE", f"salesCreditMemos{KEY}", _delete("salesCreditMemos")),
    ("POST", f"salesCreditMemos{KEY}/salesCreditMemoLines", _line("salesCreditMemos")),
    ("POST", f"salesCreditMemos{KEY}/Microsoft.NAV.post", _post),
    ("GET", f"journals{KEY}/journalLines", _list("journalLines")),
    ("POST", f"journals{KEY}/journalLines", _journal("journalLines")),
    ("GET", f"customerPaymentJournals{KEY}/customerPayments", _list("customerPayments")),
    ("POST", f"customerPaymentJournals{KEY}/customerPayments", _journal("customerPayments")),
    ("GET", "items", _list("items")),
    ("GET", f"items{KEY}", _get("items")),
)
COMPILED = tuple((method, re.compile(rule), handle) for method, rule, handle in ROUTES)


def dispatch(company: Company, asked: Asked) -> tuple[int, Any]:
    """One request, whole or not at all. Raises Refused."""
    there = [(method, rule.fullmatch(asked.path), handle) for method, rule, handle in COMPILED]
    found = [(method, match, handle) for method, match, handle in there if match is not None]
    if not found:
        words = f"Resource not found for the segment '{asked.path.split('(')[0]}'."
        raise Refused(words, "BadRequest_ResourceNotFound", 404)
    for method, match, handle in found:
        if method == asked.method:
            with company.books.transaction():
                return handle(company, asked, match.groups())
    words = f"'{asked.method}' requests for '{asked.path}' of EdmType 'Entity' are not allowed within Microsoft Dynamics NAV OData web services."
    raise Refused(words, "BadRequest_MethodNotAllowed", 405)


# ---- over HTTP


def serve(company: Company) -> None:
    app, base = company.simulator.app, "/v2.0/<tenant>/<environment>/api"
    app.add_url_rule("/<tenant>/oauth2/v2.0/token", "token", lambda tenant: _token(company, tenant), methods=["POST"])
    page = f"{base}/v2.0/companies(<asked>)/<path:path>"
    app.add_url_rule(page, "page", lambda **args: _page(company, **args), methods=["GET", "POST", "PATCH", "DELETE"])
    app.add_url_rule(f"{base}/v2.0/$batch", "batch", lambda **args: _batch(company, **args), methods=["POST"])
    custom = f"{base}/<publisher>/<group>/<version>/companies(<asked>)/<entity>"
    app.add_url_rule(custom, "custom", lambda **args: _custom(company, **args), methods=["GET"])
    hooks = f"{base}/v2.0/subscriptions"
    app.add_url_rule(hooks, "subscriptions", lambda **args: _subscriptions(company, **args), methods=["GET", "POST"])
    app.add_url_rule(
        f"{hooks}(<key>)", "subscription", lambda **args: _subscription(company, **args), methods=["PATCH", "DELETE"]
    )


def _token(company: Company, tenant: str) -> Response:
    def act() -> Response:
        try:
            return answer(company.access.token(tenant, request.form.to_dict()))
        except NoToken as refused:
            return answer({"error": refused.error, "error_description": refused.words}, refused.status)

    return company.simulator.answer("oauth.token", False, act)


def operation(method: str, path: str) -> str:
    """ "salesOrders.get", "salesOrders.shipAndInvoice": as the calls are named in the log."""
    plain = re.sub(r"\([^()]*\)", "", path)
    first, _, action = plain.partition("/Microsoft.NAV.")
    ends = {"GET": "get" if path.endswith(")") else "list", "POST": "create", "PATCH": "update", "DELETE": "delete"}
    return ".".join((*first.split("/"), action or ends[method]))


def _page(company: Company, tenant: str, environment: str, asked: str, path: str) -> Response:
    def act() -> Response:
        prefer = re.search(r"odata\.maxpagesize=(\d+)", request.headers.get("prefer", ""))
        one = Asked(
            request.method, path, request.args.to_dict(), _body(), request.headers.get("if-match", ""),
            int(prefer[1]) if prefer else 20_000,
        )  # fmt: skip
        status, told = dispatch(company, one)
        return answer(told, status)

    return behind(company, operation(request.method, path), request.method != "GET", tenant, environment, asked, act)


def behind(
    company: Company,
    name: str,
    write: bool,
    tenant: str,
    environment: str,
    asked: str,
    act: Callable[[], Response],
) -> Response:
    """Through the gate, then the token, then the company."""

    def admitted() -> Response:
        try:
            company.access.admit(request.headers.get("authorization", ""))
            if (tenant, environment) != (company.access.tenant, company.environment):
                raise Refused("The environment does not exist.", "BadRequest_ResourceNotFound", 404)
            if asked and asked.lower() != company.company.lower():
                raise Refused(
                    "Can't process the request because the company can't be found.", "Internal_CompanyNotFound", 404
                )
            return act()
        except Refused as refused:
            return answer(refusals.body(refused), refused.status)

    with company.gate.call() as room:
        if company.latency and room:
            time.sleep(company.latency)
        return company.simulator.answer(name, write, admitted if room else (lambda: _too_many(company)))


def _too_many(company: Company) -> Response:
    """Over the limit; `retry_after` is told where the settings say so (Microsoft promises none)."""
    told = answer(refusals.plain(429, "Too many requests. Your request was throttled.")[0], 429)
    if company.retry_after:
        told.headers["Retry-After"] = str(company.retry_after)
    return told


def _batch(company: Company, tenant: str, environment: str) -> Response:
    """All or nothing under Isolation: snapshot; else each by itself."""
    body = _body() if request.get_data() else {}
    inner = body.get("requests", []) if isinstance(body, Mapping) else []
    write = any(one.get("method") != "GET" for one in inner)

    def act() -> Response:
        if not inner or len(inner) > MOST:
            raise Refused(f"A batch holds 1 to {MOST} requests.", "BadRequest")
        if request.headers.get("isolation", "").lower() != "snapshot":
            return answer({"responses": [_one(company, one) for one in inner]})
        told: list[dict[str, Any]] = []
        try:
            with company.books.transaction():
                for one in inner:
                    told.append(_one(company, one))
                    if told[-1]["status"] >= 400:
                        raise _Undone
        except _Undone:
            pass
        return answer({"responses": told})

    name = "batch.write" if write else "batch.read"
    return behind(company, name, write, tenant, environment, "", act)


class _Undone(Refused):
    """One of a transaction was refused: all of it is undone."""

    def __init__(self) -> None:
        super().__init__("undone")


def _one(company: Company, inner: Mapping[str, Any]) -> dict[str, Any]:
    url, _, query = str(inner.get("url", "")).partition("?")
    start = f"companies({company.company})/"
    headers = {str(name).lower(): str(value) for name, value in inner.get("headers", {}).items()}
    try:
        if not url.lower().startswith(start.lower()):
            raise Refused("Resource not found for the segment.", "BadRequest_ResourceNotFound", 404)
        asked = Asked(
            str(inner["method"]),
            url[len(start) :],
            dict(parse_qsl(query)),
            inner.get("body"),
            headers.get("if-match", ""),
        )
        status, told = dispatch(company, asked)
    except Refused as refused:
        status, told = refused.status, refusals.body(refused)
    head = (
        {"content-type": "application/json; odata.metadata=minimal", "odata-version": "4.0"} if told is not None else {}
    )
    return {"id": inner.get("id"), "status": status, "headers": head, **({"body": told} if told is not None else {})}


def _custom(
    company: Company, tenant: str, environment: str, publisher: str, group: str, version: str, asked: str, entity: str
) -> Response:
    """The company's own page of stock by location, where it has one."""

    def act() -> Response:
        if f"{publisher}/{group}/{version}/{entity}" != company.stock_page:
            raise Refused(f"Resource not found for the segment '{entity}'.", "BadRequest_ResourceNotFound", 404)
        rows = company.simulator.memory.table("stock").values()
        return answer({"value": list(rows)})

    return behind(company, "custom.list", False, tenant, environment, asked, act)


def _subscriptions(company: Company, tenant: str, environment: str) -> Response:
    def act() -> Response:
        if request.method == "GET":
            return answer({"value": company.hooks.all()})
        return answer(company.hooks.create(_body(), company.company), 201)

    name = "subscriptions.list" if request.method == "GET" else "subscriptions.create"
    return behind(company, name, request.method != "GET", tenant, environment, "", act)


def _subscription(company: Company, tenant: str, environment: str, key: str) -> Response:
    def act() -> Response:
        wanted, etag = key.strip("'"), request.headers.get("if-match", "")
        if request.method == "DELETE":
            company.hooks.delete(wanted, etag)
            return answer(None, 204)
        return answer(company.hooks.renew(wanted, _body(), etag))

    name = "subscriptions.update" if request.method == "PATCH" else "subscriptions.delete"
    return behind(company, name, True, tenant, environment, "", act)


def _body() -> Any:
    if not request.get_data():
        return None
    try:
        return simplejson.loads(request.get_data(), use_decimal=True)
    except ValueError:
        raise Refused("Invalid Request Body", "BadRequest") from None


def answer(told: Any, status: int = 200) -> Response:
    text = "" if told is None else simplejson.dumps(told, use_decimal=True)
    return Response(text, status, content_type="application/json; odata.metadata=minimal")


__all__ = ["Asked", "Company", "answer", "dispatch", "nobody", "serve"]
