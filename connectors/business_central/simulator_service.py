"""A simulated company over HTTP: its pages and $batch, behind the gate and the tokens."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import simplejson
from flask import Response, request

from connectors.business_central import simulator_refusals as refusals
from connectors.business_central.simulator_access import NoToken
from connectors.business_central.simulator_pages import Asked, Company, dispatch
from connectors.business_central.simulator_refusals import Refused

MOST = 100  # operations of a $batch


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
